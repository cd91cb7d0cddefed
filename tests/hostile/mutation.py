"""Ways to spoil a recorded answer: in its tree, in its text, in its head. Hypothesis draws them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from tests.hostile.calls import JSON, Said

Draw = Callable[[st.SearchStrategy[Any]], Any]


class Raw(str):
    """Text that stands in the JSON as it is."""

    __slots__ = ()


class Pairs(list[list[Any]]):
    """An object whose keys may come twice: ``[key, value]`` each."""


def tree(value: Any) -> Any:
    """Return a JSON value as a tree that can be spoilt."""
    if isinstance(value, dict):
        return Pairs([key, tree(item)] for key, item in value.items())
    return [tree(item) for item in value] if isinstance(value, list) else value


def written(node: Any) -> str:
    """Return a tree as JSON, or as what it has become."""
    if isinstance(node, Raw):
        return str(node)
    if isinstance(node, Pairs):
        return "{" + ", ".join(f"{json.dumps(key)}: {written(item)}" for key, item in node) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(written, node)) + "]"
    return json.dumps(node)


def deep(depth: int, key: str | None = None) -> Raw:
    """Return lists in lists, or objects in objects under one key."""
    opens, closes = ("[", "]") if key is None else (f'{{"{key}": ', "}")
    return Raw(opens * depth + ("[]" if key is None else '"x"') + closes * depth)


#: What stands where something else should.
VALUES = (
    *(None, True, False, 0, 1, -1, 2, 10**6, 10**30, 0.5, -1e308),
    *map(Raw, ("1e400", "-1e400", "NaN", "Infinity", "-0", "1" + "0" * 400, "1" + "0" * 5000)),
    *map(Raw, ('"\\ud83d"', '"\\u0000"')),
    *("", " ", "x", "0", "1", "true", "false", "null", "none", "NEW_WORD", "1e400", "nan", "9" * 30, "é" * 300),
    *("2026-11-21T00:00:00Z", "https://elsewhere.example/next?page=2", "<b>", "data:image/png;base64,!!!", "{}"),
    *([], [[]], [None], [1, "x"], {}, {"x": 1}, {"id": 1}, {"id": "x"}, {"message": "x"}, {"code": 131047}),
    *("x" * 100_000, deep(60), deep(400, "error"), deep(900), deep(900, "message")),
    *(deep(100_000), deep(100_000, "data")),
)  # fmt: skip
KEYS = (
    "x",
    "",
    "ID",
    "data",
    "error",
    "errors",
    "message",
    "messages",
    "status",
    "sent",
    "key",
    "code",
    "success",
)
STATUSES = (
    *(100, 200, 201, 202, 204, 206, 226, 299, 300, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 408, 409),
    *(410, 413, 415, 418, 419, 422, 425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 511, 520, 524, 599),
    *(600, 999),
)  # fmt: skip
WAITS = (
    *("0", "1", "2.5", "30", "-3", "1e400", "nan", "inf", "1" + "0" * 30, "soon", "", "1, 2", "0x10", "٣"),
    *("Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 -2359"),
    *("Wed, 21 Oct 2015 99:99:99 GMT", "0 0 0 0 0", "Wed", "Fri, 21 Nov 99999999999 00:00:00 GMT"),
)  # fmt: skip
TYPES = (
    JSON,
    "text/html",
    "text/plain; charset=utf-16",
    "application/octet-stream",
    "application/json; charset=é",
    "",
)
PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>x</body></html>"
WHOLES = (
    b"",
    b" ",
    b"null",
    b"true",
    b"false",
    b"0",
    b'"OK"',
    b'""',
    b"[]",
    b"{}",
    b"[{}]",
    b"[null]",
    b"\xff",
    PAGE,
)
_Slot = tuple[list[Any], int]


def slots(node: Any) -> Iterator[_Slot]:
    """Yield each place of a tree: the list it is in, and where."""
    if isinstance(node, Pairs):
        for pair in node:
            yield pair, 1
            yield from slots(pair[1])
    elif isinstance(node, list):
        for at, item in enumerate(node):
            yield node, at
            yield from slots(item)


def _pairs(node: Any) -> list[tuple[Pairs, int]]:
    found = [(node, at) for at in range(len(node))] if isinstance(node, Pairs) else []
    inner = [pair[1] for pair in node] if isinstance(node, Pairs) else node if isinstance(node, list) else []
    return found + [slot for item in inner for slot in _pairs(item)]


def _replace(draw: Draw, root: list[Any]) -> None:
    where, at = draw(st.sampled_from(list(slots(root))))
    where[at] = tree(draw(st.sampled_from(VALUES)))


def _word(draw: Draw, root: list[Any]) -> None:
    """Change a text a little: case, type, an end more, an end less."""
    texts = [(where, at) for where, at in slots(root) if isinstance(where[at], str | int | float)]
    if texts:
        where, at = draw(st.sampled_from(texts))
        text = str(where[at])
        changed = (text.upper(), text.lower(), text + "x", text[:-1], f" {text}", [where[at]], text)
        where[at] = draw(st.sampled_from(changed))


def _swap(draw: Draw, root: list[Any]) -> None:
    places = list(slots(root))
    (one, first), (other, second) = draw(st.sampled_from(places)), draw(st.sampled_from(places))
    if not any(where is inner for where in (one[first], other[second]) for inner in (one, other)):
        values = one[first], other[second]
        if not (_holds(values[0], other) or _holds(values[1], one)):
            other[second], one[first] = values


def _holds(value: Any, wanted: list[Any]) -> bool:
    return value is wanted or any(where is wanted for where, _ in slots([value]))


def _nest(draw: Draw, root: list[Any]) -> None:
    where, at = draw(st.sampled_from(list(slots(root))))
    key = draw(st.sampled_from((None, *KEYS)))
    where[at] = [where[at]] if key is None else Pairs([[key, where[at]]])


def _unnest(draw: Draw, root: list[Any]) -> None:
    full = [(where, at) for where, at in slots(root) if isinstance(where[at], list) and where[at]]
    if full:
        where, at = draw(st.sampled_from(full))
        inner = draw(st.sampled_from(list(slots(where[at]))))
        where[at] = inner[0][inner[1]]


def _drop(draw: Draw, root: list[Any]) -> None:
    found = _pairs(root)
    if found:
        node, at = draw(st.sampled_from(found))
        del node[at]


def _rename(draw: Draw, root: list[Any]) -> None:
    found = _pairs(root)
    if found:
        node, at = draw(st.sampled_from(found))
        key = node[at][0]
        node[at] = [draw(st.sampled_from((key.upper(), f"{key}s", key[:-1], *KEYS))), node[at][1]]


def _double(draw: Draw, root: list[Any]) -> None:
    found = _pairs(root)
    if found:
        node, at = draw(st.sampled_from(found))
        other = tree(draw(st.sampled_from(VALUES)))
        node.insert(draw(st.sampled_from((0, at, at + 1, len(node)))), [node[at][0], other])


_IN_THE_TREE = (
    _replace,
    _replace,
    _replace,
    _word,
    _word,
    _swap,
    _nest,
    _unnest,
    _drop,
    _drop,
    _rename,
    _double,
)


def _spoilt_text(draw: Draw, text: bytes) -> bytes:
    """Spoil what was written, whatever it says."""
    how = draw(st.integers(0, 9))
    if how <= 3:
        return text[: draw(st.integers(0, len(text)))]
    if how == 4:
        return draw(st.sampled_from((b"\xef\xbb\xbf", b")]}',\n", b"\x00", b"\n\n"))) + text
    if how == 5:
        return text + draw(st.sampled_from((text, b"\n" + text, b"x", b"\x00", b",", PAGE)))
    if how == 6:
        return text.decode(errors="replace").encode(draw(st.sampled_from(("utf-16", "utf-32", "utf-7"))))
    return draw(st.sampled_from(WHOLES))


def spoilt(draw: Draw, said: Said) -> Said:
    """Return an answer that is like a recorded one, and is not it."""
    content = said.content
    spoils_text = draw(st.integers(0, 9)) == 0 or isinstance(said.body, bytes)
    if not spoils_text:
        root = [tree(said.body)]
        for _ in range(draw(st.integers(0, 3))):
            draw(st.sampled_from(_IN_THE_TREE))(draw, root)
        content = written(root[0]).encode("utf-8", "replace")
    elif content or draw(st.booleans()):
        content = _spoilt_text(draw, content)
    status = draw(st.sampled_from(STATUSES)) if draw(st.integers(0, 3)) == 0 else said.status
    headers = dict(said.headers)
    extra = draw(st.integers(0, 15))
    if extra == 0:
        headers["content-type"] = draw(st.sampled_from(TYPES))
    elif extra == 1:
        headers["location"] = "https://elsewhere.example/login"
    elif extra == 2:
        headers["content-encoding"] = draw(st.sampled_from(("gzip", "deflate", "br", "identity", "x")))
    if extra in {3, 4} or status in {429, 503}:
        headers["retry-after"] = draw(st.sampled_from(WAITS))
    return Said(status, content, headers)
