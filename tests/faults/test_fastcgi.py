"""Web servers that lie, stall or disconnect: hand-made FastCGI records, sent
to the responder's socket.  A batch is counted if the answer is 201, and only
then, and the next request is served."""

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time
from pathlib import Path

import pytest

from lib.fastcgi import (ABORT, DATA, KEEP_CONNECTION, PARAMS, ResponderTest,
                         STDIN, begin, message, pairs, read_reply, record,
                         stream, variables)
from lib.frames import frame, frames, logplex_frame
from lib.places import PROGRAM, REFERENCE, REFERENCE_COUNTERS, tool
from lib.processes import cpu_seconds, wait_until


class Descriptors(ResponderTest):
    def test_closed_ones_are_never_taken_by_a_socket(self):
        # The log would go to a collector, or the answer of a CGI program.
        self.start_responder(command=[
            "bash", "-c", 'exec "$0" 2>&- >&-', PROGRAM])
        for _ in range(3):
            assert self.status(credentials="x:y") == 401
            assert self.status() == 201
        self.assert_reference_counted(3)


class Addresses(ResponderTest):
    def test_a_limit_that_is_not_kept_is_refused(self):
        self.start_responder(FCGI_WEB_SERVER_ADDRS="127.0.0.1")
        assert self.responder.wait(10) == 1
        assert "event=fcgi-failed" in self.responder.log()


class Cores(ResponderTest):
    def test_there_are_none_whatever_the_limit_was(self):
        self.start_responder(
            command=[tool("prlimit"), "--core=4096:4096", PROGRAM])
        assert self.status() == 201
        assert re.search(
            r"Max core file size +0 +0 ",
            Path(f"/proc/{self.responder.pid}/limits").read_text())

    def run_by_nobody(self, *command):
        """What /proc shows about a responder whose user is not root."""
        nobody = ["setpriv", "--reuid=65534", "--regid=65534",
                  "--clear-groups"] if os.geteuid() == 0 else []
        self.start_responder(command=[*nobody, *command])
        name = os.path.basename(command[0])
        proc = Path(f"/proc/{self.responder.pid}")
        wait_until(lambda: (proc / "comm").read_text() == f"{name}\n",
                   "the command runs", process=self.responder)
        return proc

    def test_nor_does_a_program_get_one(self):
        # That core_pattern(5) names, whatever the limit: root owns what there
        # is in /proc of a process that has no core.
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)  # nobody may start it there
            program = shutil.copy(PROGRAM, folder)
            proc = self.run_by_nobody("sleep", "60")
            assert (proc / "environ").stat().st_uid != 0
            proc = self.run_by_nobody(program)
            assert self.status() == 201
            assert (proc / "environ").stat().st_uid == 0


class Siblings(ResponderTest):
    def test_share_a_socket(self):
        self.start_responder(processes=4)
        statuses = []

        def client():
            for _ in range(100):
                statuses.append(self.status())
        clients = [threading.Thread(target=client) for _ in range(8)]
        for c in clients:
            c.start()
        for c in clients:
            c.join()
        assert statuses == [201] * 800
        self.assert_reference_counted(800)
        for r in self.responders:
            assert (r.poll(), r.log()) == (None, "")

    def test_one_killed_is_replaced_by_the_others(self):
        self.start_responder(processes=3)
        assert self.status() == 201
        self.responder.kill()
        self.responder.wait()
        for _ in range(20):
            assert self.status() == 201
        self.assert_reference_counted(21)


