"""Load over HTTP: bodies, lighttpd with any responder, and wrk."""

import collections
import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from lib.collector import Sink
from lib.http import basic, build_request, connect, read_answer, request
from lib.places import CREDENTIALS, REFERENCE, ROOT, tool
from lib.ports import free_port
from lib.processes import Process, children, cpu_seconds, wait_until

BUILT = ROOT / "build" / "tests" / "bench"

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

    @property
    def cpu(self):
        return self.web + self.responder


def make_bodies(folder, counts):
    printed = subprocess.check_output(
        [BUILT / "write_bodies", folder, *map(str, counts)], text=True)
    return [Body(*map(int, line.split()), Path(folder) / f"{n}.logplex")
            for n, line in zip(counts, printed.splitlines())]


def unread():
    """A collector that nobody reads: the kernel drops what does not fit."""
    sink = Sink()
    sink.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
    return sink


def resident_kb(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def name(pid):
    return Path(f"/proc/{pid}/comm").read_text().strip()


def catches_int(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"SigCgt:\s+(\w+)", status)[1], 16) & 2


def run_wrk(port, script, seconds, connections):
    """The output of wrk, for less than a second, for which it has no
    option."""
    with subprocess.Popen(
            [tool("wrk"), "-t1", f"-c{connections}", f"-d{seconds + 10:.0f}",
             "--timeout", "60", "-s", script, f"http://127.0.0.1:{port}/"],
            stdout=subprocess.PIPE, text=True) as wrk:
        wait_until(lambda: catches_int(wrk.pid), "wrk starts", seconds=60)
        time.sleep(seconds)
        wrk.send_signal(signal.SIGINT)
        printed = wrk.communicate()[0]
    if "Non-2xx" in printed or "Socket errors" in printed:
        raise AssertionError(printed)
    return printed


class Loaded:
    """A server to put load on: it has a port, a folder and processes()."""

    def answers(self):
        with contextlib.suppress(OSError):
            return request(self.port, body=REFERENCE).status == 201
        return False

    def cpu_seconds(self):
        """The CPU time of the web server so far, and of its responders."""
        return [sum(map(cpu_seconds, pids)) for pids in self.processes()]

    def resident_kb(self):
        return sum(resident_kb(pid) for pids in self.processes()
                   for pid in pids)

    def wrk(self, body, seconds, connections=16):
        """A Load: many requests on several connections."""
        script = self.folder / "wrk.lua"
        script.write_text(WRK_SCRIPT.format(
            authorization=basic(CREDENTIALS), body=body.path))
        before, served = self.cpu_seconds(), 0
        while served == 0:
            printed = run_wrk(self.port, script, seconds, connections)
            served = int(re.search(r"(\d+) requests in", printed)[1])
            seconds *= 2
        return Load(float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1]),
                    *[(after - b) / served * 1e6
                      for after, b in zip(self.cpu_seconds(), before)])


class Folder(contextlib.ExitStack):
    """A temporary folder, which ends with all servers started in it."""

    def __init__(self):
        super().__init__()
        self.path = self.enter_context(
            tempfile.TemporaryDirectory(prefix="logplex-statsd-bench-"))

    def __fspath__(self):
        return self.path


class Server(Loaded, Process):
    """lighttpd with the project's lighttpd.conf, or a variant of it, and any
    responder instead of the program."""

    def __init__(self, folder, responder, cluster, edit=lambda conf: conf,
                 **env):
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
                 "API_CREDENTIALS_HEAVEN": CREDENTIALS, **env})
        folder.callback(self.stop)
        wait_until(self.answers, "lighttpd answers", process=self)

    def post(self, bodies):
        """Posts bodies over one connection; all must be counted."""
        with connect(self.port) as s:
            for body in bodies:
                s.sendall(build_request(body=body, close=False))
                answer = read_answer(s)
                if answer.status != 201:
                    raise AssertionError(answer.raw)

    def processes(self):
        """The pids of lighttpd and of the responders."""
        pids = [self.pid, *children(self.pid)]
        web = [pid for pid in pids if name(pid) == "lighttpd"]
        return web, [pid for pid in pids if pid not in web]


def in_turns(functions, turns):
    """A list of results for each function."""
    results = [[] for _ in functions]
    for _ in range(turns):
        for function, list_ in zip(functions, results):
            list_.append(function())
    return results


def median(loads, field):
    return statistics.median(getattr(load, field) for load in loads)


def ratios(a, b, field):
    """Of two lists of loads, turn by turn."""
    return [getattr(x, field) / getattr(y, field) for x, y in zip(a, b)]


def spread(values):
    """The median, and the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"
