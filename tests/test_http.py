"""What an answer means, what is tried again, and what an error may say."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    Disposition,
    GatewayError,
    NoAnswerError,
    NotFoundError,
    NotReachedError,
    QuotaExceededError,
    RateLimitedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
)
from whatsapp_provider.exchange import LONGEST_WAIT
from whatsapp_provider.http import (
    LONGEST_OBEYED_WAIT,
    READ_ATTEMPTS,
    ApiClient,
    Effect,
    check_url,
    classify_status,
    explanation,
    retry_after,
    segment,
)
from whatsapp_provider.transport import Answer, Request, Timeouts, Wire

TOKEN = "eyJhbGciOiJSUzI1NiJ9.partner-token"
PHONE = "5511900000000"


def answer(status: int, body: Any = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


class Server:
    """Answers with what is queued, the last one for ever."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given.status_code, headers=given.headers, content=given.content)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def client(self, url: str = "https://gate.example", **options: Any) -> ApiClient:
        return ApiClient(
            url,
            label="Gate",
            headers={"authorization": f"Bearer {TOKEN}"},
            secrets=(TOKEN,),
            wire=Wire(transport=httpx.MockTransport(self._answer)),
            sleep=self._pause,
            **options,
        )


# -- the table ------------------------------------------------------------------------------------

HALT, HOLD, RETRY = Disposition.HALT, Disposition.HOLD, Disposition.RETRY
WAIT = {"retry_after": "7"}
ON_A_SEND = [
    (300, {}, NoAnswerError, HOLD),
    (301, {}, NoAnswerError, HOLD),
    (302, {}, NoAnswerError, HOLD),
    (304, {}, NoAnswerError, HOLD),
    (307, {}, NoAnswerError, HOLD),
    (400, {}, RequestRejectedError, HALT),
    (401, {}, CredentialRejectedError, HALT),
    (402, {}, QuotaExceededError, HALT),
    (403, {}, CredentialRejectedError, HALT),
    (404, {}, NotFoundError, HALT),
    (405, {}, RequestRejectedError, HALT),
    (406, {}, RequestRejectedError, HALT),
    (408, {}, NoAnswerError, HOLD),
    (409, {}, RequestRejectedError, HALT),
    (413, {}, RequestRejectedError, HALT),
    (415, {}, RequestRejectedError, HALT),
    (418, {}, RequestRejectedError, HALT),
    (422, {}, RequestRejectedError, HALT),
    (429, {}, RateLimitedError, RETRY),
    (429, WAIT, RateLimitedError, RETRY),
    (500, {}, NoAnswerError, HOLD),
    (500, WAIT, NoAnswerError, HOLD),
    (501, {}, NoAnswerError, HOLD),
    (502, {}, NoAnswerError, HOLD),
    (503, {}, NoAnswerError, HOLD),
    (503, {"retry_after": "soon"}, NoAnswerError, HOLD),
    (503, WAIT, TemporarilyUnavailableError, RETRY),
    (504, {}, NoAnswerError, HOLD),
    (521, {}, NoAnswerError, HOLD),
    (599, {}, NoAnswerError, HOLD),
]
#: A read leaves nothing in doubt: what differs from the table above.
ON_A_READ = {
    **dict.fromkeys((300, 301, 302, 304, 307), (RequestRejectedError, HALT)),
    **dict.fromkeys((408, 500, 501, 502, 503, 504, 521, 599), (TemporarilyUnavailableError, RETRY)),
}


@pytest.mark.parametrize(("status", "headers", "kind", "disposition"), ON_A_SEND)
def test_on_a_send_a_status_means(
    status: int, headers: dict[str, str], kind: type[GatewayError], disposition: Disposition
) -> None:
    error = classify_status(answer(status, **headers), Effect.ONCE, "said")
    assert type(error) is kind
    assert error.disposition is disposition
    assert (error.status, error.code) == (status, f"http_{status}")
    assert str(error).startswith("said")


@pytest.mark.parametrize("effect", [Effect.READ, Effect.IDEMPOTENT])
@pytest.mark.parametrize(("status", "headers", "kind", "disposition"), ON_A_SEND)
def test_on_a_read_a_status_means(
    effect: Effect,
    status: int,
    headers: dict[str, str],
    kind: type[GatewayError],
    disposition: Disposition,
) -> None:
    error = classify_status(answer(status, **headers), effect, "said")
    assert (type(error), error.disposition) == ON_A_READ.get(status, (kind, disposition))
    assert "may have been carried out" not in str(error)


@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_that_was_told_is_in_the_error(status: int) -> None:
    assert classify_status(answer(status, retry_after="7"), Effect.ONCE, "").retry_after == 7


