"""What the demo runs: a channel is created and paired, or, where it is there already, a template is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from whatsapp_provider.demo.rest import Json

OWN_PHONE = "+15550000999"
PACE = "unlimited"


@dataclass(frozen=True)
class Tale:
    """One example DAG with the people it writes to.

    :param creating_task: the task that makes the channel to be paired; None where a channel is there already.
    :param conf: the run's parameters besides audience and pace; takes the URL of a webhook.
    :param trials: messages to phones that are not of the audience.
    """

    dag_id: str
    creating_task: str | None
    conf: Callable[[str], Json]
    trials: int = 0

    def run_conf(self, audience: str, webhook_url: str) -> Mapping[str, object]:
        """Return all the run's parameters."""
        return {"audience": audience, "pace": PACE, **self.conf(webhook_url)}


def _onboarding(webhook_url: str) -> Json:
    return {"channel_name": "Demo shop", "webhook_url": webhook_url}


def _templates(_webhook_url: str) -> Json:
    return {"own_phone": OWN_PHONE}


ONBOARDING = Tale("whatsapp_onboard_and_campaign", "create_channel", _onboarding)
TEMPLATES = Tale("whatsapp_template_campaign", None, _templates, trials=1)
