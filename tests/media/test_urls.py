"""A campaign's URLs are gathered once each; of many, a fair choice is looked at, always the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from whatsapp_provider.media.urls import MOST_COUNTED, MediaSample, MediaUrl, media_urls, shown
from whatsapp_provider.messages import parse_message

URL = "https://files.example/a"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"kind": "image", "media": {"url": URL}}, "image"),
        ({"kind": "voice", "media": {"url": URL}}, "voice"),
        ({"kind": "document", "media": {"url": URL}}, "document"),
        (
            {
                "kind": "media_buttons",
                "media": {"url": URL},
                "media_kind": "video",
                "body": "Look",
                "buttons": [{"type": "reply", "title": "Yes"}],
            },
            "video",
        ),
        (
            {
                "kind": "template",
                "name": "offer",
                "language": "en",
                "header": {"kind": "document", "media": {"url": URL}},
            },
            "document",
        ),
    ],
)
def test_each_kind_of_message_tells_its_url_and_what_it_is_to_be(message: dict[str, Any], kind: str) -> None:
    [one] = media_urls(parse_message(message), "row 1")
    assert (one.url, one.kind, one.place) == (URL, kind, "row 1")


@pytest.mark.parametrize("message", ["Hello", {"kind": "image", "media": {"media_id": "m1"}}])
def test_a_message_without_a_url_tells_none(message: Any) -> None:
    assert list(media_urls(parse_message(message))) == []


def urls(count: int) -> list[MediaUrl]:
    return [MediaUrl(f"https://files.example/{number}", "image", f"row {number}") for number in range(count)]


def test_the_same_url_of_another_row_is_the_same_and_of_another_kind_is_not() -> None:
    sample = MediaSample.of(
        [MediaUrl(URL, "image", "row 1"), MediaUrl(URL, "image", "row 2"), MediaUrl(URL, "video", "row 3")],
        10,
    )
    assert [one.place for one in sample.chosen()] == ["row 1", "row 3"]


def test_all_are_looked_at_where_they_are_few() -> None:
    sample = MediaSample.of([*urls(100), *urls(100)], 100)
    assert (sample.chosen(), sample.left_out, sample.counted_all) == (urls(100), 0, True)


@pytest.mark.parametrize("most", [0, 1, 2, 7, 100])
def test_of_many_the_first_half_and_a_choice_of_all_others_is_kept(most: int) -> None:
    sample = MediaSample.of(urls(1_000), most)
    chosen = sample.chosen()
    assert len(set(chosen)) == len(chosen) == most
    assert chosen[: most - most // 2] == urls(most - most // 2)
    assert sample.left_out == 1_000 - most


def test_the_choice_reaches_to_the_end_and_does_not_go_by_the_order() -> None:
    first, *rest = urls(1_000)
    other = rest.copy()
    random.Random(7).shuffle(other)

    def choice(order: list[MediaUrl]) -> set[MediaUrl]:
        # One place of the first half; the others are chosen.
        sample = MediaSample(2)
        sample._later_places = 50
        for one in [first, *order, *order]:
            sample.add(one)
        return set(sample.chosen())

    assert choice(rest) == choice(other)
    places = sorted(int(one.place.removeprefix("row ")) for one in choice(rest))
    assert places[-1] > 900


def test_a_url_for_each_of_very_many_people_takes_no_more_memory() -> None:
    sample = MediaSample.of(urls(MOST_COUNTED + 5_000), 100)
    assert (len(sample.chosen()), sample.left_out, sample.counted_all) == (100, MOST_COUNTED - 100, False)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://files.example/a.jpg", "https://files.example/a.jpg"),
        ("https://u:p@files.example:8443/a.jpg?token=x#y", "https://files.example:8443/a.jpg?…"),
        ("https://files.example/5511900000001.pdf", "https://files.example/…0001.pdf"),
        ("https://files.example/s/0123456789abcdef0123456789abcdef/a", "https://files.example/s/***/a"),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a"),
        ("http://[::1]:8000/a", "http://[::1]:8000/a"),
        ("https://[::1/a", "a URL that can't be read"),
    ],
)
def test_a_url_is_shown_without_what_may_be_private(url: str, told: str) -> None:
    assert shown(url) == told
    assert "token" not in repr(MediaUrl(url, "image"))
