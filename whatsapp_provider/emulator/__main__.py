"""``python -m whatsapp_provider.emulator``: the emulator on a port, until it is told to stop.

When it is ready it prints one line of JSON with its port, its addresses and the accounts' secrets.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from whatsapp_provider.emulator.app import Emulator
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.settings import EmulatorSettings


def _seconds_or_never(text: str) -> float | None:
    return None if text.lower() == "never" else float(text)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    default = EmulatorSettings()
    line = argparse.ArgumentParser(prog="python -m whatsapp_provider.emulator", description=__doc__)
    add = line.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=8377, help="port, 0 for a free one (default: %(default)s)")
    add("--partner-token", default=default.partner_token, help="the account's token")
    add("--evolution-key", default=default.evolution_key, help="the global key of both Evolution servers")
    add("--waabot-token", default=default.waabot_token, help="the bearer of the Waabot account")
    add("--waabot-refresh-token", default=default.waabot_refresh_token, help="its x-refresh")
    add("--whatscloud-tenant", default=default.whatscloud_tenant, help="the tenant of WhatsCloud")
    add("--whatscloud-token", default=default.whatscloud_token, help="its token")
    add(
        "--evolution-create-wait",
        type=float,
        default=default.evolution_create_wait,
        help="seconds a QR takes",
    )
    add("--evolution-connect-wait", type=float, default=default.evolution_connect_wait, help="seconds")
    add("--provisioning", type=float, default=default.provisioning_seconds, help="seconds until a channel is")
    add("--settings-warmup", type=float, default=0.0, help="seconds of 503 on PATCH /settings after that")
    add("--init", type=float, default=default.init_seconds, help="seconds in INIT")
    add("--launch", type=float, default=default.launch_seconds, help="seconds in LAUNCH")
    add("--scan-after", type=_seconds_or_never, default=None, help="seconds from QR shown to scan, or never")
    add("--qr-lifetime", type=float, default=default.qr_lifetime, help="seconds until a QR code changes")
    add("--sent-after", type=_seconds_or_never, default=default.sent_after, help="seconds, or never")
    add(
        "--delivered-after", type=_seconds_or_never, default=default.delivered_after, help="seconds, or never"
    )
    add("--read-after", type=_seconds_or_never, default=default.read_after, help="seconds, or never")
    add("--send-latency", type=float, default=0.0, help="seconds a send takes")
    add("--creation-limit", type=int, default=default.creation_limit, help="channels in a window")
    add("--creation-window", type=float, default=default.creation_window, help="seconds of that window")
    add("--phone", default=default.phone, help="number of the first phone that scans")
    add("--no-whatsapp", nargs="*", default=[], metavar="DIGITS", help="numbers without WhatsApp")
    add("--enforce-trial", action="store_true", help="answer 402 beyond the trial limits")
    add("--error-shape", choices=("object", "flat"), default="object", help="shape of the gate's errors")
    add("--seed", type=int, default=None, help="make ids and tokens repeatable")
    add("--truth-file", type=Path, help="append what phones received, as JSON lines")
    add("--fast", action="store_true", help="for measurements: plain texts are counted and kept nowhere")
    add("--ready-file", type=Path, help="write the ready line here too")
    return line


def settings_from(options: argparse.Namespace) -> EmulatorSettings:
    """Return the settings that a command line asks for."""
    return EmulatorSettings(
        partner_token=options.partner_token,
        evolution_key=options.evolution_key,
        waabot_token=options.waabot_token,
        waabot_refresh_token=options.waabot_refresh_token,
        whatscloud_tenant=options.whatscloud_tenant,
        whatscloud_token=options.whatscloud_token,
        evolution_create_wait=options.evolution_create_wait,
        evolution_connect_wait=options.evolution_connect_wait,
        provisioning_seconds=options.provisioning,
        settings_warmup_seconds=options.settings_warmup,
        init_seconds=options.init,
        launch_seconds=options.launch,
        scan_after=options.scan_after,
        qr_lifetime=options.qr_lifetime,
        sent_after=options.sent_after,
        delivered_after=options.delivered_after,
        read_after=options.read_after,
        send_latency=options.send_latency,
        creation_limit=options.creation_limit,
        creation_window=options.creation_window,
        phone=options.phone,
        numbers_without_whatsapp=frozenset(options.no_whatsapp),
        enforce_trial=options.enforce_trial,
        error_shape=options.error_shape,
        seed=options.seed,
    )


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    # Here and not above: it needs the extra, and main() says how to get that.
    from whatsapp_provider.emulator.server import EmulatorServer

    emulator = Emulator(settings_from(options), clock=RealClock())
    server = EmulatorServer(emulator, options.host, options.port, fast=options.fast)
    # Line buffered, so that a reader sees each message as soon as it was received.
    truth = open(options.truth_file, "a", buffering=1) if options.truth_file else None  # noqa: ASYNC230, SIM115 - opened once, before serving; closed below
    emulator.network.write_truth_to(truth)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    line = json.dumps(server.facts())
    if options.ready_file:
        # Renamed into place, so that nobody reads half a line.
        draft = options.ready_file.with_name(options.ready_file.name + ".part")
        draft.write_text(line + "\n")
        draft.replace(options.ready_file)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
    try:
        await stop.wait()
    finally:
        await server.stop()
        if truth is not None:
            truth.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = parser().parse_args(arguments)
    try:
        from uvicorn.loops.auto import auto_loop_factory
    except ImportError:
        sys.stderr.write("The emulator needs: pip install 'airflow-provider-whatsapp[emulator]'\n")
        return 2
    # The faster loop where it is installed, but only where it is asked for: Airflow's own is asyncio's.
    with asyncio.Runner(loop_factory=auto_loop_factory() if options.fast else None) as runner:
        runner.run(run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
