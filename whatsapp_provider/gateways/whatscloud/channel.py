"""One WhatsCloud tenant as a channel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from whatsapp_provider.errors import Disposition, GatewayError, NotReachedError
from whatsapp_provider.gateways.base import MessageCheck
from whatsapp_provider.gateways.limited import LimitedChannel
from whatsapp_provider.gateways.whatscloud.capabilities import CAPABILITIES
from whatsapp_provider.gateways.whatscloud.limits import check_limits
from whatsapp_provider.gateways.whatscloud.pages import Pages
from whatsapp_provider.gateways.whatscloud.payloads import StatusAnswer, TemplateRow, read
from whatsapp_provider.gateways.whatscloud.sends import send_request, send_result, status_of
from whatsapp_provider.gateways.whatscloud.templates import check_placeable, has_names, official
from whatsapp_provider.http import ApiClient, Effect, segment
from whatsapp_provider.messages import Message, TemplateMessage
from whatsapp_provider.model import ChannelState, ChannelStatus, MessageStatus, SendResult
from whatsapp_provider.templates import OfficialTemplate, find_template, fits

TEMPLATES_WITHIN = 20.0  #: seconds for the templates that a send has to look at


class WhatsCloudChannel(LimitedChannel):
    """The number of one tenant.

    :param client: below the tenant's part of the URL.
    """

    gateway = "whatscloud"
    capabilities = CAPABILITIES

    def __init__(self, client: ApiClient, pages: Pages) -> None:
        self._client = client
        self._pages = pages
        self._known: Sequence[OfficialTemplate] = ()
        self._asking = asyncio.Lock()

    async def status(self) -> ChannelStatus:
        """Look whether the token works, the tenant exists and its templates can be read; more can't be seen.

        :raises GatewayError: saying which of these it is, and what to do.
        """
        page = await self._pages.first("/templates")
        count = "" if page.total is None else f"{page.total} "
        return ChannelStatus(
            ChannelState.CONNECTED, detail=f"the token works and {count}templates can be read"
        )

    async def templates(self) -> Sequence[OfficialTemplate]:
        """Return the tenant's templates, all pages of them."""
        found = [official(read(TemplateRow, row)) async for row in self._pages.rows("/templates")]
        self._known = found
        return found

    async def message_check(self, kind: str) -> MessageCheck:
        """Check the kind and all limits, and templates against those that the tenant has."""
        self.capabilities.require_kind(self.gateway, kind)
        templates = await self.templates() if kind == "template" else ()
        fitting = fits(templates)

        def check(message: Message) -> None:
            self._check_kind(message)
            check_limits(message)
            if isinstance(message, TemplateMessage):
                check_placeable(message, find_template(message, templates))
                fitting(message)

        return check

    async def send(self, recipient: str, message: Message) -> SendResult:
        """Send one message, once: the API knows no idempotency key."""
        template = None
        if isinstance(message, TemplateMessage) and has_names(message):
            template = await self._named(message)
        request = send_request(recipient, message, template)
        answer = await self._client.request("POST", request.path, effect=Effect.ONCE, **request.body)
        return send_result(answer, self._client.said(answer, request.fields))

    async def message_status(self, message_id: str) -> MessageStatus:
        """Return how far a message has come; not every version of the product tells it."""
        body = await self._client.get(f"/messages/{segment(message_id)}/status")
        return status_of(read(StatusAnswer, body).data.delivery_status)

    async def _named(self, message: TemplateMessage) -> OfficialTemplate | None:
        """Return the template whose order puts a message's named values in places, asked for once.

        That it can't be had puts no message in doubt.
        """
        try:
            async with asyncio.timeout(TEMPLATES_WITHIN), self._asking:
                if find_template(message, self._known) is None:
                    await self.templates()
        except TimeoutError:
            raise NotReachedError(
                f"WhatsCloud did not tell its templates within {TEMPLATES_WITHIN:g} s; nothing was sent.",
                code="templates_not_had",
            ) from None
        except GatewayError as error:
            if error.disposition is not Disposition.HOLD:
                raise
            raise NotReachedError(
                f"{error} That was the question for the templates: nothing was sent.",
                code="templates_not_had",
            ) from None
        return find_template(message, self._known)
