"""Asks the Bots API: puts token and pair where a call wants them, and renews the token as the API does."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from whatsapp_provider.errors import GatewayError
from whatsapp_provider.gateways.waabot.answers import classify, refusal_in
from whatsapp_provider.gateways.waabot.calls import Call, Place
from whatsapp_provider.gateways.waabot.connection import Pair, WaabotConfig
from whatsapp_provider.http import ApiClient, Effect, Sleep, check_url, segment
from whatsapp_provider.transport import Answer, Form, Timeouts, Wire

RENEWED = "x-access-token"
TOKENS_KEPT = 4  #: renewed tokens that an answer on its way may still quote


class Api:
    """One connection's way to the API.

    The account token ends after a quarter of an hour; an answer that carries a new one replaces it, here and
    nowhere else.
    """

    def __init__(self, config: WaabotConfig, wire: Wire | None, sleep: Sleep) -> None:
        check_url(config.url, f"Connection {config.conn_id!r}, base URL (Host)")
        self._config = config
        self._wire = wire
        self._sleep = sleep
        self.timeouts = Timeouts(read=config.timeout, write=config.timeout)
        self._tokens = deque([config.account_token], maxlen=TOKENS_KEPT)

    async def ask(
        self,
        call: Call,
        pair: Pair | None = None,
        *,
        bot_id: str = "",
        params: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Form | None = None,
    ) -> Answer:
        """Make one call and return its 2xx answer, which may be empty.

        :param bot_id: for a path with a place for it.
        :raises GatewayError: also where a 2xx says in its body that nothing was done.
        """
        client = self._client(pair)
        path = call.path.replace("{}", segment(bot_id)) if bot_id else call.path
        query = {**(pair.fields() if pair and Place.QUERY in call.pair else {}), **(params or {})}
        body: dict[str, Any] | None = None
        if form is None and (json is not None or Place.BODY in call.pair):
            # The page's sample of the list has an empty pair.
            given = pair.fields() if pair else {"session_id": "", "access_token": ""}
            body = {**(given if Place.BODY in call.pair else {}), **(json or {})}
        answer = await client.request(
            call.method, path, effect=call.effect, params=query or None, json=body, form=form
        )
        self._renew(answer)
        if (refused := refusal_in(answer)) is not None:
            told = body if form is None else dict(form.fields)
            raise classify(answer, call.effect, client.said(answer, told), text=refused)
        return answer

    def _client(self, pair: Pair | None) -> ApiClient:
        token, refresh = self._tokens[-1], self._config.refresh_token
        headers = {"authorization": f"Bearer {token}"} if token else {}
        if token and refresh:
            headers["x-refresh"] = refresh
        own = self._config.pair
        secrets = [*self._tokens, refresh, *(own.secrets() if own else ()), *(pair.secrets() if pair else ())]
        return ApiClient(
            self._config.url,
            label="Waabot",
            headers=headers,
            secrets=tuple(filter(None, secrets)),
            timeouts=self.timeouts,
            classify=self._classify,
            wire=self._wire,
            sleep=self._sleep,
        )

    def _renew(self, answer: Answer) -> None:
        token = answer.headers.get(RENEWED, "").strip()
        # One that no header can carry would break every later call.
        if token and token.isascii() and token.isprintable() and " " not in token:
            self._tokens.append(token)

    def _classify(self, answer: Answer, effect: Effect, said: str) -> GatewayError:
        self._renew(answer)
        return classify(answer, effect, said)
