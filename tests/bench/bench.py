"""Measures, and prints tables: make bench.

Whatever is compared runs in turns, and the medians of the rounds are given; a
ratio is the median of the rounds' ratios.  Fails only if it cannot measure.
"""

import collections
import contextlib
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lib.collector import Collector, Sink
from lib.http import basic, build_request, connect, read_answer, request
from lib.places import CREDENTIALS, LOGPLEX, PROGRAM, REFERENCE, ROOT, tool
from lib.ports import free_port
from lib.processes import Process, children, responders, wait_until

BUILT = ROOT / "build" / "tests" / "bench"
ROUNDS = 5
MESSAGES = (1, 10, 100, 1000)

# Called once per thread; every request is the same.
WRK_SCRIPT = """
wrk.method = "POST"
wrk.path = "/heaven/logs"
wrk.headers["Authorization"] = "{authorization}"
wrk.headers["Content-Type"] = "application/logplex-1"
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()
"""


class Body(collections.namedtuple("Body", "messages bytes errors codes path")):
    """A body of the corpus, in a file."""


class Load(collections.namedtuple("Load", "rate web responder")):
    """Requests a second, and microseconds of CPU for each."""


def make_bodies(folder, counts):
    printed = subprocess.check_output(
        [BUILT / "bodies", folder, *map(str, counts)], text=True)
    return [Body(*map(int, line.split()), Path(folder) / f"{n}.logplex")
            for n, line in zip(counts, printed.splitlines())]


class Server(Process):
    """lighttpd with the project's lighttpd.conf, or a variant of it, and any
    responder in the place of the program."""

    def __init__(self, folder, responder, cluster, edit=lambda conf: conf):
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        (self.folder / "bin").mkdir()
        shutil.copy(ROOT / "bin" / "responder", self.folder / "bin")
        os.symlink(responder, self.folder / "bin" / "logplex-statsd")
        conf = self.folder / "lighttpd.conf"
        conf.write_text(edit((ROOT / "lighttpd.conf").read_text()))
        self.port = free_port()
        super().__init__(
            [tool("lighttpd"), "-D", "-f", conf], cwd=self.folder,
            env={"PORT": str(self.port), "BIND": "127.0.0.1",
                 "LISTEN_TOO": f"127.0.0.1:{self.port}",
                 "SOCKET_DIR": str(self.folder), "METRICS_CLUSTER": cluster,
                 "API_CREDENTIALS_HEAVEN": CREDENTIALS})
        wait_until(self.answers, "lighttpd answers", process=self)

    def answers(self):
        with contextlib.suppress(OSError):
            return request(self.port, body=REFERENCE).status == 201
        return False

    def post(self, bodies):
        """Posts bodies over one connection; all must be counted."""
        with connect(self.port) as s:
            for body in bodies:
                s.sendall(build_request(body=body, close=False))
                answer = read_answer(s)
                if answer.status != 201:
                    raise AssertionError(answer.raw)

    def cpu_seconds(self):
        """What lighttpd has used so far, and what its responders have."""
        def used(pid):
            schedstat = Path(f"/proc/{pid}/schedstat").read_text()
            return int(schedstat.split()[0]) / 1e9
        return used(self.pid), sum(map(used, children(self.pid)))

    def wrk(self, body, seconds, connections=16):
        """A Load: many requests from several connections."""
        script = self.folder / "wrk.lua"
        script.write_text(WRK_SCRIPT.format(
            authorization=basic(CREDENTIALS), body=body.path))
        before = self.cpu_seconds()
        printed = subprocess.check_output(
            [tool("wrk"), "-t1", f"-c{connections}", f"-d{seconds}",
             "-s", script, f"http://127.0.0.1:{self.port}/"], text=True)
        if "Non-2xx" in printed or "Socket errors" in printed:
            raise AssertionError(printed)
        served = int(re.search(r"(\d+) requests in", printed)[1])
        return Load(float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1]),
                    *[(after - b) / served * 1e6
                      for after, b in zip(self.cpu_seconds(), before)])


def unread():
    """A collector that is never read: the kernel drops what does not fit."""
    sink = Sink()
    sink.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
    return sink


def in_turns(functions, rounds):
    """A list of results for each function."""
    results = [[] for _ in functions]
    for _ in range(rounds):
        for function, list_ in zip(functions, results):
            list_.append(function())
    return results


