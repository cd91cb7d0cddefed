"""Instances of an Evolution server: created, found, deleted, restarted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateways import evolution_facts as facts
from tests.gateways.evolution_server import EvolutionServer
from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    Disposition,
    NameTakenError,
    NoAnswerError,
    NotConnectedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
    UnsupportedError,
)
from whatsapp_provider.gateways.evolution.account import DELETED_WITHIN, EvolutionAccount
from whatsapp_provider.model import ChannelRef, ChannelSpec

CREATE = "POST /instance/create"
LIST = "GET /instance/fetchInstances"
STATE = f"GET /instance/connectionState/{facts.NAME}"
DELETE = f"DELETE /instance/delete/{facts.NAME}"
RESTART = f"/instance/restart/{facts.NAME}"
SPEC = ChannelSpec(facts.NAME)
GONE = httpx.Response(404, json=facts.missing())


@pytest.fixture
def account(server: EvolutionServer) -> EvolutionAccount:
    found: EvolutionAccount = server.gateway().account()
    return found


@pytest.mark.parametrize("created", [facts.CREATED, facts.CREATED_1], ids=["v2", "v1"])
async def test_a_created_instance_is_named_by_its_name(
    server: EvolutionServer, account: EvolutionAccount, created: Any
) -> None:
    server.say(CREATE, created, status=201)
    server.say(LIST, [facts.ROW])
    channel = await account.create_channel(SPEC)
    assert channel.ref == ChannelRef("evolution", facts.NAME, facts.NAME)
    assert server.calls(CREATE)[0].body == {"instanceName": facts.NAME, "integration": "WHATSAPP-BAILEYS"}


async def test_the_connections_integration_is_that_of_new_channels(server: EvolutionServer) -> None:
    server.say(CREATE, facts.CREATED, status=201)
    server.say(LIST, [facts.ROW])
    await server.gateway(integration="EVOLUTION").account().create_channel(SPEC)
    assert server.calls(CREATE)[0].body["integration"] == "EVOLUTION"


@pytest.mark.parametrize("name", ["", " ", "undefined", "null", " wa1", "wa1 ", "a\nb", "..", "."])
async def test_a_name_that_would_make_an_instance_that_nobody_reaches_is_refused(
    server: EvolutionServer, account: EvolutionAccount, name: str
) -> None:
    with pytest.raises(ConfigurationError):
        await account.create_channel(ChannelSpec(name))
    assert await account.get_channel(name) is None
    assert server.asked == []


@pytest.mark.parametrize("name", ["Vendas São Paulo", "a/b", "50%", "a?b#c"])
async def test_a_name_of_any_letters_reaches_its_instance(server: EvolutionServer, name: str) -> None:
    path = httpx.URL(
        f"http://x/{name.replace('%', '%25').replace('/', '%2F').replace('?', '%3F').replace('#', '%23')}"
    )
    server.say(f"GET /instance/connectionState{path.raw_path.decode()}", facts.state("open", name))
    server.say(LIST, [{**facts.ROW, "name": name}])
    await server.gateway().channel(ChannelRef("evolution", name)).status()
    assert server.calls(LIST)[0].query == {"instanceName": name}


async def test_a_name_is_found_exactly_and_what_there_is_not_is_none(
    server: EvolutionServer, account: EvolutionAccount
) -> None:
    server.say(LIST, [{**facts.ROW, "name": "WA1"}])
    assert await account.find_channel(facts.NAME) is None
    server.say(LIST, facts.unlisted(), status=404)
    assert await account.find_channel(facts.NAME) is None
    server.say(LIST, [facts.ROW_1])
    found = await account.find_channel(facts.NAME)
    assert found is not None
    assert found.mode == "WHATSAPP-BAILEYS"
    assert facts.INSTANCE_TOKEN not in repr(found)


async def test_another_programs_404_is_not_taken_for_a_missing_instance(
    server: EvolutionServer, account: EvolutionAccount
) -> None:
    server.say(LIST, {"detail": "Not Found"}, status=404)
    with pytest.raises(RequestRejectedError, match="another program"):
        await account.find_channel(facts.NAME)
    server.say(DELETE, {"detail": "Not Found"}, status=404)
    with pytest.raises(RequestRejectedError, match="another program"):
        await account.delete_channel(facts.NAME)


async def test_a_name_in_use_is_told_apart_from_one_that_is_not_given_up_yet(
    server: EvolutionServer, account: EvolutionAccount
) -> None:
    server.say(CREATE, facts.taken(), status=403)
    server.say(LIST, [facts.ROW])
    with pytest.raises(NameTakenError) as taken:
        await account.create_channel(SPEC)
    assert taken.value.disposition is Disposition.HALT
    server.say(LIST, facts.unlisted(), status=404)
    with pytest.raises(TemporarilyUnavailableError, match="still giving up one that was deleted") as caught:
        await account.create_channel(SPEC)
    assert caught.value.retry_after


CREATIONS_IN_DOUBT = {
    "502": httpx.Response(502),
    "a time-out": httpx.ReadTimeout("slow"),
    "lost race": httpx.Response(400, json=facts.refused(400, [facts.LOST_RACE])),
    "another's answer": httpx.Response(201, json={"instance": {"instanceName": "other"}}),
    "a page": httpx.Response(201, content=b"<html></html>"),
}


@pytest.mark.parametrize("answer", CREATIONS_IN_DOUBT.values(), ids=CREATIONS_IN_DOUBT)
async def test_a_creation_that_may_have_happened_is_in_doubt_and_asked_once(
    server: EvolutionServer, account: EvolutionAccount, answer: Any
) -> None:
    server.say(CREATE, answer)
    with pytest.raises(NoAnswerError) as caught:
        await account.create_channel(SPEC)
    assert caught.value.disposition is Disposition.HOLD
    assert "secretSource" not in str(caught.value)
    assert len(server.calls(CREATE)) == 1


async def test_an_instance_that_a_race_destroyed_is_not_returned(
    server: EvolutionServer, account: EvolutionAccount
) -> None:
    server.say(CREATE, facts.CREATED, status=201)
    server.say(LIST, facts.unlisted(), status=404)
    with pytest.raises(NoAnswerError, match="has it no longer"):
        await account.create_channel(SPEC)
    server.say(LIST, httpx.ConnectError("away"))
    with pytest.raises(NoAnswerError, match="could not be asked for it"):
        await account.create_channel(SPEC)


async def test_a_refused_option_or_key_creates_nothing(
    server: EvolutionServer, account: EvolutionAccount
) -> None:
    server.refuse(CREATE, 400, [["number does not match pattern"]])
    with pytest.raises(RequestRejectedError) as caught:
        await account.create_channel(SPEC)
    assert caught.value.disposition is Disposition.HALT
    server.refuse(CREATE, 401, "Unauthorized")
    with pytest.raises(CredentialRejectedError, match="global API key"):
        await account.create_channel(SPEC)


async def test_there_are_no_projects_and_no_plans(account: EvolutionAccount) -> None:
    with pytest.raises(ConfigurationError, match="no projects"):
        await account.create_channel(ChannelSpec("x", project="p"))
    with pytest.raises(ConfigurationError, match="no projects"):
        await account.find_channel("x", project="p")
    for refused in (
        account.extend_channel("x", days=1, comment=""),
        account.set_channel_mode("x", "live"),
        account.start_channel("x"),
        account.stop_channel("x"),
    ):
        with pytest.raises(UnsupportedError, match="'evolution' can't"):
            await refused


# -- deleting -------------------------------------------------------------------------------------


async def test_a_deletion_is_waited_for(server: EvolutionServer, account: EvolutionAccount) -> None:
    server.say(DELETE, facts.DELETED)
    server.say(STATE, facts.state("close"), facts.state("close"), GONE)
    assert await account.delete_channel(facts.NAME) is True
    assert len(server.pauses) == 2
    assert len(server.calls(DELETE)) == 1


async def test_a_deletion_that_does_not_end_is_told(
    server: EvolutionServer, account: EvolutionAccount
) -> None:
    server.say(DELETE, facts.DELETED)
    server.say(STATE, facts.state("close"))
    with pytest.raises(TemporarilyUnavailableError, match="webhook, which may be failing"):
        await account.delete_channel(facts.NAME)
    assert sum(server.pauses) == DELETED_WITHIN


async def test_what_is_not_there_is_not_deleted(server: EvolutionServer, account: EvolutionAccount) -> None:
    server.say(DELETE, facts.missing(), status=404)
    assert await account.delete_channel(facts.NAME) is False


async def test_a_deletion_without_an_answer_is_looked_after(
    server: EvolutionServer, account: EvolutionAccount
) -> None:
    server.say(DELETE, httpx.Response(502))
    server.say(STATE, GONE)
    assert await account.delete_channel(facts.NAME) is True
    server.say(STATE, facts.state("open"))
    with pytest.raises(NoAnswerError):
        await account.delete_channel(facts.NAME)


async def test_a_deletion_that_fails_inside_says_what_to_do(
    server: EvolutionServer, account: EvolutionAccount
) -> None:
    server.refuse(DELETE, 400, ["Error: Connection Closed"])
    with pytest.raises(RequestRejectedError, match="log it out, and delete it again"):
        await account.delete_channel(facts.NAME)


# -- restarting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "method"), [("v1", "PUT"), ("v2", "POST")])
async def test_an_instance_is_restarted_as_its_version_has_it(
    server: EvolutionServer, version: str, method: str
) -> None:
    account = server.gateway(api_version=version).account()
    server.say(f"{method} {RESTART}", facts.state("open"))
    await account.restart_channel(facts.NAME)
    server.say(f"{method} {RESTART}", facts.FAILED)
    with pytest.raises(NotConnectedError, match="Pair it instead"):
        await account.restart_channel(facts.NAME)
