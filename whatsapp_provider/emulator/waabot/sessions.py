"""Logging in, listing and leaving sessions."""

from __future__ import annotations

from whatsapp_provider.emulator.asgi import Reply, json_reply
from whatsapp_provider.emulator.waabot.call import Call, Route
from whatsapp_provider.emulator.waabot.refusals import HTML, invalid


async def log_in(call: Call) -> Reply:
    """Answer POST /sessions, without an envelope; a wrong password is a bare text."""
    account, settings = call.account, call.account.world.settings
    email, password = call.data.get("email"), call.data.get("password")
    complaints = [f"{name} is required" for name in ("email", "password") if not call.data.get(name)]
    if complaints:
        raise invalid(*complaints)
    if (email, password) != (settings.waabot_email, settings.waabot_password):
        return Reply(401, b"Invalid username or password", HTML)
    session = account.open_session(call.request.header(b"user-agent"))
    tokens = account.tokens
    return json_reply(
        {
            "accessToken": tokens.access(account.user, session["_id"]),
            "refreshToken": tokens.refresh(session),
        }
    )


async def sessions(call: Call) -> Reply:
    """Answer GET /sessions with a bare list of those that are valid."""
    return json_reply([row for row in call.account.tokens.sessions.values() if row["valid"]])


async def log_out(call: Call) -> Reply:
    """Answer DELETE /sessions: bearers of the session live on to their end, but get no successor."""
    session = call.account.tokens.sessions.get(call.session_id or "")
    if session is not None:
        session["valid"] = False
    return Reply(200, b"OK", b"text/plain; charset=utf-8")


ROUTES = {
    ("POST", "/sessions"): Route(log_in, recorded=True, anybody=True),
    ("GET", "/sessions"): Route(sessions, for_account=True, recorded=True),
    ("DELETE", "/sessions"): Route(log_out, for_account=True, recorded=True),
}
