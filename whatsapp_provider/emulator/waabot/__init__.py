"""The Waabot dialect (the "Whatsapp/Bots" API): one account, its bots, and what is sent through them.

Faithful to: the vendor's page "whatsapp-bots" of 2023 and its SDK of 2024 (paths, bodies, where the pair travels,
the recorded answers of create, list, instance, the four updates, message, image and sendText), and for the rest to
the open source underneath (whatsapp-api-nodejs, Baileys, open-wa) and to the author's own starter (sessions, tokens).
Also to what is odd in them: GET with a body, an update without a pair that succeeds and matches nothing, a text whose
answer has no message id, 64-bit numbers as strings, ``ORG:undefined``, ``attachment`` for ``attachments``, JSON that
is not said to be JSON and becomes one odd key, a new bot that is ``CONNECTED``, a logout by GET.

It cannot prove what nobody has recorded. Where sources are silent or disagree, this was chosen:

* every call but the login needs the account's bearer, as the page's headings say (``waabot_strict_auth``); without
  that switch, as some of its samples suggest, calls for one bot need its pair alone;
* the pair is taken from the query or else from the body; without one, and with an unknown one, it is 403; a bot that
  is not connected sends nothing and says 401;
* a bot that was never initialised has an empty ``instance_data``, or to the server below is an unknown key
  (``waabot_unstarted``); one that was not connected since its ``init`` has no ``phone_connected``;
* ``settings.status`` stays ``CONNECTED`` in the instance shape ``seed`` and tells the truth in ``2023-12``, where it
  is ``DISCONNECTED`` after a connection's end;
* ``init`` and ``logout`` answer with their upstream texts inside the envelope, and so does ``format=base64``;
  ``base64text`` is bare text (``waabot_qr_form``); a code that was scanned stays shown up to the next ``init``,
  as in the source of the server below, and is gone in the later instance shape; ``init`` of a connected bot
  changes its webhook alone;
* the updates merge, and need no changed value to be counted as matched; ``setWebhook`` answers as they do, and
  keeps the events of before when none are named; its default is all; webhooks are told even while the action
  ``send_webhook`` is off (``waabot_webhook_switch``), once each and whatever the answer;
* receipts are told in the ``open-wa`` format alone (``onAck``), because the other one has no event for them;
* a recipient without WhatsApp is a 500 ``no account exists``, and so is a send that a fault leaves unsent; what else
  is missing is a 500 with the text of JavaScript's TypeError, after the parts of a message that came before it;
  refusals of the server below come in the service's envelope, bare, or nested in a success (``waabot_refusals``);
* the audio call makes a voice message, ``fileurl`` with ``audio`` a plain one; a URL is never fetched, and one under
  ``.invalid`` counts as unreachable;
* an attachment is a multipart file; its id is in the list, since the answer of its creation shows a data URL;
* the forced state ``lost`` says connected and refuses sends with ``Connection Closed``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request
from whatsapp_provider.emulator.waabot.account import WaabotAccount
from whatsapp_provider.emulator.waabot.api import Api
from whatsapp_provider.emulator.world import World

PREFIX = "/waabot"


def mounts(world: World) -> dict[str, Callable[[Request, str], Awaitable[Reply]]]:
    """Return the vendor's one host as a path prefix."""
    account = WaabotAccount(world)
    world.accounts["waabot"] = account
    return {PREFIX: Api(account).handle}


def facts(world: World, url: str) -> dict[str, Any]:
    """Return the addresses and credentials of a client."""
    return {
        "waabot_url": f"{url}{PREFIX}/api/v1",
        "waabot_token": world.settings.waabot_token,
        "waabot_refresh_token": world.settings.waabot_refresh_token,
    }
