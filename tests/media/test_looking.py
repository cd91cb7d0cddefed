"""Files are looked at through a real socket, at the address that was judged and at no other."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.media.site import Names, Page, Site, a_site, file, redirect
from tests.wire.certificate import self_signed
from whatsapp_provider.media.addresses import Openings
from whatsapp_provider.media.findings import MediaFinding, MediaPolicy, MediaReport, Problem, Severity
from whatsapp_provider.media.looking import check_media
from whatsapp_provider.media.urls import MediaUrl

#: The test's own server is let in by its name, as a deployment lets in its own.
OPEN = MediaPolicy(openings=Openings.of("files.example, other.example"), seconds=5.0)
SHORT = replace(OPEN, seconds=0.3)


def names() -> Names:
    return Names(
        files_example=["127.0.0.1"],
        other_example=["127.0.0.1"],
        inside_example=["127.0.0.1"],
        both_example=["93.184.216.34 10.0.0.7"],
        metadata_example=["169.254.169.254"],
    )


async def look(
    site: Site,
    path: str = "/a",
    kind: str = "image",
    policy: MediaPolicy = OPEN,
    resolve: Names | None = None,
) -> list[MediaFinding]:
    url = f"http://files.example:{site.port}{path}" if path.startswith("/") else path
    report = await check_media([MediaUrl(url, kind)], policy, resolve=resolve or names())
    assert (report.looked_at, report.left_out) == (1, 0)
    return list(report.findings)


async def problem_of(page: Page, kind: str = "image", policy: MediaPolicy = OPEN) -> str | None:
    async with a_site({"/a": page}) as site:
        found = await look(site, kind=kind, policy=policy)
    assert len(found) <= 1
    return found[0].problem.value if found else None


# -- what a server answers ------------------------------------------------------------------------


async def test_a_file_as_it_should_be_is_asked_for_once_and_not_read() -> None:
    async with a_site({"/a": file()}) as site:
        assert await look(site) == []
        assert site.asked == ["HEAD /a"]


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (Page(404), "missing"),
        (Page(410), "missing"),
        (Page(403), "denied"),
        (Page(429), "unwell"),
        (Page(500), "unwell"),
        (Page(304), "unwell"),
        (file("text/html"), "wrong_type"),
        (file("application/octet-stream"), "unclear_type"),
        (file(None), "unclear_type"),
        (file(size=0), "empty"),
        (file(size=200 * 1024 * 1024), "too_large"),
        (file(size=None), None),
    ],
)
async def test_what_a_server_says_of_a_file_is_judged(page: Page, problem: str | None) -> None:
    assert await problem_of(page) == problem


async def test_a_link_that_is_signed_for_get_alone_is_good() -> None:
    whole = Page(206, {"content-type": "image/png", "content-range": "bytes 0-1023/5000"})
    async with a_site({"HEAD /a?sig=1": Page(403), "GET /a?sig=1": whole}) as site:
        assert await look(site, "/a?sig=1") == []
        assert site.asked == ["HEAD /a?sig=1", "GET /a?sig=1"]
        assert "range: bytes=0-1023" in site.heads[1]


@pytest.mark.parametrize(
    "head", [Page(405), Page(501), file(size=0), file("text/html"), Page(raw=b"220 mail.example\r\n\r\n")]
)
async def test_a_head_that_is_no_clear_yes_is_asked_for_by_get(head: Page) -> None:
    async with a_site({"HEAD /a": head, "GET /a": file()}) as site:
        assert await look(site) == []


async def test_a_server_that_is_silent_to_head_is_asked_by_get() -> None:
    async with a_site({"HEAD /a": Page(raw=b"", then="silence"), "GET /a": file()}) as site:
        assert await look(site, policy=replace(OPEN, seconds=1.0)) == []


async def test_the_size_of_a_part_is_not_the_size_of_the_file() -> None:
    large = Page(
        206,
        {"content-type": "image/png", "content-length": "1024"} | {"content-range": "bytes 0-1023/200000000"},
    )
    async with a_site({"HEAD /a": Page(405), "GET /a": large}) as site:
        [found] = await look(site)
    assert found.problem is Problem.TOO_LARGE
    assert "200,000,000" in found.told


# -- servers that mean no good ----------------------------------------------------------------------


async def test_a_body_without_end_is_not_waited_for() -> None:
    endless = Page(200, {"content-type": "image/jpeg"}, then="endless")
    async with a_site({"HEAD /a": Page(405), "GET /a": endless}) as site:
        assert await look(site) == []


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (Page(raw=b"", then="silence"), Problem.SILENT),
        (Page(raw=b"HTTP/1.1 200 OK\r\n", then="silence"), Problem.SILENT),
        (Page(raw=b"HTTP/1.1 200 OK\r\n", then="endless"), Problem.UNWELL),
        (Page(raw=b"220 mail.example ESMTP\r\n\r\n"), Problem.UNWELL),
        (Page(raw=b""), Problem.UNWELL),
        (Page(raw=b"HTTP/1.1 302 Found\r\nlocation: http://[::\r\n\r\n"), Problem.MALFORMED),
    ],
    ids=["silence", "half a head", "a head without end", "no HTTP", "hangs up", "redirects to no URL"],
)
async def test_a_server_without_an_answer_is_a_finding(page: Page, problem: Problem) -> None:
    async with a_site({"/a": page}) as site:
        [found] = await look(site, policy=SHORT)
    assert found.problem is problem


async def test_nobody_listening_warns_because_the_gateway_may_fare_better() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    [found] = (
        await check_media([MediaUrl(f"http://files.example:{port}/a", "image")], OPEN, resolve=names())
    ).findings
    assert (found.problem, found.severity) == (Problem.UNREACHABLE, Severity.WARN)


# -- redirects ------------------------------------------------------------------------------------


async def test_redirects_are_followed_and_nothing_is_taken_along() -> None:
    async with a_site({"/a": redirect("/b", 301), "/b": redirect("c?d=1", 307), "/c?d=1": file()}) as site:
        assert await look(site) == []
        assert site.asked == ["HEAD /a", "HEAD /b", "HEAD /c?d=1"]
        assert not any("cookie:" in head or "authorization:" in head for head in site.heads)


async def test_a_circle_ends_after_three_redirects() -> None:
    async with a_site({"/a": redirect("/a")}) as site:
        [found] = await look(site)
        assert (found.problem, found.severity) == (Problem.REDIRECTS, Severity.REFUSE)
        assert len(site.asked) == 4


@pytest.mark.parametrize(
    ("to", "problem"),
    [
        ("http://inside.example:{port}/b", Problem.PRIVATE),
        ("http://127.0.0.1:{port}/b", Problem.PRIVATE),
        ("//inside.example:{port}/b", Problem.PRIVATE),
        ("http://metadata.example/latest/meta-data", Problem.PRIVATE),
        ("file:///etc/passwd", Problem.MALFORMED),
        ("http://user:secret@other.example:{port}/b", Problem.CREDENTIALS),
        ("http://other.example:22/b", Problem.PORT),
    ],
)
async def test_each_target_of_a_redirect_is_judged_anew(to: str, problem: Problem) -> None:
    resolve = names()
    resolve.known["127.0.0.1"] = ["127.0.0.1"]
    async with a_site({"/b": file()}) as site:
        site.pages["/a"] = redirect(to.format(port=site.port))
        [found] = await look(site, resolve=resolve)
        assert (found.problem, found.severity) == (problem, Severity.REFUSE)
        assert found.told.startswith("redirects to ")
        assert "secret" not in str(found)
        assert site.asked == ["HEAD /a"]


# -- names and addresses ----------------------------------------------------------------------------


async def test_a_name_is_resolved_once_and_what_was_judged_is_asked() -> None:
    """No machine knows ``files.example``: whoever asked for it again would reach nobody."""
    resolve = Names(files_example=["127.0.0.1", "10.0.0.1"])
    async with a_site({"HEAD /a": Page(405), "GET /a": file()}) as site:
        assert await look(site, resolve=resolve) == []
        assert site.asked == ["HEAD /a", "GET /a"]
        assert f"host: files.example:{site.port}\r\n" in site.heads[0]
    assert resolve.asked == ["files.example"]


@pytest.mark.parametrize("host", ["inside.example", "both.example", "metadata.example"])
async def test_a_host_with_any_address_that_is_not_public_is_not_asked(host: str) -> None:
    async with a_site({"/a": file()}) as site:
        [found] = await look(site, f"http://{host}:{site.port}/a")
        assert site.asked == []
    assert found.problem is Problem.PRIVATE
    assert ("private_media_hosts" in found.told) == (host != "metadata.example")


async def test_the_next_address_is_tried_where_nobody_listens_at_the_first() -> None:
    resolve = Names(files_example=["::1 127.0.0.1 127.0.0.2"])
    async with a_site({"/a": file()}, address="127.0.0.2") as site:
        assert await look(site, resolve=resolve) == []


@pytest.mark.parametrize(
    ("error", "problem", "severity"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), Problem.UNKNOWN_HOST, Severity.REFUSE),
        (socket.gaierror(socket.EAI_AGAIN, "later"), Problem.UNREACHABLE, Severity.WARN),
        (UnicodeError("label too long"), Problem.UNREACHABLE, Severity.WARN),
    ],
)
async def test_a_name_that_is_unknown_refuses_and_a_resolver_that_fails_warns(
    error: Exception, problem: Problem, severity: Severity
) -> None:
    async def fails(host: str, port: int) -> list[str]:
        raise error

    urls = [MediaUrl("https://files.example/a", "image")]
    [found] = (await check_media(urls, OPEN, resolve=fails)).findings
    assert (found.problem, found.severity) == (problem, severity)
    [found] = (await check_media(urls, replace(OPEN, proxied=True), resolve=fails)).findings
    assert found.severity is Severity.WARN
    assert "A proxy is configured here" in found.told


async def test_a_resolver_that_never_answers_is_a_finding() -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    [found] = (
        await check_media([MediaUrl("https://files.example/a", "image")], SHORT, resolve=never)
    ).findings
    assert found.problem is Problem.SILENT


async def test_the_machines_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await problem_of(file()) is None


async def test_tls_is_spoken_with_the_name_of_the_url(tmp_path: Path) -> None:
    context = self_signed(tmp_path)
    trusting = replace(OPEN, verify=str(tmp_path / "certificate.pem"))
    async with a_site({"/a": file()}, context=context) as site:
        assert await look(site, f"https://files.example:{site.port}/a", policy=trusting) == []
        assert site.names == ["files.example"]
        [found] = await look(site, f"https://other.example:{site.port}/a", policy=trusting)
        assert (found.problem, found.severity) == (Problem.UNREACHABLE, Severity.WARN)
        assert "other.example" in found.told
        assert site.asked == ["HEAD /a"]


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time can be put forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


@pytest.mark.parametrize(("seconds", "asked"), [(100, 3), (10, 2)])
def test_one_url_has_its_time_for_all_redirects_together(seconds: float, asked: int) -> None:
    loop = Clock()

    async def four_seconds(host: str, port: int) -> list[str]:
        loop.ahead += 4
        for _ in range(5):  # turns of the loop, in which what has run out is noticed
            await asyncio.sleep(0)
        return ["127.0.0.1"]

    async def problems() -> tuple[list[str], int]:
        pages = {"/a": redirect("/b"), "/b": redirect("/c"), "/c": file()}
        async with a_site(pages) as site:
            url = MediaUrl(f"http://files.example:{site.port}/a", "image")
            found = await check_media([url], replace(OPEN, seconds=seconds), resolve=four_seconds)
            return [one.problem.value for one in found.findings], len(site.asked)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(problems()) == ([] if asked == 3 else ["silent"], asked)


# -- many -----------------------------------------------------------------------------------------


class Crowd:
    """A resolver that counts who is in it at once, and then knows nobody."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.most = self.most_of_a_host = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.now[host] += 1
        self.most = max(self.most, self.now.total())
        self.most_of_a_host = max(self.most_of_a_host, *self.now.values())
        for _ in range(50):  # turns of the loop, in which all others could come in
            await asyncio.sleep(0)
        self.now[host] -= 1
        return []


