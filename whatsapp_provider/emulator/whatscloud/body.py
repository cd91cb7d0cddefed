"""Reading a request's body as PHP does: JSON, a form, or a multipart form, with names like ``contact[email]``."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from whatsapp_provider.emulator.asgi import Request

Data = dict[str, Any]
_PARTS = re.compile(r"\[([^\]]*)\]")


class Upload(NamedTuple):
    """A file of a multipart form."""

    name: str
    mime_type: str
    content: bytes


async def read_body(request: Request) -> Data:
    """Return the fields; what can't be read is as if it were not there."""
    content_type = request.header(b"content-type")
    if content_type.startswith("multipart/"):
        fields, files = await request.form()
        data = _nested(list(fields.items()))
        return {**_cleaned(data), **{name: Upload(*file) for name, file in files.items()}}
    if "x-www-form-urlencoded" in content_type:
        return _cleaned(_nested(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)))
    if "/json" not in content_type and "+json" not in content_type:
        return {}
    try:
        data = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return _cleaned(data) if isinstance(data, dict) else {}


def _cleaned(data: Data) -> Data:
    return {name: _clean(value) for name, value in data.items()}


def _clean(value: Any) -> Any:
    """Trim texts and make empty ones null, as Laravel does with all input."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, dict):
        return _cleaned(value)
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return value


def _nested(pairs: list[tuple[str, str]]) -> Data:
    """Put ``buttons[0][id]`` where PHP puts it."""
    data: Data = {}
    for name, value in pairs:
        first = name.partition("[")[0]
        path = [first, *_PARTS.findall(name[len(first) :])]
        place = data
        for step in path[:-1]:
            inner = place.setdefault(step, {})
            place = inner if isinstance(inner, dict) else {}
        place[path[-1] or str(len(place))] = value
    return {name: _listed(value) for name, value in data.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    return list(inner.values()) if list(inner) == [str(at) for at in range(len(inner))] else inner
