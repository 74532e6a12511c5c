"""What the end-to-end tests share: real processes on loopback, always stopped
again, collectors that are real UDP sockets, and a raw HTTP client."""

import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
PROGRAM = ROOT / "bin" / "logplex-statsd"
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"

REFERENCE = (FIXTURES / "reference.logplex").read_bytes()
REFERENCE_COUNTERS = {
    "heaven.heroku.errors.R99:1|c", "heaven.heroku.errors.R89:1|c",
    "heaven.heroku.errors.L99:1|c", "heaven.heroku.errors.H12:1|c"}
CREDENTIALS = "Aladdin:open sesame"
LOGPLEX = "application/logplex-1"

# In a shell's background SIGINT is ignored, here and by all that is started.
signal.signal(signal.SIGINT, signal.default_int_handler)


def tool(name):
    """The path of a command; a missing one fails the test, by its name."""
    found = shutil.which(name, path=PATH)
    if found is None:
        raise AssertionError(
            f"{name} is not installed: run bin/development-bootstrap --all")
    return found


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, seconds=10, process=None):
    """Polls a condition; says what did not come about."""
    end = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None:
            raise AssertionError(
                f"{what}: the process ended with {process.returncode}\n"
                f"{process.log()}")
        if time.monotonic() > end:
            log = process.log() if process is not None else ""
            raise AssertionError(f"{what}: not within {seconds} s\n{log}")
        time.sleep(0.01)


class Collector:
    """A collector: a UDP socket whose datagrams are kept."""

    def __init__(self, host="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((host, port))
        self.host, self.port = host, self.socket.getsockname()[1]
        self.datagrams = []
        self._lock = threading.Lock()
        self._closed = False
        self.socket.settimeout(0.05)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._closed:
            try:
                datagram = self.socket.recv(65536)
            except socket.timeout:
                continue
            except OSError:
                return
            with self._lock:
                self.datagrams.append(datagram)

    @property
    def uri(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"statsd://{host}:{self.port}"

    def settled(self):
        """All datagrams, once none has come for a moment."""
        while True:
            before = len(self.datagrams)
            time.sleep(0.15)
            with self._lock:
                if len(self.datagrams) == before:
                    return list(self.datagrams)

    def lines(self):
        return [line for d in self.settled() for line in
                d.decode("latin-1").split("\n")]

    def close(self):
        self._closed = True
        self._thread.join()
        self.socket.close()


class Process(subprocess.Popen):
    """A process in a session of its own, whose output goes to a file."""

    def __init__(self, command, env=None, log=None, **kwargs):
        self._log = log or tempfile.NamedTemporaryFile(
            prefix="logplex-statsd-log-", delete=False)
        full = {"PATH": PATH, "HOME": "/tmp", "LC_ALL": "C", **(env or {})}
        super().__init__([str(c) for c in command], env=full,
                         stdin=kwargs.pop("stdin", subprocess.DEVNULL),
                         stdout=kwargs.pop("stdout", self._log),
                         stderr=self._log,
                         start_new_session=True, **kwargs)

    def log(self):
        return Path(self._log.name).read_text(errors="replace")

    def stop(self, how=signal.SIGTERM, seconds=10):
        """Ends it and whatever it started."""
        if self.poll() is None:
            self.send_signal(how)
            try:
                self.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        self._log.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._log.name)


def children(pid):
    """The pids of a process's children, their children and so on."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                child = int(stat.parent.name)
                found += [child, *children(child)]
    return found


def responders(pid):
    """The pids of the responders below a web server."""
    def is_responder(p):
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/{p}/exe") == str(PROGRAM)
        return False
    return [p for p in children(pid) if is_responder(p)]


def fastcgi_socket(responder):
    """The path of the socket at which a responder listens."""
    inode = os.readlink(f"/proc/{responder}/fd/0")[len("socket:["):-1]
    for line in Path("/proc/net/unix").read_text().splitlines():
        fields = line.split()
        if fields[6] == inode:
            return Path(fields[7])


class Answer:
    """An HTTP answer as it came."""

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0] else None
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()


def basic(credentials):
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def build_request(method="POST", path="/heaven/logs", body=b"",
                  credentials=CREDENTIALS, content_type=LOGPLEX, headers=(),
                  length=True, close=True):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if credentials is not None:
        lines.append("Authorization: " + basic(credentials))
    if content_type is not None:
        lines.append("Content-Type: " + content_type)
    if length:
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    lines += headers
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def connect(port, timeout=20):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def read_answer(s):
    """Reads to the end of one answer (by its length) or of the stream."""
    raw = b""
    while True:
        head, end, body = raw.partition(b"\r\n\r\n")
        if end:
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    if len(body) >= int(line.split(b":")[1]):
                        return Answer(raw)
        try:
            chunk = s.recv(65536)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            return Answer(raw)
        raw += chunk


def request(port, **kwargs):
    """One request on a connection of its own."""
    head_only = kwargs.get("method") == "HEAD"
    with connect(port) as s:
        s.sendall(build_request(**kwargs))
        if not head_only:
            return read_answer(s)
        raw = b""
        while chunk := s.recv(65536):
            raw += chunk
        return Answer(raw)


def chunked(body, size=1000):
    out = b""
    for i in range(0, len(body), size):
        piece = body[i:i + size]
        out += b"%x\r\n%s\r\n" % (len(piece), piece)
    return out + b"0\r\n\r\n"


class WebTest(unittest.TestCase):
    """bin/web, as users start it, with two collectors of the test's own."""

    env = {}

    def start_web(self, **env):
        """Starts bin/web; self.port, self.web and self.collectors are set."""
        self.collectors = [Collector(), Collector()]
        for c in self.collectors:
            self.addCleanup(c.close)
        self.port = free_port()
        full = {
            "PORT": str(self.port), "BIND": "127.0.0.1",
            "METRICS_CLUSTER": ",".join(c.uri for c in self.collectors),
            "API_CREDENTIALS_HEAVEN": CREDENTIALS, **self.env, **env}
        self.web = Process([ROOT / "bin" / "web"],
                           env={k: v for k, v in full.items() if v is not None})
        self.addCleanup(self.web.stop)
        self.wait_for_web()

    def wait_for_web(self):
        def answers():
            try:
                return request(self.port, method="GET", path="/_ping",
                               credentials=None).status == 200
            except OSError:
                return False
        wait_until(answers, "bin/web answers", process=self.web)

    def post(self, body=REFERENCE, **kwargs):
        return request(self.port, body=body, **kwargs)

    def counters(self):
        """Every line that the collectors have, in no order."""
        return sorted(l for c in self.collectors for l in c.lines())

    def assert_nothing_counted(self):
        self.assertEqual(self.counters(), [])


class _Result(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        self._started = time.monotonic()

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        if self.showAll:
            took = time.monotonic() - self._started
            self.stream.writeln(f"ok ({took:.2f} s)")
            self.stream.flush()


def main(name):
    """Runs the calling module's tests; closes with 'name: N passed, N failed'.
    A skipped test counts as failed: nothing here may be skipped."""
    program = unittest.main(
        module="__main__", exit=False,
        testRunner=unittest.TextTestRunner(
            verbosity=2, resultclass=_Result, stream=sys.stdout))
    r = program.result
    bad = [test for test, _ in r.failures + r.errors + r.skipped]
    bad += r.unexpectedSuccesses
    # Several subtests may fail of one test; a class's set-up is no test run.
    failed = len({getattr(test, "test_case", test) for test in bad})
    passed = max(0, r.testsRun - failed)
    print(f"{name}: {passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or r.testsRun == 0 else 0)
