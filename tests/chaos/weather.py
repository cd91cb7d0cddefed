"""What goes wrong at the gateway all the time, with small probabilities."""

from __future__ import annotations

from tests.chaos.settings import ChaosSettings
from whatsapp_provider.emulator import Fault

#: What each gateway is asked for a send, and for its history, if it has one.
PATHS: dict[str, tuple[str, str | None]] = {
    "whapi": (r"/gate/messages/text$", r"/gate/messages/list/"),
    "evolution": (r"/message/sendText/", r"/chat/findMessages/"),
    "whatscloud": (r"/messages/send$", None),
    "waabot": (r"/whatsapp/message$", None),
}


def faults(settings: ChaosSettings) -> list[Fault]:
    """Return the run's faults. Where it matters, each comes with the message delivered and without."""
    sends, history = PATHS[settings.gateway]
    dice = settings.dice("faults")

    def fault(kind: str, probability: float, *, forward: bool | None = None, **more: float) -> Fault:
        return Fault(
            kind=kind,
            path=sends,
            times=None,
            probability=probability,
            seed=dice.getrandbits(32),
            forward=forward,
            status=int(more["status"]) if "status" in more else None,
            burst=int(more.get("burst", 1)),
            delay=more.get("delay", 0.0),
            headers={"Retry-After": "0.5"} if more.get("status") == 429 else {},
        )

    looks = [] if history is None else [_of_history(history, dice.getrandbits(32))]
    return [
        fault("reset_after_read", 0.004, forward=True),
        fault("reset_after_read", 0.003, forward=False),
        fault("reset_before_read", 0.002),
        fault("fin_after_read", 0.002, forward=True),
        fault("half_reply", 0.004),
        fault("silence", 0.002, forward=True),
        fault("silence", 0.001, forward=False),
        fault("deliver_then_status", 0.004, status=502),
        fault("status", 0.003, status=502),
        fault("half_json", 0.002),
        # The client has given up when the message goes out after all.
        fault("delay", 0.005, delay=settings.send_timeout + settings.settle / 4),
        fault("status", 0.001, status=429, burst=8),
        # An outage: long enough for a run to pause the campaign.
        fault("status", 0.0005, status=502, burst=20),
        *looks,
    ]


def _of_history(path: str, seed: int) -> Fault:
    return Fault(kind="status", path=path, times=None, probability=0.03, seed=seed, status=502)
