"""What ``make scale`` measures is a campaign that is planned from its file and sent to everybody once."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from tests.bench.sending import Target
from tests.scale.__main__ import figures, goals_missed
from tests.scale.audience import write_csv
from tests.scale.stages import WARM_UP, Stage, Taken, run
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import serve_in_thread

PEOPLE = WARM_UP + 200


def test_a_stage_times_the_first_messages_and_sends_the_others_after_them(tmp_path: Path) -> None:
    emulator = Emulator(EmulatorSettings(sent_after=None), clock=RealClock())
    channel = emulator.whapi.paired_channel("Scale")
    with serve_in_thread(emulator) as server:
        facts = server.facts()
        target = Target(facts["gate_url"], facts["manager_url"], channel.token, channel.id)
        file = write_csv(tmp_path / "people.csv", PEOPLE)
        stage = Stage(
            str(file), f"sqlite:///{tmp_path / 'ledger.db'}", asdict(target), WARM_UP + 20, whole=True
        )
        taken = run(stage)
    received = [entry.phone for entry in emulator.network.received()]
    assert len(received) == len(set(received)) == taken.planned == taken.whole_sent == PEOPLE
    assert WARM_UP + 20 <= taken.sent < PEOPLE
    assert taken.timed == 20
    assert 0 < taken.plan_seconds < (taken.whole_seconds or 0)
    assert taken.peak_mb > 10


def test_goals_that_are_missed_are_told() -> None:
    few = Taken(10_000, 0.5, 0.5, 10_000, 10_000, 10.0, 8.0, 100.0)
    many = replace(
        few, planned=1_000_000, plan_seconds=50.0, plan_cpu=45.0, whole_seconds=900.0, whole_sent=1_000_000
    )
    report = figures(few, many) | {"slow_queries": []}
    assert (report["plan_rows_per_s"], report["send_per_s_10k"], report["peak_mb_1m"]) == (
        20_000,
        1000,
        100.0,
    )
    assert goals_missed(report) == []
    worse = {
        "plan_rows_per_s": 14_000,
        "peak_mb_1m": 140.0,
        "send_per_s_1m": 800,
        "slow_queries": ["scan: x"],
    }
    assert goals_missed(report | worse) == [
        "14000 rows a second planned, not 15000",
        "memory grows 1.40 times",
        "sending slows down to 0.80",
        "a query is slow: scan: x",
    ]
