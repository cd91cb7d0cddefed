"""What catalogues of providers are told is all there is: the package's metadata and ``.astro-registry.yaml``."""

from __future__ import annotations

import inspect
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.sdk import BaseHook, BaseOperator, BaseSensorOperator

from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.get_provider_info import PACKAGE, get_provider_info

PROJECT = Path(__file__).parent.parent
LISTING = yaml.safe_load((PROJECT / ".astro-registry.yaml").read_text("utf-8"))
METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
KINDS = {"hooks": BaseHook, "operators": BaseOperator, "sensors": BaseSensorOperator}


def public(kind: str) -> set[str]:
    """Return the classes of a kind that the provider's own modules define, by their paths."""
    names = [name for entry in get_provider_info()[kind] for name in entry["python-modules"]]
    return {
        f"{name}.{found.__name__}"
        for name in names
        for found in vars(import_module(name)).values()
        if _is_ours(found, KINDS[kind], name) and not found.__name__.startswith("_")
    }


def _is_ours(found: Any, kind: type, module: str) -> bool:
    return inspect.isclass(found) and issubclass(found, kind) and found.__module__ == module


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_listed_exists_and_every_public_one_is_listed(kind: str) -> None:
    listed = [entry["module"] for entry in LISTING[kind]]
    assert set(listed) == public(kind)
    assert len(set(listed)) == len(listed)


def test_the_listing_is_of_this_package_and_leads_to_its_documentation() -> None:
    assert LISTING["package-name"] == PACKAGE == METADATA["name"]
    assert LISTING["display-name"] == get_provider_info()["name"]
    assert LISTING["docs-url"] == METADATA["urls"]["Documentation"]


def test_the_package_is_found_as_a_provider_and_under_each_gateways_name() -> None:
    assert {"airflow-provider", "whatsapp", *GATEWAYS} <= set(METADATA["keywords"])
    wanted = {"Framework :: Apache Airflow", "Framework :: Apache Airflow :: Provider"}
    assert wanted <= set(METADATA["classifiers"])
    assert {"Documentation", "Source", "Changelog"} <= set(METADATA["urls"])
