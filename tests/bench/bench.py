"""Measures, and writes the tables of docs/benchmarks.md: make bench.

Things to compare run in turns. The tables have the medians of the turns; a
ratio is the median of the turns' ratios, followed by its quartiles.  This
fails only if it cannot measure."""

import collections
import contextlib
import os
import platform
import re
import shlex
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from goals import judge
from lib.collector import Sink
from lib.http import basic
from lib.places import CREDENTIALS, LOGPLEX, PROGRAM, tool
from lib.processes import responders
from load import (BUILT, Folder, Server, in_turns, make_bodies, median, ratios,
                  resident_kb, spread, unread)
from page import make_table, marked, read_tables, write_tables

COUNTERS = "errors,loss,router,latency,dynos,releases,addons,drain"
EVERYTHING = COUNTERS + ",timings,custom"

# How much to measure: seconds of a round in process, turns over HTTP and their
# seconds, requests.
Extent = collections.namedtuple(
    "Extent", "round turns seconds traced remembered")
LONG = Extent(0.02, 40, 0.15, 100, 1000)
SHORT = Extent(0, 2, 0.05, 3, 30)


def run(program, *arguments, **kwargs):
    """The tables of a program of this folder."""
    return read_tables(subprocess.check_output(
        [BUILT / program, *map(str, arguments)], text=True, **kwargs))


