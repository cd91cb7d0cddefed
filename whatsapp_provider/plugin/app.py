"""The pairing page's web application: closed unless opened.

Airflow's user dependency stands before every route, also before paths that don't exist. All that
concerns a connection takes the right of :mod:`whatsapp_provider.plugin.access` besides; without it
there are only the page's style, script and icons.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Annotated, Any

from airflow.api_fastapi.core_api.security import GetUserDep, get_user
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from whatsapp_provider.errors import InputError, RateLimitedError
from whatsapp_provider.plugin.access import ConnId, may_pair, own_connections
from whatsapp_provider.plugin.desk import Desk, explain
from whatsapp_provider.plugin.doors import refused
from whatsapp_provider.plugin.headers import SafeHeaders

ASSETS = {
    "pair.css": "text/css; charset=utf-8",
    "pair.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "icon-dark.svg": "image/svg+xml",
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
LARGEST_BODY = 1000

Channel = Annotated[str, Query(max_length=500)]

guarded = APIRouter(dependencies=[Depends(may_pair)])
public_to_users = APIRouter()


def _asset(name: str) -> bytes:
    return (files("whatsapp_provider.plugin") / "assets" / name).read_bytes()


@guarded.get("/pair")
def page() -> Response:
    """Return the page; what it is about it reads from its own address."""
    return Response(_asset("pair.html"), media_type="text/html")


@guarded.get("/api/connections")
def connections(user: GetUserDep) -> dict[str, Any]:
    """Return the connections to choose from."""
    return {"connections": own_connections(user)}


@guarded.get("/api/pairing")
async def pairing(request: Request, conn_id: ConnId = "", channel: Channel = "") -> JSONResponse:
    """Return what is to be shown of a channel now."""
    desk: Desk = request.app.state.desk
    return JSONResponse(await desk.look(conn_id, channel))


@guarded.post("/api/code")
async def code(
    request: Request,
    conn_id: ConnId = "",
    channel: Channel = "",
    x_requested_with: Annotated[str, Header()] = "",
) -> JSONResponse:
    """Return a pairing code for the number in the body.

    The number is not in the address, because addresses are logged. A page of another site can send
    no header of its own, so the header proves that our page asks.
    """
    if not x_requested_with:
        raise HTTPException(403, "The header X-Requested-With is missing.")
    desk: Desk = request.app.state.desk
    try:
        return JSONResponse({"code": await desk.code(conn_id, channel, await _phone(request))})
    except HTTPException:
        raise
    except InputError as error:
        return _problem(422, "That is not a phone number", str(error))
    except RateLimitedError as error:
        return _problem(429, "Not so fast", str(error))
    except Exception as error:
        said = explain(error, conn_id)
        return _problem(502, said.title, said.detail or said.advice)


@public_to_users.get("/assets/{name}")
def asset(name: str) -> Response:
    """Return a file of the page; they are the same for everybody."""
    if name not in ASSETS:
        raise HTTPException(404)
    return Response(_asset(name), headers={"content-type": ASSETS[name]})


def nothing_here() -> None:
    """Answer for all other paths, so that strangers can't tell them from those that exist."""
    raise HTTPException(404)


async def _phone(request: Request) -> str:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise HTTPException(413)
    try:
        return str(json.loads(body)["phone"])
    except (ValueError, KeyError, TypeError):
        raise InputError('The body must be JSON, {"phone": "+15550000001"}.') from None


def _problem(status: int, title: str, detail: str) -> JSONResponse:
    return JSONResponse({"title": title, "detail": detail}, status)


def create_app(desk: Desk | None = None) -> FastAPI:
    """Return the application.

    :param desk: another one for tests.
    """
    application = FastAPI(
        title="WhatsApp pairing",
        dependencies=[Depends(get_user)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    application.state.desk = desk or Desk()
    application.include_router(guarded)
    application.include_router(public_to_users)
    application.add_api_route("/{path:path}", nothing_here, methods=METHODS)
    application.add_exception_handler(StarletteHTTPException, refused)
    application.add_middleware(SafeHeaders)
    return application


app = create_app()
