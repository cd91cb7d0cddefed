"""Who gets in: nobody without a login, and to a connection only who may edit it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from tests.plugin.conftest import CONN_ID, Visitor
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

#: Besides these, every route takes the right to the connection.
FOR_EVERY_USER = {"/assets/{name}", "/{path:path}"}
OUTSIDE = ["/", "/nothing", "/docs", "/redoc", "/openapi.json", "/pair/", "/api", "/assets", "/pair/x"]

Visit = Callable[[str | None], Visitor]


@pytest.fixture
def routes(airflow_app: FastAPI) -> list[APIRoute]:
    from whatsapp_provider.plugin.app import app

    assert all(isinstance(route, APIRoute) for route in app.routes), "a mount would bypass the dependencies"
    return [route for route in app.routes if isinstance(route, APIRoute)]


def calls(dependant: Dependant) -> Iterator[Any]:
    """Yield all that FastAPI calls before the route itself, without the parameters of the callers."""
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls(inner)


async def test_every_route_depends_on_airflows_user(routes: list[APIRoute]) -> None:
    from airflow.api_fastapi.core_api.security import get_user

    assert len(routes) >= 5
    assert [route.path for route in routes if get_user not in calls(route.dependant)] == []


async def test_every_route_but_two_depends_on_the_right_to_the_connection(routes: list[APIRoute]) -> None:
    from whatsapp_provider.plugin.access import may_pair

    without = {route.path for route in routes if may_pair not in calls(route.dependant)}
    assert without == FOR_EVERY_USER


async def test_a_stranger_is_answered_401_by_every_route(routes: list[APIRoute], visitor: Visit) -> None:
    stranger = visitor(None)
    answers = {
        (method, route.path): (await stranger.http.request(method, filled(route))).status_code
        for route in routes
        for method in route.methods
    }
    assert set(answers.values()) == {401}, answers


@pytest.mark.parametrize("path", OUTSIDE)
async def test_a_stranger_learns_nothing_of_paths_that_do_not_exist(visitor: Visit, path: str) -> None:
    answer = await visitor(None).http.get(f"/whatsapp{path}")
    assert answer.status_code == 401


@pytest.mark.parametrize("path", OUTSIDE)
async def test_nobody_finds_api_docs_or_other_pages(admin: Visitor, path: str) -> None:
    answer = await admin.http.get(f"/whatsapp{path}", follow_redirects=True)
    assert answer.status_code == 404


async def test_a_forged_token_opens_nothing(visitor: Visit, routes: list[APIRoute]) -> None:
    stranger = visitor(None)
    for headers in ({"cookie": "_token=e30.e30.e30"}, {"authorization": "Bearer e30.e30.e30"}):
        for route in routes:
            answer = await stranger.http.get(filled(route), headers=headers)
            assert answer.status_code in {401, 403}, route.path


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("user", 403), ("op", 200), ("admin", 200)], ids=str
)
async def test_pairing_takes_a_role_that_may_edit_connections(
    visitor: Visit, channel: WhapiChannel, role: str, status: int
) -> None:
    somebody = visitor(role)
    for path in ("/pair", "/api/pairing", "/api/connections"):
        answer = await somebody.http.get(f"/whatsapp{path}", params={"conn_id": CONN_ID})
        assert answer.status_code == status, path


async def test_a_viewer_gets_no_pairing_code(visitor: Visit, channel: WhapiChannel) -> None:
    assert (await visitor("viewer").ask_code("15550000001")).status_code == 403


async def test_the_right_is_asked_for_the_connection_that_is_meant(
    admin: Visitor, channel: WhapiChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi.app import get_auth_manager

    asked = []

    def only_one(*, method: str, details: Any, user: Any) -> bool:
        asked.append((method, details.conn_id))
        return details.conn_id == CONN_ID

    monkeypatch.setattr(get_auth_manager(), "is_authorized_connection", only_one)
    await admin.look()
    refused = await admin.http.get("/whatsapp/api/pairing", params={"conn_id": "somebody_elses"})

    assert refused.status_code == 403
    assert asked == [("PUT", CONN_ID), ("PUT", "somebody_elses")]


async def test_a_repeated_conn_id_can_not_smuggle_another_connection_in(
    admin: Visitor, channel: WhapiChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi.app import get_auth_manager

    monkeypatch.setattr(
        get_auth_manager(),
        "is_authorized_connection",
        lambda *, method, details, user: details.conn_id == "mine",
    )
    for pair in (("mine", CONN_ID), (CONN_ID, "mine")):
        query = httpx.QueryParams([("conn_id", conn_id) for conn_id in pair])
        answer = await admin.http.get("/whatsapp/api/pairing", params=query)
        assert answer.status_code == 403 or "“mine”" in answer.json()["title"]


async def test_a_browser_without_login_is_shown_the_way_to_it(visitor: Visit) -> None:
    answer = await visitor(None).http.get(
        "/whatsapp/pair?conn_id=a%22b&channel=x", headers={"accept": "text/html"}
    )
    assert answer.status_code == 401
    assert "../api/v2/auth/login?next=%2Fwhatsapp%2Fpair%3Fconn_id%3Da%2522b%26channel%3Dx" in answer.text
    assert "script-src 'none'" in answer.headers["content-security-policy"]


async def test_a_code_is_given_only_to_a_page_that_shows_itself_by_a_header(
    admin: Visitor, channel: WhapiChannel
) -> None:
    assert (await admin.ask_code("15550000001", headers={})).status_code == 403


def filled(route: APIRoute) -> str:
    """Return a path of the route with something in its places."""
    path = route.path.replace("{name}", "pair.css").replace("{path:path}", "anything")
    return f"/whatsapp{path}?conn_id={CONN_ID}"
