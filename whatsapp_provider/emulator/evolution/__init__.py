"""The Evolution API dialect: a v2 server and a v1 server, each with its own instances, and one global key.

Faithful to: answers captured from a real server 2.3.6 (status codes, key names and their order, nulls,
error texts, webhook bodies), and for v1 to the documented create and to what the source of 1.8 says.

It cannot prove what nobody has captured. Where sources are silent or disagree, this was chosen:

* v1 answers in the form of 1.8.6, a superset of the documented one; its guards, its QR code and its errors
  are those of v2; ``webhook/find`` of an instance without one has ``enabled: false``;
* a delete takes as long as a setting says, and as the tries of the ``REMOVE_INSTANCE`` webhook; a logout is
  over when it is answered; the race of two creates is a setting, and is lost by the second one;
* a number is taken as given, without the ninth digit that a real server adds or removes in Brazil; the
  phones of the fake network are addressed by number, never by LID;
* sends are refused with a string while no phone was ever linked and with a list after the session was lost,
  as captured once each; ``dead`` (a forced state) says ``open`` and refuses sends;
* a media URL is never fetched, and one under ``.invalid`` counts as unreachable; the contents of media,
  sticker and audio messages of Baileys have only the keys that name the file;
* Meta refuses recipients without WhatsApp (131030), tokens that do not begin with ``EAA`` (190), templates that
  are not approved (132001), paused (132015) or disabled (132016), and values that are not those of the template
  (132000, 132012, 131008, 100); ``hello_world`` is approved everywhere, and what it takes is not looked at;
  phones show a template's body with the values in it, while the server's own answers show its name;
* a member of a group is named by phone, and the linked phone of whoever asks is the group's owner;
* a send that a fault leaves unsent is refused like a recipient without WhatsApp;
* webhook retries have no jitter; ``server_url`` in them is not the port that is served;
* QR codes are numbered on through connects, and from 1 again after the limit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request
from whatsapp_provider.emulator.evolution.api import Api
from whatsapp_provider.emulator.evolution.servers import Evolution
from whatsapp_provider.emulator.world import World


def mounts(world: World) -> dict[str, Callable[[Request, str], Awaitable[Reply]]]:
    """Return the two servers as two path prefixes."""
    evolution = Evolution(world)
    world.accounts["evolution"] = evolution
    return {
        "/evolution/v2": Api(evolution.v2).handle,
        "/evolution/v1": Api(evolution.v1).handle,
    }


def facts(world: World, url: str) -> dict[str, Any]:
    """Return the addresses and credentials of a client."""
    return {
        "evolution_url": f"{url}/evolution/v2",
        "evolution_v1_url": f"{url}/evolution/v1",
        "evolution_key": world.settings.evolution_key,
    }
