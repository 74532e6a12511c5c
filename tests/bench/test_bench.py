"""The short form of make bench: everything that it measures works, and its
page has its tables.  Times are not judged."""

import contextlib
import re

import peers
import pytest

from bench import SHORT, VARIANTS, measure
from lib.places import PROGRAM, REFERENCE
from load import Folder, Server, make_bodies, unread
from page import PAGE, TABLE, read_tables, write_tables


@pytest.fixture
def folder():
    with Folder() as it:
        yield it


@pytest.fixture(scope="module")
def tables():
    return measure(SHORT)


def test_bodies_are_the_same_every_time(folder):
    body, = make_bodies(folder, (1000,))
    assert (body.bytes, body.errors, body.codes) == (275860, 30, 8)


def test_every_table_of_the_page_has_its_marker():
    assert not re.search(r"^\|", TABLE.sub("", PAGE.read_text()), re.M)


def test_every_marker_has_its_table_with_the_head_that_is_measured(tables):
    page = read_tables(PAGE.read_text())
    measured = {**peers.HEADS, **{n: t.head for n, t in tables.items()}}
    assert {name: table.head for name, table in page.items()} == measured
    assert all(table.rows for table in page.values())


def test_writes_tables_in_their_places(tables, tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text(PAGE.read_text())
    write_tables(tables, copy)
    written = read_tables(copy.read_text())
    assert {name: written[name] for name in tables} == tables
    assert TABLE.sub("", copy.read_text()) == TABLE.sub("", PAGE.read_text())


def test_makes_no_needless_system_call(tables):
    # Two to write (to libfcgi's pipe and the answer), one to close; a datagram
    # for each code was checked when they were counted.  Where the web server
    # had not written all yet, a wait and two more to receive, and it may write
    # in pieces.
    head, rows = tables["calls"]
    for row in rows:
        calls = dict(zip(head, map(float, row)))
        assert sum(map(calls.get, ("write", "close", "others"))) <= 3.01, row
        assert calls["accept4"] <= 2.01, row
        received = sum(map(calls.get, ("recvfrom", "read", "readv")))
        pieces = calls["bytes"] // 8192
        assert received <= 3.01 + pieces + 2 * calls["ppoll"], row


def test_memory_does_not_grow(tables):
    _, once, many = [int(row[1]) for row in tables["memory"].rows]
    assert many < once + 256


@pytest.mark.parametrize("edit", VARIANTS.values(), ids=VARIANTS)
def test_serves_with_every_variant_of_the_configuration(folder, edit):
    sink = folder.enter_context(contextlib.closing(unread()))
    server = Server(folder, PROGRAM, sink.uri, edit)
    server.post([REFERENCE] * 3)