@given(status=st.integers(300, 599), effect=st.sampled_from(Effect), wait=st.sampled_from(["", "7"]))
def test_a_send_is_only_repeated_after_a_status_that_says_it_was_not_done(
    status: int, effect: Effect, wait: str
) -> None:
    headers = {"retry_after": wait} if wait else {}
    error = classify_status(answer(status, **headers), Effect.ONCE, "")
    if error.disposition is RETRY:
        assert status == 429 or (status == 503 and wait)
    assert error.disposition is not Disposition.SKIP


# -- Retry-After ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 2.5 ", 2.5),
        ("-3", 0.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("Wed, 21 Oct 99999 07:28:30 GMT", None),
        # no clock could add them
        ("1" + "0" * 30, LONGEST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    at = 1_445_412_480.0  # 2015-10-21 07:28:00 UTC
    assert retry_after(answer(429, retry_after=value), now=lambda: at) == seconds


@given(st.text())
def test_no_retry_after_breaks_anything(value: str) -> None:
    wait = retry_after(answer(429, retry_after=value))
    assert wait is None or 0 <= wait < float("inf")


# -- what is tried again --------------------------------------------------------------------------

PASSING = [
    httpx.Response(500),
    httpx.Response(502),
    httpx.Response(503),
    httpx.Response(429),
    httpx.ReadTimeout("silence"),
    httpx.ConnectError("refused"),
    httpx.RemoteProtocolError("cut"),
]


@pytest.mark.parametrize("effect", [Effect.READ, Effect.IDEMPOTENT])
@pytest.mark.parametrize("trouble", PASSING, ids=str)
async def test_a_read_is_tried_three_times(trouble: Any, effect: Effect) -> None:
    server = Server(trouble, trouble, httpx.Response(200, json={"all": "well"}))
    assert (await server.client().request("GET", "/x", effect=effect)).json() == {"all": "well"}
    assert len(server.requests) == 3
    assert len(server.pauses) == 2
    assert all(0 <= pause <= 8 for pause in server.pauses)


@pytest.mark.parametrize("trouble", PASSING, ids=str)
async def test_a_read_that_stays_in_trouble_says_so_after_the_third_try(trouble: Any) -> None:
    server = Server(trouble)
    with pytest.raises(GatewayError) as caught:
        await server.client().get("/x")
    assert caught.value.is_transient
    assert len(server.requests) == READ_ATTEMPTS == 3


@pytest.mark.parametrize("trouble", [*PASSING, httpx.Response(503, headers={"retry-after": "0"})], ids=str)
async def test_a_send_is_tried_once(trouble: Any) -> None:
    server = Server(trouble, httpx.Response(200, json={}))
    with pytest.raises(GatewayError):
        await server.client().request("POST", "/x", effect=Effect.ONCE, json={})
    assert len(server.requests) == 1
    assert server.pauses == []


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 409, 422])
async def test_a_refused_read_is_not_tried_again(status: int) -> None:
    server = Server(httpx.Response(status))
    with pytest.raises(GatewayError):
        await server.client().get("/x")
    assert len(server.requests) == 1


async def test_an_answer_that_cannot_be_read_is_not_asked_for_again() -> None:
    server = Server(httpx.Response(200, text="<html>a login page</html>"))
    with pytest.raises(NoAnswerError):
        await server.client().get("/x")
    assert len(server.requests) == 1


async def test_the_wait_that_was_told_is_kept_between_two_tries() -> None:
    busy = httpx.Response(429, headers={"retry-after": str(int(LONGEST_OBEYED_WAIT))})
    server = Server(busy, busy, httpx.Response(200, json={}))
    await server.client().get("/x")
    assert server.pauses == [30.0, 30.0]


async def test_a_wait_of_more_than_half_a_minute_is_left_to_the_caller() -> None:
    server = Server(httpx.Response(429, headers={"retry-after": "31"}))
    with pytest.raises(RateLimitedError) as caught:
        await server.client().get("/x")
    assert caught.value.retry_after == 31
    assert len(server.requests) == 1


async def test_a_call_can_give_the_answer_more_time() -> None:
    seen: list[Request] = []

    class Recording(Wire):
        async def exchange(self, request: Request) -> Answer:
            seen.append(request)
            return answer(200, {})

    client = ApiClient(
        "https://gate.example", label="Gate", headers={}, timeouts=Timeouts(read=5), wire=Recording()
    )
    await client.get("/x")
    await client.get("/x", answer_within=90)
    assert [request.timeouts.read for request in seen] == [5, 90]


