"""The templates of an instance of WHATSAPP-BUSINESS (answers captured from 2.3.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whatsapp_provider.errors import (
    CredentialRejectedError,
    Disposition,
    GatewayError,
    NoAnswerError,
    NotReachedError,
    UnsupportedError,
)
from whatsapp_provider.gateways.evolution.account import row_of
from whatsapp_provider.gateways.evolution.dialects import Dialect, Server
from whatsapp_provider.gateways.evolution.kinds import BAILEYS, BUSINESS
from whatsapp_provider.gateways.meta_templates import (
    MetaTemplate,
    check_definition,
    components,
    read_template,
)
from whatsapp_provider.http import ApiClient, Effect, segment
from whatsapp_provider.messages import Message, TemplateMessage
from whatsapp_provider.templates import OfficialTemplate, check_template

#: Templates that Meta tells at once; the server asks for no more than its first page.
META_PAGE = 25


class Templates:
    """Asks one instance for its integration and its templates, each once for all sends.

    :param client: with the key that reaches the instance.
    """

    def __init__(self, client: ApiClient, server: Server, name: str) -> None:
        self._client, self._server, self._name = client, server, name
        self._integration: str | None = None
        self._known: list[MetaTemplate] | None = None

    async def integration(self) -> str:
        """Return the instance's integration; empty if its row can't be seen with this key."""
        if self._integration is None:
            row = await row_of(self._client, self._name)
            # Version 1 leaves it out where it is the default.
            self._integration = (row.integration or BAILEYS) if row else ""
        return self._integration

    async def read(self) -> list[MetaTemplate]:
        """Return the templates that Meta tells now.

        :raises UnsupportedError: if the instance is none of WHATSAPP-BUSINESS, or the server one of version 1.
        """
        integration = await self._require()
        path = f"/template/find/{segment(self._name)}"
        answer = await self._client.request("GET", path, effect=Effect.READ)
        if not answer.body.strip():
            raise self._nothing_told(integration)
        told = answer.json()
        if not isinstance(told, list) or not all(isinstance(item, dict) for item in told):
            raise NoAnswerError("The server answered something that is not templates.", code="unreadable")
        self._known = [read_template(item) for item in told]
        return self._known

    async def create(self, definition: Mapping[str, Any]) -> OfficialTemplate:
        """Hand in a template, once.

        :raises InputError: if the definition lacks something.
        :raises UnsupportedError: if the instance is none of WHATSAPP-BUSINESS: the server would show Meta the
            instance's own token.
        """
        body = check_definition(definition)
        if await self._require() != BUSINESS:
            raise UnsupportedError(self._refusal("create templates", "an unknown integration"))
        path = f"/template/create/{segment(self._name)}"
        made = (await self._client.request("POST", path, effect=Effect.ONCE, json=body)).json()
        inner = made.get("template") if isinstance(made, dict) else None
        if not isinstance(inner, dict) or not isinstance(inner.get("status"), str):
            raise NoAnswerError(
                "The server answered a new template without its status; it may have been handed in.",
                code="unreadable",
            )
        self._known = None
        # Meta may give it another category than was asked for.
        return read_template(
            {**body, "status": inner["status"], "category": inner.get("category", "")}
        ).official

    async def check(self) -> _Fits:
        """Return what checks each message against the templates as they are now."""
        return _Fits(await self.read())

    async def for_sending(self, message: Message, dialect: Dialect) -> MetaTemplate | None:
        """Return the template of a message, where the request that sends it needs to know it.

        That it could not be had puts no message in doubt.
        """
        if not isinstance(message, TemplateMessage) or dialect is Dialect.V1:
            return None
        if not message.buttons and not isinstance(message.header, str):
            return None
        try:
            known = self._known if self._known is not None else await self.read()
        except GatewayError as error:
            if error.disposition is not Disposition.HOLD:
                raise
            raise NotReachedError(
                f"{error} That was the question for the template: the message was not sent.",
                code="template_not_had",
            ) from None
        wanted = (message.name, message.language)
        return next((one for one in known if (one.official.name, one.official.language) == wanted), None)

    async def _require(self) -> str:
        integration = await self.integration()
        if integration not in {"", BUSINESS}:
            raise UnsupportedError(self._refusal("tell or create templates", integration))
        if await self._server.dialect() is Dialect.V1:
            raise UnsupportedError(self._refusal("tell or create templates", "a server of version 1"))
        return integration

    def _nothing_told(self, integration: str) -> UnsupportedError | CredentialRejectedError:
        if integration == BUSINESS:
            return CredentialRejectedError(
                f"Instance {self._name!r} tells no templates: Meta refuses the access token that it was created with.",
                status=200,
                code="no_templates_told",
            )
        return UnsupportedError(self._refusal("tell templates", "another integration"))

    def _refusal(self, what: str, found: str) -> str:
        return (
            f"Gateway 'evolution' can't {what} of instance {self._name!r}: that takes {BUSINESS} on version 2, and it "
            f"is one of {found}."
        )


def check_untold(message: Message) -> None:
    """Refuse what can't be sent of a template that the server does not tell.

    :raises UnsupportedError: for a value of a button: nothing says what that button is.
    """
    if isinstance(message, TemplateMessage):
        components(message, None)


class _Fits:
    """Checks each message of a campaign against the same list."""

    def __init__(self, known: list[MetaTemplate]) -> None:
        self._known = [one.official for one in known]

    def __call__(self, message: Message) -> None:
        if not isinstance(message, TemplateMessage):
            return
        listed = {(one.name, one.language) for one in self._known}
        if (message.name, message.language) not in listed and len(self._known) >= META_PAGE:
            # It may be on a page that the server does not hand on: Meta will say.
            check_untold(message)
            return
        check_template(message, self._known)
