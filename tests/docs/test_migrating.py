"""The names of this program in docs/migrating.md agree with docs/metrics.md
and the manual."""

import re

from lib.places import ROOT

PAGE = (ROOT / "docs" / "migrating.md").read_text()
METRICS = (ROOT / "docs" / "metrics.md").read_text()
MANUAL = (ROOT / "docs" / "logplex-statsd.1").read_text()
NAME = re.compile(r"`((?:heroku|custom)\.[^`]+)`")


def tables():
    """(heading of the first column, cells of a row) of every table."""
    heading = None
    for line in PAGE.splitlines():
        if not line.startswith("|"):
            heading = None
            continue
        cells = [c.strip() for c in line.strip("|").split("|")]
        if heading is None:
            heading = cells[0]
        elif set(cells[0]) != {"-"}:
            yield heading, cells


def families():
    """{a metric's bucket or name with tags: its families}"""
    known, family = {}, None
    for line in METRICS.splitlines():
        if line.startswith("## "):
            family = line[3:]
        elif line.startswith("| `"):
            for name in re.findall("`([^`]+)`", line)[:2]:
                known.setdefault(name, set()).add(family)
    return known


def test_our_metrics_are_in_the_family_that_the_page_says():
    known, checked = families(), 0
    for heading, cells in tables():
        if heading == "theirs":
            continue
        _, ours, family = cells
        names = NAME.findall(ours)
        assert names, cells
        for name in names:
            assert known.get(name) == {family.strip("`")}, cells
            checked += 1
    assert checked >= 23


def test_our_variables_are_in_the_manual():
    checked = 0
    for heading, (_, ours, *_) in tables():
        if heading != "theirs":
            continue
        for name in re.findall(r"`([A-Z_]+(?:<APP>)?)(?:=\w+)?`", ours):
            assert re.search(rf"Ev {name}\b" if name[-1] != ">" else
                             rf"Ev {name}", MANUAL), name
            checked += 1
    assert checked >= 12


def test_each_program_has_its_variables_metrics_and_steps():
    sections = re.split(r"^## ", PAGE, flags=re.M)[2:]
    assert len(sections) == 4
    for section in sections:
        assert "| theirs | ours |" in section
        assert "| family |" in section
        assert "What shows as a step:" in section
