"""``ADDING_A_GATEWAY.md`` is enough, and true: what it names is there, for each gateway that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs_pages import PROJECT
from tests.test_docs import code, defined
from whatsapp_provider.gateways.registry import GATEWAYS

PAGE = PROJECT / "whatsapp_provider" / "gateways" / "ADDING_A_GATEWAY.md"
TEXT = PAGE.read_text("utf-8")
#: What a gateway can't be without; another file of the page is one that some gateways have.
NEEDED = {"connection.py", "capabilities.py", "answers.py", "gateway.py"}


def files_of_the_folder() -> list[str]:
    """Return the files that the page tells to put into a gateway's folder."""
    section = TEXT.split("## The folder", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `(\w+\.py)` \|", section, re.MULTILINE)


def paths() -> set[str]:
    """Return what the page names by its path from the project's root."""
    return {span for span in code(PAGE) if re.match(r"(whatsapp_provider|tests|docs)/", span)}


@pytest.mark.parametrize("name", GATEWAYS)
def test_each_path_leads_somewhere_for_each_gateway(name: str) -> None:
    assert len(paths()) > 12
    assert {path for path in paths() if not (PROJECT / path.replace("<name>", name)).exists()} == set()


@pytest.mark.parametrize("name", GATEWAYS)
def test_each_gateways_folder_has_what_it_can_not_be_without(name: str) -> None:
    folder = PAGE.parent / name
    assert set(files_of_the_folder()) >= NEEDED
    assert {file for file in NEEDED if not (folder / file).exists()} == set()


def test_each_file_of_the_folder_is_one_that_some_gateway_has() -> None:
    for file in files_of_the_folder():
        assert any((PAGE.parent / name / file).exists() for name in GATEWAYS), file


def test_each_name_in_code_is_one_of_the_package_or_its_tests() -> None:
    sources = [*PAGE.parent.parent.rglob("*.py"), *(PROJECT / "tests" / "contract").glob("*.py")]
    known = set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in sources)))
    named = {
        word
        for span in code(PAGE)
        if "/" not in span and "." not in span
        for word in re.findall(r"\w+", span)
    }
    assert {word for word in named if word not in known} == set()
    classes = {word for word in named if re.fullmatch(r"(?:[A-Z][a-z]+){2,}", word)}
    assert len(classes) > 8
    assert classes <= defined() | {"Harness"}


def test_each_target_of_make_is_there() -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    targets = {
        word
        for line in re.findall(r"^\$ make (.*)$", TEXT, re.MULTILINE)
        for word in line.split()
        if "=" not in word
    }
    assert targets
    assert {target for target in targets if f"\n{target}:" not in makefile} == set()


def test_the_toy_is_as_small_as_the_page_says() -> None:
    lines = {
        path.name: len(path.read_text("utf-8").splitlines()) for path in Path(__file__).parent.glob("*.py")
    }
    dialect = lines.pop("dialect.py")
    gateway = sum(count for name, count in lines.items() if not name.startswith("test_"))
    told = [int(count) for count in re.findall(r"\b(\d+)\b", TEXT.split("## ", 1)[0])]
    assert told == [round(gateway, -2), round(dialect, -2)]
