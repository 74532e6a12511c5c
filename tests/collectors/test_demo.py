"""bin/demo: its page and its pictures show what was sent, and nothing remains
after Ctrl-C.

The screenshot of the page is build/demo.png; a copy of it in docs/images is
the picture in the README."""

import collections
import html
import json
import os
import re
import signal
import struct
import tempfile
import urllib.parse
import urllib.request
import zlib

import pytest

import demo_page
import story
from lib.browser import Browser
from lib.case import Case
from lib.places import ROOT
from lib.processes import Process, children, is_running, wait_until

SCREENSHOT = ROOT / "build" / "demo.png"
WIDTH, HEIGHT = 1200, 785


def pixels(png):
    """The colours of a PNG with 8 bits a channel: {"#rrggbb": pixels}, and its
    size."""
    if png[:8] != b"\x89PNG\r\n\x1a\n":
        raise AssertionError(f"no PNG: {png[:80]}")
    at, data = 8, b""
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(
                ">IIBB", png[at + 8:at + 18])
        elif kind == b"IDAT":
            data += png[at + 8:at + 8 + length]
        at += length + 12
    assert depth == 8 and colour in (2, 6), (depth, colour)
    size = 3 if colour == 2 else 4
    raw, row, counts = zlib.decompress(data), bytes(width * size), \
        collections.Counter()
    for y in range(height):
        begin = y * (width * size + 1)
        how, line = raw[begin], bytearray(raw[begin + 1:
                                              begin + 1 + width * size])
        for i in range(len(line)):
            a = line[i - size] if i >= size else 0
            b, c = row[i], row[i - size] if i >= size else 0
            if how == 4:
                p = a + b - c
                near = min((abs(p - a), 0, a), (abs(p - b), 1, b),
                           (abs(p - c), 2, c))[2]
            line[i] = line[i] + (0, a, b, (a + b) // 2,
                                 near if how == 4 else 0)[how] & 255
        row = bytes(line)
        counts.update(row[i:i + 3] for i in range(0, len(row), size))
    return {"#" + k.hex(): n for k, n in counts.items()}, (width, height)


