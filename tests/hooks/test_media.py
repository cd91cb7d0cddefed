"""From a task, files are looked at as the deployment's settings say."""

from __future__ import annotations

import pytest

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.media import check_media_urls, media_policy
from whatsapp_provider.media.findings import Problem, Severity
from whatsapp_provider.media.urls import MediaUrl

SETTING = "AIRFLOW__WHATSAPP__PRIVATE_MEDIA_HOSTS"
#: Nobody listens there.
INSIDE = MediaUrl("http://127.0.0.1:1024/a", "image", "row 1")


def test_private_addresses_are_refused_until_the_deployment_opens_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    [found] = check_media_urls(iter([INSIDE])).findings
    assert (found.problem, found.severity, found.place) == (Problem.PRIVATE, Severity.REFUSE, "row 1")
    monkeypatch.setenv(SETTING, "127.0.0.0/8")
    [found] = check_media_urls([INSIDE]).findings
    assert (found.problem, found.severity) == (Problem.UNREACHABLE, Severity.WARN)


def test_a_setting_that_can_not_be_read_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "http://127.0.0.1")
    with pytest.raises(ConfigurationError, match="private_media_hosts"):
        check_media_urls([INSIDE])


def test_the_official_api_has_narrower_bounds_and_what_refuses_can_be_chosen() -> None:
    narrow, wide = media_policy(official=True, refuse=["missing"]), media_policy()
    assert narrow.fits["image"].most_bytes < wide.fits["image"].most_bytes
    assert narrow.refuse == {Problem.MISSING}
    with pytest.raises(ConfigurationError, match=r"\['lost'\].*missing, denied"):
        media_policy(refuse=["missing", "lost"])


def test_a_proxy_of_the_machine_is_known_and_makes_what_is_not_reached_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert not media_policy().proxied
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert media_policy().proxied
