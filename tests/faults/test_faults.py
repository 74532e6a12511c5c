"""Faults of collectors, clients, the machine and the web server, with lighttpd
as bin/web starts it: a batch answered 201 is counted, once."""

import collections
import contextlib
import glob
import os
import random
import re
import resource
import signal
import socket
import stat
import struct
import tempfile
import threading
import time
from pathlib import Path

import pytest

from lib.collector import Collector
from lib.fastcgi import ResponderTest, message, read_reply
from lib.frames import frames
from lib.http import build_request, connect, read_answer, request
from lib.places import PROGRAM, REFERENCE, REFERENCE_COUNTERS, ROOT
from lib.processes import Process, children, responders, wait_until
from lib.web import WebTest

H12 = b"<158>1 2026-11-23T06:00:00Z host heroku router - at=error code=H12"
R14 = b"<158>1 2026-11-23T06:00:00Z host heroku web.1 - Error R14 (x)"


class FaultTest(WebTest):
    def start_web(self, **env):
        super().start_web(**env)
        self.responder = self.wait_for_responder()

    def wait_for_responder(self):
        found = []

        def one():
            found[:] = responders(self.web.pid)
            return len(found) == 1
        wait_until(one, "one responder", process=self.web)
        return found[0]

    def log_lines(self, event):
        return re.findall(rf"^event={event} .*$", self.web.log(), re.M)

    def timed_post(self, **kwargs):
        started = time.monotonic()
        answer = self.post(**kwargs)
        return answer, time.monotonic() - started


