"""``python -m whatsapp_provider.demo``: what it refuses, and the examples that it hands out."""

from __future__ import annotations

from pathlib import Path

import pytest

from whatsapp_provider.demo import examples
from whatsapp_provider.demo.__main__ import main
from whatsapp_provider.demo.gateways import connection_fields, known_gateways


@pytest.fixture
def examples_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "installed"
    (folder / "data").mkdir(parents=True)
    (folder / "campaign.py").write_text("campaign")
    (folder / "data" / "audience.csv").write_text("phone")
    monkeypatch.setattr(examples, "_PLACES", (tmp_path / "no checkout", folder))
    return folder


def test_an_unknown_gateway_is_refused_with_the_known_ones(capsys):
    assert main(["--gateway", "carrier-pigeon"]) == 2
    answer = capsys.readouterr().out
    assert "no gateway 'carrier-pigeon'" in answer
    assert "Known: whapi." in answer


def test_every_known_gateway_has_a_connection_to_the_emulator():
    addresses = {"gate_url": "http://gate", "manager_url": "http://manager", "partner_token": "t"}
    for name in known_gateways():
        assert connection_fields(name, addresses)["conn_type"]


def test_the_examples_are_copied_with_their_data(examples_here, tmp_path, capsys):
    target = tmp_path / "dags"
    assert main(["--copy-examples", str(target)]) == 0
    assert (target / "campaign.py").read_text() == "campaign"
    assert (target / "data" / "audience.csv").read_text() == "phone"
    assert str(target / "campaign.py") in capsys.readouterr().out


def test_copying_the_examples_again_keeps_a_changed_one(examples_here, tmp_path, capsys):
    target = tmp_path / "dags"
    main(["--copy-examples", str(target)])
    (target / "campaign.py").write_text("mine")
    assert main(["--copy-examples", str(target)]) == 0
    assert (target / "campaign.py").read_text() == "mine"
    assert "nothing was changed" in capsys.readouterr().out


def test_missing_examples_are_an_error_that_names_where_they_should_be(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(examples, "_PLACES", (tmp_path / "beside", tmp_path / "inside"))
    assert main(["--copy-examples", str(tmp_path / "dags")]) == 1
    assert str(tmp_path / "inside") in capsys.readouterr().out
