"""A sender that behaves like Logplex, according to its last public source, and
a ledger that compares what arrived with what was acknowledged.

A drain has one connection and one request in flight. It waits 3 s for a
connection and 5 s for an answer, from the first byte of the request. A batch
has three tries, all with the same id. A try fails if its answer is 5xx or 429
or does not arrive in time, or if the connection ends; the next one follows at
once, on a new connection. Connections that fail cost a batch none of its
tries, but are followed by a pause. Any other 4xx drops the batch for good. An
L10 in front of a later batch reports what was dropped; each try gets a new
one, until one is delivered.

Every error of a batch has a code that no other batch of its application has,
so that each can be accounted for.
"""

import collections
import contextlib
import errno
import random
import re
import socket
import threading
import time
import zlib
from pathlib import Path

from lib.collector import udp_socket
from lib.fastcgi import message, read_reply
from lib.frames import logplex_frame
from lib.http import build_request, read_answer
from lib.processes import wait_until

CODES = [f"{letter}{digits}" for letter in "HRL"
         for digits in [f"{n:02}" for n in range(100)] +
         [f"{n:03}" for n in range(1000)] if letter + digits != "L10"]
LINE = re.compile(rb"([A-Za-z0-9_-]{1,64})\.heroku\.errors\.([HRL]\d{2,3})"
                  rb":([1-9]\d*)\|c\Z")
NOISE = [logplex_frame(*words) for words in (
    ("at=info method=GET path=\"/\" host=a dyno=web.1 status=200",),
    ("----> at=error code=H12 is no error of ours", "app", "web.1"),
    ("State changed from starting to up", "heroku", "web.1"))]
L10 = "Error L10 (output buffer overflow): {} messages dropped since {}."


def error_line(code):
    if code[0] == "H":
        return logplex_frame(f'at=error code={code} desc="x" method=GET')
    return logplex_frame(f"Error {code} (of a test)", "heroku", "web.1")


class Batch:
    """What Logplex calls a frame, and what happened to it."""

    def __init__(self, rng, app, codes):
        self.app = app
        self.counts = {code: rng.choice((1, 1, 2, 3)) for code in codes}
        lines = [error_line(code) for code, n in self.counts.items()
                 for _ in range(n)]
        lines += rng.choices(NOISE, k=rng.choice((0, 0, 1, 5, 30)))
        rng.shuffle(lines)
        self.body = b"".join(lines)
        self.messages = len(lines)
        self.id = "%032X" % rng.getrandbits(128)
        self.tries = 0
        self.acknowledged = False
        self.l10 = False  # in front of it at any try
        self.started = self.ended = None


class OverHttp:
    """Delivers batches as Logplex does."""

    def __init__(self, port, credentials, host="127.0.0.1"):
        self.address, self.credentials = (host, port), credentials
        self.socket = None

    def open(self, timeout):
        self.socket = socket.create_connection(self.address, timeout)

    def ask(self, app, frame_id, body, timeout):
        """The answer's status; None: the connection ended without one."""
        self.socket.settimeout(timeout)
        self.socket.sendall(build_request(
            path=f"/{app}/logs", body=body, credentials=self.credentials,
            headers=[f"Logplex-Frame-Id: {frame_id}"], close=False))
        return read_answer(self.socket).status

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None


class OverFastcgi(OverHttp):
    """Delivers batches as a web server does, with a connection per request."""

    def open(self, timeout):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(self.address[1])

    def ask(self, app, frame_id, body, timeout):
        self.socket.settimeout(timeout)
        try:
            self.socket.sendall(message(
                body, path=f"/{app}/logs", credentials=self.credentials,
                HTTP_LOGPLEX_FRAME_ID=frame_id))
            answer = read_reply(self.socket)
            return answer.status if answer is not None else None
        finally:
            self.close()


