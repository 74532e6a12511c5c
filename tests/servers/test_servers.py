"""Behind every web server: the examples of docs/servers/ with the real
servers, the same tests for each.  The tables in docs/web-servers.md are what
these tests found; WRITE_TABLES puts them there, and a test compares.

    [WRITE_TABLES=1] pytest tests/servers/test_servers.py
"""

import json
import re
import sys
import unittest
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from servers import *  # noqa: E402

pytestmark = pytest.mark.xdist_group("test_servers")

DOCUMENT = ROOT / "docs" / "web-servers.md"
REFERENCE_JSON = {"messages": 5, "errors": 4, "skipped": 0}
BY_OWNER = [["heaven.heroku.errors.R89:1|c"],
            ["heaven.heroku.errors.R99:1|c", "heaven.heroku.errors.L99:1|c",
             "heaven.heroku.errors.H12:1|c"]]
# What a client may send to pass for somebody: none of it may ever count.
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

found = {}  # {way: {column: cell}}
odd = {}    # {path: {way: status}}


class WayTest(unittest.TestCase):
    """One way, with the program checking the passwords and with the server
    doing so."""

    server_class = None
    __test__ = False

    @classmethod
    def setUpClass(cls):
        cls.own = cls.guarded = None
        cls.addClassCleanup(lambda: [s.stop() for s in (cls.own, cls.guarded)
                                     if s is not None])
        cls.own = cls.server_class(settings={"BASE_PATH": "/mount"})
        cls.guarded = cls.server_class(checked_by_server=True)

    def note(self, column, cell):
        found.setdefault(self.server_class.way, {})[column] = cell

    def take(self, server):
        return [sink.take() for sink in server.sinks]

    def post(self, server, body=REFERENCE, path="/heaven/logs", **kwargs):
        answer = request(server.port, body=body, path=path, **kwargs)
        # Logplex reads no other kind of answer, and sends the batch again.
        self.assertEqual(answer.headers.get("content-length"),
                         str(len(answer.body)), answer.raw)
        return answer

    def assert_counted(self, server, answer, times=1):
        self.assertEqual(answer.status, 201, answer.raw)
        want = [[line.replace(":1|", f":{times}|") for line in lines]
                for lines in BY_OWNER]
        self.assertEqual(self.take(server), want)

    def assert_refused(self, server, answer, *statuses):
        self.assertIn(answer.status, statuses, answer.raw)
        self.assertEqual(self.take(server), [[], []])

    def assert_serves(self, server):
        self.assert_counted(server, self.post(server))

    def raw(self, server, data):
        with connect(server.port) as s:
            s.sendall(data)
            return read_answer(s)

    def test_reference_example_at_every_mount(self):
        for mount in self.server_class.mounts:
            for server in (self.own, self.guarded):
                with self.subTest(mount=mount):
                    answer = self.post(server, path=mount + "/heaven/logs")
                    self.assert_counted(server, answer)
                    self.assertEqual(json.loads(answer.body), REFERENCE_JSON)
                    self.assertEqual(answer.headers["content-type"],
                                     "application/json")
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
            self.assertIn('realm="logplex-statsd"',
                          answer.headers["www-authenticate"])
        self.note("program checks", "yes")

    def test_program_never_believes_a_remote_user(self):
        for header in FORGED:
            self.assert_refused(self.own, self.post(
                self.own, credentials=None, headers=[header]), 401)
        for credentials in (None, "Aladdin:wrong", OTHER):
            self.assert_refused(self.own, self.post(
                self.own, credentials=credentials, headers=FORGED[::3]), 401)

    def test_server_checks_the_password(self):
        for credentials in ("Aladdin:wrong", "Aladdin:", ":open sesame",
                            "heaven:heaven", None):
            answer = self.post(self.guarded, credentials=credentials)
            self.assert_refused(self.guarded, answer, 401)
            self.assertIn("basic", answer.headers["www-authenticate"].lower())
        self.note("server checks", "yes")

    def test_right_user_may_write_to_his_own_application_only(self):
        self.assert_refused(self.guarded, self.post(
            self.guarded, path="/other/logs"), 401)
        self.assert_refused(self.guarded, self.post(
            self.guarded, credentials=OTHER), 401)
        answer = self.post(self.guarded, credentials=OTHER,
                           path="/Mallory/logs")
        self.assertEqual(answer.status, 201)
        self.assertEqual(sum(map(len, self.take(self.guarded))), 4)

    def test_client_cannot_name_himself_past_the_server(self):
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

    def test_second_authorization_header_is_never_taken_for_the_first(self):
        mine = "Authorization: " + basic(OTHER)
        his = "Authorization: " + basic("Aladdin:wrong")
        for headers in ([mine, his], [his, mine]):
            for server in (self.guarded, self.own):
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
        self.assertIn(answer.status, (201, 400, 411))
        if answer.status == 201:
            self.assertEqual(json.loads(answer.body)["messages"], 0)
        self.assertEqual(self.take(self.own), [[], []])
        self.note("no length", f"{answer.status}, no messages"
                  if answer.status == 201 else str(answer.status))

    def test_body_of_a_megabyte(self):
        times = (1 << 20) // len(REFERENCE) + 1
        body = REFERENCE * times
        self.assert_counted(self.own, self.post(self.own, body=body), times)
        self.assert_counted(self.guarded, self.post(self.guarded, body=body),
                            times)
        self.assert_counted(self.own, self.raw(self.own, build_request(
            length=False, headers=["Transfer-Encoding: chunked"]) +
            chunked(body, 50000)), times)
        self.note("1 MB", "201")

    def test_early_refusal_is_delivered(self):
        body = REFERENCE * 1500
        for server in (self.own, self.guarded):
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
                time.sleep(0.1)  # let a server that streams hand it over
            for _ in range(20):
                self.assertEqual(self.take(self.own), [[], []])
                time.sleep(0.02)
            self.assert_serves(self.own)
        self.note("client leaves", "nothing counted")

    def test_slow_senders(self):
        # With one more of them than there are responders.
        data = build_request(body=REFERENCE * 100)
        data = data[:len(data) // 2]
        holds = self.server_class in (ApacheProxy, Caddy)  # see the document
        idle = {p: sockets(p) for p in self.own.responders()}
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                slow = stack.enter_context(connect(self.own.port))
                slow.sendall(data)
            if holds:
                wait_until(lambda: all(sockets(p) > n
                                       for p, n in idle.items()),
                           "every responder has a slow sender")
            other = stack.enter_context(connect(self.own.port))
            other.sendall(build_request(body=REFERENCE))
            if holds:
                other.settimeout(1)
                with self.assertRaises(socket.timeout):
                    other.recv(1)
            else:
                self.assert_counted(self.own, read_answer(other))
        if holds:  # those who have gone are done with, and the other
            wait_until(lambda: self.post(self.own).status == 201, "it goes on")
            self.take(self.own)
        self.note("slow senders", "others wait" if holds else "others go on")

    def test_batch_that_comes_again_is_counted_once(self):
        """By another process, if there are several; and by the next one."""
        frame_id = [f"Logplex-Frame-Id: {os.urandom(16).hex()}"]
        for again in range(4):
            answer = self.post(self.own, headers=frame_id)
            if again == 0:
                self.assert_counted(self.own, answer)
            self.assertEqual(
                (answer.status, "duplicate" in json.loads(answer.body)),
                (201, again > 0))
            self.assertEqual(self.take(self.own), [[], []])
        for pid in self.own.responders():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.own.answers() and self.own.answers(),
                   "it is served again")
        answer = self.post(self.own, headers=frame_id)
        self.assertIn("duplicate", json.loads(answer.body))
        self.assertEqual(self.take(self.own), [[], []])
        self.assertNotIn("event=frames-file", "".join(
            self.own.logs().values()))

    def test_head(self):
        for path, status in (("/_ping", 200), ("/heaven/logs", 405)):
            answer = request(self.own.port, method="HEAD", path=path)
            self.assertEqual((answer.status, answer.body), (status, b""))
            if status == 405:
                self.assertEqual(answer.headers["allow"], "POST")
        self.note("HEAD", "yes")

    def test_odd_paths(self):
        for path in ODD_PATHS:
            with self.subTest(path=path):
                for server in (self.own, self.guarded):
                    answer = self.post(server, path=path)
                    if answer.status == 201:
                        self.assert_counted(server, answer)
                    else:
                        self.assert_refused(server, answer, 400, 404)
                    answer2 = self.post(server, path=path,
                                        credentials="Aladdin:wrong")
                    self.assert_refused(server, answer2, 400, 401, 404)
                    odd.setdefault(path, {})[self.server_class.way] = \
                        answer.status

    def test_proxy_header_has_no_effect(self):
        self.assert_counted(self.own, self.post(
            self.own, headers=["Proxy: http://127.0.0.1:9/"]))
        self.note("`Proxy:`", "no effect")

    def test_query_string_is_no_option(self):
        # RFC 3875 4.4: without a = it may become a CGI program's arguments.
        for query in ("--check", "--version", "--explain+--app+x+/etc/passwd"):
            answer = request(self.own.port, method="GET", credentials=None,
                             path="/_ping?" + query)
            self.assertEqual(answer.status, 200)
            self.assertIn(b'"status":"ok"', answer.body)

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

    def test_responder_killed_in_mid_request(self):
        # In hand: with half of a body; or stopped; or, for a process that
        # lives milliseconds, a stand-in that waits before it becomes one.
        server = self.server_class(edits=STREAMING.get(self.server_class, {}))
        self.addCleanup(server.stop)
        self.assert_serves(server)
        if self.server_class is LighttpdCgi:
            status = self.kill_before_start(server)
        elif self.server_class is ApacheFcgid:
            status = self.kill_stopped(server)
        else:
            status = self.kill_with_half_a_body(server)
        self.assertGreaterEqual(status, 500)  # the sender tries again
        self.assertEqual(self.take(server), [[], []])
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

    def kill_before_start(self, server):
        program = server.binary.rename(server.binary.with_suffix(".away"))
        server.binary.write_text(f"#!/bin/sh\nsleep 5\nexec {program}\n")
        server.binary.chmod(0o755)
        with connect(server.port) as s:
            s.sendall(build_request(body=REFERENCE))
            wait_until(lambda: len(children(server.process.pid)) == 2,
                       "the process waits")
            for pid in children(server.process.pid):
                os.kill(pid, signal.SIGKILL)
            status = read_answer(s).status
        program.rename(server.binary)
        return status