async def test_few_are_asked_at_once_and_fewer_of_one_host() -> None:
    crowd = Crowd()
    many = [MediaUrl(f"https://h{number // 5}.example/{number}", "image") for number in range(45)]
    report = await check_media(many, resolve=crowd)
    assert report.looked_at == len(report.findings) == 45
    assert (crowd.most, crowd.most_of_a_host) == (8, 2)


async def test_findings_come_in_the_order_of_the_urls_each_url_once() -> None:
    many = [MediaUrl(f"https://h{number}.example/a", "image", f"row {number}") for number in range(20)]
    report = await check_media([*many, *many], resolve=Crowd())
    assert [one.place for one in report.findings] == [f"row {number}" for number in range(20)]


async def test_what_is_not_looked_at_is_told() -> None:
    many = [MediaUrl(f"https://files.example/{number}", "image") for number in range(250)]
    report = await check_media(many, MediaPolicy(most=10), resolve=Crowd())
    assert (report.looked_at, report.left_out) == (10, 240)
    report = await check_media(many, MediaPolicy(total_seconds=0), resolve=Crowd())
    assert (report.looked_at, report.left_out, report.findings) == (0, 250, ())


async def _nobody(host: str, port: int) -> list[str]:
    return []


def _report(url: str, kind: str = "image") -> MediaReport:
    return asyncio.run(check_media([MediaUrl(url, kind)], resolve=_nobody))


WEB = st.builds(
    "http{}://{}{}".format, st.sampled_from(["", "s"]), st.text(max_size=20), st.text(max_size=20)
)


@settings(deadline=None, max_examples=150)
@given(url=st.one_of(st.text(max_size=40), WEB))
def test_no_url_whatever_it_holds_breaks_the_look(url: str) -> None:
    [found] = _report(url).findings
    assert found.severity is Severity.REFUSE


@pytest.mark.parametrize("show", [str, repr, lambda one: str(one.to_dict())])
def test_a_finding_shows_neither_query_nor_user_nor_number(show: Callable[[MediaFinding], str]) -> None:
    for url in (
        "https://user:pa55@files.example/5511900000001/a.jpg?token=t0k3n#frag",
        "https://files.example/5511900000001/a.jpg?token=t0k3n#frag",
    ):
        told = show(_report(url).findings[0])
        assert not [private for private in ("pa55", "t0k3n", "frag", "5511900000001") if private in told]
        assert "files.example/…0001/a.jpg?…" in told