class Drain(threading.Thread):
    """One node of Logplex and one drain. pause: seconds between batches."""

    CONNECT_TIMEOUT, ANSWER_TIMEOUT, TRIES = 3, 5, 3

    def __init__(self, ledger, carrier, name, seed, pause=0, most_codes=6):
        super().__init__(daemon=True, name=name)
        self.ledger, self.carrier = ledger, carrier
        self.rng = random.Random(seed)
        self.pause, self.most_codes = pause, most_codes
        self.stopping = threading.Event()
        self.dropped = 0    # messages that an L10 has not yet reported
        self.refusals = []  # statuses that dropped a batch for good
        self.statuses = collections.Counter()
        self.connected = False
        self.epoch, self.codes = 0, []

    def stop(self):
        self.stopping.set()
        self.join(60)
        if self.is_alive():
            raise AssertionError(f"{self.name} does not end")

    def run(self):
        with self.ledger.faults_of(self.name):
            while not self.stopping.is_set():
                self.deliver(self.next_batch())
                self.stopping.wait(self.pause * 2 * self.rng.random())
            self.ledger.close(self.app)
        self.carrier.close()

    @property
    def app(self):
        return f"{self.name}-{self.epoch}"

    def next_batch(self):
        n = self.rng.randint(0, self.most_codes)
        if len(self.codes) < n:
            if self.epoch:
                self.ledger.close(self.app)
            self.epoch += 1
            self.codes = self.rng.sample(CODES, len(CODES))
        codes = [self.codes.pop() for _ in range(n)]
        batch = Batch(self.rng, self.app, codes)
        self.ledger.open(batch)
        return batch

    def deliver(self, batch):
        batch.started = time.monotonic()
        while batch.tries < self.TRIES:
            if not self.connect():
                break  # told to stop
            reported = self.dropped
            body = batch.body
            if reported:
                batch.l10 = True
                body = logplex_frame(L10.format(
                    reported, time.strftime("%Y-%m-%dT%H:%M:%S+00:00")),
                    "heroku", "logplex") + body
            batch.tries += 1
            status = self.ask(batch, body)
            self.statuses[status] += 1
            if status is not None and 200 <= status < 300:
                batch.acknowledged = True
                self.dropped -= reported
                break
            if status is not None and 400 <= status < 500 and status != 429:
                self.refusals.append(status)
                self.dropped += batch.messages
                break
            self.drop_connection()
            if self.rng.random() < 0.05:  # its buffer overflows meanwhile
                self.dropped += 1
        else:
            self.dropped += batch.messages
        batch.ended = time.monotonic()
        self.ledger.note(batch)

    def ask(self, batch, body):
        try:
            return self.carrier.ask(batch.app, batch.id, body,
                                    self.ANSWER_TIMEOUT)
        except OSError:
            return None

    def connect(self):
        """Tries until it succeeds; False if told to stop."""
        attempt = 0
        while not self.connected:
            try:
                self.carrier.open(self.CONNECT_TIMEOUT)
                self.connected = True
            except OSError:
                attempt += 1
                most = 2 ** self.rng.randint(1, min(10, attempt))
                if self.stopping.wait(0.01 * (most - 1) / 2):
                    return False
        if isinstance(self.carrier, OverFastcgi):
            self.connected = False  # one request a connection
        return True

    def drop_connection(self):
        self.carrier.close()
        self.connected = False


class Application:
    def __init__(self):
        self.batches = []
        self.received = collections.Counter()
        self.closed = None


