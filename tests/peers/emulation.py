"""``python -m tests.peers.emulation``: the emulator, with a paired channel for each run that will be judged.

The same people get messages from every peer, so each run has a channel of its own to be told apart by.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvicorn.loops.auto import auto_loop_factory

from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import EmulatorServer

if TYPE_CHECKING:
    from whatsapp_provider.emulator.asgi import Receive, Scope, Send

#: What Evolution API's addresses begin with, and where the emulator has them.
_AT_THE_ROOT, _MOUNTED = "/message/", "/evolution/v2"


class Emulation(Emulator):
    """The emulator with Evolution API at the root too: Apprise's URL has no room for a path before it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope.get("path", "").startswith(_AT_THE_ROOT):
            scope = {**scope, "path": _MOUNTED + scope["path"]}
        await super().__call__(scope, receive, send)


def _channel(emulator: Emulator, gateway: str, name: str) -> dict[str, str]:
    if gateway == "evolution":
        instance = emulator.evolution.v2.paired(name)
        return {"channel_id": instance.channel_id, "instance": instance.name}
    channel = emulator.whapi.paired_channel(name)
    return {"channel_id": channel.id, "token": channel.token}


async def _serve(options: argparse.Namespace) -> None:
    # No ticks: nobody asks for them here, and they are work for each message.
    settings = EmulatorSettings(send_latency=options.send_latency, sent_after=None)
    emulator = Emulation(settings, clock=RealClock())
    server = EmulatorServer(emulator, fast=options.fast)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start()
    wanted = [channel.split(":", 1) for channel in options.channel]
    channels: dict[str, Any] = {name: _channel(emulator, gateway, name) for gateway, name in wanted}
    if options.truth_file is not None:
        # Line buffered: who reads along sees each message as soon as a phone has it.
        emulator.network.write_truth_to(options.truth_file.open("w", buffering=1))
    draft = options.ready_file.with_suffix(".part")
    draft.write_text(json.dumps({**server.facts(), "channels": channels}))
    draft.replace(options.ready_file)
    try:
        await stop.wait()
    finally:
        await server.stop()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--ready-file", type=Path, required=True)
    line.add_argument("--truth-file", type=Path, help="append what phones received, as JSON lines")
    line.add_argument("--send-latency", type=float, required=True, help="seconds")
    line.add_argument("--fast", action="store_true", help="count Whapi's plain texts and keep them nowhere")
    line.add_argument("--channel", action="append", default=[], metavar="GATEWAY:NAME")
    options = line.parse_args()
    # The faster loop where it is installed: a server slower than its clients would measure itself.
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_serve(options))


if __name__ == "__main__":
    main()
