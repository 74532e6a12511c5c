"""Good, odd and hostile requests on several connections, for SOAK_SECONDS.

Every request consists of messages whose effect is known, with errors alone and
with all families of METRICS; so the test knows what must arrive without
parsing a body.  At the end, what arrived corresponds to the answers, line by
line; every line of the log belongs to an answer; and memory and descriptors
are what they were after the first requests.

SEED repeats the choices of a run; RATE is the number of requests a second to
aim for.
"""

import collections
import contextlib
import functools
import hashlib
import hmac
import json
import os
import random
import re
import select
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

import families
import lines as family_lines
from lib.collector import Sink
from lib.frames import frame
from lib.http import build_request, chunked, connect, read_answer, request
from lib.places import CREDENTIALS, ROOT
from lib.ports import free_port
from lib.processes import Process, children, responders, wait_until

SECONDS = int(os.environ.get("SOAK_SECONDS", "20"))

RATE = int(os.environ.get("RATE", "300"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().getrandbits(32)
WORKERS = 6
SECRET, KEY = "a-shared-secret", "a-signing-key"
BODY_MAX = 8 * 1024 * 1024
SIGNATURE = 44
HEAD = b"<158>1 2026-11-23T06:00:00.000000+00:00 host "
COUNTED = [HEAD + b"heroku " + text for text in (
    b'router - at=error code=H%(n)s desc="Request timeout" path="/a?code=H99"',
    b'router - code=H%(n)s dyno=web.1 at="error"',
    b"router - at=warning code=H%(n)s damaged=\"never closed",
    b"web.1 - Error R%(n)s (Memory quota exceeded)",
    b"logplex - Error L%(n)s (output buffer overflow): 7 messages dropped",
    b"web.1 - - Error R%(n)s",
    b'web.1 - [a b="c\\"]"] Error L%(n)s: x')]
UNCOUNTED = [HEAD + text for text in (
    b"heroku router - at=info method=GET path=/ status=200",
    b'heroku router - at=info path="/at=error code=H12" code=H12',
    b'app web.1 - msg="at=error code=H12"',
    b"app web.1 - Error R14x", b"app web.1 - Error R1",
    b"app web.1 - error R14",
    b"app web.1 - ----> Building", b"app web.1 - \xff\xfe\x00\n\r8 \xc3",
    b"app web.1 - ", b"app web.1 - at=error code=H", b"app web.1 - -")]
SKIPPED = [b"no header", b"<1", b"x" * 50, b"<1>1 a b c", b"\x00\xff", b"7 7"]


# Every kind of line of every family.
FAMILY_LINES = [b"<134>1 2024-01-01T00:00:00+00:00 host %s %s - %s" % row
                for row in family_lines.rows()]
ALL = frozenset(families.FAMILIES)


@functools.lru_cache(maxsize=None)
def samples(message):
    """The samples of a message; None if its header cannot be read."""
    return families.samples(message, families.Rules(ALL))


class Batch:
    """A body, and what it must count with the families that are on."""

    def __init__(self, rng, on, size=None):
        self.counted = families.Request(on)
        self.messages = self.skipped = self.errors = 0
        parts = []
        for _ in range(size if size is not None else
                       rng.choice((0, 1, 1, 1, 2, 5, 20, 100))):
            message = self.choose(rng)
            parts.append(frame(message))
            self.add(message)
            if rng.random() < 0.1:
                parts.append(rng.choice((b"\n", b"\r\n", b"\r")))
        self.body = b"".join(parts)

    def choose(self, rng):
        kind = rng.random()
        if kind < 0.3:
            n = b"%d" % rng.choice((12, 14, 15, 99, 10, 100, 999))
            return rng.choice(COUNTED).replace(b"%(n)s", n)
        if kind < 0.6:
            return rng.choice(FAMILY_LINES)
        return rng.choice(UNCOUNTED if kind < 0.9 else SKIPPED)

    def add(self, message):
        found = samples(message)
        self.messages += 1
        self.skipped += found is None
        self.errors += any(s.family == "errors" for s in found or [])
        self.counted.add_message(found or [])

    def lines(self, app):
        """Every line that must arrive, with its collector's number."""
        self.counted.add_message(families.drain(
            batches=1, messages=self.messages, skipped=self.skipped))
        return lines_of(app, self.counted)

    def pad_to(self, size):
        """Fills it up to this length with a message that counts nothing."""
        for filler in range(size - len(self.body) - 20,
                            size - len(self.body)):
            padded = frame(HEAD + b"app web.1 - " + b"x" * max(0, filler - 80))
            if len(self.body) + len(padded) == size:
                break
        else:
            room = size - len(self.body)
            padded = next(
                f for f in (b"%d " % n + b"x" * n
                            for n in range(room - 9, room)) if len(f) == room)
        self.body += padded
        self.add(padded.partition(b" ")[2])
        return self

    @property
    def answer(self):
        return {"messages": self.messages, "skipped": self.skipped,
                "errors": self.errors}


def lines_of(app, counted):
    """The second of three collectors takes tags."""
    found = collections.Counter()
    for line in counted.lines():
        owner = families.owner(app, line[0], range(3))
        text = families.tagged(app, *line) if owner == 1 else \
            families.plain(app, *line)
        found[owner, text.encode()] += 1
    return found


class Collectors(threading.Thread):
    """Three collectors: plain; packed, with tags and a prefix; signed."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sinks = [Sink(), Sink(), Sink(key=f"u:{KEY}@")]
        plain, tagged, signed = (sink.uri for sink in self.sinks)
        self.cluster = (f"{plain},{tagged}/pre/fix?tags=dogstatsd"
                        f"&datagram=1432,{signed}")
        # for each application, {(number, line): how often}
        self.received = collections.defaultdict(collections.Counter)
        self.datagrams = 0
        self.faults = []
        self.stopping = False

    def verify(self, datagram):
        signed = datagram[32:]
        if hmac.new(KEY.encode(), signed, hashlib.sha256).digest() != \
                datagram[:32]:
            raise ValueError("wrong signature")
        if abs(struct.unpack("<q", signed[:8])[0] - time.time()) > 3:
            raise ValueError("wrong time")
        return datagram[SIGNATURE:]

    def take(self, index, datagram):
        self.datagrams += 1
        text = self.verify(datagram) if index == 2 else datagram
        for line in text.split(b"\n"):
            if index == 1:
                if not line.startswith(b"pre.fix."):
                    raise ValueError("no prefix")
                line = line[len(b"pre.fix."):]
            app = (line.split(b"#app:")[1].split(b",")[0] if index == 1
                   else line.split(b".")[0])
            self.received[app.decode()][index, line] += 1

    def run(self):
        while not self.stopping:
            select.select([s.socket for s in self.sinks], [], [], 0.1)
            for index, sink in enumerate(self.sinks):
                for datagram in sink.take():
                    try:
                        self.take(index, datagram)
                    except (ValueError, IndexError) as e:
                        self.faults.append((str(e), datagram))

    def lost(self):
        """Datagrams that the kernel dropped."""
        ports = {f"{s.port:04X}" for s in self.sinks}
        lines = Path("/proc/net/udp").read_text().splitlines()[1:]
        return sum(int(l.split()[-1]) for l in lines
                   if l.split()[1].split(":")[1] in ports)


class Soak:
    def __init__(self, port, on):
        self.port = port
        self.families = on
        self.lock = threading.Lock()
        # As Collectors.received
        self.expected = collections.defaultdict(collections.Counter)
        self.uncertain = {}  # {app: lines}, all of which count or none
        self.statuses = collections.Counter()  # by the program that answered
        self.faults = []
        self.kinds = collections.Counter()
        self.requests = 0
        self.stopping = threading.Event()

    def drain(self, app, **counts):
        """Notes lines of a request that counts nothing else."""
        counted = families.Request(self.families)
        counted.add_message(families.drain(**counts))
        return lines_of(app, counted)

    def note(self, kind, answer, batch=None, app=None, want=None):
        """Judges an answer, and notes what it promises."""
        ours = answer.headers.get("content-type") == "application/json"
        with self.lock:
            self.requests += 1
            self.kinds[kind] += 1
            self.statuses["ours" if ours else "lighttpd", answer.status] += 1
            if answer.status == 201 and batch is not None:
                if json.loads(answer.body) != batch.answer:
                    self.faults.append((kind, answer.raw, batch.answer))
                self.expected[app] += batch.lines(app)
            if ours and answer.status in (413, 415, 422) and app is not None:
                self.expected[app] += self.drain(app, refused=1)
            if answer.status != want:
                self.faults.append((kind, want, answer.raw))


class Worker(threading.Thread):
    """One client, with a connection that it keeps and others that it
    spoils."""

    def __init__(self, soak, number):
        super().__init__(daemon=True)
        self.soak, self.number = soak, number
        self.rng = random.Random(SEED + number)
        self.connection = None
        self.serial = 0

    def run(self):
        kinds = [(getattr(self, name), weight)
                 for name, weight in self.weights.items()]
        pause = WORKERS / RATE
        due = time.monotonic()
        while not self.soak.stopping.is_set():
            kind = self.rng.choices([k for k, _ in kinds],
                                    [w for _, w in kinds])[0]
            try:
                kind()
            except Exception as e:
                self.soak.faults.append((kind.__name__, repr(e)))
                self.drop()
            due = max(due + pause, time.monotonic() - 1)
            time.sleep(max(0, due - time.monotonic()))
        self.drop()

    weights = {
        "good": 600, "again": 30, "large": 10, "huge": 1, "too_long": 1, "far_too_long": 1,
        "chunks": 60, "slow": 5, "wrong_password": 40, "no_password": 20,
        "wrong_path": 30, "wrong_method": 20, "wrong_type": 20, "encoded": 20,
        "malformed": 60, "ping": 40, "header_flood": 10, "no_http": 20,
        "gone_in_mid_body": 20, "gone_before_the_answer": 20, "half_closed": 10,
    }

    def batch(self, size=None):
        return Batch(self.rng, self.soak.families, size)

    def drop(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def ask(self, raw):
        """Sends over the kept connection, or a new one if lighttpd has closed
        it."""
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = connect(self.soak.port)
            try:
                self.connection.sendall(raw)
                answer = read_answer(self.connection)
            except OSError:
                answer = None
            if answer is not None and answer.status is not None:
                if answer.headers.get("connection") == "close":
                    self.drop()
                return answer
            self.drop()
            if fresh:
                raise AssertionError("no answer")
        raise AssertionError("no answer")

    def post(self, kind, batch, want=201, path=None, **kwargs):
        app = self.rng.choice(("heaven", "my-app", "My_App", "a" * 64))
        kwargs.setdefault("credentials", CREDENTIALS if app == "heaven" else
                          self.rng.choice((":" + SECRET, SECRET + ":",
                                           "anyone:" + SECRET)))
        answer = self.ask(build_request(
            path=path or f"/{app}/logs", body=batch.body, close=False,
            **kwargs))
        self.soak.note(kind, answer, batch, app, want)

    def good(self):
        self.post("good", self.batch())

    def again(self):
        """Sends a batch twice, as Logplex does after a late answer."""
        batch, app = self.batch(), "my-app"
        self.serial += 1
        raw = build_request(
            path=f"/{app}/logs", body=batch.body, close=False,
            credentials=":" + SECRET,
            headers=[f"Logplex-Frame-Id: {self.number}-{self.serial}"])
        self.soak.note("again", self.ask(raw), batch, app, 201)
        answer = self.ask(raw)
        self.soak.note("again", answer, want=201)
        with self.soak.lock:
            self.soak.expected[app] += self.soak.drain(app, duplicates=1)
            if json.loads(answer.body) != {**batch.answer, "duplicate": True}:
                self.soak.faults.append(("again", answer.raw, batch.answer))

    def large(self):
        self.post("large", self.batch(1000))

    def huge(self):
        self.post("huge", self.batch(10).pad_to(BODY_MAX))

    def too_long(self):
        self.post("too long", self.batch(10).pad_to(BODY_MAX + 1), 413)

    def far_too_long(self):
        """Above lighttpd's own limit; it may close the connection."""
        with connect(self.soak.port) as s:
            with contextlib.suppress(OSError):
                s.sendall(build_request(body=b"x" * (10241 * 1024)))
            answer = read_answer(s)
        if answer.status is None:
            self.count("far too long")
        else:
            self.soak.note("far too long", answer, want=413)

    def chunks(self):
        batch = self.batch()
        answer = self.ask(build_request(
            length=False, close=False, headers=["Transfer-Encoding: chunked"])
            + chunked(batch.body, self.rng.choice((1, 10, 1000))))
        self.soak.note("chunks", answer, batch, "heaven", 201)

    def slow(self):
        batch = self.batch()
        raw = build_request(body=batch.body)
        cut = self.rng.randrange(1, len(raw))
        with connect(self.soak.port) as s:
            s.sendall(raw[:cut])
            time.sleep(self.rng.random())
            s.sendall(raw[cut:])
            self.soak.note("slow", read_answer(s), batch, "heaven", 201)

    def wrong_password(self):
        self.post("wrong password", self.batch(), 401,
                  credentials=self.rng.choice(("Aladdin:", ":x", "x" * 300,
                                               "Aladdin:open sesame2")))

    def no_password(self):
        self.post("no password", self.batch(), 401, credentials=None,
                  headers=self.rng.choice(
                      ((), ("Authorization: Bearer x",),
                       ("Authorization: Basic !!",), ("Authorization: ",))))

    def wrong_path(self):
        path = self.rng.choice(
            ("/", "/heaven", "/heaven/log", "/a.b/logs", "/a%3A1|c%20/logs",
             "/%0Ab:1|c/logs", "/" + "a" * 65 + "/logs", "/" + "x" * 5000,
             "/heaven/logs/x"))
        # lighttpd itself refuses control characters.
        self.post("wrong path", self.batch(), 400 if "%0A" in path else 404,
                  path=path)

    def wrong_method(self):
        self.post("wrong method", self.batch(), 405, method="PUT")

    def wrong_type(self):
        self.post("wrong type", self.batch(), 415,
                  content_type=self.rng.choice((None, "text/plain", "")))

    def encoded(self):
        self.post("encoded", self.batch(), 415,
                  headers=["Content-Encoding: gzip"])

    def malformed(self):
        batch = self.batch(self.rng.randrange(1, 20))
        rest = self.rng.choice((b"x", b"0", b"07 1234567", b"99999999 x",
                                b"5 abc", b"5", b" ", b"-1 x", b"5\tabcde"))
        batch.body += rest
        self.post("malformed", batch, 422)

    def ping(self):
        self.soak.note("ping", self.ask(build_request(
            method="GET", path="/_ping", close=False, credentials=None)),
            want=200)

    def header_flood(self):
        """lighttpd answers or hangs up; the responder does not get it."""
        with connect(self.soak.port) as s:
            with contextlib.suppress(OSError):
                s.sendall(build_request(headers=[
                    f"X-{i}: {'y' * self.rng.randrange(200)}"
                    for i in range(1000)]))
            answer = read_answer(s)
        if answer.status is None:
            self.count("header flood")
        else:
            self.soak.note("header flood", answer, want=431)

    def no_http(self):
        with connect(self.soak.port) as s:
            with contextlib.suppress(OSError):
                s.sendall(self.rng.randbytes(self.rng.randrange(1, 3000)) +
                          b"\r\n\r\n")
                s.shutdown(socket.SHUT_WR)
            answer = read_answer(s)
        if answer.raw[:5] != b"HTTP/":
            self.count("no HTTP")
        else:
            self.soak.note("no HTTP", answer, want=answer.status
                           if answer.status in (400, 405, 501, 505) else 400)

    def gone_in_mid_body(self):
        raw = build_request(path="/never/logs", credentials=":" + SECRET,
                            body=self.batch(50).body)
        with connect(self.soak.port) as s:
            s.sendall(raw[:-self.rng.randrange(1, 400)])
        self.count("gone in mid-body")

    def count(self, kind):
        with self.soak.lock:
            self.soak.requests += 1
            self.soak.kinds[kind] += 1

    def uncertain(self):
        """A request that may or may not be counted, with a different
        bucket."""
        self.serial += 1
        app, batch = f"maybe-{self.number}-{self.serial}", self.batch(20)
        with self.soak.lock:
            self.soak.uncertain[app] = batch.lines(app)
        return app, build_request(
            path=f"/{app}/logs", body=batch.body, credentials=":" + SECRET)

    def gone_before_the_answer(self):
        _, raw = self.uncertain()
        with connect(self.soak.port) as s:
            s.sendall(raw)
        self.count("gone before the answer")

    def half_closed(self):
        app, raw = self.uncertain()
        with connect(self.soak.port) as s:
            s.sendall(raw)
            s.shutdown(socket.SHUT_WR)
            answer = read_answer(s)
        self.count("half-closed")
        if answer.status == 201:
            with self.soak.lock:
                self.soak.statuses["ours", 201] += 1
                self.soak.expected[app] += self.soak.uncertain.pop(app)


def usage(pid):
    """Resident kB and open descriptors. Pages of files are left out: those of
    the table of ids become resident one by one, with the ids."""
    status = Path(f"/proc/{pid}/status").read_text()
    own = re.search(r"RssAnon:\s+(\d+)", status)
    return int(own.group(1)), len(os.listdir(f"/proc/{pid}/fd"))


class Checks:
    """Checks that all run, even if some fail."""

    def __init__(self):
        self.failed = []

    def check(self, ok, sentence, detail=""):
        print(("ok    " if ok else "FAIL  ") + sentence, flush=True)
        if not ok:
            self.failed.append(f"not so: {sentence}: {str(detail)[:3000]}")


def differences(soak, received):
    """Lines that arrived too often or too rarely. A request that may be
    counted has all of its lines, or one that says it was refused, or none."""
    left, wrong = dict(received), []
    for app, lines in soak.uncertain.items():
        got = left.pop(app, collections.Counter())
        if got not in (lines, soak.drain(app, refused=1), collections.Counter()):
            wrong.append((app, lines, got))
    for app in set(left) | set(soak.expected):
        got = left.get(app, collections.Counter())
        want = soak.expected[app]
        if got != want:
            wrong.append((app, want - got, got - want))
    return wrong


# lighttpd's own log lines, and the requests that cause them.
LIGHTTPD_LINES = {"request-size too long": "far too long",
                  "oversized request-header": "header flood",
                  "invalid request-line": "no HTTP"}


def unaccounted(soak, log):
    """Unexplained lines of the log; and, for comparison, the actual and the
    expected number of lines of each kind."""
    lines, others = collections.Counter(), []
    for line in log.splitlines():
        refused = re.match(r"event=refused status=(\d+) ", line)
        said = [kind for words, kind in LIGHTTPD_LINES.items()
                if words in line]
        if line == "event=duplicate app=my-app":
            lines["duplicate"] += 1
        elif refused or said:
            lines[int(refused.group(1)) if refused else said[0]] += 1
        elif "server started" not in line:
            others.append(line)
    wanted = collections.Counter({
        status: n for (who, status), n in soak.statuses.items()
        if who == "ours" and status >= 300})
    for kind in LIGHTTPD_LINES.values():
        wanted[kind] = soak.kinds[kind]
    wanted["duplicate"] = soak.kinds["again"] // 2
    # Bytes that begin like a request are refused without a log line.
    if lines["no HTTP"] <= wanted["no HTTP"]:
        del lines["no HTTP"], wanted["no HTTP"]
    return others, lines, wanted


def settle(collectors):
    while True:
        before = collectors.datagrams
        time.sleep(1)
        if collectors.datagrams == before:
            return


def judge(soak, collectors, web, pids, before):
    checks = Checks()
    settle(collectors)
    others, lines, wanted = unaccounted(soak, web.log())
    wrong = differences(soak, collectors.received)
    checks.check(soak.requests > 0 and collectors.datagrams > 0,
                 "there was load")
    checks.check(not soak.faults, "every answer is the one expected",
                 soak.faults[:5])
    checks.check(collectors.lost() == 0,
                 "this test's own sockets lost nothing", collectors.lost())
    checks.check(not collectors.faults, "every datagram has its collector's "
                 "form, and is signed where it should be",
                 collectors.faults[:5])
    checks.check(not wrong, "every line is one that the answers promised",
                 wrong[:10])
    checks.check(lines == wanted, "every refusal has its line in the log",
                 (lines, wanted))
    checks.check(not others, "the log has no other line", others[:10])
    checks.check(responders(web.pid) == pids[1:],
                 "the responder is the one that started", pids)
    # lighttpd notices only after a while that a client has hung up.
    time.sleep(2)
    for pid, name, (rss, fds), slack in zip(
            pids, ("lighttpd", "responder"), before, (16384, 512)):
        rss_now, fds_now = usage(pid)
        checks.check(rss_now - rss <= slack,
                     f"{name}: {rss} kB of its own after warming up, "
                     f"{rss_now} kB at the end", f"more than +{slack} kB")
        checks.check(fds_now <= fds, f"{name}: {fds} descriptors after warming "
                     f"up, {fds_now} at the end")
    return checks


def warm_up(soak):
    """One request of each kind loads all code and touches every buffer."""
    worker = Worker(soak, 1000)
    for name in list(worker.weights) * 2:
        getattr(worker, name)()
    worker.drop()
    time.sleep(2)


def soak_for(seconds, soak, collectors, web):
    pids = [p for p in children(web.pid)
            if os.readlink(f"/proc/{p}/exe").endswith("lighttpd")]
    pids += responders(web.pid)
    warm_up(soak)
    before = [usage(pid) for pid in pids]
    workers = [Worker(soak, n) for n in range(WORKERS)]
    started = time.monotonic()
    for w in workers:
        w.start()
    while (left := started + seconds - time.monotonic()) > 0:
        time.sleep(min(60, left))
        if seconds > 60:
            print(f"{time.monotonic() - started:6.0f} s {soak.requests} "
                  f"requests, {[usage(p) for p in pids]} kB and descriptors, "
                  f"{len(soak.faults)} faults", flush=True)
    soak.stopping.set()
    for w in workers:
        w.join(30)
    print(f"{seconds} s, seed {SEED}: {soak.requests} requests, "
          f"{sum(lines.total() for lines in soak.expected.values())} lines in "
          f"{collectors.datagrams} datagrams")
    print("kinds: " + ", ".join(f"{n} {k}" for k, n in sorted(
        soak.kinds.items(), key=lambda item: -item[1])))
    print("answers: " + ", ".join(f"{n} x {s} by {w}" for (w, s), n in sorted(
        soak.statuses.items())))
    return judge(soak, collectors, web, pids, before)


@pytest.mark.parametrize("on", [["errors"], families.FAMILIES],
                         ids=["errors", "all-families"])
def test_what_arrives_is_what_was_answered(on):
    collectors = Collectors()
    collectors.start()
    soak = Soak(free_port(), frozenset(on))
    web = Process([ROOT / "bin" / "web"], env={
        "PORT": str(soak.port), "BIND": "127.0.0.1",
        "METRICS_CLUSTER": collectors.cluster, "METRICS": ",".join(on),
        "API_SECRET": SECRET,
        "API_CREDENTIALS_HEAVEN": CREDENTIALS})
    try:
        def answers():
            with contextlib.suppress(OSError):
                return request(soak.port, method="GET", path="/_ping",
                               credentials=None).status == 200
        wait_until(answers, "bin/web answers", process=web)
        checks = soak_for(SECONDS / 2, soak, collectors, web)
    finally:
        web.stop()
        collectors.stopping = True
        collectors.join()
    assert checks.failed == []
