"""Reading a request's body, with the errors of the server's parser."""

from __future__ import annotations

import json
from typing import Any

from whatsapp_provider.emulator.asgi import Request
from whatsapp_provider.emulator.evolution.refusals import RefusalError

Data = dict[str, Any]


async def read_body(request: Request) -> Data:
    """Return the body as an object; a multipart file stands under ``file`` as name, type and bytes."""
    if not request.body:
        return {}
    if request.header(b"content-type").startswith("multipart/"):
        fields, files = await request.form()
        data: Data = dict(fields)
        if files:
            data["file"] = files.get("file") or next(iter(files.values()))
        return data
    try:
        data = json.loads(request.body)
    except ValueError as error:
        raise RefusalError(400, _complaint(error), "Internal Server Error") from None
    return data if isinstance(data, dict) else {}


def _complaint(error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError) or error.pos >= len(error.doc):
        return "Unexpected end of JSON input"
    return f"Unexpected token {error.doc[error.pos]} in JSON at position {error.pos}"
