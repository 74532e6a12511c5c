"""A simple FastCGI client, for records that no web server would ever send, and
the responder on its own, started as lighttpd and spawn-fcgi start it: with a
listening unix socket as descriptor 0."""

import contextlib
import os
import socket
import struct
import tempfile

from lib.case import Case
from lib.collector import Collector
from lib.http import Answer, basic
from lib.places import (CREDENTIALS, LOGPLEX, PROGRAM, REFERENCE,
                        REFERENCE_COUNTERS)
from lib.processes import Process

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA = range(1, 9)
KEEP_CONNECTION = 1


def record(kind, content=b"", request=1, padding=0):
    return struct.pack(">BBHHBx", 1, kind, request, len(content), padding) + \
        content + bytes(padding)


def begin(role=1, flags=0):
    return record(BEGIN, struct.pack(">HB5x", role, flags))


def _length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 1 << 31)


def stream(kind, content, end=True):
    """A stream's records, and the empty one that ends it."""
    out = b"".join(record(kind, content[i:i + 65528])
                   for i in range(0, len(content), 65528))
    return out + (record(kind) if end else b"")


def pairs(variables):
    out = b""
    for name, value in variables:
        name, value = name.encode("latin-1"), value.encode("latin-1")
        out += _length(len(name)) + _length(len(value)) + name + value
    return out


def variables(length, path="/heaven/logs", credentials=CREDENTIALS, **more):
    """The parameters that lighttpd sends with a batch; with length None,
    without its length."""
    said = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": path,
            "CONTENT_TYPE": LOGPLEX, "HTTP_AUTHORIZATION": basic(credentials)}
    if length is not None:
        said["CONTENT_LENGTH"] = str(length)
    return list({**said, **more}.items())


def message(body=REFERENCE, length=..., end=True, flags=0, **more):
    """A whole request."""
    if length is ...:
        length = len(body)
    return begin(flags=flags) + \
        stream(PARAMS, pairs(variables(length, **more))) + \
        stream(STDIN, body, end)


def read_reply(s):
    """The answer, or None if the connection ended without a whole one."""
    raw, out = b"", b""
    while True:
        while len(raw) >= 8:
            _, kind, _, length, padding = struct.unpack(">BBHHBx", raw[:8])
            if len(raw) < 8 + length + padding:
                break
            content = raw[8:8 + length]
            raw = raw[8 + length + padding:]
            if kind == STDOUT:
                out += content
            if kind == END:
                return Answer(out.replace(b"Status:", b"HTTP/1.1", 1)) \
                    if out else None
        try:
            chunk = s.recv(65536)
        except ConnectionResetError:
            return None
        if not chunk:
            return None
        raw += chunk


class ResponderTest(Case):
    """The responder alone, on a separate unix socket."""

    def start_responder(self, collectors=None, command=(PROGRAM,), log=None,
                        processes=1, **env):
        self.collectors = collectors or [Collector(), Collector()]
        for c in self.collectors:
            self.keep(c)
        folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-")
        self.at_end(folder.cleanup)
        self.path = os.path.join(folder.name, "socket")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self.path)
            listening.listen(1024)
            self.responders = [self.keep(Process(
                command, stdin=listening, log=log, env={
                    "METRICS_CLUSTER": ",".join(
                        c.uri for c in self.collectors),
                    "API_CREDENTIALS_HEAVEN": CREDENTIALS, **env}))
                for _ in range(processes)]
        self.responder = self.responders[0]

    def connect(self, timeout=30):
        s = self.keep(socket.socket(socket.AF_UNIX))
        s.settimeout(timeout)
        s.connect(self.path)
        return s

    def ask(self, *args, **kwargs):
        with contextlib.closing(self.connect()) as s:
            s.sendall(message(*args, **kwargs))
            return read_reply(s)

    def status(self, *args, **kwargs):
        answer = self.ask(*args, **kwargs)
        return answer.status if answer is not None else None

    def counters(self):
        return sorted(l for c in self.collectors for l in c.lines())

    def assert_reference_counted(self, times=1):
        assert self.counters() == sorted(list(REFERENCE_COUNTERS) * times)
