"""The Evolution dialect answers as the real server did, field by field."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from tests.emulator.evolution_facts import captured
from tests.emulator.evolution_wire import Evolution, differences
from whatsapp_provider.emulator.network import Inbound

Steps = Mapping[str, Callable[[Evolution], Any]]
PHONE = "5511900000101"
WITHOUT_WHATSAPP = frozenset({"5511900000000"})


async def replayed(evolution: Evolution, name: str, between: Steps | None = None) -> list[str]:
    """Ask all that one file asks, and return how the answers differ; ``between`` acts before a title."""
    found, ids = [], dict[str, str]()
    for exchange in captured(name):
        title = exchange["title"]
        step = (between or {}).get(title)
        if step is not None and isinstance(result := step(evolution), Awaitable):
            await result
        answer = await evolution.replay(exchange, ids)
        if answer.status_code != exchange["status"]:
            found.append(f"{title}: {exchange['status']} became {answer.status_code} {answer.text[:300]}")
        else:
            # The database gives JSON back with its keys in another order.
            ordered = not title.startswith(("findMessages", "webhook find"))
            found += differences(
                evolution.with_ids(exchange["answer"], ids), _body(answer), title, ordered=ordered
            )
    return found


def _body(answer: httpx.Response) -> Any:
    return answer.json() if answer.content else None


async def test_the_server_answers_as_captured_without_an_instance(evolution: Evolution) -> None:
    assert await replayed(evolution, "server") == []


async def test_broken_json_is_told_with_the_captured_contradiction(evolution: Evolution) -> None:
    answer = await evolution.ask("POST", "/instance/create", content=b'{"instanceName":')
    assert answer.status_code == 400
    assert answer.json() == {
        "status": 400,
        "error": "Internal Server Error",
        "response": {"message": "Unexpected end of JSON input"},
    }


async def test_instances_of_the_evolution_integration_live_as_captured(evolution: Evolution) -> None:
    """One world from the first create to the last delete, as it was captured."""

    def inbound(evolution: Evolution) -> None:
        evolution.emulator.network.reply(Inbound("5511900000099", "Maria", "oi"), "evo1")

    found = await replayed(evolution, "create")
    found += await replayed(evolution, "fetch")
    found += await replayed(evolution, "configure")
    found += await replayed(evolution, "evolution_sends", {"findStatusMessage": inbound})
    found += await replayed(evolution, "edges")
    assert found == []


async def test_a_server_without_a_way_to_whatsapp_answers_as_captured(evolution: Evolution) -> None:
    evolution.emulator.configure(evolution_qr_after=None)

    def pass_time(evolution: Evolution) -> Any:
        return evolution.emulator.advance(1)

    steps = {f"connectionState {name} after delete": pass_time for name in ("wa1", "wa2")}
    assert await replayed(evolution, "offline", steps) == []


async def test_a_baileys_instance_pairs_sends_and_hears_as_captured(evolution: Evolution) -> None:
    network = evolution.emulator.network

    def scan(_evolution: Evolution) -> None:
        network.link("wa1", PHONE)

    def scan_and_unlink(_evolution: Evolution) -> None:
        network.link("wa1", PHONE)
        network.unlink("wa1")

    async def read(_evolution: Evolution) -> None:
        await evolution.emulator.advance(2)
        network.read("5511900000005")

    def write(_evolution: Evolution) -> None:
        for text in ("oi, tudo bem?", "segunda"):
            network.reply(Inbound("5511900000005", "Maria", text), "wa1")

    evolution.emulator.configure(numbers_without_whatsapp=WITHOUT_WHATSAPP)
    steps: Steps = {
        "fetchInstances after remote 401 (disconnectionReasonCode filled)": scan_and_unlink,
        "connectionState open": scan,
        "whatsappNumbers": read,
        "findMessages (inbound)": write,
    }
    assert await replayed(evolution, "baileys_live", steps) == []


async def test_a_baileys_instance_is_restarted_unlinked_and_banned_as_captured(evolution: Evolution) -> None:
    emulator = evolution.emulator
    evolution.server.paired("wa1", PHONE)

    def ban(_evolution: Evolution) -> None:
        emulator.network.link("wa1", PHONE)
        emulator.network.port("wa1").force("banned")

    steps: Steps = {
        "connectionState after restart": lambda _: emulator.advance(1),
        "connectionState after the phone unlinked the device (stream conflict device_removed 401)": lambda _: (
            emulator.network.unlink("wa1")
        ),
        "logout while open": lambda _: emulator.network.link("wa1", PHONE),
        "connectionState after WhatsApp ban (failure 403)": ban,
        "delete while open": lambda _: emulator.network.link("wa2"),
        "connectionState wa2 after delete": lambda _: emulator.advance(1),
    }
    assert await replayed(evolution, "baileys_lifecycle", steps) == []
    (row,) = (await evolution.ask("GET", "/instance/fetchInstances")).json()
    assert (row["name"], row["disconnectionReasonCode"]) == ("wa1", 403)


async def test_the_message_kinds_of_baileys_are_answered_as_captured(evolution: Evolution) -> None:
    evolution.server.paired("wa1", PHONE)
    assert await replayed(evolution, "baileys_sends") == []


async def test_the_business_integration_answers_as_captured(evolution: Evolution) -> None:
    evolution.server.paired("evo1", integration="EVOLUTION")
    emulator = evolution.emulator
    steps: Steps = {
        "sendText recipient not allowed by Meta -> 201 with Meta error body!": lambda _: emulator.configure(
            numbers_without_whatsapp=WITHOUT_WHATSAPP
        ),
        "delete biz0 (leftover of failed create?)": lambda _: emulator.advance(1),
    }
    assert await replayed(evolution, "business_sends", steps) == []
