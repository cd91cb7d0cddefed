"""Render a message for one person: sandboxed, strict about missing values, bounded in time and size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from time import thread_time
from typing import Any, Protocol

from jinja2 import Template, TemplateSyntaxError
from jinja2 import TemplateError as JinjaError

from whatsapp_provider.campaigns.sandbox import Budget, Sandbox
from whatsapp_provider.errors import InputError, TemplateError
from whatsapp_provider.messages import MAX_TEXT, Message, parse_message

RENDER_SECONDS = 1.0  #: of work, the most that one field of one message may take
#: What Jinja says of a name that is nobody's; its other messages may quote a value, e.g. as a key.
_NO_SUCH_NAME = re.compile(r"'[^\W\d]\w*(?:\.\w+)*' is undefined")


class Renderer(Protocol):
    """What gives a message for a person's values."""

    @property
    def kind(self) -> str:
        """The kind of message."""

    def canonical(self) -> str:
        """Return what makes it this template and no other, as one text."""

    def render(self, variables: Mapping[str, Any]) -> Message:
        """Return the message."""


class FixedMessage:
    """A message that is complete: braces in its text are text.

    :raises InputError: naming the field that is wrong.
    """

    def __init__(self, message: str | Mapping[str, Any]) -> None:
        self._message = parse_message(message)

    @property
    def kind(self) -> str:
        """The kind of message."""
        return self._message.kind

    def canonical(self) -> str:
        """Return the message as one text."""
        # Defaults are left out: a field that a later version adds must not make it another message.
        return f"{self.kind} {self._message.model_dump_json(exclude_defaults=True)}"

    def render(self, variables: Mapping[str, Any]) -> Message:
        """Return the message."""
        return self._message


class MessageTemplate:
    """A message with Jinja in its texts.

    A value that is ``None`` counts as missing: ``{{ name }}`` is refused, ``{{ name | default('you') }}`` works.

    :param message: a text, or a mapping such as ``{"kind": "image", "media": {"url": …}, "caption": "…"}``.
    :param shared: values that every message sees, e.g. the date.
    :param clock: seconds, for the time bound: by default those that the thread has worked, since a machine
        that stands still is no endless loop.
    :raises TemplateError: for a syntax error, with its line.
    """

    def __init__(
        self,
        message: str | Mapping[str, Any],
        *,
        shared: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = thread_time,
    ) -> None:
        if not isinstance(message, str | Mapping):
            raise TemplateError(
                f"A message is a text or a mapping with a kind, not {type(message).__name__}."
            )
        self._source: Mapping[str, Any] = (
            {"kind": "text", "body": message} if isinstance(message, str) else dict(message)
        )
        self._shared = dict(shared or {})
        self._seen_by_all = _given(self._shared)
        self._budget = Budget(clock, RENDER_SECONDS)
        self._sandbox = Sandbox(self._budget)
        self._compiled = self._compile(self._source, "message")

    @property
    def kind(self) -> str:
        """The kind of message, e.g. ``text``."""
        return str(self._source.get("kind", ""))

    def canonical(self) -> str:
        """Return the template as one text, for its fingerprint; values given as bytes count by their repr."""
        return json.dumps([self._source, self._shared], sort_keys=True, default=repr)

    def render(self, variables: Mapping[str, Any]) -> Message:
        """Return the message for one person.

        :raises TemplateError: naming the field and the missing value, never the text.
        """
        values = {**self._seen_by_all, **_given(variables)}
        try:
            return parse_message(self._fill(self._compiled, values, "message"))
        except InputError as error:
            raise TemplateError(str(error)) from None

    def _compile(self, value: Any, field: str) -> Any:
        if isinstance(value, str):
            try:
                template = self._sandbox.from_string(value)
            except TemplateSyntaxError as error:
                raise TemplateError(
                    f"{field}: template syntax, line {error.lineno}: {error.message}."
                ) from None
            # A text without a brace is the same for everybody: the kind, a file's address.
            if "{" not in value:
                return template.render()
            # Jinja's own is a chain of mappings, which would be walked for each person: half of the time.
            template.globals = dict(template.globals)
            return template
        if isinstance(value, Mapping):
            return {key: self._compile(item, f"{field}.{key}") for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._compile(item, f"{field}.{place}") for place, item in enumerate(value)]
        return value

    def _fill(self, value: Any, values: Mapping[str, Any], field: str) -> Any:
        if isinstance(value, Mapping):
            return {key: self._fill(item, values, f"{field}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, values, f"{field}.{place}") for place, item in enumerate(value)]
        if not isinstance(value, Template):
            return value
        self._budget.start()
        try:
            return self._text(value, values)
        except TemplateError as error:
            raise TemplateError(f"{field}: {error}") from None
        except JinjaError as error:
            told = str(error)
            if not _NO_SUCH_NAME.fullmatch(told):
                told = f"{type(error).__name__} while rendering"
            raise TemplateError(f"{field}: {told}.") from None
        except Exception as error:
            # Whatever a template does to a value (a filter on the wrong type…) may quote that value.
            raise TemplateError(f"{field}: {type(error).__name__} while rendering.") from None

    def _text(self, template: Template, values: Mapping[str, Any]) -> str:
        parts: list[str] = []
        size = 0
        # The time is looked at by the sandbox, where a template can go round; its parts are as many as were written.
        for part in template.generate(values):
            size += len(part)
            if size > MAX_TEXT:
                raise TemplateError(f"it is longer than {MAX_TEXT} characters.")
            parts.append(part)
        return "".join(parts)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
