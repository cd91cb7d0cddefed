"""Look at the files that messages name by URL, from a task: what the deployment allows is read here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.request import getproxies

from airflow.providers.common.compat.sdk import conf

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks import edge
from whatsapp_provider.media.addresses import Openings
from whatsapp_provider.media.findings import CERTAIN, MediaPolicy, Problem
from whatsapp_provider.media.kinds import ANY_FIT, OFFICIAL_FIT
from whatsapp_provider.media.urls import MediaSample

if TYPE_CHECKING:
    from whatsapp_provider.media.findings import MediaReport
    from whatsapp_provider.media.urls import MediaUrl

SECTION = "whatsapp"


def media_policy(
    *, official: bool = False, refuse: Iterable[str] = CERTAIN, needs_https: bool = False, most: int = 100
) -> MediaPolicy:
    """Return how files are looked at here.

    :param official: whether the channel is one of the official API, whose types and sizes are narrower.
    :param refuse: the problems that refuse a plan, by name.
    :param needs_https: whether the gateway takes nothing else.
    :param most: distinct URLs that are looked at.
    :raises ConfigurationError: if ``[whatsapp] private_media_hosts`` can't be read, or a problem has no such name.
    """
    named = set(refuse)
    if unknown := named - set(Problem):
        raise ConfigurationError(
            f"refuse names {sorted(unknown)}, which no look at a file finds. It may name: {', '.join(Problem)}."
        )
    return MediaPolicy(
        fits=OFFICIAL_FIT if official else ANY_FIT,
        refuse=frozenset(map(Problem, named)),
        openings=Openings.of(conf.get(SECTION, "private_media_hosts", fallback="") or ""),
        needs_https=needs_https,
        most=most,
        proxied=bool(getproxies().keys() & {"http", "https", "all"}),
    )


def check_media_urls(
    urls: Iterable[MediaUrl] | MediaSample, policy: MediaPolicy | None = None
) -> MediaReport:
    """Look at each distinct URL and wait for the report.

    :param policy: what :func:`media_policy` gives by default.
    """
    from whatsapp_provider.media.looking import check_media

    policy = policy or media_policy()
    # Gathered here: what yields them may talk to Airflow, which code on the loop must not.
    return edge.run(check_media(MediaSample.of(urls, policy.most), policy))