def ratio(a, b):
    """Of the rates of two lists of loads, pair by pair."""
    return statistics.median(x.rate / y.rate for x, y in zip(a, b))


def cpu_ratio(a, b):
    return statistics.median((x.web + x.responder) / (y.web + y.responder)
                             for x, y in zip(a, b))


def median(loads, field):
    return statistics.median(getattr(load, field) for load in loads)


def table(title, head, rows):
    print(f"\n{title}\n\n| " + " | ".join(head) + " |\n" + "|-" * len(head) +
          "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def run(program, *arguments, **kwargs):
    """A program of this folder that prints its own tables."""
    print(flush=True)
    subprocess.run([BUILT / program, *map(str, arguments)], check=True,
                   **kwargs)


def http(folder, sink, rounds, seconds, messages=MESSAGES):
    """Against the responder that does nothing, behind the same lighttpd."""
    servers = [Server(folder, BUILT / "null_responder", sink.uri),
               Server(folder, PROGRAM, sink.uri),
               Server(folder, PROGRAM, sink.uri + "?datagram=1432")]
    rates, costs = [], []
    for body in make_bodies(folder, messages):
        loads = in_turns([lambda s=s: s.wrk(body, seconds) for s in servers],
                         rounds)
        null, ours, packed = loads
        rate = median(ours, "rate")
        rates.append([body.messages, body.bytes, body.codes,
                      f"{median(null, 'rate'):,.0f}", f"{rate:,.0f}",
                      f"{rate * body.messages:,.0f}",
                      f"{ratio(ours, null):.2f}",
                      f"{ratio(packed, null):.2f}"])
        costs.append([body.messages] + [f"{median(l, field):.1f}"
                                        for field in ("web", "responder")
                                        for l in loads] +
                     [f"{cpu_ratio(null, ours):.2f}",
                      f"{cpu_ratio(null, packed):.2f}"])
    for server in servers:
        server.stop()
    table("Over HTTP, behind lighttpd with the project's lighttpd.conf: "
          "requests a second\nfrom 16 connections, beside a null responder, "
          "which reads the body and answers 201;\npacked: with "
          "?datagram=1432, all counters in one datagram.",
          ["messages", "bytes", "codes", "null", "logplex-statsd",
           "messages/s", "of null", "packed, of null"], rates)
    table("Microseconds of CPU for each of these requests, in lighttpd and in "
          "the responder.",
          ["messages", *[f"{where}: {whose}" for where in
                         ("lighttpd", "responder") for whose in
                         ("null", "ours", "packed")],
           "null / ours", "null / packed"], costs)


def replaced(pattern, replacement):
    """An edit of lighttpd.conf, which has to have what is replaced."""
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
    "chunks of 16 KB": added("server.chunkqueue-chunk-sz = 16384"),
    "chunks of 64 KB": added("server.chunkqueue-chunk-sz = 65536"),
    "2 responders": replaced(r'"max-procs" +=> 1', '"max-procs" => 2'),
    "4 responders": replaced(r'"max-procs" +=> 1', '"max-procs" => 4'),
    "2 lighttpd workers": added("server.max-worker = 2"),
    "event handler poll": added('server.event-handler = "poll"'),
    "no sendfile": added('server.network-backend = "writev"'),
    "bodies streamed (no temporary file)":
        added("server.stream-request-body = 2"),
    "temporary files in memory":
        replaced(r'server.upload-dirs += \( env.SOCKET_DIR \)',
                 'server.upload-dirs = ( "/dev/shm" )'),
}


def variants(folder, sink, rounds, seconds, names=VARIANTS):
    """What the settings of lighttpd.conf are worth."""
    base = Server(folder, PROGRAM, sink.uri)
    servers = [Server(folder, PROGRAM, sink.uri, VARIANTS[n]) for n in names]
    rows = [[name] for name in names]
    head = ["lighttpd.conf with"]
    for body in make_bodies(folder, (10, 370)):
        head += [f"{body.bytes:,} bytes: rate", "CPU"]
        base_loads, *loads = in_turns(
            [lambda s=s: s.wrk(body, seconds) for s in [base, *servers]],
            rounds)
        for row, variant_loads in zip(rows, loads):
            row += [f"{ratio(variant_loads, base_loads):.2f}",
                    f"{cpu_ratio(variant_loads, base_loads):.2f}"]
    for server in [base, *servers]:
        server.stop()
    table("Settings of lighttpd.conf: requests a second, and CPU time for a "
          "request, of\nlighttpd and responder, as multiples of what they are "
          "with the file as it is.", head, rows)


