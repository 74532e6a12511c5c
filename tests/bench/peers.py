"""Compares with what a user would use instead: make bench-peers.

No drain for Node can be installed and compared.  The stand-in consists of the
packages that those are made of, which npm installs into build/peers.  Writes
its tables into docs/benchmarks.md."""

import collections
import contextlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lib.collector import Collector
from lib.frames import logplex_frame
from lib.http import request
from lib.places import CREDENTIALS, PROGRAM, REFERENCE, ROOT, tool
from lib.ports import free_port
from lib.processes import Process, wait_until
from load import (Folder, Loaded, Server, in_turns, make_bodies, median, ratios,
                  spread, unread)
from page import make_table, marked, write_tables

PACKAGES = ROOT / "build" / "peers"
HEADS = {
    "peers": ["messages", "requests/s: stand-in", "ours", "ours / stand-in",
              "CPU, us: stand-in", "ours", "ours / stand-in",
              "resident MB: stand-in", "ours"],
    "peers-counts": ["what comes", "its errors", "stand-in counts",
                     "datagrams", "logplex-statsd counts", "datagrams"],
}


def install():
    PACKAGES.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "tests" / "bench" / "peers" / "package.json", PACKAGES)
    subprocess.run(
        [tool("npm"), "install", "--omit=optional", "--no-audit", "--no-fund",
         "--no-package-lock", "--no-update-notifier", "--prefix",
         str(PACKAGES)], check=True)


class StandIn(Loaded, Process):
    """It needs no web server in front."""

    def __init__(self, folder, collector):
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        self.port = free_port()
        super().__init__(
            [tool("node"), ROOT / "tests" / "bench" / "peers" / "stand-in.js"],
            env={"PORT": str(self.port), "COLLECTOR": str(collector.port),
                 "CREDENTIALS": CREDENTIALS, "NODE_ENV": "production",
                 "NODE_PATH": str(PACKAGES / "node_modules")})
        folder.callback(self.stop)
        wait_until(self.answers, "the stand-in answers", process=self)

    def processes(self):
        return [], [self.pid]


# Bodies to post, and the number of their errors.
Probe = collections.namedtuple("Probe", "words errors bodies")
ID = "Logplex-Frame-Id: 09C557EAFCFB6CF2740EE62F62971098"


def probes(corpus):
    error = logplex_frame("at=error code=H12\n")
    return [
        Probe("1,000 messages of the corpus", 30, [corpus]),
        Probe("messages without line ends, as the standard has them", 4,
              [REFERENCE]),
        Probe("a message of an application whose second line looks like an "
              "error", 0,
              [logplex_frame("done\nat=error code=H12\n", "app", "web.1")]),
        Probe("a path that holds `at=error code=H12`, in quotes", 0,
              [logplex_frame('at=info path="/? at=error code=H12"\n')]),
        Probe("one batch that comes three times", 1, [error] * 3),
    ]


def count(server, collector, probe):
    """The number of errors that the server counts, and of its datagrams."""
    before = len(collector.settled())
    for body in probe.bodies:
        answer = request(server.port, body=body,
                         headers=[ID] if len(probe.bodies) > 1 else [])
        if answer.status != 201:
            raise AssertionError(answer.raw)
    lines = b"\n".join(collector.settled()[before:]).decode()
    return [sum(map(int, re.findall(r":(\d+)\|c", lines))),
            len(collector.datagrams) - before]


def compare_counts(folder):
    corpus, = make_bodies(folder, (1000,))
    theirs, ours = [folder.enter_context(contextlib.closing(Collector()))
                    for _ in range(2)]
    stand_in = StandIn(folder, theirs)
    server = Server(folder, PROGRAM, ours.uri)
    return make_table(HEADS["peers-counts"], [
        [probe.words, probe.errors, *count(stand_in, theirs, probe),
         *count(server, ours, probe)]
        for probe in probes(corpus.path.read_bytes())])


def row(body, theirs, ours, resident):
    return [
        body.messages,
        *[f"{median(loads, 'rate'):,.0f}" for loads in (theirs, ours)],
        spread(ratios(ours, theirs, "rate")),
        *[f"{median(loads, 'cpu'):,.0f}" for loads in (theirs, ours)],
        spread(ratios(ours, theirs, "cpu")),
        *[f"{kb / 1024:.0f}" for kb in resident]]


def compare_loads(folder, turns, seconds):
    sink = folder.enter_context(contextlib.closing(unread()))
    servers = [StandIn(folder, sink), Server(folder, PROGRAM, sink.uri)]
    rows = []
    for body in make_bodies(folder, (1, 10, 100, 1000)):
        loads = in_turns([lambda s=s: s.wrk(body, seconds) for s in servers],
                         turns)
        rows.append(row(body, *loads, [s.resident_kb() for s in servers]))
    return make_table(HEADS["peers"], rows)


def compare():
    with Folder() as folder:
        return {"peers": compare_loads(folder, 12, 0.5),
                "peers-counts": compare_counts(folder)}


if __name__ == "__main__":
    install()
    tables = compare()
    for name, table in tables.items():
        print(marked(name, table))
    write_tables(tables)