class Stalls(ResponderTest):
    """No peer occupies a process for longer than a request may take, 10 s."""

    stalls = {
        "says nothing": b"",
        "stops inside the first record": begin()[:5],
        "stops inside the parameters": message()[:60],
        "stops inside the body": message()[:-100],
        "never ends the body": message(length=None, end=False),
        "promises more than it sends": message(length=1 << 20, end=False),
    }

    def start_responder(self, **how):
        super().start_responder(**how)
        wait_until(lambda: self.status() == 201, "the responder answers")
        self.assert_reference_counted()
        for c in self.collectors:
            c.datagrams.clear()
        return self.path, self.collectors

    def assert_served_in_time(self, path, collectors, why, seconds=12):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(path)
            started = time.monotonic()
            s.sendall(message())
            answer = read_reply(s)
            assert answer.status == 201
            assert time.monotonic() - started < seconds
            self.collectors = collectors
            self.assert_reference_counted()

    @pytest.mark.waits
    def test_next_is_served(self):
        started = []
        for why, stalled in self.stalls.items():
            path, collectors = self.start_responder()
            self.connect().sendall(stalled)
            started.append((path, collectors, why))
        time.sleep(0.1)
        for path, collectors, why in started:
            self.assert_served_in_time(path, collectors, why)

    def test_next_is_served_after_one_that_keeps_its_connection(self):
        path, collectors = self.start_responder()
        s = self.connect()
        s.sendall(message(b"", flags=KEEP_CONNECTION))
        assert read_reply(s).status == 201
        self.assert_served_in_time(path, collectors, "keeps", seconds=8)

    @pytest.mark.waits
    def test_next_is_served_while_a_body_drips(self):
        path, collectors = self.start_responder()
        s = self.connect()
        s.sendall(message(b"", length=1000, end=False))
        stop = threading.Event()

        def drip():
            with contextlib.suppress(OSError):
                while not stop.wait(0.2):
                    s.sendall(record(STDIN, b"1"))
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            time.sleep(0.3)
            self.assert_served_in_time(path, collectors, "drips")
        finally:
            stop.set()
            dripping.join()

    @pytest.mark.waits
    def test_each_request_has_the_whole_time(self):
        self.start_responder()
        time.sleep(5)
        whole = message()
        with contextlib.closing(self.connect()) as s:
            s.sendall(whole[:-100])
            time.sleep(7)
            s.sendall(whole[-100:])
            assert read_reply(s).status == 201

    @pytest.mark.waits
    @pytest.mark.parametrize("length", [0, 60])
    def test_five_in_a_row_that_send_no_whole_request(self, length):
        path, collectors = self.start_responder()
        for _ in range(5):
            self.connect().sendall(message()[:length])
        self.assert_served_in_time(path, collectors, length)
        assert self.responder.log().count(
            'event=bad-connection reason="the parameters did not arrive '
            'in time"') == 5

    @pytest.mark.waits
    def test_five_in_a_row_when_it_is_told_to_stop(self):
        started = []
        for stalled in (b"", message()[:60], message()[:-100]):
            self.start_responder()
            for _ in range(5):
                self.connect().sendall(stalled)
            time.sleep(0.2)
            self.responder.send_signal(signal.SIGTERM)
            started.append((self.responder, time.monotonic()))
        for responder, since in started:
            assert responder.wait(30) == 0
            assert time.monotonic() - since < 12

    @pytest.mark.waits
    def test_idle_nothing_wakes_it(self):
        self.start_responder()
        time.sleep(1)

        def wakes():
            status = Path(f"/proc/{self.responder.pid}/status").read_text()
            return re.search(r"^voluntary_ctxt_switches:.*$", status, re.M)[0]
        before = wakes()
        time.sleep(3)
        assert wakes() == before


