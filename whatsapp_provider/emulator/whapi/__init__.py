"""The Whapi.Cloud dialect: the manager (channels, projects) and the gate (one channel by its token).

Faithful to: the vendor's schemas (partner 0.1.1, gate 1.8.7), its help pages and the few real captures
known to us, down to status codes, key names, key order where captured, and error texts.

It cannot prove what nobody has captured. Where sources are silent or disagree, this was chosen:

* a bad or missing partner token is 401; a bad channel token is 404 ``Channel not found``;
* request validation (400) comes before the check of the login (401); the validator's text sits in
  ``error.details``; the numeric ``error.code`` equals the HTTP status;
* the creation limit is a fixed window; its 429 has no ``Retry-After``;
* a channel sleeps after provisioning until ``/health`` or a login call wakes it;
* a send to a number without WhatsApp is accepted and gets the status ``failed`` later;
* ``typing_time`` delays the answer (a setting turns that off); a media URL is never fetched, and one
  under ``.invalid`` counts as unreachable (400);
* an interactive message is shown as it was asked for, with any kind of file in its ``media``; of its buttons the
  type, the title, the id and the number of replies (3) are looked at; the phone's log calls it by what a person
  sees: buttons, media_buttons, list;
* an event subscribed as ``put`` gets the ``post`` event's payload, named ``put``, when ``post`` is not
  subscribed; in ``path`` mode the URL gets the plural type and the method;
* status codes 0, 1, 2, 5, 6 of messages and 0, 6, 7 of channels; the channel stops at ``activeTill``;
* ``after_update`` keys in ``changes`` are those whose value changed; pairing codes look like ABCD-1234.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from whatsapp_provider.emulator.asgi import Reply, Request
from whatsapp_provider.emulator.whapi.account import WhapiAccount
from whatsapp_provider.emulator.whapi.fast import FastLane
from whatsapp_provider.emulator.whapi.gate import Gate
from whatsapp_provider.emulator.whapi.manager import Manager
from whatsapp_provider.emulator.world import World

if TYPE_CHECKING:
    from whatsapp_provider.emulator.app import Emulator


def mounts(world: World) -> dict[str, Callable[[Request, str], Awaitable[Reply]]]:
    """Return the two hosts of the vendor as two path prefixes."""
    account = WhapiAccount(world)
    world.accounts["whapi"] = account
    return {
        "/whapi/manager": Manager(account).handle,
        "/whapi/gate": Gate(account).handle,
    }


def facts(world: World, url: str) -> dict[str, Any]:
    """Return the addresses and credentials of a client."""
    return {
        "manager_url": f"{url}/whapi/manager",
        "gate_url": f"{url}/whapi/gate",
        "partner_token": world.settings.partner_token,
    }


def fast_lane(emulator: Emulator, inner: asyncio.Protocol) -> asyncio.Protocol:
    """Return what answers plain texts itself, and hands everything else on."""
    return FastLane(emulator, inner)
