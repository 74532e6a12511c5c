"""The cost of a request with each web server: classic CGI compared with
FastCGI on one machine.  Not a test: it prints the figures that
docs/web-servers.md quotes.  Needs wrk, and root: a control group counts
processor time, which other load changes little.

    PYTHONPATH=tests python3 tests/servers/cost.py [SECONDS]
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from lib.http import basic
from lib.places import CREDENTIALS, FIXTURES, LOGPLEX, tool
from lib.processes import children, wait_until
from servers import WAYS


def wrk(server, connections, seconds):
    script = server.folder / "post.lua"
    body = FIXTURES / "reference.logplex"
    script.write_text(
        f'wrk.method = "POST"\n'
        f'wrk.body = io.open("{body}", "rb"):read("*a")\n'
        f'wrk.headers["Content-Type"] = "{LOGPLEX}"\n'
        f'wrk.headers["Authorization"] = "{basic(CREDENTIALS)}"\n')
    out = subprocess.run(
        [tool("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
         "-s", script, f"http://127.0.0.1:{server.port}/heaven/logs"],
        check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        print(out)
    return (float(re.search(r"Requests/sec: +([0-9.]+)", out)[1]),
            re.search(r"50% +(\S+)", out)[1])


class Group:
    """A control group, for the processor time of everything in it."""

    def __init__(self):
        v1 = Path("/sys/fs/cgroup/cpuacct")
        self.v1 = v1.exists()
        self.path = (v1 if self.v1 else Path("/sys/fs/cgroup")) / \
            f"logplex-statsd-cost-{os.getpid()}"
        self.path.mkdir()

    def put(self, pid):
        (self.path / "cgroup.procs").write_text(str(pid))

    def microseconds(self):
        if self.v1:
            return int((self.path / "cpuacct.usage").read_text()) / 1000
        return int(re.search(r"usage_usec (\d+)", (
            self.path / "cpu.stat").read_text())[1])

    def remove(self):
        wait_until(lambda: not (self.path / "cgroup.procs").read_text(),
                   "the control group is empty")
        self.path.rmdir()


def measure(way, seconds):
    group, server = Group(), way()
    try:
        for process in (server.process, server.responder):
            if process is not None:
                for pid in (process.pid, *children(process.pid)):
                    group.put(pid)
        wrk(server, 8, 1)
        before = group.microseconds()
        rate, _ = wrk(server, 8, seconds)
        spent = (group.microseconds() - before) / (rate * seconds)
        _, median = wrk(server, 1, seconds)
        print(f"| {way.way} | {spent:.0f} | {rate:.0f} | {median} |",
              flush=True)
    finally:
        server.stop()
        group.remove()


if __name__ == "__main__":
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("| way | processor time, us | requests/s, 8 connections "
          "| median, 1 connection |")
    print("| --- | ---: | ---: | ---: |")
    for way in WAYS:
        measure(way, seconds)
