"""The pairing page: is it there, can it be loaded, do links to it work."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from whatsapp_provider.cli.doctor.findings import Finding, Topic
from whatsapp_provider.plugin.urls import PAIRING_PATH

PAGE = Topic("pairing page")
_MODULE = "whatsapp_provider.plugin"
_NAME = "whatsapp"


def look_at_plugin(_seconds: float) -> Iterator[Finding]:
    """Look at the entry point, Airflow's loading of it, the page behind it, and its address."""
    if not any(point.module == _MODULE for point in entry_points(group="airflow.plugins")):
        yield PAGE.problem(
            "plugin",
            "The package is importable but not installed: its plugin is not registered.",
            "Install it with pip into the environment of the API server.",
        )
        return
    yield _loaded()
    yield _address()


def _loaded() -> Finding:
    from airflow import plugins_manager

    # Loads them, as the API server does.
    names = [info["name"] for info in plugins_manager.get_plugin_info()]
    errors = _import_errors().get(_MODULE, "")
    if errors or _NAME not in names:
        return PAGE.problem(
            "plugin",
            "Airflow could not load the plugin, so there is no page to pair on.",
            "'airflow plugins' and the API server's log say why.",
        )
    try:
        import_module(f"{_MODULE}.app")
    except Exception as error:  # whatever it is, the page answers 503 from then on
        return PAGE.problem(
            "plugin",
            f"The plugin is registered, but its page can't be loaded: {type(error).__name__}.",
            "The API server's log says why at the first visit.",
        )
    return PAGE.ok("plugin", "Registered and loaded without an error.")


def _import_errors() -> dict[str, str]:
    from airflow import plugins_manager

    # Airflow 3.1 has a variable, later ones a function.
    asked: Any = getattr(plugins_manager, "get_import_errors", None) or (
        lambda: vars(plugins_manager)["import_errors"]
    )
    found: dict[str, str] = asked()
    return found


def _address() -> Finding:
    from airflow.providers.common.compat.sdk import conf

    base = conf.get("api", "base_url", fallback="").rstrip("/")
    if base:
        return PAGE.ok("address", f"{base}{PAIRING_PATH}, by [api] base_url; waiting tasks link to it.")
    return PAGE.warning(
        "address",
        f"{PAIRING_PATH} below the address of Airflow's UI; [api] base_url is not set, so tasks can't link to it.",
        "Set [api] base_url to the address that people open Airflow with.",
    )
