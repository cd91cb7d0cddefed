"""Templates: strict about what is missing, silent about what they were given, bounded in time and size."""

from __future__ import annotations

from inspect import signature
from itertools import count
from time import thread_time
from typing import Any

import pytest

from whatsapp_provider.campaigns.render import FixedMessage, MessageTemplate
from whatsapp_provider.errors import InputError, TemplateError
from whatsapp_provider.messages import Image, Text

SECRET = "Ada Lovelace, 15550000001"


def body(template: str, **values: Any) -> str:
    message = MessageTemplate(template).render(values)
    assert isinstance(message, Text)
    return message.body


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hi {{ name }}", "Hi Ada"),
        ("{{ name ~ ' ' ~ 3 }}{{ '!' }}", "Ada 3!"),
        ("{{ 'Dear' + ' ' + name }}", "Dear Ada"),
        ("{% for item in items %}{{ loop.index }}. {{ item }} {% endfor %}", "1. tea 2. milk "),
        ("{{ items | join(', ') }} {{ ' and '.join(items) }}", "tea, milk tea and milk"),
        ("{{ [{'n': 1}, {'n': 2}] | join('+', attribute='n') }}", "1+2"),
        ("{{ name | replace('A', 'E') | upper }} {{ name.replace('d', 't') }}", "EDA Ata"),
        ("{{ '%05.2f' % price }} {{ '{:>6}'.format(name) }} {{ '%s!' | format(name) }}", "03.50    Ada Ada!"),
        (
            "{{ name | center(7) }}|{{ name.ljust(5) }}|{{ (items | batch(1) | list | length) }}",
            "  Ada  |Ada  |2",
        ),
        ("{{ 2 ** 10 + 3 * 4 }} {{ '-' * 3 }} {{ items | tojson }}", '1036 --- ["tea", "milk"]'),
        ("{% if nick is defined %}{{ nick }}{% else %}{{ name }}{% endif %}", "Ada"),
        ("{{ nick | default('you') }}", "you"),
        ("{% macro hi(who) %}Hi {{ who }}{% endmacro %}{{ hi(name) }}", "Hi Ada"),
        ("{% set whole = name ~ '.' %}{{ whole if price > 1 else '' }}", "Ada."),
        ("50 % of {{ 100 % 60 }}", "50 % of 40"),
    ],
)
def test_what_templates_usually_say_works(template: str, text: str) -> None:
    assert body(template, name="Ada", items=["tea", "milk"], price=3.5) == text


def test_texts_inside_a_mapping_are_templates_too_and_shared_values_are_seen() -> None:
    template = MessageTemplate(
        {"kind": "image", "media": {"url": "https://example.com/{{ code }}.png"}, "caption": "{{ day }}"},
        shared={"day": "Monday", "code": "none"},
    )
    message = template.render({"code": "x7"})
    assert isinstance(message, Image)
    assert (message.media.url, message.caption) == ("https://example.com/x7.png", "Monday")
    assert template.kind == "image"


def test_a_value_of_none_is_a_missing_one() -> None:
    with pytest.raises(TemplateError, match=r"message\.body: 'name' is undefined\."):
        body("Hi {{ name }}", name=None)
    assert body("Hi {{ name | default('friend') }}", name=None) == "Hi friend"
    shared = MessageTemplate("{{ day }}{{ name }}", shared={"day": None, "name": "friend"})
    with pytest.raises(TemplateError, match="'day' is undefined"):
        shared.render({"name": "Ada"})
    assert shared.render({"day": "Monday ", "name": None}) == Text(body="Monday friend")


def test_a_zero_and_an_empty_text_are_not_missing() -> None:
    assert body("{{ count }}{{ nick }}{{ sure }}", count=0, nick="", sure=False) == "0False"