# -- what is sent where ---------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["https://gate.example/api", "https://gate.example/api/"])
async def test_paths_are_below_the_base_url_and_carry_the_credential_in_a_header(url: str) -> None:
    server = Server(httpx.Response(200, json={}))
    await server.client(url).get("/health", params={"wakeup": "true"})
    request = server.requests[0]
    assert str(request.url) == "https://gate.example/api/health?wakeup=true"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "url",
    [
        *("", "gate.example", "//gate.example", "ftp://gate.example", "https://", "https://:443"),
        *(
            "https://gate.example:port",
            "https://[::1",
            "https://gate.example?token=x",
            "https://gate.example#x",
        ),
    ],
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="URL"):
        check_url(url, "Gate")


@pytest.mark.parametrize(
    "url",
    [f"https://{TOKEN}@gate.example", f"https://user:{TOKEN}@gate.example", f"ftp://{TOKEN}@gate.example"],
)
def test_a_credential_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_url(url, "Gate")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("SHAZAM-3HDYQ", "SHAZAM-3HDYQ"),
        ("120363012345678901@g.us", "120363012345678901@g.us"),
        ("p.w30M7fgwWD4XwHu.g4CA-gBgTwl0rVw", "p.w30M7fgwWD4XwHu.g4CA-gBgTwl0rVw"),
        ("../projects", "..%2Fprojects"),
        ("a?b#c", "a%3Fb%23c"),
    ],
)
async def test_an_id_in_a_path_stays_one_part_of_it(value: str, written: str) -> None:
    server = Server(httpx.Response(200, json={}))
    await server.client().get(f"/channels/{segment(value)}")
    assert server.requests[0].url.raw_path.decode() == f"/channels/{written}"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_what_would_change_the_path_is_no_id(value: str) -> None:
    with pytest.raises(ConfigurationError, match="not an id"):
        segment(value)


async def test_the_running_loops_shared_connections_are_used_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    origins: list[str] = []
    server = Server(httpx.Response(200, json={}))

    def shared(origin: str) -> Wire:
        origins.append(origin)
        return Wire(transport=httpx.MockTransport(server._answer))

    monkeypatch.setattr("whatsapp_provider.http.shared_wire", shared)
    client = ApiClient("https://gate.example:444/api", label="Gate", headers={})
    await client.get("/x")
    assert origins == ["https://gate.example:444"]


# -- what an error says ---------------------------------------------------------------------------

CLOUDFLARE = {"title": "Error 1010: Access denied", "detail": "browser signature banned", "status": 403}
PAGE = (
    "<!DOCTYPE html><html><head><title>502 Bad\nGateway</title><style>p{color:red}</style></head>"
    "<body><p>cloudflare</p></body></html>"
)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        # [GATE] the schema's shape, [COMM] the flat shape and the others that clients met
        ({"error": {"code": 401, "message": "need channel authorization"}}, "need channel authorization"),
        ({"error": {"code": 400, "message": "bad request", "details": "/body/to"}}, "bad request /body/to"),
        ({"code": 402, "error": "trial version limit exceeded"}, "trial version limit exceeded"),
        ({"message": "Not found"}, "Not found"),
        ({"errors": [{"message": "one"}, "two"]}, "one two"),
        ({"response": {"message": ["instance", "exists"]}}, "instance exists"),
        (CLOUDFLARE, "browser signature banned Error 1010: Access denied"),
        ({"unknown": "shape"}, "no explanation"),
        ([], "no explanation"),
        (b"null", "no explanation"),
        (b"", "an empty body"),
        (b"   ", "an empty body"),
        (b"plain words", "plain words"),
        (PAGE.encode(), "502 Bad\nGateway"),
        (b"<p>no title</p><script>alert(1)</script>", "no title"),
        (b'{"error": ' * 400 + b'"deep"' + b"}" * 400, "no explanation"),
    ],
)
def test_an_error_body_of_any_shape_is_reduced_to_its_words(body: Any, text: str) -> None:
    assert explanation(answer(400, body)) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["error", "message", "x"]), inner),
    )
)
def test_no_json_breaks_the_reading_of_an_error(body: Any) -> None:
    assert isinstance(explanation(answer(400, body)), str)


SAYING_TOO_MUCH = [
    json.dumps({"error": {"message": f"token {TOKEN} of +{PHONE} is wrong"}}),
    json.dumps({"error": f"no such user: {PHONE}@s.whatsapp.net, Bearer {TOKEN}"}),
    f"<html><title>{TOKEN}</title>{PHONE}</html>",
    f"{PHONE} {TOKEN}",
]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize("body", SAYING_TOO_MUCH)
async def test_an_error_names_who_said_what_without_tokens_and_numbers(status: int, body: str) -> None:
    server = Server(httpx.Response(status, text=body))
    with pytest.raises(GatewayError) as caught:
        await server.client().request("POST", "/x", effect=Effect.ONCE)
    assert str(caught.value).startswith(f"Gate answered {status}: ")
    assert TOKEN not in str(caught.value)
    assert PHONE not in str(caught.value)


