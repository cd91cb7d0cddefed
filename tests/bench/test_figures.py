"""The bench's arithmetic, and when it has nothing to report. The figures here are made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import conclude
from tests.bench.figures import AIOHTTP, BARE, CAMPAIGNS, REQUESTS, WAYS, Figures, Measured


def figures(rates: dict[str, float], ending: str = "", into: Figures | None = None) -> Figures:
    found = into or Figures()
    for way, rate in rates.items():
        found.add(way, ending, Measured(round(rate * 1000), 1000.0, 0.5))
    return found


def test_a_rate_is_the_median_of_the_rounds_and_not_their_mean() -> None:
    found = Figures()
    for sent, seconds in ((100, 1.0), (900, 1.0), (400, 2.0), (5, 1.0), (300, 1.0)):
        found.add(BARE, "", Measured(sent, seconds, 0.1))
    assert found.per_s(BARE, "") == 200
    assert found.report()["bare_client_per_s"] == 200


def test_the_processors_time_is_told_for_each_message() -> None:
    found = Figures()
    found.add(BARE, "", Measured(sent=1000, seconds=1.0, work=0.5))
    assert found.report()["bare_client_work_us"] == 500


def test_what_was_sent_or_done_before_the_clock_started_does_not_count() -> None:
    assert Measured(sent=100, seconds=2.0, work=1.0, planned=9.0, before=900).per_s == 50


def test_the_report_has_a_key_for_each_way_at_each_latency() -> None:
    rates = dict.fromkeys(WAYS, 100.0)
    told = figures(rates, "_20ms", into=figures(rates)).report()
    names = {name for name in told if "_per_s" in name}
    assert names == {f"{way}_per_s{ending}" for way in WAYS for ending in ("", "_20ms")}


def test_what_was_not_measured_has_no_key_and_reaches_no_goal() -> None:
    found = figures({AIOHTTP: 300, BARE: 100, "campaign_sqlite": 90})
    assert "campaign_postgres_per_s" not in found.report()
    assert any("campaign_postgres is not measured" in told for told in found.missed())


@pytest.mark.parametrize("server", [100.0, 150.0, 199.0])
def test_a_server_that_is_less_than_twice_as_fast_as_our_client_is_refused(server: float) -> None:
    told = figures({AIOHTTP: server, BARE: 100}).refusal()
    assert told is not None
    assert f"{server / 100:.2f} times" in told


def test_a_server_that_is_twice_as_fast_is_taken() -> None:
    assert figures({AIOHTTP: 200, BARE: 100}).refusal() is None


def test_the_server_is_judged_without_its_latency() -> None:
    found = figures({AIOHTTP: 1000, BARE: 100}, "_20ms", into=figures({AIOHTTP: 150, BARE: 100}))
    assert found.refusal() is not None


def test_without_a_measured_server_nothing_is_reported() -> None:
    assert figures({BARE: 100}).refusal() is not None


def reached() -> dict[str, dict[str, float]]:
    campaigns = dict.fromkeys(CAMPAIGNS, 90.0)
    return {"": {BARE: 100, REQUESTS: 80, **campaigns}, "_20ms": {BARE: 100, REQUESTS: 9, **campaigns}}


def missed(rates: dict[str, dict[str, float]]) -> list[str]:
    found = Figures()
    for ending, by_way in rates.items():
        figures(by_way, ending, into=found)
    return found.missed()


def test_goals_that_are_reached_are_not_named() -> None:
    assert missed(reached()) == []


@pytest.mark.parametrize(
    ("way", "ending", "rate"),
    [
        ("campaign_sqlite", "", 59),
        ("campaign_postgres", "", 49),
        ("campaign_sqlite", "_20ms", 89),
        ("campaign_postgres", "_20ms", 89),
        ("campaign_mariadb", "_20ms", 89),
    ],
)
def test_a_goal_that_is_not_reached_is_named(way: str, ending: str, rate: float) -> None:
    rates = reached()
    rates[ending][way] = rate
    assert [told.split(" ", 1)[0] for told in missed(rates)] == [way + ending] * len(missed(rates))
    assert missed(rates)


def test_ten_times_the_loop_over_requests_is_a_goal() -> None:
    rates = reached()
    rates["_20ms"][REQUESTS] = 9.1
    assert len(missed(rates)) == len(CAMPAIGNS)


def test_the_table_shows_what_a_campaign_is_beside_the_bare_client_and_the_loop() -> None:
    found = figures({AIOHTTP: 300, BARE: 100, REQUESTS: 50, "campaign_sqlite": 75})
    (line,) = [line for line in found.table() if line.startswith("campaign_sqlite")]
    assert line.split()[-3:] == ["0.75", "1.50", "0.00"]


def test_figures_that_are_the_servers_are_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    assert not conclude(figures({AIOHTTP: 199, BARE: 100}), {"a": 1.0}, {}, file)
    assert not file.exists()
    assert "Nothing is reported" in capsys.readouterr().err


def test_the_report_names_what_was_not_measured_and_the_dearest_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bench.json"
    absent = {"campaign_mariadb": "install it"}
    assert conclude(figures({AIOHTTP: 201, BARE: 100}), {"a": 1.0, "b": 7.5}, absent, file)
    told = json.loads(file.read_text())
    assert (told["import_ms"], told["import_ms_by_module"]) == (7.5, {"a": 1.0, "b": 7.5})
    assert told["not_measured"] == ["campaign_mariadb"]
    assert (told["bare_client_per_s"], told["concurrency"]) == (100, 50)
    assert "campaign_mariadb; to measure it, install it." in capsys.readouterr().out