def test_braces_of_a_fixed_message_are_text() -> None:
    assert FixedMessage("{{ name }}").render({}) == Text(body="{{ name }}")


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{ missing }}", "message.body: 'missing' is undefined."),
        ("{{ row.missing }}", "message.body: UndefinedError while rendering."),
        ("{% if missing %}{% endif %}", "message.body: 'missing' is undefined."),
        ("{{ name | int(default='x') + 1 }}", "message.body: TypeError while rendering."),
        ("{{ name.nothing }}", "message.body: UndefinedError while rendering."),
        ("{{ row[name] }}", "message.body: UndefinedError while rendering."),
        ("{{ row['is undefined'][name] }}", "message.body: UndefinedError while rendering."),
        ("{{ name * name }}", "message.body: TypeError while rendering."),
        ("{{ name | round }}", "message.body: TypeError while rendering."),
        ("{{ row | dictsort(by=name) }}", "message.body: FilterArgumentError while rendering."),
        ("", "body: String should have at least 1 character"),
        ("{{ '' }}", "body: String should have at least 1 character"),
    ],
)
def test_an_error_names_the_field_and_never_a_value(template: str, told: str) -> None:
    with pytest.raises(TemplateError) as caught:
        body(template, name=SECRET, row={"n": SECRET})
    assert told in str(caught.value)
    assert "Ada" not in str(caught.value)
    assert "1555" not in str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ '' | attr('__class__') }}",
        "{{ ''['__class__'] }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ ''.format.__globals__ }}",
        "{{ self.__init__ }}",
        "{{ name.__init_subclass__ }}",
        "{{ range.__self__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ items.append(1) }}",
        "{{ items.clear() }}",
        "{{ lipsum() }}",
        "{% include 'passwd' %}",
        "{% import 'os' as os %}",
    ],
)
def test_a_template_reaches_nothing_but_its_values(template: str) -> None:
    with pytest.raises(TemplateError):
        body(template, name="Ada", items=[1])


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10 ** 9 }}",
        "{{ [1] * 10 ** 9 }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ 2 ** 10000 ** 2 }}",
        "{{ 'a' | center(10 ** 9) }}",
        "{{ 'a'.center(10 ** 9) }}",
        "{{ 'a'.zfill(10 ** 9) }}",
        "{{ 'a'.expandtabs(tabsize=10 ** 9) }}",
        "{{ 'a' | indent(10 ** 9) }}",
        "{{ [1] | tojson(indent=10 ** 9) }}",
        "{{ [1] | batch(10 ** 9, 'x') | list }}",
        "{{ [1] | slice(10 ** 9) | list }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%*d' % (999999999, 1) }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ '{:{}}'.format(1, 999999999) }}",
        "{{ ('x' * 60000).replace('x', 'y' * 60000) }}",
        "{{ ('x' * 60000) | replace('x', 'y' * 60000) }}",
        "{{ (['x' * 60000] * 60000) | join }}",
        "{{ ''.join(['x' * 60000] * 60000) }}",
        "{{ ('x' * 60000).join(['y'] * 60000) }}",
        "{% set n = namespace(s='ab') %}{% for i in range(40) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
        "{% set n = namespace(s='ab') %}{% for i in range(40) %}{% set n.s = n.s + n.s %}{% endfor %}",
        "{% set n = namespace(s=10) %}{% for i in range(99) %}{% set n.s = n.s * n.s %}{% endfor %}",
        "{% for i in range(99999) %}spam and more {% endfor %}",
        "{{ range(10 ** 9) }}",
    ],
)
def test_what_would_be_too_large_is_never_made(template: str) -> None:
    with pytest.raises(TemplateError, match=r"too large|longer than 65536|OverflowError"):
        body(template)


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% for i in range(999) %}{{ f(n) if n < 3 }}{% endfor %}{% endmacro %}{{ f(1) }}",
        "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
    ],
)
def test_an_endless_template_is_stopped(template: str) -> None:
    ticks = count(0, 0.01)
    endless = MessageTemplate(template, clock=lambda: next(ticks))
    with pytest.raises(TemplateError, match=r"longer than 1 s; is there an endless loop\?|RecursionError"):
        endless.render({})


def test_the_time_is_the_threads_work_so_that_a_machine_that_stands_still_costs_nobody() -> None:
    assert signature(MessageTemplate).parameters["clock"].default is thread_time
    with pytest.raises(TemplateError, match="longer than 1 s"):
        body("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")


def test_each_message_has_its_own_time() -> None:
    ticks = count(0, 0.3)
    template = MessageTemplate("{{ name }}", clock=lambda: next(ticks))
    for _ in range(10):
        template.render({"name": "Ada"})


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("{{ name", "message: template syntax, line 1|message.body: template syntax, line 1"),
        ("line one\n{% for x %}", "template syntax, line 2"),
        ({"kind": "image", "media": {"url": "{{"}}, "message.media.url: template syntax"),
        (7, "A message is a text or a mapping with a kind, not int"),
    ],
)
def test_a_syntax_error_is_told_before_anything_is_read(message: Any, told: str) -> None:
    with pytest.raises(TemplateError, match=told):
        MessageTemplate(message)


def test_a_message_of_no_kind_is_refused() -> None:
    with pytest.raises(InputError):
        MessageTemplate({"kind": "song"}).render({})


def test_what_makes_it_another_template_is_in_its_canonical_text() -> None:
    texts = {
        MessageTemplate("Hi").canonical(),
        MessageTemplate("Ho").canonical(),
        MessageTemplate("Hi", shared={"day": 1}).canonical(),
        MessageTemplate({"kind": "text", "body": "Hi", "preview": True}).canonical(),
    }
    assert len(texts) == 4
    assert MessageTemplate("Hi").canonical() == MessageTemplate({"body": "Hi", "kind": "text"}).canonical()
