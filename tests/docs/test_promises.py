"""The tests that docs/security.md and docs/reliability.md name exist."""

import re

import pytest

from lib.places import ROOT

PAGES = ["security.md", "reliability.md"]
SOURCES = {p: p.read_text() for p in (ROOT / "tests").rglob("*")
           if p.suffix in (".py", ".c") and p.is_file()}
NAMES = set()
for text in SOURCES.values():
    NAMES |= set(re.findall(r"^ *(?:def|class) (\w+)", text, re.M))
NAMES |= {p.stem for p in SOURCES}


@pytest.mark.parametrize("page", PAGES)
def test_every_file_named_is_there(page):
    text = (ROOT / "docs" / page).read_text()
    files = re.findall(r"`(tests/[\w/.-]+)`", text)
    assert len(files) > 10
    assert [f for f in files if not (ROOT / f).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_test_named_is_there(page):
    text = (ROOT / "docs" / page).read_text()
    tests = set(re.findall(r"\btest_\w+(?:\.\.\.)?", text))
    assert len(tests) > 10
    assert sorted(tests - NAMES) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_class_named_after_a_file_is_in_it(page):
    text = (ROOT / "docs" / page).read_text()
    named = re.findall(r"`(tests/[\w/.-]+\.py)`\s+([A-Z]\w+)", text)
    assert len(named) > 3
    assert [(f, c) for f, c in named if not re.search(
        rf"^class {c}\b", (ROOT / f).read_text(), re.M)] == []