def traced(folder, cluster):
    """Server of a responder whose system calls go to a file; and the file."""
    calls = Path(folder) / "calls"
    wrapper = Path(folder) / "traced"
    wrapper.write_text(f"#!/bin/sh\nexec {tool('strace')} -o {calls} "
                       f"{PROGRAM}\n")
    wrapper.chmod(0o755)
    return Server(folder, wrapper, cluster), calls


def count_calls(path):
    return collections.Counter(
        re.match(r"\w+", line)[0]
        for line in path.read_text(errors="replace").splitlines()
        if re.match(r"\w+\(", line))


def system_calls(folder, requests):
    """System calls and datagrams of a request; the datagrams must be as many
    as there are distinct codes."""
    collector = Collector()
    server, path = traced(folder, collector.uri)
    rows, names = [], []
    for body in make_bodies(folder, MESSAGES):
        bytes_ = body.path.read_bytes()
        server.post([bytes_])
        arrived = len(collector.settled())
        before = count_calls(path)
        server.post([bytes_] * requests)
        datagrams = len(collector.settled()) - arrived
        calls = count_calls(path) - before
        if datagrams != body.codes * requests or \
                calls["sendto"] != datagrams:
            raise AssertionError(f"{datagrams} datagrams, {calls}")
        names += [n for n in calls if n not in names]
        rows.append([body, calls])
    server.stop()
    collector.close()
    table("System calls of the responder for a request.",
          ["messages", "bytes", *names, "in all", "distinct codes"],
          [[body.messages, body.bytes,
            *[f"{calls[n] / requests:.4g}" for n in names],
            f"{sum(calls.values()) / requests:.4g}", body.codes]
           for body, calls in rows])
    return rows


def resident_kb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def memory(folder, sink, requests):
    """Of a responder, before and after so many bodies of 1 MB."""
    body, = make_bodies(folder, (3700,))
    server = Server(folder, PROGRAM, sink.uri)
    pid, = responders(server.pid)
    rows = [["at start", resident_kb(pid)]]
    bytes_ = body.path.read_bytes()
    for done in (1, requests):
        server.post([bytes_] * done)
        rows.append([f"after {done} more of {body.bytes:,} bytes",
                     resident_kb(pid)])
    server.stop()
    table("Memory of a responder.", ["", "resident KB"], rows)
    stripped = Path(folder) / "stripped"
    subprocess.run([tool("strip"), "-o", stripped, PROGRAM], check=True)
    lighttpd = Path(tool("lighttpd")).stat().st_size
    table("Files.", ["", "KB"], [
        ["bin/logplex-statsd", PROGRAM.stat().st_size // 1024],
        ["the same, stripped", stripped.stat().st_size // 1024],
        ["lighttpd", lighttpd // 1024]])
    return rows


def start(folder, sink, seconds):
    """The whole process, as classic CGI and with --version."""
    body, = make_bodies(folder, (10,))
    run("start", PROGRAM, BUILT / "deployed", BUILT / "constant", body.path,
        seconds, env={
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "",
        "PATH_INFO": "/heaven/logs", "CONTENT_TYPE": LOGPLEX,
        "CONTENT_LENGTH": str(body.bytes), "METRICS_CLUSTER": sink.uri,
        "HTTP_AUTHORIZATION": basic(CREDENTIALS),
        "API_CREDENTIALS_HEAVEN": CREDENTIALS})


def machine():
    cpu = re.search(r"model name\s+: (.*)",
                    Path("/proc/cpuinfo").read_text())
    system = re.search(r'PRETTY_NAME="(.*)"',
                       Path("/etc/os-release").read_text())
    print(f"{os.cpu_count()} cores, {cpu[1] if cpu else platform.machine()}, "
          f"{system[1]}")


def bench():
    began = time.monotonic()
    machine()
    with tempfile.TemporaryDirectory(prefix="logplex-statsd-bench-") as folder:
        sink = unread()
        run("recognise", 0.02)
        run("requests", 0.02)
        start(folder, sink, 0.2)
        system_calls(folder, 100)
        memory(folder, sink, 1000)
        http(folder, sink, ROUNDS, 1)
        variants(folder, sink, ROUNDS, 1)
    print(f"\nTook {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    bench()
