"""Answers that come too late: senders give up after 5 s and send again, as
Logplex does, while the responder is stopped, or busy with others.  What was
acknowledged is counted, once; what nobody waited for is not."""

import contextlib
import os
import signal
import socket
import threading
import time

from lib.fastcgi import message, read_reply
from lib.http import Answer, build_request, connect
from lib.places import REFERENCE, REFERENCE_COUNTERS
from lib.processes import fastcgi_socket, responders, wait_until
from lib.web import WebTest

APPS = "heaven", "earth"  # the batches of the one have a Logplex-Frame-Id
ERRORS = len(REFERENCE_COUNTERS)


class Sender(threading.Thread):
    """Sends one batch as Logplex does: three tries of 5 s, at once after any
    answer that is 5xx or does not come."""

    def __init__(self, port, app, frame_id=None, body=REFERENCE):
        super().__init__()
        headers = [f"Logplex-Frame-Id: {frame_id}"] if frame_id else []
        self.raw = build_request(path=f"/{app}/logs", body=body,
                                 credentials=f"{app}:pw", headers=headers)
        self.port, self.app, self.statuses = port, app, []
        self.start()

    def run(self):
        while len(self.statuses) < 3 and 201 not in self.statuses:
            self.statuses.append(self.attempt())

    def attempt(self):
        end = time.monotonic() + 5
        raw = b""
        with contextlib.suppress(OSError), connect(self.port, 5) as s:
            s.sendall(self.raw)
            while b"\r\n" not in raw and (left := end - time.monotonic()) > 0:
                s.settimeout(left)
                raw += s.recv(65536) or b"\r\n"
        return Answer(raw).status if raw.strip() else None


class Other(threading.Thread):
    """Keeps the responder busy with 8 MiB without a password, of which the
    last byte comes when wait() is over."""

    def __init__(self, path, wait):
        super().__init__()
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(str(path))
        self.wait, self.status = wait, None
        self.start()

    def run(self):
        raw = message(b"x" * (8 << 20), credentials="x:y")
        with self.s:
            self.s.sendall(raw[:-1])
            self.wait()
            self.s.sendall(raw[-1:])
            self.status = read_reply(self.s).status


class LateAnswers(WebTest):
    env = {f"API_CREDENTIALS_{app.upper()}": f"{app}:pw" for app in APPS}

    def send(self, seconds, times):
        """Senders for each application, spread over some seconds."""
        senders = []
        for i in range(times):
            senders += [Sender(self.port, "heaven", f"frame-{i}"),
                        Sender(self.port, "earth")]
            time.sleep(seconds / times)
        return senders

    def counted(self, app):
        return sum(int(line.split(":")[1].split("|")[0])
                   for line in self.counters() if line.startswith(app + "."))

    def assert_acknowledged_is_counted(self, senders):
        for s in senders:
            s.join()
        # The next request waits for all that the responder has before it.
        wait_until(lambda: self.post(credentials="x:y").status == 401,
                   "the responder is done", seconds=60)
        assert any(s.statuses[0] != 201 for s in senders), "none was late"
        for app in APPS:
            mine = [s.statuses for s in senders if s.app == app]
            acknowledged = sum(201 in statuses for statuses in mine)
            assert acknowledged > 0
            assert self.counted(app) == acknowledged * ERRORS

    def wait_for_tick(self):
        """lighttpd gives up on requests in the first moment of a second of
        CLOCK_MONOTONIC in which something wakes it.  A batch that is being
        counted in that very moment counts, although its sender hears of a
        failure.  For the rest of the second there is no such moment."""
        time.sleep(1.1 - time.monotonic() % 1)
        with connect(self.port):
            time.sleep(0.1)

    def test_responder_that_was_stopped(self):
        self.start_web()
        pid, = responders(self.web.pid)
        os.kill(pid, signal.SIGSTOP)
        self.at_end(os.kill, pid, signal.SIGCONT)
        senders = self.send(seconds=12, times=10)
        self.wait_for_tick()
        os.kill(pid, signal.SIGCONT)
        self.assert_acknowledged_is_counted(senders)

    def test_responder_that_is_busy_with_others(self):
        self.start_web()
        last = threading.Event()
        others = [Other(fastcgi_socket(self.web.pid), wait)
                  for wait in [lambda: time.sleep(0.6)] * 9 + [last.wait]]
        senders = self.send(seconds=6, times=10)
        self.wait_for_tick()
        last.set()
        self.assert_acknowledged_is_counted(senders)
        for other in others:
            other.join()
            assert other.status == 401
