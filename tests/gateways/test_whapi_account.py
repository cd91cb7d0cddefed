"""Whapi's manager: the requests for channels and projects, and what their answers mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.gateways import whapi_facts as facts
from tests.gateways.conftest import Asked, Hosts
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    Disposition,
    GatewayError,
    NoAnswerError,
    NotFoundError,
    QuotaExceededError,
    RateLimitedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
    WhatsAppError,
)
from whatsapp_provider.gateways.whapi.account import WhapiAccount
from whatsapp_provider.gateways.whapi.gateway import WhapiGateway
from whatsapp_provider.model import Channel, ChannelRef, ChannelSpec

ID = facts.CHANNEL_ID
CHANNEL = Channel(
    ref=ChannelRef("whapi", ID, "Bot for Ukindo"),
    project="kpSv3OFq9PkP1W1Ogv7p",
    active_till=1713116667.448,
    mode="trial",
    stopped=False,
)


def manager(method: str, path: str, query: dict[str, str] | None = None, body: Any = None) -> Asked:
    return Asked("manager", method, path, query or {}, facts.PARTNER_TOKEN, body)


def listed(*channels: dict[str, Any], **further: Any) -> dict[str, Any]:
    return {"channels": list(channels), "count": len(channels), **further}


def named(number: int, **further: Any) -> dict[str, Any]:
    return {**facts.CREATED, "id": f"MANTIS-{number:05}", "name": f"channel {number}", **further}


class Listing:
    """The manager's list, page by page; what happens between two pages is the test's."""

    def __init__(self, channels: list[dict[str, Any]], *, most: int = 500, total: bool = True) -> None:
        self.channels, self.most, self.total = channels, most, total
        self.pages = 0
        self.between: Callable[[], None] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.pages:
            self.between()
        self.pages += 1
        offset, count = int(request.url.params["offset"]), int(request.url.params["count"])
        assert 1 <= count <= 500  # [PARTNER]
        page = self.channels[offset : offset + min(count, self.most)]
        body: dict[str, Any] = {"channels": page, "offset": offset}
        if self.total:
            body["total"] = len(self.channels)
        return httpx.Response(200, json=body)


@dataclass(frozen=True)
class Call:
    """A method of the account, the request it must make, and what the answer must become."""

    run: Callable[[WhapiAccount, str], Awaitable[Any]]
    answer: Any
    method: str
    path: str
    body: Any = None
    result: Any = None

    def said(self, channel_id: str = ID) -> str:
        return f"{self.method} manager {self.path.format(id=channel_id)}"


CALLS = {
    "get": Call(lambda a, i: a.get_channel(i), facts.CREATED, "GET", "/channels/{id}", None, CHANNEL),
    "create": Call(
        lambda a, _: a.create_channel(ChannelSpec("Bot for Ukindo", facts.PROJECT["id"])),
        facts.CREATED,
        "PUT",
        "/channels",
        {"name": "Bot for Ukindo", "projectId": "kpSv3OFq9PkP1W1Ogv7p"},  # [SEED1]
        CHANNEL,
    ),
    "delete": Call(
        lambda a, i: a.delete_channel(i), facts.DELETED, "DELETE", "/channels/{id}", None, result=True
    ),
    "extend": Call(
        lambda a, i: a.extend_channel(i, days=10, comment="Auto top-up"),
        facts.SUCCESS,
        "POST",
        "/channels/{id}/extend",
        {"days": 10, "comment": "Auto top-up"},  # [HELP]
    ),
    "mode": Call(
        lambda a, i: a.set_channel_mode(i, "live"),
        facts.SUCCESS,
        "PATCH",
        "/channels/{id}/mode",
        {"mode": "live"},  # [HELP]
    ),
    "start": Call(lambda a, i: a.start_channel(i), facts.SUCCESS, "POST", "/channels/{id}/start"),
    "stop": Call(
        lambda a, i: a.stop_channel(i), facts.SUCCESS, "POST", "/channels/{id}/stop", {"saveDays": False}
    ),
    "restart": Call(lambda a, i: a.restart_channel(i), facts.SUCCESS, "POST", "/channels/{id}/restart"),
}
#: A repeat would buy another channel, add the days twice, or not tell who deleted.
ONCE = {"create", "extend", "delete"}
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


# -- each method ----------------------------------------------------------------------------------


@each_call
async def test_each_method_makes_the_documented_request(hosts: Hosts, call: Call) -> None:
    hosts.say(call.said(), call.answer)
    assert await call.run(hosts.gateway().account(), ID) == call.result
    assert hosts.asked == [manager(call.method, call.path.format(id=ID), body=call.body)]


@pytest.mark.parametrize("call", [call for name, call in CALLS.items() if name != "create"])
async def test_each_method_works_on_a_channel_of_the_emulator(
    emulator: Emulator, live: WhapiGateway, call: Call
) -> None:
    channel = await emulator.paired_channel()
    await call.run(live.account(), channel.id)
    path = call.path.format(id=channel.id)
    assert emulator.requests.counts[f"{call.method} /whapi/manager{path}"] == 1


@each_call
async def test_no_token_is_in_what_a_method_returns(hosts: Hosts, call: Call) -> None:
    hosts.say(call.said(), call.answer)
    assert facts.CHANNEL_TOKEN not in repr(await call.run(hosts.gateway().account(), ID))


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (301, {}, GatewayError),
        (400, facts.error("Wrong request parameters"), RequestRejectedError),
        (401, facts.error(f"Bad token {facts.PARTNER_TOKEN}", 401), CredentialRejectedError),
        (402, facts.error("Not enough days on balance", 402), QuotaExceededError),
        (403, facts.error("Forbidden", 403), CredentialRejectedError),
        (403, facts.CLOUDFLARE, CredentialRejectedError),
        (429, facts.error("Too Many Requests", 429), RateLimitedError),
        (500, facts.error(f"Internal Error {facts.CHANNEL_TOKEN}", 500), GatewayError),
        (503, facts.error("The channel is not ready to be started", 503), GatewayError),
    ],
)
@each_call
async def test_a_refusal_is_told_in_the_managers_words_and_without_a_token(
    hosts: Hosts, call: Call, status: int, answer: Any, kind: type[WhatsAppError]
) -> None:
    if call is CALLS["get"] and status == 400:
        return  # it says that there is no such channel
    if call is CALLS["delete"]:
        hosts.say(CALLS["get"].said(), facts.CREATED)
    hosts.say(call.said(), answer, status=status)
    with pytest.raises(kind) as caught:
        await call.run(hosts.gateway().account(), ID)
    assert f"Whapi manager answered {status}" in str(caught.value)
    for shown in (str(caught.value), repr(caught.value), repr(vars(caught.value))):
        assert facts.PARTNER_TOKEN not in shown
        assert facts.CHANNEL_TOKEN not in shown


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("silence"), httpx.Response(502)], ids=str)
@pytest.mark.parametrize("name", CALLS)
async def test_what_would_be_paid_twice_is_asked_once_and_the_rest_three_times(
    hosts: Hosts, name: str, trouble: Any
) -> None:
    call = CALLS[name]
    hosts.say(call.said(), trouble)
    if name == "delete":
        hosts.say(CALLS["get"].said(), facts.CREATED)
    with pytest.raises(GatewayError) as caught:
        await call.run(hosts.gateway().account(), ID)
    assert [asked.method for asked in hosts.asked].count(call.method) == (1 if name in ONCE else 3)
    if name in ONCE:
        assert caught.value.disposition is Disposition.HOLD


@pytest.mark.parametrize("name", ["delete", "extend", "mode", "start", "stop", "restart"])
async def test_success_false_in_a_good_answer_is_a_refusal(hosts: Hosts, name: str) -> None:
    call = CALLS[name]
    hosts.say(call.said(), {"success": False})
    with pytest.raises(RequestRejectedError, match="success: false"):
        await call.run(hosts.gateway().account(), ID)


@pytest.mark.parametrize("channel_id", ["../projects", "a/b", "a?b"])
@pytest.mark.parametrize("name", [name for name in CALLS if name not in {"create", "get"}])
async def test_a_channel_id_from_elsewhere_cannot_become_another_path(
    hosts: Hosts, name: str, channel_id: str
) -> None:
    call = CALLS[name]
    written = quote(channel_id, safe="")
    hosts.say(call.said(written), call.answer)
    await call.run(hosts.gateway().account(), channel_id)
    assert hosts.asked[0].path == call.path.format(id=written)


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("silence"), httpx.Response(502)], ids=str)
async def test_a_deletion_without_an_answer_was_ours_where_the_channel_is_gone(
    hosts: Hosts, trouble: Any
) -> None:
    hosts.say(CALLS["delete"].said(), trouble)
    hosts.say(CALLS["get"].said(), facts.error("Specified channel not found", 404), status=404)
    assert await hosts.gateway().account().delete_channel(ID) is True


@pytest.mark.parametrize("name", ["news", "main", "SHAZAM-3HDYQ-", "shazam-3hdyq", "../projects", ""])
async def test_what_cannot_be_an_id_is_not_asked_for(hosts: Hosts, name: str) -> None:
    assert await hosts.gateway().account().get_channel(name) is None
    assert hosts.asked == []


async def test_an_id_that_the_manager_calls_malformed_is_no_channel(hosts: Hosts) -> None:
    hosts.say(CALLS["get"].said(), facts.error("Wrong request parameters"), status=400)
    assert await hosts.gateway().account().get_channel(ID) is None


async def test_a_malformed_id_deletes_nothing(live: WhapiGateway) -> None:
    assert await live.account().delete_channel("news") is False


async def test_a_malformed_project_is_one_that_is_not_there(live: WhapiGateway) -> None:
    for work in (
        live.account().find_channel("Bot", project="news"),
        live.account().create_channel(ChannelSpec("Bot", "news")),
    ):
        with pytest.raises(NotFoundError, match="answered 400: Wrong request parameters"):
            await work


async def test_a_creation_refused_for_another_reason_keeps_it(hosts: Hosts) -> None:
    hosts.say("PUT manager /channels", facts.error("Wrong request parameters"), status=400)
    with pytest.raises(RequestRejectedError):
        await hosts.gateway().account().create_channel(ChannelSpec("Bot", "default"))


# -- creating -------------------------------------------------------------------------------------


async def test_a_channel_is_created_in_the_connections_project(hosts: Hosts) -> None:
    hosts.say("PUT manager /channels", facts.CREATED)
    await hosts.gateway(project_id="default").account().create_channel(ChannelSpec("Bot"))
    assert hosts.asked[0].body == {"name": "Bot", "projectId": "default"}


@pytest.mark.parametrize(
    "projects", [facts.PROJECTS, facts.PROJECTS["projects"]], ids=["an object", "a bare list"]
)
async def test_without_a_project_it_is_created_in_the_main_one(hosts: Hosts, projects: Any) -> None:
    hosts.say("GET manager /projects", projects)
    hosts.say("PUT manager /channels", facts.CREATED)
    await hosts.gateway().account().create_channel(ChannelSpec("Bot"))
    assert hosts.asked[1].body == {"name": "Bot", "projectId": facts.PROJECT["id"]}


async def test_where_no_project_is_the_main_one_the_first_is_taken(hosts: Hosts) -> None:
    hosts.say("GET manager /projects", [{"id": "one"}, {"id": "two"}])
    hosts.say("PUT manager /channels", facts.CREATED)
    await hosts.gateway().account().create_channel(ChannelSpec("Bot"))
    assert hosts.asked[1].body["projectId"] == "one"


@pytest.mark.parametrize("projects", [{"projects": []}, [], {}])
async def test_an_account_without_a_project_is_told_what_to_do(hosts: Hosts, projects: Any) -> None:
    hosts.say("GET manager /projects", projects)
    with pytest.raises(ConfigurationError, match="create one in its dashboard"):
        await hosts.gateway().account().create_channel(ChannelSpec("Bot"))


@pytest.mark.parametrize("projects", [{"projects": None}, "?", [1]])
async def test_what_is_no_list_of_projects_is_no_answer_and_no_reason_to_create_one(
    hosts: Hosts, projects: Any
) -> None:
    hosts.say("GET manager /projects", projects)
    with pytest.raises(NoAnswerError, match="ProjectList"):
        await hosts.gateway().account().create_channel(ChannelSpec("Bot"))


async def test_a_creation_whose_answer_cannot_be_read_is_in_doubt(hosts: Hosts) -> None:
    hosts.say("PUT manager /channels", {"success": True})
    with pytest.raises(NoAnswerError, match="fields: id") as caught:
        await hosts.gateway().account().create_channel(ChannelSpec("Bot", "default"))
    assert caught.value.disposition is Disposition.HOLD


async def test_busy_servers_bought_nothing(hosts: Hosts) -> None:
    # [PARTNER] the documented refusal
    busy = facts.error("All servers are currently busy. Please try again later", 503)
    hosts.say("PUT manager /channels", busy, status=503)
    with pytest.raises(TemporarilyUnavailableError) as caught:
        await hosts.gateway().account().create_channel(ChannelSpec("Bot", "default"))
    assert caught.value.disposition is Disposition.RETRY
    assert len(hosts.asked) == 1


async def test_the_twenty_first_channel_within_half_an_hour_is_refused_until_the_window_ends(
    emulator: Emulator, live: WhapiGateway
) -> None:
    account = live.account()
    for number in range(20):  # [SEED1]
        await account.create_channel(ChannelSpec(f"channel {number}"))
    with pytest.raises(RateLimitedError):
        await account.create_channel(ChannelSpec("one more"))
    await emulator.advance(1800)
    await account.create_channel(ChannelSpec("one more"))
    assert len(await account.list_channels()) == 21


# -- finding --------------------------------------------------------------------------------------


async def test_a_channel_is_found_by_its_exact_name(emulator: Emulator, live: WhapiGateway) -> None:
    account = live.account()
    for name in ("bot", "Bot", "Bot 2"):
        await account.create_channel(ChannelSpec(name))
    found = await account.find_channel("Bot")
    assert found is not None
    assert found.ref.name == "Bot"
    assert await account.find_channel("Bo") is None
    assert await account.get_channel("HAWKEY-00000") is None
    assert await account.delete_channel("HAWKEY-00000") is False


async def test_the_search_is_in_the_given_project_or_the_connections_or_everywhere(hosts: Hosts) -> None:
    for path in ("/list/given", "/list/own", "/list"):
        hosts.say(f"GET manager /channels{path}", listed(total=0))
    await hosts.gateway(project_id="own").account().find_channel("x", project="given")
    await hosts.gateway(project_id="own").account().find_channel("x")
    await hosts.gateway().account().find_channel("x")
    assert [asked.path for asked in hosts.asked] == [
        "/channels/list/given",
        "/channels/list/own",
        "/channels/list",
    ]
    assert hosts.asked[0].query == {"count": "500", "offset": "0"}


async def test_a_project_that_is_not_there_is_told(hosts: Hosts) -> None:
    hosts.say("GET manager /channels/list/x", facts.error("Specified project not found", 404), status=404)
    with pytest.raises(NotFoundError, match="Specified project not found"):
        await hosts.gateway(project_id="x").account().find_channel("Bot")


@pytest.mark.parametrize(
    ("listing", "pages"),
    [
        (Listing([named(n) for n in range(3)]), 1),
        (Listing([named(n) for n in range(500)]), 1),
        (Listing([named(n) for n in range(1200)]), 3),
        (Listing([named(n) for n in range(250)], most=100), 3),
        (Listing([named(n) for n in range(3)], total=False), 2),
        (Listing([named(n) for n in range(250)], most=100, total=False), 5),
        (Listing([], total=False), 1),
    ],
    ids=["few", "exactly a page", "pages", "short pages", "no total", "short pages, no total", "none"],
)
async def test_all_channels_are_read_however_long_the_pages_are(
    hosts: Hosts, listing: Listing, pages: int
) -> None:
    hosts.say("GET manager /channels/list", listing)
    found = await hosts.gateway().account().list_channels()
    assert [channel.ref.channel_id for channel in found] == [channel["id"] for channel in listing.channels]
    assert listing.pages <= pages


async def test_a_channel_deleted_between_two_pages_hides_no_other(hosts: Hosts) -> None:
    listing = Listing([named(n) for n in range(600)])
    listing.between = lambda: listing.channels.__delitem__(slice(0, 3))
    hosts.say("GET manager /channels/list", listing)
    # The one that now stands where the first page ended would be bought again if it were overlooked.
    assert await hosts.gateway().account().find_channel("channel 501") is not None


async def test_a_channel_created_between_two_pages_appears_once(hosts: Hosts) -> None:
    listing = Listing([named(n) for n in range(600)])
    listing.between = lambda: listing.channels.insert(0, named(9999))
    hosts.say("GET manager /channels/list", listing)
    ids = [channel.ref.channel_id for channel in await hosts.gateway().account().list_channels()]
    assert len(ids) == len(set(ids))
    assert {f"MANTIS-{n:05}" for n in range(600)} <= set(ids)


async def test_a_manager_that_repeats_itself_is_not_asked_for_ever(hosts: Hosts) -> None:
    hosts.say("GET manager /channels/list", listed(named(1), named(2)))
    assert len(await hosts.gateway().account().list_channels()) == 2
    assert len(hosts.asked) == 2


async def test_of_several_of_a_name_all_tasks_find_the_same_running_and_oldest(hosts: Hosts) -> None:
    same = [
        named(1, name="Bot", creationTS=1, stopped=True),
        named(2, name="Bot", creationTS=2, blocked=True),
        named(3, name="Bot", creationTS=4),
        named(4, name="Bot", creationTS=3),
    ]
    for order in (same, same[::-1]):
        hosts.say("GET manager /channels/list", listed(*order, total=4))
        found = await hosts.gateway().account().find_channel("Bot")
        assert found is not None
        assert found.ref.channel_id == "MANTIS-00004"
        hosts.unsay("GET manager /channels/list")


# -- reading a channel ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("further", "expected"),
    [
        ({"mode": None}, {"mode": "live"}),  # [PARTNER] "if empty, live"
        ({"mode": "dev"}, {"mode": "dev"}),
        ({"stopped": True}, {"stopped": True}),
        ({"blocked": True}, {"stopped": True}),
        ({"blocked": None}, {"stopped": False}),
        ({"activeTill": None}, {"active_till": None}),
        ({"unheard": {"of": 1}}, {}),
    ],
)
async def test_what_may_be_missing_or_new_in_a_channel_does_no_harm(
    hosts: Hosts, further: dict[str, Any], expected: dict[str, Any]
) -> None:
    hosts.say(f"GET manager /channels/{ID}", {**facts.CREATED, **further})
    assert await hosts.gateway().account().get_channel(ID) == replace(CHANNEL, **expected)


async def test_the_days_added_move_the_end_of_a_channel_once(emulator: Emulator, live: WhapiGateway) -> None:
    channel = await emulator.paired_channel()
    before = await live.account().get_channel(channel.id)
    await live.account().extend_channel(channel.id, days=10, comment="Auto top-up")
    after = await live.account().get_channel(channel.id)
    assert before is not None
    assert after is not None
    assert (after.active_till or 0) - (before.active_till or 0) == 10 * 86_400