def machine():
    def find(pattern, text):
        found = re.search(pattern, text)
        return found[1] if found else "?"

    def version(*command):
        return find(r"(\d+[\d.]+\d)", subprocess.check_output(
            [tool(command[0]), *command[1:]], text=True))
    cpu = find(r"model name\s+: (.*)", Path("/proc/cpuinfo").read_text())
    system = find(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    return {"machine": make_table(
        ["processor", "cores", "system", "kernel", "gcc", "lighttpd"],
        [[cpu, os.cpu_count(), system, platform.release().split("-")[0],
          version("gcc", "--version"), version("lighttpd", "-v")]])}


def start(folder, sink, extent):
    """Times of a whole process, as classic CGI and with --version."""
    body, = make_bodies(folder, (10,))
    return run(
        "start", PROGRAM, BUILT / "deployed", BUILT / "constant", body.path,
        extent.round * 10, f"METRICS={EVERYTHING}",
        f"FRAMES_FILE={folder.path}/frames", env={
            "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
            "REQUEST_METHOD": "POST", "SCRIPT_NAME": "",
            "PATH_INFO": "/heaven/logs", "CONTENT_TYPE": LOGPLEX,
            "CONTENT_LENGTH": str(body.bytes),
            "METRICS_CLUSTER": sink.uri + "?datagram=1432",
            "HTTP_AUTHORIZATION": basic(CREDENTIALS),
            "API_CREDENTIALS_HEAVEN": CREDENTIALS})


def collect(folder, bodies, query, env):
    """The datagrams that the program sends for each body."""
    with contextlib.closing(Sink()) as sink:
        server = Server(folder, PROGRAM, sink.uri + query, **env)
        sink.take()
        datagrams = []
        for body in bodies:
            server.post([body.path.read_bytes()])
            datagrams.append(sink.take())
        server.stop()
    return datagrams


def sending_null(folder, sink, datagrams):
    """A server whose responder reads the body and sends these datagrams."""
    path = Path(tempfile.mkdtemp(dir=folder)) / "datagrams"
    path.write_bytes(b"".join(d + b"\0" for d in datagrams))
    return Server(folder, BUILT / "null_responder", sink.uri,
                  DATAGRAMS=str(path), COLLECTOR=str(sink.port))


# What to count and how to send it: the collector's query, and METRICS.
WAYS = {"errors": ("", "errors"),
        "errors, packed": ("?datagram=1432", "errors"),
        "all counters, packed": ("?datagram=1432", COUNTERS)}
# Bodies of one and of ten messages send nothing.
CONTESTS = {1: ["errors"], 10: ["errors"], 100: list(WAYS),
            1000: ["errors", "all counters, packed"]}


def http_row(body, way, datagrams, null, bound, ours):
    rate = median(ours, "rate")
    return [body.messages, way, datagrams,
            *[f"{median(l, 'web'):.1f} + {median(l, 'responder'):.1f}"
              for l in (null, bound, ours)],
            spread(ratios(bound, ours, "cpu")),
            f"{statistics.median(ratios(null, ours, 'cpu')):.2f}",
            f"{rate:,.0f}", f"{rate * body.messages:,.0f}"]


def http(folder, sink, extent):
    """Compared with responders that only read the body, or read it and send
    what the program sends, with the same lighttpd."""
    bodies = make_bodies(folder, CONTESTS)
    null = Server(folder, BUILT / "null_responder", sink.uri)
    ours = {way: Server(folder, PROGRAM, sink.uri + query, METRICS=metrics)
            for way, (query, metrics) in WAYS.items()}
    sent = {way: collect(folder, bodies, query, {"METRICS": metrics})
            for way, (query, metrics) in WAYS.items()}
    rows = []
    for i, body in enumerate(bodies):
        bounds = {way: sending_null(folder, sink, sent[way][i])
                  for way in CONTESTS[body.messages] if sent[way][i]}
        servers = [null, *bounds.values(),
                   *[ours[way] for way in CONTESTS[body.messages]]]
        loads = dict(zip(servers, in_turns(
            [lambda s=s: s.wrk(body, extent.seconds) for s in servers],
            extent.turns)))
        rows += [http_row(body, way, len(sent[way][i]), loads[null],
                          loads[bounds.get(way, null)], loads[ours[way]])
                 for way in CONTESTS[body.messages]]
        for bound in bounds.values():
            bound.stop()
    for server in [null, *ours.values()]:
        server.stop()
    return {"http": make_table(
        ["messages", "counted", "datagrams", "null", "null that sends",
         "logplex-statsd", "null that sends / ours", "null / ours",
         "requests/s", "messages/s"], rows)}


def replaced(pattern, replacement):
    """Edits lighttpd.conf, which must contain the text to replace."""
    def edit(conf):
        changed, count = re.subn(pattern, replacement, conf)
        if count != 1:
            raise AssertionError(f"lighttpd.conf has {count} {pattern}")
        return changed
    return edit


def added(line):
    return lambda conf: conf + line + "\n"


# Each changes one thing.
VARIANTS = {
    "2 lighttpd workers": added("server.max-worker = 2"),
    "2 responders": replaced(r'"max-procs" +=> 1', '"max-procs" => 2'),
    "chunks of 64 KB": added("server.chunkqueue-chunk-sz = 65536"),
    "no sendfile": added('server.network-backend = "writev"'),
    "bodies streamed": added("server.stream-request-body = 2"),
}


def variants(folder, sink, extent, names=VARIANTS):
    """The effect of the settings in lighttpd.conf."""
    servers = [Server(folder, PROGRAM, sink.uri),
               *[Server(folder, PROGRAM, sink.uri, VARIANTS[n])
                 for n in names]]
    rows = [[name] for name in names]
    head = ["lighttpd.conf with"]
    for body in make_bodies(folder, (10, 1000)):
        head += [f"{body.messages:,} messages: rate", "CPU"]
        loads = in_turns([lambda s=s: s.wrk(body, extent.seconds)
                          for s in servers], max(2, extent.turns // 4))
        for row, theirs in zip(rows, loads[1:]):
            row += [spread(ratios(theirs, loads[0], "rate")),
                    spread(ratios(loads[0], theirs, "cpu"))]
    rows.insert(0, ["nothing changed", 1, 1, 1, 1])
    for row, server in zip(rows, servers):
        row.append(f"{server.resident_kb():,}")
        server.stop()
    return {"variants": make_table(head + ["resident KB"], rows)}


def traced(folder, cluster):
    """A Server whose responder's system calls go to a file; and the file."""
    calls = Path(folder) / "calls"
    wrapper = Path(folder) / "traced"
    command = shlex.join([tool("strace"), "-o", str(calls), str(PROGRAM)])
    wrapper.write_text(f"#!/bin/sh\nexec {command}\n")
    wrapper.chmod(0o755)
    return Server(folder, wrapper, cluster), calls


CALLS = ("accept4", "ppoll", "recvfrom", "read", "readv", "write", "close",
         "sendto")


def count_calls(path, requests):
    """Of so many requests before the last one, which may not be over: from one
    accepted connection to the next.  Leaves out those that check a collector's
    route, once a second."""
    text = path.read_text(errors="replace")
    of_requests = re.split(r"^(?=accept4?\(.* = \d+$)", text, flags=re.M)
    calls = collections.Counter(re.findall(
        r"^(\w+)\(", "".join(of_requests[-requests - 1:-1]), re.M))
    calls["close"] -= calls["socket"]
    for name in ("socket", "connect", "getsockname"):
        del calls[name]
    return calls


def system_calls(folder, extent):
    """System calls and datagrams per request; there must be a datagram for
    each distinct code."""
    sink = folder.enter_context(contextlib.closing(Sink()))
    requests = extent.traced
    server, path = traced(folder, sink.uri)
    rows = []
    for body in make_bodies(folder, (1, 10, 100, 1000)):
        sink.take()
        datagrams = 0
        for _ in range(requests + 1):
            server.post([body.path.read_bytes()])
            datagrams += len(sink.take())
        calls = count_calls(path, requests)
        if datagrams != body.codes * (requests + 1) or \
                calls["sendto"] != body.codes * requests:
            raise AssertionError(f"{datagrams} datagrams, {calls}")
        counts = [calls[name] for name in CALLS]
        total = sum(calls.values())
        rows.append([body.messages, body.bytes, body.codes, *[
            f"{n / requests:.4g}"
            for n in [*counts, total - sum(counts), total]]])
    server.stop()
    return {"calls": make_table(
        ["messages", "bytes", "distinct codes", *CALLS, "others", "in all"],
        rows)}


def memory(folder, sink, extent):
    """The memory of a responder, before and after so many bodies of 1 MB."""
    body, = make_bodies(folder, (3700,))
    server = Server(folder, PROGRAM, sink.uri)
    pid, = responders(server.pid)
    rows = [["at start", resident_kb(pid)]]
    bytes_ = body.path.read_bytes()
    for done in (1, extent.remembered):
        server.post([bytes_] * done)
        rows.append([f"after {done:,} more of {body.bytes:,} bytes",
                     resident_kb(pid)])
    server.stop()
    return {"memory": make_table(["", "resident KB"], rows)}


def measure(extent):
    """All tables, each printed when it is there."""
    tables = {}
    with Folder() as folder, contextlib.closing(unread()) as sink:
        for piece in (
                machine,
                *[lambda p=p: run(p, extent.round) for p in
                  ("recognise", "worst", "lines", "requests")],
                lambda: start(folder, sink, extent),
                lambda: system_calls(folder, extent),
                lambda: memory(folder, sink, extent),
                lambda: http(folder, sink, extent),
                lambda: variants(folder, sink, extent),
                lambda: judge(tables)):
            made = piece()
            tables.update(made)
            for name, table in made.items():
                print(marked(name, table), flush=True)
    return tables


if __name__ == "__main__":
    began = time.monotonic()
    write_tables(measure(LONG))
    print(f"Took {time.monotonic() - began:.0f} s.")
