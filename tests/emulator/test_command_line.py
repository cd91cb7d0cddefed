"""The emulator as a process of its own, and as a server by the real clock."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.__main__ import parser, settings_from
from whatsapp_provider.emulator.clock import ManualClock, RealClock, Timeline
from whatsapp_provider.emulator.server import serve, serve_in_thread

FAST = ["--provisioning", "0", "--init", "0", "--launch", "0", "--scan-after", "0", "--port", "0"]


async def eventually(check: Any) -> None:
    for _ in range(1000):
        if await check():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("It did not happen within twenty seconds.")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_says_where_it_listens_and_ends_cleanly(tmp_path: Path, number: int) -> None:
    ready, truth = tmp_path / "ready.json", tmp_path / "truth.jsonl"
    command = [sys.executable, "-m", "whatsapp_provider.emulator", *FAST]
    command += ["--ready-file", str(ready), "--truth-file", str(truth), "--partner-token", "secret"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    assert facts == json.loads(ready.read_text())
    whapi, evolution = ["manager_url", "gate_url", "partner_token"], ["evolution_url", "evolution_v1_url"]
    waabot = ["waabot_url", "waabot_token", "waabot_refresh_token"]
    whatscloud = ["whatscloud_url", "whatscloud_tenant", "whatscloud_token"]
    assert set(facts) >= {"port", "url", *whapi, *evolution, "evolution_key", *waabot, *whatscloud}
    headers = {"authorization": f"Bearer {facts['partner_token']}"}
    with httpx.Client(headers=headers, trust_env=False) as client:
        page = client.get(facts["manager_url"] + "/projects").json()
        assert page["total"] == 1
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert truth.read_text() == ""


async def test_a_server_lives_by_the_real_clock(tmp_path: Path) -> None:
    settings = settings_from(parser().parse_args([*FAST, "--sent-after", "0", "--delivered-after", "0"]))
    async with serve(settings=settings) as server, httpx.AsyncClient(trust_env=False) as client:
        truth = tmp_path / "truth.jsonl"
        with truth.open("a", buffering=1) as stream:
            server.emulator.network.write_truth_to(stream)
            request = {"name": "a", "projectId": "default"}
            token = {"authorization": f"Bearer {server.emulator.partner_token}"}
            facts = server.facts()
            created = await client.put(facts["manager_url"] + "/channels", json=request, headers=token)
            headers = {"authorization": f"Bearer {created.json()['token']}"}
            gate = facts["gate_url"]

            async def paired() -> bool:
                await client.get(gate + "/users/login", headers=headers)
                health = (await client.get(gate + "/health", headers=headers)).json()
                return health.get("status", {}).get("text") == "AUTH"

            await eventually(paired)
            text = {"to": "15550009999", "body": "x"}
            sent = (await client.post(gate + "/messages/text", json=text, headers=headers)).json()
            path = f"{gate}/statuses/{sent['message']['id']}"

            async def delivered() -> bool:
                answer = (await client.get(path, headers=headers)).json()
                return answer["statuses"][0]["status"] == "delivered"

            await eventually(delivered)
        (line,) = [json.loads(line) for line in truth.read_text().splitlines()]
        assert (line["phone"], line["message_id"]) == ("15550009999", sent["message"]["id"])


async def test_a_server_calls_webhooks_by_itself() -> None:
    calls: list[bytes] = []

    async def receive_call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        calls.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    receiver = await asyncio.start_server(receive_call, "127.0.0.1", 0)
    port = receiver.sockets[0].getsockname()[1]
    emulator = Emulator(EmulatorSettings(sent_after=0), clock=RealClock())
    async with receiver, serve(emulator) as server:
        channel = await emulator.paired_channel()
        events = [{"type": "messages", "method": "post"}]
        channel.settings["webhooks"] = [{"url": f"http://127.0.0.1:{port}/", "events": events}]
        channel.webhooks.configure(channel.settings)
        async with httpx.AsyncClient(trust_env=False) as client:
            path = f"{server.url}/whapi/gate/messages/text?token={channel.token}"
            await client.post(path, json={"to": "15550009999", "body": "x"})

        async def called() -> bool:
            return bool(calls)

        await eventually(called)
    assert json.loads(calls[0])["messages"][0]["from_me"] is True


def test_code_that_blocks_talks_to_a_server_in_a_thread() -> None:
    with serve_in_thread(settings=EmulatorSettings(seed=1)) as server:
        state = httpx.get(server.url + "/_emulator/state", trust_env=False).json()
        # The tenant of WhatsCloud has its number from the start.
        assert [channel["gateway"] for channel in state["channels"]] == ["whatscloud"]
        with pytest.raises(OSError, match="in use"), serve_in_thread(port=server.port):
            pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "/_emulator/state", trust_env=False)


def test_the_command_line_has_never() -> None:
    options = parser().parse_args(["--scan-after", "never", "--delivered-after", "never"])
    settings = settings_from(options)
    assert (settings.scan_after, settings.delivered_after) == (None, None)


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="No such emulator setting: speed"):
        EmulatorSettings().changed({"speed": 1})


def test_what_is_due_together_happens_in_the_order_it_was_planned() -> None:
    clock = ManualClock(0)
    timeline, seen = Timeline(clock), list[str]()
    timeline.call_later(2, seen.append, "c")
    timeline.call_later(1, seen.append, "a")
    timeline.call_later(1, seen.append, "b")
    timeline.call_later(1, seen.append, "never").cancel()
    clock.move_to(1)
    timeline.run_due()
    assert (seen, timeline.next_due()) == (["a", "b"], 2)
    clock.move_to(0)
    assert clock.now() == 1


def test_the_real_clock_can_be_pushed_forward() -> None:
    clock = RealClock()
    later = clock.now() + 3600
    clock.move_to(later)
    assert later <= clock.now() < later + 60
