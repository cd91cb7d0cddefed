"""What is wrong with a file follows from its URL and from the head of the answer."""

from __future__ import annotations

import pytest

from whatsapp_provider.errors import InputError
from whatsapp_provider.exchange import Answer
from whatsapp_provider.media.findings import MediaPolicy, MediaReport, Problem, Severity
from whatsapp_provider.media.judging import UnfitError, allowed, problems, target_of
from whatsapp_provider.media.kinds import OFFICIAL_FIT
from whatsapp_provider.media.urls import MediaUrl

OFFICIAL = MediaPolicy(fits=OFFICIAL_FIT)
MEGABYTE = 1024 * 1024


def head(content_type: str, size: int = 1_000) -> Answer:
    return Answer(200, {"content-type": content_type, "content-length": str(size)}, b"")


def found(
    kind: str, answer: Answer, policy: MediaPolicy = OFFICIAL, url: str = "https://files.example/a"
) -> list[str]:
    return [problem.value for problem, _ in problems(kind, target_of(url), answer, policy)]


@pytest.mark.parametrize(
    ("kind", "content_type", "anywhere", "official"),
    [
        ("image", "image/jpeg", [], []),
        ("image", "IMAGE/PNG; charset=x", [], []),
        ("image", "image/webp", [], ["wrong_type"]),
        ("image", "text/html; charset=utf-8", ["wrong_type"], ["wrong_type"]),
        ("image", "video/mp4", ["wrong_type"], ["wrong_type"]),
        ("image", "imagejpeg", ["wrong_type"], ["wrong_type"]),
        ("image", "binary/octet-stream", ["unclear_type"], ["unclear_type"]),
        ("video", "video/mp4", [], []),
        ("video", "video/quicktime", [], ["wrong_type"]),
        ("audio", "audio/mpeg", [], []),
        ("audio", "audio/wav", [], ["wrong_type"]),
        ("voice", "audio/ogg; codecs=opus", [], []),
        ("voice", "audio/mpeg", [], ["wrong_type"]),
        ("document", "application/pdf", [], []),
        ("document", "application/octet-stream", [], []),
        ("document", "text/html", ["wrong_type"], ["wrong_type"]),
    ],
)
def test_a_type_that_does_not_fit_the_kind_is_found(
    kind: str, content_type: str, anywhere: list[str], official: list[str]
) -> None:
    assert found(kind, head(content_type), MediaPolicy()) == anywhere
    assert found(kind, head(content_type)) == official


def test_a_page_that_is_meant_to_be_sent_is_a_document() -> None:
    assert found("document", head("text/html"), url="https://files.example/terms.HTML?v=2") == []


@pytest.mark.parametrize(
    ("kind", "content_type", "megabytes"),
    [
        ("image", "image/png", 5),
        ("video", "video/mp4", 16),
        ("audio", "audio/mpeg", 16),
        ("voice", "audio/ogg", 16),
        ("document", "application/pdf", 100),
    ],
)
def test_the_official_api_takes_so_many_bytes(kind: str, content_type: str, megabytes: int) -> None:
    assert found(kind, head(content_type, megabytes * MEGABYTE)) == []
    assert found(kind, head(content_type, megabytes * MEGABYTE + 1)) == ["too_large"]


