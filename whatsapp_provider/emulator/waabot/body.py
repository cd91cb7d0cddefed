"""Reading a request's body as Express and its parsers do: by its Content-Type, whatever it looks like."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from whatsapp_provider.emulator.asgi import Request
from whatsapp_provider.emulator.waabot.refusals import PageError

Data = dict[str, Any]
#: Name, content type, bytes.
File = tuple[str, str, bytes]

# The default of the parser that comes first; a multipart body does not pass it.
PARSED_BYTES = 100 * 1024


async def read_body(request: Request) -> tuple[Data, File | None]:
    """Return the fields of a body and its file, if it has one."""
    kind = request.header(b"content-type").partition(";")[0].strip().lower()
    if not request.body or not kind:
        return {}, None
    if kind == "multipart/form-data":
        fields, files = await request.form()
        return dict(fields), next(iter(files.values()), None)
    if kind not in ("application/json", "application/x-www-form-urlencoded"):
        return {}, None
    if len(request.body) > PARSED_BYTES:
        raise PageError(413, "PayloadTooLargeError: request entity too large")
    if kind == "application/json":
        return _json(request.body), None
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)), None


def _json(body: bytes) -> Data:
    try:
        data = json.loads(body)
    except ValueError as error:
        at = error.pos if isinstance(error, json.JSONDecodeError) else 0
        raise PageError(400, f"SyntaxError: Unexpected token in JSON at position {at}") from None
    # A list is an object too in JavaScript, one without any of the names.
    if not isinstance(data, dict | list):
        raise PageError(400, "SyntaxError: Unexpected token in JSON at position 0")
    return data if isinstance(data, dict) else {}
