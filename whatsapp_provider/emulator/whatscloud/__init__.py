"""The WhatsCloud dialect: one tenant of a white label of WhatsMark SaaS, a front on Meta's Cloud API.

Faithful to: the pages of the vendor and of other white labels of the same product: paths, field rules,
envelopes, error texts, the two forms of a page, the limit of requests, abilities, and webhooks; and to Meta's
codes and texts where they show through.

It cannot prove what nobody has captured: no answer of whatscloud.pro itself is known. Where sources are silent
or disagree, this was chosen, and what has a setting (``whatscloud_…``) can be had otherwise:

* a page is Laravel's, nested in ``data`` (setting); its URLs forget ``per_page``, which is cut at 100;
* three abilities for the three ways of sending (setting), named ``messages.send_text``, ``…_media`` and
  ``…_template``; any of them reads a message's status and checks a number; access switched off is 403;
* how an error of Meta's is wrapped and with which status (settings); whether it comes in the answer or later, as
  a failed status (setting). A number without WhatsApp always fails later; a send that a fault leaves unsent is
  refused with 131026; a media URL under ``.invalid`` with 131052, and none is ever fetched;
* the answers of texts and templates: those of media, and Meta's own under ``whatsapp_response`` (setting);
* a template that is missing or not approved is 422 under ``template_name``; values too many are ignored; an
  authentication template's code goes into its button, too; a code made by the server comes back as ``otp``;
* whether the calls of newer versions (a message's status, the check of a number) are there (setting);
* the bodies that write groups; ids of unknown rows are 404 in all calls; ``statuses`` of a message is a legend;
* a contact is found by the digits of its phone, and its phone and email are unique as they are written;
* a body above ``media_limit_bytes`` is answered by the web server, with a page;
* Laravel's own habits: texts are trimmed and empty ones are null, a body that is no JSON is an empty one, an
  unknown path is answered in HTML to whoever does not accept JSON;
* the quota of contacts (setting) holds for contacts made by sends, too; there is no monthly quota of requests;
* message events look alike in both forms of webhooks; a phone that writes becomes a contact.

Numbers like ``15559131047`` are refused with the code of Meta's that their last six digits are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request
from whatsapp_provider.emulator.whatscloud.api import Api
from whatsapp_provider.emulator.whatscloud.tenant import Tenant
from whatsapp_provider.emulator.world import World


def mounts(world: World) -> dict[str, Callable[[Request, str], Awaitable[Reply]]]:
    """Return the vendor's host as a path prefix."""
    tenant = Tenant(world)
    world.accounts["whatscloud"] = tenant
    return {"/whatscloud": Api(tenant).handle}


def facts(world: World, url: str) -> dict[str, Any]:
    """Return the addresses and credentials of a client."""
    return {
        "whatscloud_url": f"{url}/whatscloud/api/v1",
        "whatscloud_tenant": world.settings.whatscloud_tenant,
        "whatscloud_token": world.settings.whatscloud_token,
    }
