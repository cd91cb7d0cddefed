"""A task that was deferred before a deploy goes on after it."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from whatsapp_provider.get_provider_info import get_provider_info

RECORDED = sorted((Path(__file__).parent / "recorded").glob("*.json"))


def imported(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_what_was_stored_is_still_read_and_written_alike(file: Path) -> None:
    stored = json.loads(file.read_text())
    trigger = imported(stored["classpath"])(**stored["kwargs"])
    assert json.loads(json.dumps(trigger.serialize())) == [stored["classpath"], stored["kwargs"]]


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_the_method_that_was_to_resume_is_still_there(file: Path) -> None:
    stored = json.loads(file.read_text())
    method = inspect.signature(getattr(imported(stored["operator"]), stored["method_name"]))
    method.bind(None, context={}, event={})


def test_every_trigger_is_recorded() -> None:
    modules = [module for entry in get_provider_info()["triggers"] for module in entry["python-modules"]]
    classes = {
        f"{module}.{name}"
        for module in modules
        for name, found in vars(import_module(module)).items()
        if inspect.isclass(found) and found.__module__ == module
    }
    assert {json.loads(file.read_text())["classpath"] for file in RECORDED} == classes
