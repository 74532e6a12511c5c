"""Every web server: the examples in docs/servers/ with the real servers, the
same tests for each.  The tables in docs/web-servers.md contain what these
tests find; they write them with WRITE_TABLES, and otherwise compare each cell.

    [WRITE_TABLES=1] pytest tests/servers/test_servers.py
"""

import concurrent.futures
import contextlib
import functools
import json
import os
import re
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from lib.case import Case
from lib.collector import Sink
from lib.http import (basic, build_request, chunked, connect, read_answer,
                      request)
from lib.places import CREDENTIALS, LOGPLEX, PROGRAM, REFERENCE, ROOT, tool
from lib.ports import free_port
from lib.processes import Process, children, wait_until
from servers import (ApacheFcgid, ApacheProxy, Caddy, EXAMPLES, H2o, Haproxy,
                     LighttpdCgi, LighttpdFastcgi, LighttpdSocket, Nginx,
                     NginxFcgiwrap, OTHER, WAYS, certificate)

DOCUMENT = ROOT / "docs" / "web-servers.md"
REFERENCE_JSON = {"messages": 5, "errors": 4, "skipped": 0}
BY_OWNER = [["heaven.heroku.errors.R89:1|c"],
            ["heaven.heroku.errors.R99:1|c", "heaven.heroku.errors.L99:1|c",
             "heaven.heroku.errors.H12:1|c"]]
# What a client can send to pose as another user: none of it may count.
FORGED = [f"{name}: {value}" for name, value in (
    ("Remote-User", "Aladdin"), ("Remote_User", "Aladdin"),
    ("REMOTE_USER", "Aladdin"), ("X-Remote-User", "Aladdin"),
    ("Http-Remote-User", "Aladdin"), ("Auth-Type", "Basic"),
    ("Auth_Type", "Basic"), ("AUTH_TYPE", "Basic"), ("Auth", "remote-user"),
    ("Env", "REMOTE_USER=Aladdin"), ("X-Forwarded-User", "Aladdin"),
    ("Proxy-Authorization", basic("Aladdin:open sesame")),
    ("Forwarded", "for=127.0.0.1;remote_user=Aladdin"))]
ODD_PATHS = ("//heaven/logs", "/heaven//logs", "/./heaven/logs",
             "/x/../heaven/logs", "/heaven%2Flogs", "/%68eaven/logs",
             "/heaven/logs%00", "/heaven%00/logs", "/heaven/logs/",
             "/heaven/logs?a=b", "/heaven/logs%3Fa",
             "http://localhost/heaven/logs")

BEGIN = "<!-- The tests write and check this part. -->\n"
END = "<!-- End of what the tests write. -->\n"
COLUMNS = ("mounts", "BASE_PATH", "program checks", "server checks", "chunked",
           "no length", "1 MB", "the body", "client leaves", "refused early",
           "HEAD", "`Proxy:`", "TLS", "killed", "stopped", "log")
# The rows and columns of the two tables.
TABLES = (("way", [w.way for w in WAYS], COLUMNS),
          ("`POST`", [f"`{p}`" for p in ODD_PATHS], [w.way for w in WAYS]))
WRITE = "WRITE_TABLES" in os.environ
found = {}  # {(row, column): cell}


def line(cells):
    return "| " + " | ".join(cells) + " |\n"


def tables(cells):
    return "\n".join(
        line([corner, *columns]) + line(["---"] * (len(columns) + 1)) + "".join(
            line([row, *(cells.get((row, column), "FAILED")
                         for column in columns)]) for row in rows)
        for corner, rows, columns in TABLES)


def written():
    """A table's part of the document, and its cells."""
    part = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]
    cells = {}
    for text, (_, _, columns) in zip(part.split("\n\n"), TABLES):
        for row in text.splitlines()[2:]:
            name, *of_row = row[2:-2].split(" | ")
            cells.update({(name, c): cell for c, cell in zip(columns, of_row)})
    return part, cells


WRITTEN, DOCUMENTED = written()