class Floods(ResponderTest):
    """A peer that never stops sending occupies a process no longer than others
    do, and does not make it larger."""

    opened = begin() + stream(PARAMS, pairs(variables(None)))
    floods = {
        "a body of long records": (opened, record(STDIN, b"x" * 65528)),
        "a body of short records": (opened, record(STDIN, b"x") * 4000),
        "a body of nothing but padding": (
            opened, record(STDIN, b"x", padding=255) * 200),
        "a body above its length": (
            begin() + stream(PARAMS, pairs(variables(10))),
            record(STDIN, b"x" * 65528)),
        "records of another request": (
            opened, record(STDIN, b"x" * 65528, request=2)),
        "questions in the body": (
            opened, record(9, pairs([("FCGI_MAX_REQS", "")]), request=0) * 99),
        "unknown records in the body": (opened, record(42, request=0) * 4000),
        "parameters": (begin(), record(PARAMS, pairs([("A", "x" * 65000)]))),
        "parameters of nothing": (begin(), record(PARAMS, b"\0\0" * 32000)),
        "short records of parameters": (
            begin(), record(PARAMS, b"\0") * 4000),
        "a parameter without end": (
            begin() + record(PARAMS, b"\x01\x87\xff\xff\xffx"),
            record(PARAMS, b"x" * 65528)),
        "questions first": (
            b"", record(9, pairs([("FCGI_MAX_REQS", "")]), request=0) * 99),
        "unknown records first": (b"", record(42, request=0) * 4000),
        "requests": (b"", begin() * 2000),
    }

    def flood(self, first, more):
        """Sends until the peer hangs up, and reads its answers meanwhile."""
        s = self.connect(timeout=60)

        def send():
            with contextlib.suppress(OSError):
                s.sendall(first)
                while True:
                    s.sendall(more)
                    time.sleep(0.001)  # leaves others some of the machine

        def read():
            with contextlib.suppress(OSError):
                while s.recv(65536):
                    pass
        threads = [threading.Thread(target=t) for t in (send, read)]
        for t in threads:
            t.start()
            self.at_end(t.join)

    def peak_kb(self):
        status = Path(f"/proc/{self.responder.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])

    @pytest.mark.waits
    def test_hold_it_for_ten_seconds_at_most(self):
        started = []
        for why, (first, more) in self.floods.items():
            self.start_responder()
            assert self.status(b"") == 201
            self.flood(first, more)
            started.append((why, self.path, self.responder, self.collectors))
        time.sleep(0.1)
        since = time.monotonic()
        for why, self.path, *_ in started:
            assert self.status() == 201
            assert time.monotonic() - since < 13
        for why, self.path, self.responder, self.collectors in started:
            self.assert_reference_counted()
            assert self.peak_kb() < 64 << 10
            assert self.responder.poll() is None

    @pytest.mark.waits
    def test_do_not_keep_it_from_stopping(self):
        started = []
        for why in ("a body of short records", "parameters",
                    "records of another request"):
            self.start_responder()
            assert self.status(b"") == 201
            for _ in range(5):
                self.flood(*self.floods[why])
            started.append((why, self.responder))
        time.sleep(0.2)
        since = time.monotonic()
        for _, responder in started:
            responder.send_signal(signal.SIGTERM)
        for why, responder in started:
            assert responder.wait(60) == 0
            assert time.monotonic() - since < 13


class Signals(ResponderTest):
    @pytest.mark.parametrize("how", [
        signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
    def test_stop_it_once_the_request_in_hand_is_answered(self, how):
        self.start_responder()
        assert self.status(b"") == 201
        with contextlib.closing(self.connect()) as s:
            whole = message()
            s.sendall(whole[:-100])
            time.sleep(0.2)
            self.responder.send_signal(how)
            time.sleep(0.2)
            s.sendall(whole[-100:])
            assert read_reply(s).status == 201
        assert self.responder.wait(10) == 0
        self.assert_reference_counted()


class Lengths(ResponderTest):
    """CONTENT_LENGTH that differs from the length of the body."""

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.start_responder()

    def test_fewer_bytes_than_said_are_not_counted(self):
        for length in (len(REFERENCE) + 1, 1 << 20, 8 << 20, (8 << 20) + 1,
                       10 ** 14):
            assert self.status(length=length) == 503
        assert self.counters() == []

    def test_a_length_that_is_no_number_is_not_counted(self):
        for length in ("9" * 20, "9" * 400, str(2 ** 64), str(2 ** 64 + 536),
                       str(2 ** 63), "-2", "-536", "+536", " 536", "536 ",
                       "0x218", "5.36e2", "five", "536,536", "\xb9"):
            assert self.status(length=length) == 503
        assert self.counters() == []

    def test_bytes_beyond_the_length_are_not_read(self):
        answer = self.ask(REFERENCE + b"12 no syslog at all" * 5000,
                          length=len(REFERENCE))
        assert answer.status == 201
        assert b'"messages":5' in answer.body
        assert self.status() == 201
        self.assert_reference_counted(2)

    def test_without_a_length_the_stream_says(self):
        for length in (None, "", "-1"):
            assert self.status(length=length) == 201
        self.assert_reference_counted(3)

    def test_more_than_the_ceiling_is_read_and_refused(self):
        body = b"x" * ((8 << 20) + 1)
        for length in (len(body), None):
            assert self.status(body, length=length) == 413
        assert self.counters() == []


class Leavers(ResponderTest):
    """Connections that end early, and bytes that are not a request."""

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.start_responder()

    def assert_not_counted_and_alive(self):
        assert self.status() == 201
        self.assert_reference_counted()
        assert self.responder.poll() is None

    def test_gone_at_any_byte_of_the_request(self):
        whole = message(length=None, end=False)
        for n in range(0, len(whole), 7):
            with contextlib.closing(self.connect()) as s:
                s.sendall(whole[:n])
        self.assert_not_counted_and_alive()

    def test_aborted(self):
        for part in (message(length=None, end=False), message(end=False)[:300]):
            with contextlib.closing(self.connect()) as s:
                s.sendall(part[:len(part) // 8 * 8] + record(ABORT))
                s.shutdown(socket.SHUT_WR)
                answer = read_reply(s)
                assert (answer and answer.status) in (None, 503)
        self.assert_not_counted_and_alive()

    def test_aborted_after_the_whole_body(self):
        # libfcgi by itself would read the record together with a short body.
        for body in (REFERENCE, REFERENCE + b"\n" * 300000):
            with self.stopped():
                s = self.connect()
                sending = threading.Thread(
                    target=s.sendall, args=(message(body) + record(ABORT),))
                sending.start()
                time.sleep(0.1)
            sending.join()
            answer = read_reply(s)
            assert (answer and answer.status) in (None, 503)
        self.assert_not_counted_and_alive()

    def test_random_bytes(self):
        rng = random.Random(5)
        for _ in range(300):
            with contextlib.closing(self.connect()) as s, \
                    contextlib.suppress(OSError):
                s.sendall(rng.choice((b"", begin())) +
                          rng.randbytes(rng.randrange(2000)))
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
        self.assert_not_counted_and_alive()

    def test_a_parameter_longer_than_memory_is_refused(self):
        # libfcgi allocates as much as the record says, and asserts that it got
        # it.
        for length in (0x7fffffff, 0x7ffffffe, 0x40000000, 100):
            with contextlib.closing(self.connect()) as s, \
                    contextlib.suppress(OSError):
                s.sendall(begin() + record(PARAMS, struct.pack(
                    ">II", length | 1 << 31, length | 1 << 31) + b"x" * 99) +
                    record(PARAMS))
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
        self.assert_not_counted_and_alive()
        assert 'event=bad-connection reason="a parameter is longer' in \
            self.responder.log()

    def test_other_records_and_roles(self):
        question = record(9, pairs([("FCGI_MAX_CONNS", "")] * 400), request=0)
        odd = [
            begin(role=2) + message()[16:], begin(role=9) + message()[16:],
            record(9, request=0) + record(42, b"x" * 100, request=0),
            record(STDIN, b"x") * 3, record(PARAMS, b"\xff" * 8),
            question + message(),  # libfcgi has room for three such names
            begin() + stream(PARAMS, pairs(variables(None))) + question +
            record(STDIN),
            begin() + begin() + record(PARAMS, b"\x05"),
            b"\x02" + message()[1:], message()[:16] + record(DATA, b"x" * 9)]
        for raw in odd:
            with contextlib.closing(self.connect()) as s:
                s.sendall(raw)
                s.shutdown(socket.SHUT_WR)
                with contextlib.suppress(OSError):
                    while s.recv(65536):
                        pass
        self.assert_not_counted_and_alive()

    @contextlib.contextmanager
    def stopped(self):
        """The responder finds what is sent meanwhile all at once."""
        self.responder.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.responder.send_signal(signal.SIGCONT)

    def test_gone_before_its_turn_is_not_counted(self):
        with self.stopped():
            for _ in range(50):
                with contextlib.closing(self.connect()) as s:
                    s.sendall(message())
        self.assert_not_counted_and_alive()

    def test_gone_while_it_is_answered_is_counted_whole_or_not(self):
        for _ in range(50):
            with contextlib.closing(self.connect()) as s:
                s.sendall(message())
        assert self.status() == 201
        counters = self.counters()
        times, rest = divmod(len(counters), len(REFERENCE_COUNTERS))
        assert rest == 0
        assert counters == sorted(list(REFERENCE_COUNTERS) * times)

    def test_half_closed_is_answered_but_not_counted(self):
        with self.stopped():
            s = self.connect()
            s.sendall(message())
            s.shutdown(socket.SHUT_WR)
        assert read_reply(s).status == 503
        self.assert_not_counted_and_alive()


class Costs(ResponderTest):
    """The longest possible bodies, made as expensive as possible."""

    head = b"<1>1 t h heroku router - "

    def full(self, text):
        """One message as long as a body may be, which repeats a text."""
        size = (8 << 20) - 8
        message = (self.head + text * (size // len(text)))[:size]
        return frame(message)

    def codes(self):
        """All codes, as often as they fit."""
        texts = [b"%sError %c%0*d" % (self.head, letter, digits, n)
                 for letter in b"HRL" for digits in (2, 3)
                 for n in range(10 ** digits)]
        once = frames(*texts)
        return once * ((8 << 20) // len(once))

    def every(self, app_name, procid, *texts):
        """A message for each text, as often as they fit."""
        once = b"".join(logplex_frame(t, app_name, procid) for t in texts)
        return once * ((8 << 20) // len(once))

    def each(self, form, n):
        """A text for each of n numbers."""
        return " ".join(form % i for i in range(n))

    def assert_quick(self, bodies):
        worst = 0.0, ""
        for why, body in bodies.items():
            before = cpu_seconds(self.responder.pid)
            assert self.status(body) == (422 if why[:2] == "no" else 201)
            took = cpu_seconds(self.responder.pid) - before
            assert took < 1, why
            worst = max(worst, (took, why))
        print(f"at most {worst[0]:.3f} s, {worst[1]}", end=" ... ")

    def test_no_body_of_errors_holds_the_process(self):
        self.start_responder()
        self.assert_quick({
            "three bytes a message": b"1 x" * ((8 << 20) // 3),
            "four bytes a message": b"1 x\n" * ((8 << 20) // 4),
            "every code": self.codes(),
            "pairs": self.full(b"a=b "), "short pairs": self.full(b"a= "),
            "quotes": self.full(b'a="\\"" '), "one word": self.full(b"x"),
            "spaces": self.full(b" "), "tabs": self.full(b"\t"),
            "elements": self.full(b'[a b="c"]'),
            "parameters": self.full(b"[a" + b' b="\\]"' * 1000 + b"]"),
            "brackets": self.full(b"["), "errors": self.full(b"Error H1 "),
            "no frame at all": b"9" * (8 << 20),
        })

    def test_no_body_of_other_families_holds_the_process(self):
        self.start_responder(METRICS="errors,loss,router,latency,timings,"
                             "dynos,releases,addons,custom,drain")
        self.assert_quick({
            "requests": self.every(
                "heroku", "router",
                "at=info status=200 connect=1ms service=1ms bytes=1"),
            "dynos": b"".join(
                logplex_frame("sample#memory_total=1MB", "heroku", f"w{i}.1")
                for i in range(90000)),
            "changes of state": self.every(
                "heroku", "web.1", "State changed from up to down"),
            "a formation": self.every("app", "api", "Scaled to " + self.each(
                "w%d@1:x", 1000) + " by x"),
            "an add-on's samples": self.every(
                "app", "heroku-postgres",
                "addon=a " + self.each("sample#k%d=1", 1000)),
            "an application's counts": self.every(
                "app", "web.1", self.each("count#n%d=1", 1000)),
            "an application's times": self.every(
                "app", "web.1", self.each("measure#n%d=1.23s", 100)),
        })


class Logs(ResponderTest):
    """A log that nobody reads, or that is read slowly."""

    dropped = re.compile(rb"event=log-stalled dropped=(\d+)\n")

    def start_with_full_log(self, **env):
        fifo = os.path.join(tempfile.mkdtemp(), "fifo")
        os.mkfifo(fifo)
        self.at_end(os.rmdir, os.path.dirname(fifo))
        self.reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.at_end(os.close, self.reader)
        log = open(fifo, "wb", buffering=0)
        os.set_blocking(log.fileno(), False)
        while log.write(b"x" * 4096) is not None:
            pass
        os.set_blocking(log.fileno(), True)
        self.start_responder(log=log, **env)

    def read(self, limit=1 << 20):
        """What the log holds, up to so many bytes."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self.reader, limit)
        return b""

    def refuse(self, times):
        """How long so many refusals take, each followed by a batch."""
        started = time.monotonic()
        for _ in range(times):
            assert self.status(credentials="x:y") == 401
            assert self.status() == 201
        self.assert_reference_counted(times)
        return time.monotonic() - started

    def test_stops_nothing(self):
        self.start_with_full_log()
        assert self.refuse(100) < 6  # waits would take 10 s

    def test_says_how_many_lines_were_dropped_once_it_is_read(self):
        self.start_with_full_log()
        self.refuse(5)
        self.read()
        assert self.status(credentials="x:y") == 401
        log = self.read()
        assert [int(n) for n in self.dropped.findall(log)] == [5]
        assert log.count(b"\n") == 2
        assert self.status(credentials="x:y") == 401
        assert re.search(rb"^event=refused [^\n]*\n$", self.read())

    def test_read_slowly_stops_nothing(self):
        self.start_with_full_log(LOG_LEVEL="debug")
        # As a line of the log, as long as what is read at once.
        long = b"1500 <1>1 t h a p - " + b"\xff" * 1485
        stop = threading.Event()

        def read_slowly():
            while not stop.wait(0.08):
                self.read(4096)
        reader = threading.Thread(target=read_slowly)
        reader.start()
        try:
            started = time.monotonic()
            for _ in range(60):
                assert self.status(long) == 201
            assert time.monotonic() - started < 5  # waits would take 7 s
        finally:
            stop.set()
            reader.join()

    def test_at_debug_a_body_of_skipped_messages_stops_nothing(self):
        self.start_with_full_log(LOG_LEVEL="debug")
        started = time.monotonic()
        assert self.status(b"3 odd" * 200 + REFERENCE) == 201
        assert time.monotonic() - started < 8
        self.assert_reference_counted()

    def test_at_debug_twenty_skipped_messages_are_shown(self):
        self.start_responder(LOG_LEVEL="debug")
        assert self.status(b"3 odd" * 20) == 201
        assert self.status(b"3 odd" * 33) == 201
        lines = [l for l in self.responder.log().splitlines()
                 if l.startswith("event=skipped ")]
        assert len(lines) == 41
        assert "message=20 offset=95 " in lines[19]
        assert "message=1 offset=0 " in lines[20]
        assert lines[40] == "event=skipped app=heaven more=13"
