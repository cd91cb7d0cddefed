"""What a DAG author may hand in as a message, and what an error says about the rest."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from whatsapp_provider.errors import Disposition, InputError
from whatsapp_provider.messages import (
    KINDS,
    MAX_TEXT,
    Audio,
    Document,
    Image,
    Media,
    Text,
    Video,
    Voice,
    message_text,
    parse_message,
)

URL = "https://files.example/a.png"
PRIVATE = "the private words"
PNG = b"\x89PNG\r\n\x1a\n rest"


def refusal(value: Any) -> str:
    with pytest.raises(InputError) as caught:
        parse_message(value)
    assert PRIVATE not in str(caught.value)
    return str(caught.value)


def test_a_bare_string_is_a_text_message() -> None:
    assert parse_message("Hello") == Text(body="Hello")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"kind": "text", "body": "b"}, Text(body="b")),
        ({"kind": "image", "media": {"url": URL}}, Image(media=Media(url=URL))),
        (
            {"kind": "video", "media": {"url": URL}, "caption": "c"},
            Video(media=Media(url=URL), caption="c"),
        ),
        ({"kind": "audio", "media": {"media_id": "mp3-1"}}, Audio(media=Media(media_id="mp3-1"))),
        ({"kind": "voice", "media": {"data": b"OggS"}}, Voice(media=Media(data=b"OggS"))),
        (
            {"kind": "document", "media": {"file": "/data/a.pdf"}, "filename": "offer.pdf"},
            Document(media=Media(file="/data/a.pdf"), filename="offer.pdf"),
        ),
    ],
)
def test_each_kind_is_read_from_a_mapping(value: dict[str, Any], message: BaseModel) -> None:
    assert parse_message(value) == message
    assert parse_message(message) == message


def test_the_kinds_are_named_for_capabilities_and_documentation() -> None:
    files = {"image", "video", "audio", "voice", "document"}
    assert files | {"text", "location", "contact", "buttons", "media_buttons", "list", "template"} == KINDS


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"kind": "sticker", "media": {"url": URL}}, "'sticker'"),
        ({"kind": "text", "body": ""}, "text.body"),
        ({"kind": "text", "body": PRIVATE * MAX_TEXT}, "text.body"),
        ({"kind": "text", "body": PRIVATE, "captoin": PRIVATE}, "text.captoin"),
        ({"kind": "text"}, "text.body"),
        ({"kind": "text", "body": f"\ud83d {PRIVATE}"}, "text.body"),
        ({"body": PRIVATE}, "kind"),
        ({"kind": "image", "caption": PRIVATE}, "image.media"),
        ({"kind": "image", "media": PRIVATE}, "image.media"),
        ({"kind": "voice", "media": {"url": URL}, "caption": PRIVATE}, "voice.caption"),
        (None, "message"),
        (b"bytes", "message"),
        ([PRIVATE], "message"),
        ("", "text.body"),
    ],
)
def test_an_error_names_the_field_and_never_what_is_in_it(value: Any, words: str) -> None:
    message = refusal(value)
    assert words in message
    assert "http" not in message  # nor a link to somebody's documentation


@pytest.mark.parametrize(
    "media",
    [{}, {"url": URL, "file": "a"}, {"data": PRIVATE.encode(), "media_id": "x"}, {"mime_type": "image/png"}],
)
def test_media_comes_from_exactly_one_place(media: dict[str, Any]) -> None:
    message = refusal({"kind": "image", "media": media})
    assert "exactly one of url, data, file or media_id" in message


@pytest.mark.parametrize(
    "path", ["/data/a.png", "a.png", "file:///data/a.png", "C:\\a.png", "s3://b/a.png", "", "http://"]
)
def test_a_path_given_as_a_url_is_refused_with_what_to_do_instead(path: str) -> None:
    message = refusal({"kind": "image", "media": {"url": path}})
    assert "use `file` instead" in message


def test_base64_text_given_as_data_is_refused_with_what_to_do_instead() -> None:
    message = refusal({"kind": "image", "media": {"data": "iVBORw0KGgo="}})
    assert "base64.b64decode" in message
    assert "iVBOR" not in message


def test_an_empty_media_id_is_refused() -> None:
    assert "media_id" in refusal({"kind": "image", "media": {"media_id": ""}})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Text(body=[PRIVATE]),
        lambda: Image(media=Media(url=URL, mime_type=[PRIVATE])),
        lambda: Image(media=Media(url=URL), caption={"text": PRIVATE}),
    ],
)
def test_a_message_made_in_python_fails_without_telling_its_content_too(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="validation error") as caught:
        make()
    assert PRIVATE not in str(caught.value)


def test_neither_text_nor_bytes_are_in_a_repr() -> None:
    message = Image(media=Media(data=PRIVATE.encode()), caption=PRIVATE)
    assert PRIVATE not in repr(message) + repr(Text(body=PRIVATE))


def test_messages_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Text(body="a").body = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Text(body="b"), "b"),
        (Image(media=Media(url=URL), caption="c"), "c"),
        (Image(media=Media(url=URL)), None),
        (Voice(media=Media(url=URL)), None),
    ],
)
def test_the_text_a_person_reads_is_the_body_or_the_caption(message: Any, text: str | None) -> None:
    assert message_text(message) == text


@pytest.mark.parametrize("media", [Media(url=URL), Media(media_id="x")])
def test_media_that_the_gateway_has_or_fetches_is_not_read_here(media: Media) -> None:
    assert media.content() is None


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_file_is_read_when_the_message_is_sent(tmp_path: Path, as_path: Any) -> None:
    media = Media(file=as_path(tmp_path / "late.pdf"))
    (tmp_path / "late.pdf").write_bytes(b"content")
    assert media.content() == (b"content", "application/pdf")


@pytest.mark.parametrize("name", ["missing.pdf", ""])
def test_a_file_that_cannot_be_read_is_named_with_what_to_check(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="Check that the worker has it") as caught:
        Media(file=str(tmp_path / name)).content()
    assert caught.value.disposition is Disposition.HALT
    assert str(tmp_path.parent) not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        *(("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.webp", "image/webp"), ("a.mp4", "video/mp4")),
        *(("a.mp3", "audio/mpeg"), ("a.ogg", "audio/ogg"), ("a.opus", "audio/ogg"), ("a.m4a", "audio/mp4")),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a", "application/octet-stream"),
    ],
)
def test_a_files_type_is_guessed_from_its_name_on_any_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, mime_type: str
) -> None:
    # Many machines have a table of types in a file; a slim container has none.
    monkeypatch.setattr(mimetypes, "guess_type", mimetypes.MimeTypes(filenames=()).guess_type)
    (tmp_path / name).write_bytes(b"content")
    assert Media(file=str(tmp_path / name)).content() == (b"content", mime_type)


@pytest.mark.parametrize(
    ("data", "mime_type"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"OggS\x00", "audio/ogg"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"", "application/octet-stream"),
        (b"words", "application/octet-stream"),
    ],
)
def test_the_type_of_bytes_is_guessed_from_how_they_begin(data: bytes, mime_type: str) -> None:
    assert Media(data=data).content() == (data, mime_type)


def test_a_type_that_is_told_is_believed(tmp_path: Path) -> None:
    (tmp_path / "a.ogg").write_bytes(PNG)
    for media in (Media(data=PNG, mime_type="x/y"), Media(file=str(tmp_path / "a.ogg"), mime_type="x/y")):
        assert media.content() == (PNG, "x/y")