def note(row, column, cell):
    """Notes a cell of the tables; it must be the same in the document."""
    found[row, column] = str(cell)
    assert WRITE or DOCUMENTED.get((row, column)) == str(cell), \
        f"docs/web-servers.md says otherwise of {row}, {column}: if this is " \
        "right, WRITE_TABLES=1 puts it there"


class WayTest(Case):
    """One way to run the program."""

    server_class = None
    __test__ = False

    @pytest.fixture(autouse=True, scope="class")
    def own_server(self, request, class_keep):
        """The program checks the password."""
        request.cls.own = class_keep(
            self.server_class(settings={"BASE_PATH": "/mount"}))
        request.cls.servers = [request.cls.own]

    def note(self, column, cell):
        note(self.server_class.way, column, cell)

    def take(self, server):
        return [sink.lines() for sink in server.sinks]

    def post(self, server, body=REFERENCE, path="/heaven/logs", **kwargs):
        answer = request(server.port, body=body, path=path, **kwargs)
        # Logplex cannot read any other answer, and sends the batch again.
        assert answer.headers.get("content-length") == str(
            len(answer.body)), answer.raw
        return answer

    def assert_counted(self, server, answer, times=1):
        assert answer.status == 201, answer.raw
        want = [[line.replace(":1|", f":{times}|") for line in lines]
                for lines in BY_OWNER]
        assert self.take(server) == want

    def assert_refused(self, server, answer, *statuses):
        assert answer.status in statuses, answer.raw
        assert self.take(server) == [[], []]

    def assert_serves(self, server):
        self.assert_counted(server, self.post(server))

    def raw(self, server, data):
        with connect(server.port) as s:
            s.sendall(data)
            return read_answer(s)

    def test_reference_example_at_every_mount(self):
        for mount in self.server_class.mounts:
            for server in self.servers:
                answer = self.post(server, path=mount + "/heaven/logs")
                self.assert_counted(server, answer)
                assert json.loads(answer.body) == REFERENCE_JSON
                assert answer.headers["content-type"] == "application/json"
        self.note("mounts", ", ".join(
            f"`{m}/`" for m in self.server_class.mounts))

    def test_base_path_is_taken_off(self):
        self.assert_counted(self.own, self.post(
            self.own, path="/mount/heaven/logs"))
        self.note("BASE_PATH", "yes")

    def test_program_checks_the_password(self):
        for credentials in ("Aladdin:wrong", ":open sesame", OTHER, None):
            answer = self.post(self.own, credentials=credentials)
            self.assert_refused(self.own, answer, 401)
            assert 'realm="logplex-statsd"' in answer.headers[
                "www-authenticate"]
        self.note("program checks", "yes")

        if not self.server_class.checks_passwords:
            self.note("server checks", "no")

    def test_program_never_believes_a_remote_user(self):
        for header in FORGED:
            self.assert_refused(self.own, self.post(
                self.own, credentials=None, headers=[header]), 401)
        for credentials in (None, "Aladdin:wrong", OTHER):
            self.assert_refused(self.own, self.post(
                self.own, credentials=credentials, headers=FORGED[::3]), 401)

    def test_second_authorization_header_is_never_taken_for_the_first(self):
        mine = "Authorization: " + basic(OTHER)
        wrong = "Authorization: " + basic("Aladdin:wrong")
        for headers in ([mine, wrong], [wrong, mine]):
            for server in self.servers:
                self.assert_refused(server, self.post(
                    server, credentials=None, headers=headers), 400, 401)

    def test_chunked_body(self):
        answer = self.raw(self.own, build_request(
            length=False, headers=["Transfer-Encoding: chunked"]) +
            chunked(REFERENCE, 100))
        self.assert_counted(self.own, answer)
        self.note("chunked", "201")

    def test_body_without_a_length(self):
        with connect(self.own.port) as s:
            s.sendall(build_request(length=False, body=REFERENCE))
            answer = read_answer(s)
        assert answer.status in (201, 400, 411)
        if answer.status == 201:
            assert json.loads(answer.body)["messages"] == 0
        assert self.take(self.own) == [[], []]
        self.note("no length", f"{answer.status}, no messages"
                  if answer.status == 201 else str(answer.status))

    def test_body_of_a_megabyte(self):
        times = (1 << 20) // len(REFERENCE) + 1
        body = REFERENCE * times
        for server in self.servers:
            self.assert_counted(server, self.post(server, body=body), times)
        answer = self.raw(self.own, build_request(
            length=False, headers=["Transfer-Encoding: chunked"]) +
            chunked(body, 50000))
        if self.server_class is Haproxy:  # see the document
            self.assert_refused(self.own, answer, 400)
            self.note("1 MB", "201, in chunks 400")
        else:
            self.assert_counted(self.own, answer, times)
            self.note("1 MB", "201")

    def test_early_refusal_is_delivered(self):
        body = REFERENCE * 1500
        for server in self.servers:
            self.assert_refused(server, self.post(
                server, body=body, credentials="Aladdin:wrong"), 401)
        huge = REFERENCE * ((9 << 20) // len(REFERENCE))
        self.assert_refused(self.own, self.post(self.own, body=huge), 413)
        self.assert_serves(self.own)
        self.note("refused early", "401, 413")

    def test_client_that_leaves_counts_nothing(self):
        body = REFERENCE * 400
        half = len(REFERENCE) * 200  # where a frame ends
        for data in (
                build_request(body=body)[:-len(body) + half],
                build_request(length=False, headers=[
                    "Transfer-Encoding: chunked"]) +
                chunked(body[:half], half)[:-len(b"0\r\n\r\n")]):
            with connect(self.own.port) as s:
                s.sendall(data)
                time.sleep(0.1)  # a server that streams can hand it over
            for _ in range(10):
                assert self.take(self.own) == [[], []]
                time.sleep(0.02)
            self.assert_serves(self.own)
        self.note("client leaves", "nothing counted")

    def test_stalled_senders_hold_up_nobody(self):
        # As many as the documented set-up can serve, in the middle of a body
        # of 1 MB; a server that waits for the body takes any number.
        way = self.server_class
        streams = way.streams is not None and not way.cgi
        number = way.responders_wanted - 1 if streams else 12
        data = build_request(body=bytes(1 << 20))[:1 << 19]
        idle = self.busy()
        with contextlib.ExitStack() as stack:
            for _ in range(number):
                slow = stack.enter_context(connect(self.own.port))
                slow.sendall(data)
            if way.streams is not None:
                wait_until(lambda: self.busy() >= idle + number,
                           "every sender has a responder")
            other = stack.enter_context(connect(self.own.port, timeout=1))
            other.sendall(build_request(body=REFERENCE))
            self.assert_counted(self.own, read_answer(other))
            assert (self.busy() > idle) == (way.streams is not None)
        wait_until(lambda: self.busy() == idle, "those who left are done with")
        self.assert_serves(self.own)
        self.note("the body", self.body_cell())

    def test_stalled_senders_of_small_bodies(self):
        # A server that streams may wait for bodies up to some size.
        if self.server_class.streams in (None, 1):
            return
        size = self.server_class.streams - 2048  # for headers and the like
        data = build_request(body=bytes(size))[:-1]
        idle = self.busy()
        with contextlib.ExitStack() as stack:
            for _ in range(12):
                stack.enter_context(connect(self.own.port)).sendall(data)
            other = stack.enter_context(connect(self.own.port, timeout=1))
            other.sendall(build_request(body=REFERENCE))
            self.assert_counted(self.own, read_answer(other))
            assert self.busy() == idle

    def body_cell(self):
        way = self.server_class
        if way.streams is None:
            return "waited for"
        if way.cgi:
            return "streamed, a process each"
        return f"streamed from {way.streams >> 10} KB on"

    def busy(self):
        """How many requests the program has at the moment."""
        if self.server_class.cgi:
            return len(self.own.responders())
        return sum(sockets(p) for p in self.own.responders())

    def test_stopped_responder(self):
        status, seconds, late, again = stopped_responders()[
            self.server_class].result()
        for _ in range(2):  # a busy machine may take more than 5 s
            if seconds >= 5:
                status, seconds, late, again = stop_responder(
                    self.server_class)
        assert status >= 500
        assert seconds > 2
        assert seconds < 5
        # fcgiwrap does not notice that nginx has disconnected: see the
        # document.
        counts_late = self.server_class is NginxFcgiwrap
        assert late == (4 if counts_late else 0)
        assert late + again == 4
        self.note("stopped", f"{status}, " + (
            "counted late" if late else "nothing counted"))

    def test_batch_that_comes_again_is_counted_once(self):
        """Served by another process, if there are several; and by the next
        one."""
        frame_id = [f"Logplex-Frame-Id: {os.urandom(16).hex()}"]
        for again in range(4):
            answer = self.post(self.own, headers=frame_id)
            if again == 0:
                self.assert_counted(self.own, answer)
            assert (answer.status, "duplicate" in json.loads(answer.body)) == (
                201, again > 0)
            assert self.take(self.own) == [[], []]
        for pid in self.own.responders():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.own.answers() and self.own.answers(),
                   "it is served again")
        answer = self.post(self.own, headers=frame_id)
        assert "duplicate" in json.loads(answer.body)
        assert self.take(self.own) == [[], []]
        assert "event=frames-file" not in "".join(self.own.logs().values())

    def test_head(self):
        for path, status in (("/_ping", 200), ("/heaven/logs", 405)):
            answer = request(self.own.port, method="HEAD", path=path)
            assert (answer.status, answer.body) == (status, b"")
            if status == 405:
                assert answer.headers["allow"] == "POST"
        self.note("HEAD", "yes")

    @pytest.mark.parametrize("path", ODD_PATHS)
    def test_odd_paths(self, path):
        for server in self.servers:
            answer = self.post(server, path=path)
            if answer.status == 201:
                self.assert_counted(server, answer)
            else:
                self.assert_refused(server, answer, 400, 404, 500)
            answer2 = self.post(server, path=path,
                                credentials="Aladdin:wrong")
            self.assert_refused(server, answer2, 400, 401, 404, 500)
            note(f"`{path}`", self.server_class.way, answer.status)

    def test_proxy_header_has_no_effect(self):
        self.assert_counted(self.own, self.post(
            self.own, headers=["Proxy: http://127.0.0.1:9/"]))
        self.note("`Proxy:`", "no effect")

    def test_query_string_is_no_option(self):
        # RFC 3875 4.4: without a = it may become a CGI program's arguments.
        for query in ("--check", "--version", "--explain+--app+x+/etc/passwd"):
            answer = request(self.own.port, method="GET", credentials=None,
                             path="/_ping?" + query)
            assert answer.status == 200
            assert b'"status":"ok"' in answer.body

    def test_headers_that_come_twice(self):
        for first, second in ((LOGPLEX, "text/plain"), ("text/plain", LOGPLEX)):
            answer = self.post(self.own, content_type=first,
                               headers=["Content-Type: " + second])
            if answer.status == 201:
                self.assert_counted(self.own, answer)
            else:
                self.assert_refused(self.own, answer, 400, 415)

    def test_log_lines_arrive(self):
        self.post(self.own, path="/zenith/logs")
        line = "event=refused status=401 app=zenith"
        where = []

        def logged():
            where[:] = [w for w, text in self.own.logs().items()
                        if line in text]
            return where
        wait_until(logged, line)
        self.take(self.own)
        self.note("log", " and ".join(where))

    def curl(self, server, data, *options):
        """(version of HTTP, status) of a request by curl, over TLS."""
        done = subprocess.run(
            [tool("curl"), "-s", "--cacert", certificate(), "-o", "/dev/null",
             "-w", "%{http_version} %{http_code}", "-X", "POST", "-H",
             f"Content-Type: {LOGPLEX}", "-u", CREDENTIALS, *options,
             f"https://localhost:{server.port}/heaven/logs"],
            input=data, capture_output=True, timeout=60)
        version, status = done.stdout.decode().split()
        return version, int(status)

    def test_tls(self):
        server = self.keep(self.server_class(tls=True))
        best = "1.1" if self.server_class.name == "lighttpd" else "2"
        sized, unsized = ("--data-binary", "@-"), ("-T", "-")
        for option, version in (("--http2", best), ("--http1.1", "1.1")):
            for how in (sized, unsized):
                seen, status = self.curl(server, REFERENCE, option, *how)
                assert seen == version
                if (self.server_class is ApacheFcgid and version == "2"
                        and how is unsized):  # see the document
                    assert status in (500, 503)
                    assert self.take(server) == [[], []]
                else:
                    assert status == 201
                    assert self.take(server) == BY_OWNER
            assert self.curl(server, REFERENCE * 2000, option, *sized) == (
                version, 201)
            assert sum(map(len, self.take(server))) == 4
            assert self.curl(server, REFERENCE, option, *sized, "-u",
                             "a:wrong") == \
                (version, 401)
        assert self.take(server) == [[], []]
        self.note("TLS", "HTTP/2, HTTP/1.1" if best == "2" else "HTTP/1.1")

    def test_responder_killed_in_mid_request(self):
        # During a request: with half of a body; or stopped; or, for a process
        # that lives milliseconds, a script that waits before it becomes one.
        server = self.keep(
            self.server_class(edits=STREAMING.get(self.server_class, {})))
        self.assert_serves(server)
        if self.server_class in (LighttpdCgi, NginxFcgiwrap):
            status = self.kill_before_start(server)
        elif self.server_class is ApacheFcgid:
            status = self.kill_stopped(server)
        elif self.server_class in (ApacheProxy, Caddy, H2o):
            status = self.kill_while_reading(server)
        else:
            status = self.kill_with_half_a_body(server)
        assert status >= 500
        assert self.take(server) == [[], []]
        self.assert_serves(server)
        self.note("killed", f"{status}, next one served")

    def kill_with_half_a_body(self, server):
        def in_hand():
            return [p for p in server.responders()
                    if sockets(p) > idle.get(p, -1)]
        idle = {p: sockets(p) for p in server.responders()}
        data = build_request(body=REFERENCE * 100)
        with connect(server.port) as s:
            s.sendall(data[:len(data) // 2])
            wait_until(in_hand, "a responder has the request")
            pid, = in_hand()
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: pid not in server.responders(), "it is gone")
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                s.sendall(data[len(data) // 2:])
            return read_answer(s).status

    def kill_stopped(self, server):
        pid, = server.responders()
        os.kill(pid, signal.SIGSTOP)
        with connect(server.port) as s:
            s.sendall(build_request(body=REFERENCE))
            wait_until(lambda: waiting(server.folder / "fcgid"),
                       "the request waits in the responder's socket")
            os.kill(pid, signal.SIGKILL)
            return read_answer(s).status

    def kill_while_reading(self, server):
        # A large body takes some milliseconds; if it was finished before,
        # there are more tries.
        body = REFERENCE * (8_300_000 // len(REFERENCE))
        for _ in range(20):
            idle = {p: sockets(p) for p in server.responders()}
            with connect(server.port) as s:
                s.sendall(build_request(body=body))
                while not (busy := [p for p, n in idle.items()
                                    if sockets(p) > n]):
                    if select.select([s], [], [], 0)[0]:
                        break
                for pid in busy:
                    os.kill(pid, signal.SIGKILL)
                answer = read_answer(s)
            if answer.status != 201:
                return answer.status
            self.take(server)
            wait_until(lambda: len(server.responders()) == len(idle),
                       "another is started")
        pytest.fail("the responder was always faster")

    def kill_before_start(self, server):
        with server.stand_in("sleep 5"), connect(server.port) as s:
            s.sendall(build_request(body=REFERENCE))
            wait_until(server.stand_ins, "the process waits")
            for pid in server.stand_ins():
                for each in [pid, *children(pid)]:  # none goes on
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(each, signal.SIGKILL)
            return read_answer(s).status


class GuardedTest(WayTest):
    """One way to run the program, where either the program or the server
    checks the passwords."""

    @pytest.fixture(autouse=True, scope="class")
    def guarded_server(self, request, class_keep, own_server):
        """The server checks the password."""
        request.cls.guarded = class_keep(
            self.server_class(checked_by_server=True))
        request.cls.servers.append(request.cls.guarded)

    def test_server_checks_the_password(self):
        for credentials in ("Aladdin:wrong", "Aladdin:", ":open sesame",
                            "heaven:heaven", None):
            answer = self.post(self.guarded, credentials=credentials)
            self.assert_refused(self.guarded, answer, 401)
            assert "basic" in answer.headers["www-authenticate"].lower()
        self.note("server checks", "yes")

    def test_right_user_may_write_to_their_own_application_only(self):
        self.assert_refused(self.guarded, self.post(
            self.guarded, path="/other/logs"), 401)
        self.assert_refused(self.guarded, self.post(
            self.guarded, credentials=OTHER), 401)
        answer = self.post(self.guarded, credentials=OTHER,
                           path="/Mallory/logs")
        assert answer.status == 201
        assert sum(map(len, self.take(self.guarded))) == 4

    def test_client_cannot_name_itself_past_the_server(self):
        for header in FORGED:
            for credentials in (None, OTHER):
                self.assert_refused(self.guarded, self.post(
                    self.guarded, credentials=credentials,
                    headers=[header]), 400, 401)
        for authorization in ("Bearer QWxhZGRpbg==", "Aladdin",
                              'Digest username="Aladdin"', "Basic",
                              "Basic Aladdin", "Basic QWxhZGRpbg==",
                              "Basic QWxhZGRpbjo="):
            self.assert_refused(self.guarded, self.post(
                self.guarded, credentials=None,
                headers=["Authorization: " + authorization]), 400, 401)


def stop_responder(way):
    """(status, seconds, number of counters, number of counters after the
    sender has repeated the batch) for a request whose responder is stopped,
    and continued once the sender has its answer."""
    server = way()
    batch = {"body": REFERENCE, "headers": ["Logplex-Frame-Id: late"]}
    try:
        with contextlib.ExitStack() as stack:
            if way.cgi:  # a process that stops itself as it starts
                # lighttpd's mod_cgi forgets the time limit of a process that
                # starts before an older one has ended.
                wait_until(lambda: not server.responders(), "none is left")
                stack.enter_context(server.stand_in("kill -STOP $$"))
                stopped = server.stand_ins
            else:
                pids = server.responders()
                stopped = lambda: pids  # noqa: E731
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
            begun = time.monotonic()
            status = request(server.port, **batch).status
            seconds = time.monotonic() - begun
            for pid in stopped():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            wait_until(lambda: not way.cgi or not server.stand_ins(),
                       "the stopped process goes on")
        # The one that answers now has finished its former request; its
        # siblings get a moment for that.
        wait_until(lambda: request(server.port, body=REFERENCE).status == 201,
                   "it serves again")
        time.sleep(0.2)
        late = sum(len(sink.take()) for sink in server.sinks) - 4
        request(server.port, **batch)
        again = sum(len(sink.take()) for sink in server.sinks)
        return status, seconds, late, again
    finally:
        server.stop()


@functools.lru_cache(None)
def stopped_responders():
    """{way: future of stop_responder's result}, all at once: they wait for
    seconds."""
    with concurrent.futures.ThreadPoolExecutor(len(WAYS)) as pool:
        return {way: pool.submit(stop_responder, way) for way in WAYS}


for _way in WAYS:
    _name = _way.__name__ + "Test"
    globals()[_name] = type(
        _name, (GuardedTest if _way.checks_passwords else WayTest,), {
        "server_class": _way, "__test__": True, "__module__": __name__})


# These servers wait for the whole body before they pass on a request.  For the
# test that kills the responder in the middle of a body, they don't.
STREAMING = {
    Nginx: {"nginx-params.conf": [
        ("client_max_body_size",
         "fastcgi_request_buffering off;\nclient_max_body_size")]},
    LighttpdFastcgi: {"lighttpd-fastcgi.conf": [
        ("server.max-request-size",
         "server.stream-request-body = 1\nserver.max-request-size")]},
    LighttpdSocket: {"lighttpd-socket.conf": [
        ("server.max-request-size",
         "server.stream-request-body = 1\nserver.max-request-size")]},
}


def sockets(pid):
    """How many sockets and pipes a process holds."""
    count = 0
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            count += os.readlink(fd).startswith("socket:")
    return count


def waiting(path):
    """How many connections wait in the unix sockets below a path."""
    out = subprocess.run([tool("ss"), "-xlnH"], check=True,
                         capture_output=True, text=True).stdout
    return sum(int(line.split()[2]) for line in out.splitlines()
               if str(path) in line)


COLUMNS = ("mounts", "BASE_PATH", "program checks", "server checks", "chunked",
           "no length", "1 MB", "the body", "client leaves", "refused early",
           "HEAD", "`Proxy:`", "TLS", "killed", "stopped", "log")


class BusyboxTest(Case):
    """busybox httpd, which runs the program as CGI and checks the
    passwords."""

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-busybox-")
        self.at_end(folder.cleanup)
        program = Path(folder.name) / "cgi-bin" / "logplex-statsd"
        program.parent.mkdir()
        program.symlink_to(PROGRAM)
        self.sink = self.keep(Sink())
        self.port = free_port()
        process = self.keep(Process(
            [tool("busybox"), "httpd", "-f", "-p", f"127.0.0.1:{self.port}",
             "-h", folder.name, "-c", EXAMPLES / "busybox.conf"],
            env={"METRICS_CLUSTER": self.sink.uri, "AUTH": "remote-user",
                 "API_CREDENTIALS_HEAVEN": CREDENTIALS}))

        def listens():
            with contextlib.suppress(OSError):
                return connect(self.port).close() is None
        wait_until(listens, "busybox listens", process=process)

    def post(self, path="/heaven/logs", **kwargs):
        answer = request(self.port, path="/cgi-bin/logplex-statsd" + path,
                         **{"body": REFERENCE, **kwargs})
        assert len(self.sink.take()) == (4 if answer.status == 201 else 0)
        return answer

    def test_counts_for_the_right_user(self):
        answer = self.post(body=REFERENCE * 2000)
        assert answer.status == 201
        assert answer.headers["content-length"] == str(len(answer.body))

    def test_refuses_all_others(self):
        for kwargs in ({"credentials": None}, {"credentials": "Aladdin:wrong"},
                       {"path": "/other/logs"},
                       *({"credentials": None, "headers": [header]}
                         for header in FORGED)):
            assert self.post(**kwargs).status == 401

    def test_does_not_understand_chunks(self):
        with connect(self.port) as s:
            s.sendall(build_request(
                path="/cgi-bin/logplex-statsd/heaven/logs", length=False,
                headers=["Transfer-Encoding: chunked"]) +
                chunked(REFERENCE, 100))
            assert read_answer(s).status == 422
        assert self.sink.take() == []


# docs/web-servers.md names examples by their paths, and a user's own files
        # by their names.
EXAMPLE = re.compile(r"[a-z0-9-]+\.(?:conf|env|sh)\b")


class DocumentTest(Case):
    def test_document_names_every_example_and_no_other(self):
        document = DOCUMENT.read_text()
        examples = {p.name for p in EXAMPLES.iterdir()}
        assert examples - set(EXAMPLE.findall(document)) == set()
        assert set(re.findall(r"docs/servers/([\w.-]+)", document)) - examples == \
            set()

    def test_tables_have_a_cell_for_all_that_was_found(self):
        if WRITE:
            document = DOCUMENT.read_text()
            DOCUMENT.write_text(document.replace(WRITTEN, tables(found)))
        else:
            assert tables(DOCUMENTED) == WRITTEN
            assert "FAILED" not in WRITTEN
