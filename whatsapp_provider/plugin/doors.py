"""What a person sees in a browser who may not come in: a few words and the way to the login."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from whatsapp_provider.plugin.headers import content_security_policy

# The style is in the page, because without a login there are no files; its hash lets it pass.
STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:18vh auto;padding:0 1.25rem}"
    "h1{font-size:1.4rem;margin:0 0 .5rem}"
    "a{color:light-dark(#00664f,#5fd6a9);font-weight:600}"
)
POLICY = content_security_policy(
    style_src=f"'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
    script_src="'none'",
)

_TEXTS = {
    401: ("Please sign in", "This page is for people who are signed in to Airflow."),
    403: (
        "You may not pair channels here",
        "Pairing a phone takes the right to edit the connection. Ask an administrator of this Airflow.",
    ),
}


async def refused(request: Request, error: Exception) -> Response:
    """Answer an HTTP error: in words for a browser that opens a page, else as JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    if error.status_code not in _TEXTS or "text/html" not in request.headers.get("accept", ""):
        return await http_exception_handler(request, error)
    title, text = _TEXTS[error.status_code]
    link = ""
    if error.status_code == 401:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        # Two levels up from this page is Airflow's own root, wherever it is mounted.
        address = f"../api/v2/auth/login?{urlencode({'next': here})}"
        link = f'<p><a href="{escape(address)}">Sign in to Airflow</a></p>'
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style><h1>{title}</h1><p>{text}</p>{link}</html>"
    )
    return HTMLResponse(page, error.status_code, {"content-security-policy": POLICY})