def test_others_are_taken_to_take_a_hundred_megabytes_of_any_kind() -> None:
    assert found("image", head("image/png", 100 * MEGABYTE), MediaPolicy()) == []
    assert found("image", head("image/png", 100 * MEGABYTE + 1), MediaPolicy()) == ["too_large"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert found("image", head("video/mp4", 6 * MEGABYTE)) == ["too_large", "wrong_type"]


@pytest.mark.parametrize("length", ["", "-1", "1e9", "9" * 5_000, "12, 12"])
def test_a_length_that_is_no_number_is_not_known(length: str) -> None:
    assert found("image", Answer(200, {"content-type": "image/png", "content-length": length}, b"")) == []


def test_plain_http_is_found_where_the_gateway_needs_https() -> None:
    needs = MediaPolicy(needs_https=True)
    assert found("image", head("image/png"), needs, "http://files.example/a") == ["plain_http"]
    assert found("image", head("image/png"), needs) == []
    assert found("image", head("image/png"), url="http://files.example/a") == []


# -- URLs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://files.example/a", Problem.MALFORMED),
        ("file:///etc/passwd", Problem.MALFORMED),
        ("gopher://files.example/_", Problem.MALFORMED),
        ("https:///a", Problem.MALFORMED),
        ("https://files.example/a b", Problem.MALFORMED),
        ("https://files.example/a\r\nx-evil: 1", Problem.MALFORMED),
        ("https://files.example\\@inside.example/", Problem.MALFORMED),
        ("https://[::1/a", Problem.MALFORMED),
        ("https://files.example:99999/a", Problem.MALFORMED),
        ("https://files.example/" + "a" * 5_000, Problem.MALFORMED),
        ("https://user@files.example/a", Problem.CREDENTIALS),
        ("https://user:secret@files.example/a", Problem.CREDENTIALS),
        ("https://@files.example/a", Problem.CREDENTIALS),
        ("http://files.example:25/a", Problem.PORT),
        ("http://files.example:0/a", Problem.PORT),
    ],
)
def test_what_is_no_url_of_the_web_is_never_asked(url: str, problem: Problem) -> None:
    with pytest.raises(UnfitError) as unfit:
        target_of(url)
    assert unfit.value.problem is problem
    assert "secret" not in unfit.value.told


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://Files.Example./a", "files.example", 443),
        ("http://files.example:8080/a", "files.example", 8080),
        ("http://files.example:443/a", "files.example", 443),
        ("https://bücher.example/a", "xn--bcher-kva.example", 443),
        ("http://[::1]/a", "::1", 80),
    ],
)
def test_a_host_is_known_as_the_wire_has_it(url: str, host: str, port: int) -> None:
    target = target_of(url)
    assert (target.host, target.port) == (host, port)


def test_ipv4_is_tried_first() -> None:
    target = target_of("https://files.example/a")
    mixed = ["2606:2800:220:1::1", "93.184.216.34"]
    assert allowed(target, mixed, MediaPolicy().openings) == mixed[::-1]


# -- reports --------------------------------------------------------------------------------------


def test_only_what_the_gateway_would_meet_too_refuses_a_plan() -> None:
    policy, one = MediaPolicy(), MediaUrl("https://files.example/a", "image", "row 3")
    refused = {
        problem.value for problem in Problem if policy.finding(one, problem, "").severity is Severity.REFUSE
    }
    assert {problem.value for problem in Problem} - refused == {
        "unreachable",
        "silent",
        "unwell",
        "unclear_type",
        "plain_http",
    }


def test_what_refuses_can_be_chosen() -> None:
    policy = MediaPolicy(refuse=frozenset({Problem.UNCLEAR_TYPE}))
    one = MediaUrl("https://files.example/a", "image")
    assert policy.finding(one, Problem.UNCLEAR_TYPE, "").severity is Severity.REFUSE
    assert policy.finding(one, Problem.MISSING, "").severity is Severity.WARN


def test_a_report_refuses_with_its_first_refusals_and_lets_warnings_pass() -> None:
    policy = MediaPolicy()
    bad = [
        policy.finding(
            MediaUrl(f"https://files.example/{n}?t=1", "image", f"row {n}"), Problem.MISSING, "is gone."
        )
        for n in range(7)
    ]
    warned = policy.finding(MediaUrl("https://files.example/w", "image"), Problem.SILENT, "was silent.")
    MediaReport((warned,)).require()
    with pytest.raises(InputError) as refused:
        MediaReport((warned, *bad)).require()
    assert str(refused.value) == (
        "Files that messages name can't be sent; nothing was sent.\n"
        + "\n".join(f"- row {n}: image https://files.example/{n}?…: is gone." for n in range(5))
        + "\n… and 2 more."
    )