class Demo(Case):

    def start_demo(self, seconds):
        self.demo = Process([ROOT / "bin" / "demo", "--seconds", seconds],
                            env={"TMPDIR": self.folder})
        self.keep(self.demo)

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-")
        self.at_end(folder.cleanup)
        self.folder = folder.name

    def wait_for(self, pattern, seconds):
        wait_until(lambda: re.search(pattern, self.demo.log()), pattern,
                   seconds, self.demo)
        return re.search(pattern, self.demo.log())[1]

    def interrupt(self):
        """Stops it by Ctrl-C; nothing may remain."""
        started = children(self.demo.pid)
        os.killpg(self.demo.pid, signal.SIGINT)
        assert self.demo.wait(20) == 0, self.demo.log()
        wait_until(lambda: not any(map(is_running, started)), "all have stopped")
        assert os.listdir(self.folder) == []

    def fetch(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.read()

    def colours_of(self, path, least):
        """The colours of a picture of the page."""
        counts, size = pixels(self.fetch(path))
        assert size > least
        return counts

    def check_errors(self, path, codes):
        """Asserts that it has the colours of these codes and no others, and
        that rare and bad ones are as wide as frequent ones."""
        counts = self.colours_of(path, (1000, 250))
        for code, (colour, _) in story.CODES.items():
            if codes[code] == 0:
                assert counts.get(colour, 0) == 0, code
            elif codes[code] > codes.total() / 10:
                assert counts.get(colour, 0) > 1000, code
            elif codes[code] > codes.total() / 100:
                assert counts.get(colour, 0) > 20, code
        for code, (colour, _) in story.LANES.items():
            assert (counts.get(colour, 0) > 150) == (
                codes[code] > 0), (code, counts.get(colour, 0))

    def check_others(self, paths, calm):
        """Requests and their ratio, latency, memory."""
        asked, fast, used = [self.colours_of(p, (370, 200)) for p in paths]
        assert asked.get(demo_page.BLUE, 0) > 2000
        assert asked.get(demo_page.RED, 0) > 100
        for _, colour, says in demo_page.WITHIN:
            if not calm:
                assert fast.get(colour, 0) > 500, says
        assert fast[demo_page.GREEN] > 10000
        for dyno, colour in demo_page.DYNOS.items():
            assert used.get(colour, 0) > 20, dyno

    def totals(self):
        """The totals of every application and code, according to Graphite."""
        sums = {}
        query = urllib.parse.urlencode({
            "target": "stats.counters.*.heroku.errors.*.count",
            "from": "-3d", "format": "json"})
        for series in json.loads(self.fetch("render?" + query)):
            _, _, app, _, _, code, _ = series["target"].split(".")
            sums[app, code] = sum(v or 0 for v, _ in series["datapoints"])
        return sums

    def test_a_day(self):
        self.start_demo(15)
        self.url = self.wait_for(r"Open (http://127\.0\.0\.1:\d+/)", 120)
        self.wait_for(r"(The day is over)", 90)
        wanted = collections.Counter()
        for _, app, _, errors, _ in story.day(0):
            for code, n in errors.items():
                wanted[app, code] += n
        assert self.totals() == wanted
        self.check_pictures(wanted)
        self.check_page(wanted)
        self.interrupt()

    def check_pictures(self, wanted):
        images = [html.unescape(path) for path in re.findall(
            r'src="/(render[^"]+)"', self.fetch("").decode())]
        assert len(images) == 4 * len(story.APPS)
        for i, app in enumerate(story.APPS):
            of_app = images[4 * i:4 * i + 4]
            self.check_errors(of_app[0], collections.Counter(
                {c: n for (a, c), n in wanted.items() if a == app}))
            self.check_others(of_app[1:], calm=app == "billing")

    def dropped(self):
        return sum(int(n) for _, _, body, _, _ in story.day(0)
                   for n in re.findall(rb"(\d+) messages dropped", body))

    def check_page(self, wanted):
        """The page as a browser shows it."""
        browser = self.keep(Browser(WIDTH, HEIGHT))
        browser.open(self.url)
        wait_until(lambda: browser.evaluate(
            "[...document.querySelectorAll('[data-total]')]"
            ".some(b => b.textContent)"), "the page shows totals", 30)
        shown = dict(browser.evaluate(
            "[...document.querySelectorAll('[data-total]')]"
            ".map(b => [b.dataset.total, b.textContent])"))
        totals = {f"{app}.heroku.errors.{code}": f"{n:,}"
                  for (app, code), n in wanted.items() if code != story.LOST}
        totals["shop.heroku.logplex.dropped"] = f"{self.dropped():,}"
        assert {k: v for k, v in shown.items() if v} == totals
        wait_until(lambda: browser.evaluate(
            "[...document.images].every(i => i.complete && i.naturalWidth)"),
            "every picture is loaded", 30)
        SCREENSHOT.write_bytes(browser.screenshot())
        assert browser.complaints == []

    def test_the_picture_of_the_readme(self):
        """The README's picture has this size, and the current colours."""
        counts, size = pixels(
            (ROOT / "docs" / "images" / "demo.png").read_bytes())
        assert size == (WIDTH, HEIGHT)
        for colour in (story.CODES["H12"][0], story.LANES["R15"][0],
                       story.LANES["L10"][0], demo_page.BLUE, demo_page.GREEN):
            assert counts.get(colour, 0) > 300, colour

    def test_ctrl_c_while_it_starts(self):
        self.start_demo(60)
        self.wait_for(r"(Starting)", 120)
        wait_until(lambda: len(children(self.demo.pid)) > 2, "a part starts")
        self.interrupt()