class Ledger:
    """What drains sent and collectors received, by application. Once nothing
    more can arrive for an application, it is judged and forgotten."""

    GRACE = 30

    def __init__(self):
        self.lock = threading.Lock()
        self.applications = {}
        self.judged = set()
        self.faults = []     # what went wrong
        self.away = []       # (from, to, collector): datagrams may be lost
        self.collectors = 1
        self.seen = collections.Counter()

    @contextlib.contextmanager
    def faults_of(self, name):
        try:
            yield
        except Exception as e:
            self.faults.append(f"{name}: {e!r}")
            raise

    def open(self, batch):
        with self.lock:
            self.applications.setdefault(
                batch.app, Application()).batches.append(batch)

    def note(self, batch):
        batch.body = None
        self.seen["acknowledged" if batch.acknowledged
                  else "not acknowledged"] += 1
        self.seen["tries"] += batch.tries

    def close(self, app):
        with self.lock:
            self.applications[app].closed = time.monotonic()

    def receive(self, collector, datagram):
        for line in datagram.split(b"\n"):
            match = LINE.match(line)
            if not match:
                self.faults.append(f"no line of ours: {datagram!r}")
                return
            app, code = match[1].decode(), match[2].decode()
            if zlib.crc32(line.split(b":")[0]) % self.collectors != collector:
                self.faults.append(f"{line!r} is not collector {collector}'s")
            with self.lock:
                if app in self.judged:
                    self.faults.append(f"{app} {code} came very late")
                elif app not in self.applications:
                    self.faults.append(f"nobody sent {line!r}")
                else:
                    self.applications[app].received[code] += int(match[3])

    def owner(self, app, code):
        return zlib.crc32(f"{app}.heroku.errors.{code}".encode()) % \
            self.collectors

    def may_be_lost(self, batch, code):
        owner = self.owner(batch.app, code)
        return any(collector == owner and start <= batch.ended and
                   batch.started <= end
                   for start, end, collector in self.away)

    def judge(self, everything=False):
        """Judges the applications that are finished, or all."""
        now = time.monotonic()
        with self.lock:
            done = [(name, a) for name, a in self.applications.items()
                    if everything or
                    (a.closed and now - a.closed > self.GRACE)]
            for name, _ in done:
                del self.applications[name]
                self.judged.add(name)
        for name, application in done:
            self._judge(name, application)

    def _judge(self, name, application):
        left = application.received
        least_l10 = most_l10 = 0
        for batch in application.batches:
            if batch.ended is None:
                batch.ended = time.monotonic()
            for code, n in batch.counts.items():
                self._judge_code(batch, code, n, left.pop(code, 0))
            most_l10 += batch.l10
            least_l10 += batch.l10 and batch.acknowledged and \
                not self.may_be_lost(batch, "L10")
        got = left.pop("L10", 0)
        self.seen["L10"] += got
        if not least_l10 <= got <= most_l10:
            self.faults.append(f"{name}: {got} L10, not {least_l10} to "
                               f"{most_l10}")
        if left:
            self.faults.append(f"{name}: nobody sent {dict(left)}")

    def _judge_code(self, batch, code, n, got):
        if batch.acknowledged and got == n:
            self.seen["errors counted once"] += n
        elif got == 0 and not batch.acknowledged:
            self.seen["errors neither counted nor acknowledged"] += n
        elif got == n:
            self.seen["errors counted once, not acknowledged"] += n
        elif got == 0 and self.may_be_lost(batch, code):
            self.seen["errors lost while their collector was away"] += n
        else:
            self.seen["errors not counted once"] += n
            self.faults.append(
                f"{batch.app} {code} at collector "
                f"{self.owner(batch.app, code)}: {got}, not {n}; "
                f"{batch.tries} tries, "
                f"{'' if batch.acknowledged else 'not '}acknowledged, "
                f"from {batch.started:.3f} to {batch.ended:.3f}")


class CountingCollector(threading.Thread):
    """A collector that writes to the ledger; it can go away and come back."""

    def __init__(self, ledger, number, host="127.0.0.1"):
        super().__init__(daemon=True, name=f"collector {number}")
        self.ledger, self.number, self.host = ledger, number, host
        self.port = 0
        self.socket = None
        self.lock = threading.Lock()
        self.stopping = False
        self.come()

    def come(self):
        wait_until(self.binds, f"port {self.port} is free")

    def binds(self):
        """Only once its reader has noticed that the previous socket is
        closed."""
        try:
            s = udp_socket(self.host, self.port)
        except OSError as e:
            if e.errno != errno.EADDRINUSE:
                raise
            return False
        s.settimeout(0.2)
        self.port = s.getsockname()[1]
        self.socket = s
        return True

    def go(self):
        """Loses what its socket holds unread."""
        s, self.socket = self.socket, None
        s.close()

    def overflowed(self):
        """Datagrams of this socket that the kernel dropped, as none read
        them."""
        for line in Path("/proc/thread-self/net/udp").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].split(":")[1], 16) == self.port:
                return int(fields[12])
        return 0

    def run(self):
        with self.ledger.faults_of(self.name):
            while not self.stopping:
                s = self.socket
                try:
                    datagram = s.recv(65536) if s else time.sleep(0.01)
                except socket.timeout:
                    continue
                except OSError:
                    continue
                if datagram:
                    self.ledger.receive(self.number, datagram)

    def stop(self):
        self.stopping = True
        self.join()
        if self.socket:
            self.socket.close()
