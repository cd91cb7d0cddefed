"""Jinja's sandbox, bounded in time and size: a template's mistake must not take a worker down.

The time is looked at in each turn of a loop and at each call; what one step could make too large is
refused before it is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from types import BuiltinMethodType
from typing import Any, cast

from jinja2 import StrictUndefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from whatsapp_provider.errors import TemplateError
from whatsapp_provider.messages import MAX_TEXT

MAX_BITS = 4096  #: of a whole number
#: A width in a format text that is five digits long, or given apart.
_WIDE = re.compile(r"\d{5,}|%[^a-zA-Z%]*\*|\{[^{}]*\{")
#: Methods and filters that make a text as long as a number says.
_WIDENING = frozenset(
    {"center", "ljust", "rjust", "zfill", "expandtabs", "indent", "batch", "slice", "tojson"}
)


class Budget:
    """How long the rendering under way may still take."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self._deadline = 0.0

    def start(self) -> None:
        """Begin to count."""
        self._deadline = self._clock() + self._seconds

    def check(self) -> None:
        """Look at the time.

        :raises TemplateError: if it is over.
        """
        if self._clock() > self._deadline:
            raise TemplateError(f"it takes longer than {self._seconds:g} s; is there an endless loop?")

    def bounded(self, items: Iterable[Any]) -> Iterator[Any]:
        """Look at the time at each item."""
        for item in items:
            self.check()
            yield item


class Sandbox(ImmutableSandboxedEnvironment):
    """See the module."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, budget: Budget) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
        self.budget = budget
        del self.globals["lipsum"]  # as long as a number says, and of no use in a message
        for name in ("join", "replace", "format", *sorted(_WIDENING & set(self.filters))):
            self.filters[name] = _checked(name, self.filters[name])
        self.filters["bounded_in_time"] = budget.bounded
        self.filters["bounded_concat"] = _concat

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            loop.iter = _filter("bounded_in_time", loop.iter)
        return _Concats().visit(tree)  # type: ignore[no-any-return]  # Jinja's visitors are not annotated

    def call(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls, which is the second argument; the first is Jinja's context."""
        self.budget.check()
        method = args[1]
        if isinstance(method, BuiltinMethodType) and isinstance(method.__self__, str):
            _check_call(method.__name__, (method.__self__, *args[2:]), kwargs)
        return super().call(*args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Look at the format text of ``str.format`` when it is reached for."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            _check_format(str(value.__self__))
        return wrapped

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse what would be too large, then calculate."""
        if _is_too_large(operator, left, right):
            raise TemplateError(f"{operator!r} makes a value that is too large.")
        return super().call_binop(context, operator, left, right)


class _Concats(NodeTransformer):
    """Turns ``a ~ b`` into a filter that looks at the sizes."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802 - Jinja names it
        parts = [self.visit(part) for part in node.nodes]
        return _filter("bounded_concat", nodes.List(parts, lineno=node.lineno))


def _filter(name: str, node: nodes.Node) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", node), name, [], [], None, None, lineno=node.lineno)


def _concat(parts: list[Any]) -> str:
    texts = [str(part) for part in parts]
    _check_size(sum(map(len, texts)))
    return "".join(texts)


def _checked(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    # Jinja hands its context to some filters by a mark on the function, which wraps() takes along.
    marked = hasattr(function, "jinja_pass_arg")

    @wraps(function)
    def check_and_call(*args: Any, **kwargs: Any) -> Any:
        shown = list(args[1:] if marked else args)
        if name == "join" and shown:
            # It may be an iterator, which can be read once only.
            shown[0] = list(shown[0])
        _check_call(name, tuple(shown), kwargs)
        return function(*args[:1], *shown, **kwargs) if marked else function(*shown, **kwargs)

    return check_and_call


def _check_call(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Refuse a method or filter that would make too much; the first argument is what it is applied to."""
    given = [*args[1:], *kwargs.values()]
    if name in _WIDENING:
        _check_size(max((abs(number) for number in given if isinstance(number, int)), default=0))
    elif name == "replace" and len(given) >= 2:
        text, old, new = (str(value) for value in (args[0], *given[:2]))
        _check_size(len(text) + text.count(old) * len(new))
    elif name == "join" and args:
        parts, glue = (given[0], args[0]) if isinstance(args[0], str) and given else (args[0], "")
        if not isinstance(parts, str) and isinstance(parts, Sequence):
            between = given[0] if parts is args[0] and given else glue
            _check_size(sum(len(str(part)) + len(str(between)) for part in parts))
    elif name == "format":
        _check_format(str(args[0]))


def _check_format(text: str) -> None:
    if _WIDE.search(text):
        raise TemplateError("a format with so large a width makes a value that is too large.")


def _check_size(size: int) -> None:
    if size > MAX_TEXT:
        raise TemplateError(f"it makes a value longer than {MAX_TEXT} characters.")


def _is_too_large(operator: str, left: Any, right: Any) -> bool:
    if operator == "%":
        if isinstance(left, str):
            _check_format(left)
        return False
    if isinstance(left, int) and isinstance(right, int):
        bits = (
            left.bit_length() * max(right, 1) if operator == "**" else left.bit_length() + right.bit_length()
        )
        return bits > MAX_BITS
    if operator == "*":
        pairs = ((left, right), (right, left))
        return any(
            isinstance(many, str | list | tuple) and isinstance(times, int) and len(many) * times > MAX_TEXT
            for many, times in pairs
        )
    many = (str, list, tuple)
    if operator == "+" and isinstance(left, many) and isinstance(right, many):
        return len(left) + len(right) > MAX_TEXT
    return False