class CollectorFaults(FaultTest):
    def test_collector_not_listening_and_listening_again(self):
        self.start_web()
        port = self.collectors[1].port
        self.collectors[1].close()
        # An odd number: without a second try, every other datagram would be
        # refused, including the first one afterwards.
        for _ in range(21):
            answer, took = self.timed_post()
            assert answer.status == 201
            assert took < 3
        # The kernel reports some of the 63 datagrams, in one line a minute.
        lines = self.log_lines("send-failed")
        assert len(lines) == 1, lines
        assert f"collector=statsd://127.0.0.1:{port} " in lines[0]
        assert 'reason="Connection refused"' in lines[0]
        assert len(self.collectors[0].lines()) == 21

        again = self.keep(Collector(port=port))
        assert self.post().status == 201
        assert again.lines() == ["heaven.heroku.errors.R99:1|c",
                                 "heaven.heroku.errors.L99:1|c",
                                 "heaven.heroku.errors.H12:1|c"]

    def test_no_collector_at_all(self):
        self.start_web()
        for c in self.collectors:
            c.close()
        for _ in range(20):
            assert self.post().status == 201
        assert len(self.log_lines("send-failed")) == 2

    def test_what_a_collector_sends_back_is_not_read(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talker:
            talker.bind(("127.0.0.1", 0))
            talker.settimeout(10)
            self.start_web(METRICS_CLUSTER="statsd://127.0.0.1:"
                           f"{talker.getsockname()[1]}")
            for _ in range(20):
                assert self.post().status == 201
                for _ in range(4):
                    line, peer = talker.recvfrom(1000)
                    assert b".heroku.errors." in line
                    for _ in range(50):
                        talker.sendto(b"x" * 60000, peer)
        assert self.wait_for_responder() == self.responder
        assert self.log_lines("send-failed") == []


class ClientFaults(FaultTest):
    def test_slow_clients_do_not_slow_the_others(self):
        self.start_web()
        raw = build_request(body=REFERENCE)
        slow = [connect(self.port) for _ in range(50)]
        for step in range(0, len(raw), len(raw) // 8 + 1):
            for s in slow:
                s.sendall(raw[step:step + len(raw) // 8 + 1])
            answer, took = self.timed_post()
            assert answer.status == 201
            assert took < 3
        for s in slow:
            assert read_answer(s).status == 201
            s.close()
        assert len(self.counters()) == 4 * (50 + 8)

    @pytest.mark.waits
    def test_silent_clients_are_hung_up_on(self):
        self.start_web()
        raw = build_request(body=REFERENCE)
        silent = [connect(self.port, timeout=40) for _ in range(3)]
        for s, part in zip(silent, (raw[:1], raw[:100], raw[:-1])):
            s.sendall(part)
        assert self.timed_post()[1] < 3
        started = time.monotonic()
        for s in silent:
            assert read_answer(s).raw[:13] == b""
            s.close()
        assert time.monotonic() - started < 30
        assert len(self.counters()) == 4

    def test_silent_clients_at_every_connection_keep_others_out(self):
        # Not a promise: docs/security.md warns of this. It ends, however.
        self.start_web()
        with contextlib.ExitStack() as silent:
            for _ in range(1100):
                silent.enter_context(connect(self.port))
            with connect(self.port, timeout=2) as s:
                s.sendall(build_request(body=REFERENCE))
                with pytest.raises(TimeoutError):
                    read_answer(s)
        assert self.post().status == 201

    def test_gone_at_any_byte_is_not_counted(self):
        self.start_web()
        raw = build_request(body=REFERENCE)
        for n in range(0, len(raw), 5):
            with connect(self.port) as s:
                s.sendall(raw[:n])
        assert self.post().status == 201
        assert self.counters() == sorted(REFERENCE_COUNTERS)

    def test_gone_before_the_answer_is_all_or_nothing(self):
        self.start_web(API_SECRET="secret")
        for n in range(100):
            with connect(self.port) as s:
                s.sendall(build_request(path=f"/gone{n}/logs",
                                        body=REFERENCE,
                                        credentials=":secret"))
        assert self.post().status == 201
        counted = collections.Counter(
            line.split(".")[0] for line in self.counters())
        print(f"{len(counted) - 1} of 100 counted", end=" ... ")
        assert set(counted.values()) == {4}

    def test_header_floods_end_at_lighttpd(self):
        self.start_web()
        floods = {
            "many": {"headers": [f"X-{i}: y" for i in range(9999)]},
            "long": {"headers": ["X: " + "y" * (1 << 20)]},
            "credentials": {"credentials": "x" * 20000},
            "path": {"path": "/" + "x" * 20000},
            "twice": {"headers": ["Content-Length: 5"]},
            "both": {"headers": ["Transfer-Encoding: chunked"]},
        }
        floods = {why: build_request(body=REFERENCE, **flood)
                  for why, flood in floods.items()}
        floods["endless"] = b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 100000
        for why, raw in floods.items():
            with connect(self.port) as s:
                with contextlib.suppress(OSError):
                    s.sendall(raw)
                status = read_answer(s).status
                assert status in (None, 400, 414, 431)
        assert self.log_lines("refused") == []
        assert self.post().status == 201
        assert self.counters() == sorted(REFERENCE_COUNTERS)

    def test_speaks_no_http2(self):
        # HTTP/2 is not needed here, and has had many faults.
        self.start_web()
        with connect(self.port) as s:
            s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                      bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
            assert read_answer(s).status in (None, 400, 405, 501, 505)
        upgrade = request(self.port, method="GET", path="/_ping", headers=[
            "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"])
        assert upgrade.status == 200


class MachineFaults(FaultTest):
    def limit_descriptors(self, pid, number):
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (number, before[1]))
        return before

    def test_descriptors_exhausted_and_there_again(self):
        self.start_web()
        assert self.counters() == []
        in_use = len(os.listdir(f"/proc/{self.responder}/fd"))
        before = self.limit_descriptors(self.responder, in_use)
        answers = []
        waiting = [threading.Thread(
            target=lambda: answers.append(self.post().status))
            for _ in range(5)]
        for t in waiting:
            t.start()
        time.sleep(1)
        assert answers == []
        resource.prlimit(self.responder, resource.RLIMIT_NOFILE, before)
        for t in waiting:
            t.join()
        assert answers == [201] * 5
        assert self.counters() == sorted(list(REFERENCE_COUNTERS) * 5)
        lines = self.log_lines("accept-failed")
        assert 1 <= len(lines) <= 15, lines
        assert "Too many open files" in lines[0]
        assert responders(self.web.pid) == [self.responder]

    def test_out_of_memory_at_start(self):
        # With so little memory it either serves correctly or ends.
        served = ended = 0
        for megabytes in (1, 4, 8, 12, 16, 20, 22, 24, 26, 28, 32, 48, 96, 512):
            for host in ("127.0.0.1", "localhost"):
                collector = Collector()
                with ResponderTest.alone() as case:
                    case.start_responder(
                        [collector], ["prlimit", f"--as={megabytes << 20}",
                                      PROGRAM],
                        METRICS_CLUSTER=f"statsd://{host}:{collector.port}")
                    status = self.serve_or_end(case)
                served += status == 201
                ended += status is None
        print(f"{served} served, {ended} ended", end=" ... ")
        assert served > 0
        assert ended > 0

    def serve_or_end(self, case):
        """201 if everything was counted, or None."""
        try:
            with contextlib.closing(case.connect(timeout=20)) as s:
                s.sendall(message())
                answer = read_reply(s)
        except ConnectionError:
            answer = None
        if answer is None:
            assert case.responder.wait(20) != 0
            return None
        assert answer.status == 201
        if "no address" in case.responder.log():
            assert case.counters() == []
            print("no address", end=" ... ")
        else:
            case.assert_reference_counted()
        return answer.status

    def test_clock_set_back_and_forth(self):
        # Signed times follow the clock; nothing else is affected.
        libraries = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        assert libraries, "libfaketime is not installed"
        collector = Collector()
        with tempfile.NamedTemporaryFile("w") as clock, \
                ResponderTest.alone() as case:
            def set_clock(offset):
                clock.seek(0)
                clock.write(f"{offset:+d}s\n")
                clock.truncate()
                clock.flush()
            set_clock(0)
            case.start_responder(
                [collector], LD_PRELOAD=libraries[0], FAKETIME_NO_CACHE="1",
                FAKETIME_TIMESTAMP_FILE=clock.name, DONT_FAKE_MONOTONIC="1",
                METRICS_CLUSTER=f"statsd://u:key@127.0.0.1:{collector.port}")
            for offset in (0, -3600, 86400, -10 ** 8, 0):
                set_clock(offset)
                started = time.monotonic()
                assert case.status(frames(H12)) == 201
                assert time.monotonic() - started < 5
                datagram = collector.settled()[-1]
                assert datagram.endswith(b"heaven.heroku.errors.H12:1|c")
                stamp, = struct.unpack("<q", datagram[32:40])
                assert abs(stamp - (time.time() + offset)) <= 3
            assert len(collector.settled()) == 5


class WebServerFaults(FaultTest):
    """Load from a few clients, each request with a different bucket, so that
    each can be accounted for."""

    batch = frames(H12, R14, H12)
    counts = {"H12": 2, "R14": 1}

    def start_web(self, **env):
        super().start_web(API_SECRET="secret", **env)

    def under_load(self, disturb, clients=4):
        """The answers while disturb() ran, by application."""
        told, done = {}, threading.Event()

        def client(number):
            for n in range(1000000):
                if done.is_set():
                    return
                app = f"c{number}-{n}"
                try:
                    told[app] = request(
                        self.port, body=self.batch, path=f"/{app}/logs",
                        credentials=":secret").status
                except OSError:
                    told[app] = None
                    time.sleep(0.05)
        threads = [threading.Thread(target=client, args=(n,))
                   for n in range(clients)]
        for t in threads:
            t.start()
        try:
            disturb()
        finally:
            done.set()
            for t in threads:
                t.join()
        return told

    def account(self, told):
        """Asserts the promise for each request; returns how many had which
        outcome."""
        counted = collections.defaultdict(dict)
        for line in self.counters():
            app, code, n = re.fullmatch(
                r"(.*)\.heroku\.errors\.(.*):(\d+)\|c", line).groups()
            assert code not in counted[app], "counted twice"
            counted[app][code] = int(n)
        summary = collections.Counter()
        for app, status in told.items():
            got = counted.pop(app, {})
            if status == 201:
                assert got == self.counts, app
            for code, n in got.items():
                assert n == self.counts[code], app
            summary[status, "all" if got == self.counts else
                    "part" if got else "none"] += 1
        assert dict(counted) == {}
        print(", ".join(f"{n} x {s} ({w} counted)" for (s, w), n in
                        sorted(summary.items(), key=str)), end=" ... ")
        return summary

    def test_responder_killed_at_random_under_load(self):
        self.start_web()
        rng = random.Random(9)

        def kill():
            for _ in range(20):
                time.sleep(rng.uniform(0.05, 0.4))
                for pid in responders(self.web.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        told = self.under_load(kill)
        summary = self.account(told)
        assert summary[201, "all"] > 100
        assert {s for s, _ in summary} <= {201, 500, 503}
        wait_until(lambda: self.post().status == 201, "served again")

    def test_responder_aborted_is_started_again(self):
        self.start_web()
        os.kill(self.responder, signal.SIGABRT)
        wait_until(lambda: self.post().status == 201, "served again")
        assert self.counters() == sorted(REFERENCE_COUNTERS)

    def test_responder_killed_again_at_once_is_started_within_seconds(self):
        self.start_web()
        for _ in range(2):
            pid = self.wait_for_responder()
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: pid not in responders(self.web.pid), "its end")
        statuses = []

        def served():
            statuses.append(self.post().status)
            return statuses[-1] == 201
        wait_until(served, "served again")
        assert set(statuses) <= {201, 500, 503}
        assert self.counters() == sorted(REFERENCE_COUNTERS)

    def restart(self, how):
        self.web.stop(how)
        env = {"PORT": str(self.port), "BIND": "127.0.0.1",
               "API_SECRET": "secret", "METRICS_CLUSTER": ",".join(
                   c.uri for c in self.collectors)}
        self.web = self.keep(Process([ROOT / "bin" / "web"], env=env))
        self.wait_for_web()

    def test_restarted_under_load(self):
        self.start_web()

        def restart():
            for _ in range(3):
                time.sleep(0.5)
                self.restart(signal.SIGTERM)
            time.sleep(0.5)
        summary = self.account(self.under_load(restart))
        assert summary[201, "all"] > 100
        assert summary[None, "part"] == 0

    def test_killed_under_load(self):
        self.start_web()

        def restart():
            for _ in range(3):
                time.sleep(0.5)
                lighttpd = [p for p in children(self.web.pid) if os.readlink(
                    f"/proc/{p}/exe").endswith("lighttpd")]
                os.kill(lighttpd[0], signal.SIGKILL)
                self.web.wait(30)
                self.restart(signal.SIGTERM)
            time.sleep(0.5)
        summary = self.account(self.under_load(restart))
        assert summary[201, "all"] > 100

    def test_killed_it_leaves_no_body_behind(self):
        self.start_web()
        lighttpd, = [p for p in children(self.web.pid) if os.readlink(
            f"/proc/{p}/exe").endswith("lighttpd")]
        request = build_request(body=REFERENCE * 2000)  # a megabyte

        def files():
            """The files that hold a part of the body."""
            found = []
            for fd in Path(f"/proc/{lighttpd}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if stat.S_ISREG(fd.stat().st_mode) and \
                            fd.stat().st_size > 64 << 10:
                        found.append(Path(os.readlink(fd)))
            return found
        with connect(self.port) as s:
            s.sendall(request[:-1000])
            wait_until(files, "a part of the body in a file")
            kept = files()
            assert [f.parent.stat().st_mode & 0o077 for f in kept] == [
                0] * len(kept)
            os.kill(lighttpd, signal.SIGKILL)
            self.web.wait(30)
        assert [f for f in kept if f.exists()] == []

    def test_two_at_once(self):
        self.start_web()
        first, first_port = self.web, self.port
        first_collectors, pid = self.collectors, self.responder
        self.start_web(API_CREDENTIALS_HEAVEN="other:words")
        assert self.post().status == 401
        assert self.post(credentials="other:words").status == 201
        assert request(first_port, body=REFERENCE).status == 201
        for collectors in (first_collectors, self.collectors):
            self.collectors = collectors
            assert self.counters() == sorted(REFERENCE_COUNTERS)
        self.web.stop()
        assert request(first_port, body=REFERENCE).status == 201
        assert responders(first.pid) == [pid]

    def test_two_on_one_port(self):
        self.start_web()
        second = Process([ROOT / "bin" / "web"],
                         env={"PORT": str(self.port), "BIND": "127.0.0.1"})
        self.keep(second)
        assert second.wait(30) not in (0, None)
        assert "in use" in second.log()
        assert self.post().status == 201
        assert responders(self.web.pid) == [self.responder]