for _way in WAYS:
    _name = _way.__name__ + "Test"
    globals()[_name] = type(_name, (WayTest,), {
        "server_class": _way, "__test__": True, "__module__": __name__})


# These servers hand a request over when its body is there.  For the test that
# kills the responder in the middle of one, they are told not to wait.
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
           "no length", "1 MB", "client leaves", "slow senders", "refused early", "HEAD",
           "`Proxy:`", "killed", "log")


def row(cells):
    return "| " + " | ".join(str(c) for c in cells) + " |\n"


def tables():
    """The generated part of the document."""
    ways = [w.way for w in WAYS]
    text = row(["way", *COLUMNS]) + row(["---"] * (len(COLUMNS) + 1))
    for way in ways:
        text += row([way, *(found.get(way, {}).get(c, "FAILED")
                            for c in COLUMNS)])
    text += "\n" + row(["`POST`", *ways]) + row(["---"] * (len(ways) + 1))
    for path in ODD_PATHS:
        text += row([f"`{path}`", *(odd.get(path, {}).get(w, "FAILED")
                                    for w in ways)])
    return text


BEGIN = "<!-- The tests write and check this part. -->\n"
END = "<!-- End of what the tests write. -->\n"

# In docs/web-servers.md an example is a path, a file of its own a name.
EXAMPLE = re.compile(r"[a-z-]+\.(?:conf|env|sh)\b")


class DocumentTest(unittest.TestCase):
    def test_document_names_every_example_and_no_other(self):
        document = DOCUMENT.read_text()
        examples = {p.name for p in EXAMPLES.iterdir()}
        self.assertEqual(examples - set(EXAMPLE.findall(document)), set())
        self.assertEqual(set(re.findall(r"docs/servers/([\w.-]+)", document)) -
                         examples, set())

    def test_tables_are_what_was_found(self):
        document = DOCUMENT.read_text()
        before, _, rest = document.partition(BEGIN)
        written, _, after = rest.partition(END)
        if os.environ.get("WRITE_TABLES"):
            DOCUMENT.write_text(before + BEGIN + tables() + END + after)
        else:
            self.maxDiff = None
            self.assertEqual(
                written, tables(), "docs/web-servers.md says otherwise; "
                "if it should say this, run this with WRITE_TABLES=1")