async def test_a_flood_of_an_error_is_cut() -> None:
    server = Server(httpx.Response(400, json={"error": "word " * 100_000}))
    with pytest.raises(RequestRejectedError) as caught:
        await server.client().get("/x")
    assert len(str(caught.value)) < 400


async def test_what_was_not_reached_is_named_without_the_path() -> None:
    server = Server(httpx.ConnectError("refused"))
    with pytest.raises(NotReachedError) as caught:
        await server.client().request("POST", f"/users/login/{PHONE}", effect=Effect.ONCE)
    assert "gate.example" in str(caught.value)
    assert PHONE not in str(caught.value)


def test_a_client_shows_where_it_goes_and_not_with_what() -> None:
    assert repr(Server(httpx.Response(200)).client()) == "ApiClient(Gate, https://gate.example)"


@pytest.mark.parametrize(
    "quoted",
    ['{"error": "can\'t send: the private words of a message"}', "<p>the private words of a message</p>"],
)
async def test_an_answer_that_quotes_the_request_does_not_bring_its_text_into_the_error(quoted: str) -> None:
    server = Server(httpx.Response(400, text=quoted))
    body = {"to": PHONE, "parts": [{"body": "the private words of a message"}], "type": "text", "count": 1}
    with pytest.raises(RequestRejectedError) as caught:
        await server.client().request("POST", "/x", effect=Effect.ONCE, json=body)
    assert "private words" not in str(caught.value)


@pytest.mark.parametrize("key", ["text", "templateBody"])
async def test_an_answer_that_quotes_a_text_cut_short_does_not_bring_it_into_the_error(key: str) -> None:
    server = Server(httpx.Response(400, json={"error": "can't send 'the private wor...': too long"}))
    with pytest.raises(RequestRejectedError, match=r"can't send '\*\*\*\.\.\.': too long"):
        await server.client().request(
            "POST", "/x", effect=Effect.ONCE, json={key: "the private words of a message"}
        )


@pytest.mark.parametrize("name", ["password", "proxyPassword", "chatwoot_token", "wavoipToken", "secret"])
async def test_a_short_secret_that_an_answer_quotes_does_not_come_into_the_error(name: str) -> None:
    server = Server(httpx.Response(400, json={"message": "bob with s3cr3t was refused"}))
    with pytest.raises(RequestRejectedError) as caught:
        await server.client().request("POST", "/x", effect=Effect.ONCE, json={name: "s3cr3t"})
    assert "s3cr3t" not in str(caught.value)


async def test_a_short_word_of_the_request_stays_legible_in_the_error() -> None:
    server = Server(httpx.Response(400, json={"error": "no such mode: live"}))
    with pytest.raises(RequestRejectedError, match="no such mode: live"):
        await server.client().request("POST", "/x", effect=Effect.ONCE, json={"mode": "live"})


@pytest.mark.parametrize("key", ["body", "caption", "number", "text", "to", "token"])
@pytest.mark.parametrize("text", ["482913", "7", "yes", " 4829 ", "x-1"])
async def test_a_short_text_of_a_send_is_not_told_back_either(key: str, text: str) -> None:
    server = Server(httpx.Response(400, json={"error": {"message": f"no room for {text.strip()!r} here"}}))
    with pytest.raises(RequestRejectedError) as caught:
        await server.client().request("POST", "/x", effect=Effect.ONCE, json={key: text, "kind": "room"})
    assert "answered 400: no room for '***' here" in str(caught.value)


async def test_a_text_of_one_character_leaves_the_words_of_an_error() -> None:
    server = Server(httpx.Response(400, json={"error": "a bad thing, said a"}))
    with pytest.raises(RequestRejectedError, match=r"\*\*\* bad thing, said \*\*\*"):
        await server.client().request("POST", "/x", effect=Effect.ONCE, json={"body": "a", "caption": " "})


async def test_a_short_header_of_a_webhook_is_not_told_back() -> None:
    server = Server(httpx.Response(400, json={"error": "bad value hush in webhooks"}))
    body = {"webhooks": [{"mode": "bad", "headers": {"x-key": "hush"}}]}
    with pytest.raises(RequestRejectedError, match=r"bad value \*\*\* in webhooks"):
        await server.client().request("PATCH", "/x", effect=Effect.IDEMPOTENT, json=body)
