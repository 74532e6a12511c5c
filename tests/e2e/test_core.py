"""The program with lighttpd, as bin/web starts it."""

import json
import os
import re
import signal
import socket
import time

import pytest

from lib.collector import Collector
from lib.frames import logplex_frame as frame
from lib.http import (basic, build_request, chunked, connect, read_answer,
                      request)
from lib.places import (CREDENTIALS, FIXTURES, REFERENCE, REFERENCE_COUNTERS,
                        ROOT)
from lib.ports import free_port
from lib.processes import (Process, children, is_running, responders,
                           wait_until)
from lib.web import WebTest


class Reference(WebTest):
    def test_reference_example_arrives_at_the_owners(self):
        self.start_web()
        answer = self.post()
        assert answer.status == 201
        assert json.loads(answer.body) == {
            "messages": 5, "errors": 4, "skipped": 0}
        assert answer.headers["content-type"] == "application/json"
        assert self.collectors[0].settled() == [
            b"heaven.heroku.errors.R89:1|c"]
        assert self.collectors[1].settled() == \
            [b"heaven.heroku.errors.R99:1|c",
             b"heaven.heroku.errors.L99:1|c",
             b"heaven.heroku.errors.H12:1|c"]

    def test_real_bodies_count_what_they_should(self):
        self.start_web()
        for row in (FIXTURES / "expected.tsv").read_text().split("\n")[1:]:
            if not row:
                continue
            name, messages, _, codes, warnings = row.split("\t")[:5]
            if name == "spoof-app.logplex":  # counts only with PLATFORM_ONLY=0
                codes = "R14=1,H12=1,H10=1,L10=1,L12=1,R13=1"
            expected = {}
            for pair in ",".join((codes, warnings)).split(","):
                if pair != "-":
                    code, n = pair.split("=")
                    expected[code] = int(n)
            answer = self.post((FIXTURES / name).read_bytes())
            assert answer.status == 201
            assert json.loads(answer.body) == \
                {"messages": int(messages), "skipped": 0,
                 "errors": sum(expected.values())}
            assert self.counters() == \
                sorted(f"heaven.heroku.errors.{code}:{n}|c"
                       for code, n in expected.items())
            for c in self.collectors:
                c.datagrams.clear()

    def test_malformed_bodies_count_nothing_and_say_where(self):
        self.start_web()
        table = (FIXTURES / "malformed" / "expected.tsv").read_text()
        for row in filter(None, table.split("\n")[1:]):
            name, status, messages, skipped, _, place = row.split("\t")
            answer = self.post(
                (FIXTURES / "malformed" / name).read_bytes())
            assert answer.status == int(status)
            body = json.loads(answer.body)
            if status == "422":
                offset, message = map(int, place.split())
                assert (body["offset"], body["message"]) == (
                    offset, message)
                assert body["error"]
                assert f"offset={offset} message={message}" in \
                    self.web.log()
            else:
                assert (body["messages"], body["skipped"]) == (
                    int(messages), int(skipped))

    def test_whole_requests_as_logplex_writes_them(self):
        self.start_web(API_SECRET="s3cr3t", API_CREDENTIALS_HEAVEN=None)
        for name in ("request-empty-user", "request-user-pass",
                     "request-uuid-frame-id"):
            raw = (FIXTURES / f"{name}.http").read_bytes()
            raw = raw.replace(b"drain.example.com", b"localhost")
            with connect(self.port) as s:
                s.sendall(raw)
                assert read_answer(s).status == 201
        assert "myapp.heroku.errors.L10:1|c" in self.counters()


class Repeats(WebTest):
    """Batches that Logplex sends again."""

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.start_web(API_SECRET="s3cr3t-0123456789")

    def send(self, frame_id, body=REFERENCE, **kwargs):
        headers = [f"Logplex-Frame-Id: {frame_id}"] if frame_id else []
        answer = self.post(body, headers=headers, **kwargs)
        assert answer.status == 201
        return json.loads(answer.body).get("duplicate", False)

    def test_counted_once_by_all_responders(self):
        assert not self.send("one")
        assert self.send("one")
        pid, = responders(self.web.pid)
        os.kill(pid, signal.SIGKILL)
        self.wait_for_web()
        assert responders(self.web.pid) != [pid]
        assert self.send("one")
        assert self.counters() == sorted(REFERENCE_COUNTERS)
        assert self.web.log().count("event=duplicate app=heaven\n") == 2

    def test_other_application_other_id_and_no_id_count_each_time(self):
        assert not self.send("one")
        assert not self.send("two")
        assert not self.send("one", path="/other/logs",
                             credentials=":s3cr3t-0123456789")
        for frame_id in (None, "", "x" * 129):
            assert not self.send(frame_id)
            assert not self.send(frame_id)
        assert len(self.counters()) == 4 * 9

    def test_new_l10_in_front_counts_once(self):
        l10 = frame("Error L10 (output buffer overflow): 7 messages dropped "
                    "since 2024-01-01T00:00:00+00:00.", procid="logplex")
        assert not self.send("one")
        assert self.send("one", l10 + REFERENCE)
        assert self.send("one", l10 + REFERENCE)
        assert self.counters() == sorted(
            [*REFERENCE_COUNTERS, "heaven.heroku.errors.L10:1|c"])

    def test_refused_batch_is_counted_when_it_is_right(self):
        headers = ["Logplex-Frame-Id: one"]
        assert self.post(b"x", headers=headers).status == 422
        assert self.post(credentials="x:y", headers=headers).status == 401
        assert not self.send("one")
        assert self.counters() == sorted(REFERENCE_COUNTERS)


class RepeatsCounted(WebTest):
    def test_each_counts_if_asked_for(self):
        self.start_web(DUPLICATES="count")
        for _ in range(3):
            answer = self.post(headers=["Logplex-Frame-Id: one"])
            assert "duplicate" not in json.loads(answer.body)
        assert len(self.counters()) == 4 * 3


class Answers(WebTest):
    """The HTTP table of the specification, row by row."""

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.start_web(API_SECRET="s3cr3t-0123456789")

    def refused(self, status, said=None, **kwargs):
        answer = self.post(**kwargs)
        assert answer.status == status
        assert int(answer.headers["content-length"]) == len(answer.body)
        assert answer.headers["content-type"] == "application/json"
        assert json.loads(answer.body)["error"]
        return answer

    def test_ping(self):
        answer = request(self.port, method="GET", path="/_ping",
                         credentials=None)
        assert answer.status == 200
        assert re.search(rb'^\{"now":"\d{10}\.\d{6}s",'
                         rb'"status":"ok"\}$', answer.body)
        now = float(json.loads(answer.body)["now"][:-1])
        assert abs(now - time.time()) < 60
        head = request(self.port, method="HEAD", path="/_ping",
                       credentials=None)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == "42"

    def test_credentials(self):
        accepted = [("heaven", CREDENTIALS), ("Heaven", CREDENTIALS),
                    ("other", ":s3cr3t-0123456789"),
                    ("other", "s3cr3t-0123456789:"),
                    ("my-app_2", "anyone:s3cr3t-0123456789")]
        for app, credentials in accepted:
            assert self.post(b"", path=f"/{app}/logs",
                             credentials=credentials).status == 201
        refused = [("heaven", None), ("heaven", ":s3cr3t-0123456789"),
                   ("heaven", "Aladdin:wrong"), ("other", CREDENTIALS),
                   ("other", ":"), ("other", "s3cr3t-0123456789:x")]
        for app, credentials in refused:
            answer = self.refused(401, path=f"/{app}/logs",
                                  credentials=credentials)
            assert answer.headers["www-authenticate"] == \
                'Basic realm="logplex-statsd"'
        self.assert_nothing_counted()

    def test_forged_remote_user_is_not_trusted(self):
        forged = ["Remote-User: Aladdin", "Remote_User: Aladdin",
                  "Auth-Type: Basic", "AUTH_TYPE: Basic"]
        self.refused(401, credentials=None, headers=forged)
        self.assert_nothing_counted()

    def test_content_types(self):
        for kind in ("application/logplex-1",
                     "Application/Logplex-1; charset=utf-8"):
            assert self.post(content_type=kind).status == 201
        for kind in (None, "text/plain", "application/logplex-2"):
            self.refused(415, content_type=kind)
        self.refused(415, headers=["Content-Encoding: gzip"])
        assert self.post(headers=["Content-Encoding: identity"]).status == 201

    def test_methods(self):
        for method in ("GET", "PUT", "DELETE"):
            answer = self.refused(405, method=method, body=b"")
            assert answer.headers["allow"] == "POST"
        answer = self.refused(405, path="/_ping")
        assert answer.headers["allow"] == "GET, HEAD"
        head = request(self.port, method="HEAD", body=b"")
        assert (head.status, head.body) == (405, b"")
        self.assert_nothing_counted()

    def test_paths(self):
        for path in ("/", "/heaven", "/heaven/", "/heaven/logs/x",
                     "/a.b/logs", "/a%20b/logs", "/logs", "/x/heaven/logs",
                     "/" + "a" * 65 + "/logs", "/a:1%7Cc/logs"):
            self.refused(404, path=path)
        self.assert_nothing_counted()
        for path in ("/heaven/logs?x=1", "//heaven/logs", "/x/../heaven/logs",
                     "/%68eaven/logs", "/heaven/logs/", "/heaven/logs///?x"):
            assert self.post(path=path).status == 201
        ping = request(self.port, method="GET", path="/_ping/",
                       credentials=None)
        assert ping.status == 200

    def test_body_sizes(self):
        message = frame("at=info method=GET path=\"/" + "x" * 900 + "\"")
        body = message * (8 * 1024 * 1024 // len(message))
        padding = 8 * 1024 * 1024 - len(body)
        answer = self.post(body + b"\n" * padding)
        assert answer.status == 201
        assert json.loads(answer.body)["messages"] == len(body) // len(message)
        self.refused(413, body=body + b"\n" * (padding + 1))
        assert self.post(b"").status == 201
        self.assert_nothing_counted()

    def test_chunked_bodies(self):
        for size in (1, 1000):
            with connect(self.port) as s:
                s.sendall(build_request(
                    length=False, headers=["Transfer-Encoding: chunked"]) +
                    chunked(REFERENCE, size))
                assert read_answer(s).status == 201
        assert len(self.counters()) == 8

    def test_many_requests_on_one_connection(self):
        with connect(self.port) as s:
            for _ in range(50):
                s.sendall(build_request(body=REFERENCE, close=False))
                assert read_answer(s).status == 201
        assert len(self.counters()) == 200

    def test_a_refusal_does_not_spoil_the_connection(self):
        with connect(self.port) as s:
            for credentials in (CREDENTIALS, "wrong:one", CREDENTIALS):
                s.sendall(build_request(body=REFERENCE * 400, close=False,
                                        credentials=credentials))
                expected = 401 if credentials == "wrong:one" else 201
                assert read_answer(s).status == expected
        assert sorted(set(self.counters())) == sorted(
            l.replace(":1|", ":400|") for l in REFERENCE_COUNTERS)

    def test_one_odd_message_spoils_nothing(self):
        answer = self.post(b"3 odd" + frame("Error R14 x") + b"\r\n6 <1>1 x")
        assert json.loads(answer.body) == {
            "messages": 3, "errors": 1, "skipped": 2}
        assert self.counters() == ["heaven.heroku.errors.R14:1|c"]

    def test_refusals_are_logged_and_success_is_silent(self):
        self.post()
        assert "event=" not in self.web.log()
        self.refused(401, credentials="Aladdin:hush-hush")
        self.refused(422, body=b"nonsense\n\"quoted\"")
        self.refused(404, path="/%22%20event=forged/logs")
        log = self.web.log()
        assert "event=refused status=401 app=heaven reason=" in log
        assert "offset=0 message=1" in log
        assert re.search(r'status=404 path="/\\" event=forged/logs" reason=',
                         log)
        assert "hush-hush" not in log

    def test_the_log_of_a_401_says_why_and_the_answer_does_not(self):
        answers = {self.refused(401, **how).body for how in (
            {"credentials": None}, {"credentials": "Aladdin:hush-hush"})}
        self.start_web(API_SECRET=None)
        answers.add(self.refused(401, path="/nobody/logs").body)
        assert answers == {
            b'{"error":"missing or wrong credentials for this application"}'}
        log = self.web.log()
        assert (
            'event=refused status=401 app=nobody reason="no '
            'credentials are configured for this application"'
        ) in log

    def test_no_header_and_a_wrong_one_are_told_apart_in_the_log(self):
        self.refused(401, credentials=None)
        self.refused(401, credentials="Aladdin:hush-hush")
        assert (
            'event=refused status=401 app=heaven reason="no Authorization '
            'header; does the web server pass it on?"\n'
            'event=refused status=401 app=heaven reason="wrong credentials"\n'
        ) in self.web.log()


class Configured(WebTest):
    def test_levels(self):
        lines = b"".join(frame(f"at={level} code=H{n} desc=x") for level, n in
                         (("error", 12), ("warning", 27), ("info", 80)))
        for levels, codes in (("error", ["H12"]), ("info", ["H80"]),
                              ("error,warning,info", ["H12", "H27", "H80"])):
            self.start_web(LEVELS=levels)
            assert self.post(lines).status == 201
            assert self.counters() == [f"heaven.heroku.errors.{c}:1|c"
                                       for c in codes]

    def test_platform_only(self):
        self.start_web(PLATFORM_ONLY="1")
        spoofed = (FIXTURES / "spoof-app.logplex").read_bytes()
        assert json.loads(self.post(spoofed).body)["errors"] == 0
        assert json.loads(self.post(
                   frame("Error L12: x", "app", "log-shuttle") +
                   frame("Error R14", "heroku", "web.1")).body)["errors"] == 2

    def test_base_path(self):
        self.start_web(BASE_PATH="/drain")
        assert self.post(path="/drain/heaven/logs").status == 201
        assert self.post(path="/heaven/logs").status == 201
        assert self.post(path="/drainage/heaven/logs").status == 404
        ping = request(self.port, method="GET", path="/drain/_ping")
        assert ping.status == 200

    def test_prefixes_packing_ipv6_and_names(self):
        six = self.keep(Collector("::1"))
        four = self.keep(Collector())
        self.start_web(METRICS_CLUSTER=(
            f"{six.uri}/pre/fix, "
            f"statsd://localhost:{four.port}?datagram=1432"))
        assert self.post().status == 201
        assert six.settled() == [b"pre.fix.heaven.heroku.errors.R89:1|c"]
        wait_until(lambda: four.datagrams or self.post() is None,
                   "a datagram by name")
        assert four.settled()[0].decode().split("\n") == \
            ["heaven.heroku.errors.R99:1|c",
             "heaven.heroku.errors.L99:1|c",
             "heaven.heroku.errors.H12:1|c"]

    def test_rotating_credentials(self):
        self.start_web(API_PREVIOUS_CREDENTIALS_HEAVEN="Aladdin:old",
                       API_SECRET="new-secret-0123456789",
                       API_PREVIOUS_SECRET="old-secret-0123456789")
        for app, credentials in (("heaven", "Aladdin:old"),
                                 ("heaven", CREDENTIALS),
                                 ("x", ":old-secret-0123456789"),
                                 ("x", ":new-secret-0123456789")):
            assert self.post(path=f"/{app}/logs",
                             credentials=credentials).status == 201

    def test_hyphenated_variables_reach_the_program(self):
        self.start_web(**{"API_CREDENTIALS_MY-APP": "u:plain",
                          "API_CREDENTIALS_MY_APP": "u:folded",
                          "API_PREVIOUS_CREDENTIALS_MY_APP": "u:old"})
        for app, password, status in (("my-app", "plain", 201),
                                      ("my-app", "folded", 401),
                                      ("my-app", "old", 401),
                                      ("my_app", "old", 201),
                                      ("my_app", "folded", 201)):
            assert self.post(path=f"/{app}/logs",
                             credentials=f"u:{password}").status == status

    def test_debug_log_shows_each_request(self):
        self.start_web(LOG_LEVEL="debug")
        self.post(b"3 odd" + frame("Error R14 x"))
        wait_until(lambda: "event=request method=\"POST\"" in self.web.log(),
                   "the request in the log")
        log = self.web.log()
        assert "event=skipped app=heaven message=1 offset=0" in log
        assert re.search(r'event=request method="POST" '
                         r'path="/heaven/logs" status=201 us=\d+ '
                         r'bytes=\d+ body="3 odd', log)
        assert "open sesame" not in log
        assert basic(CREDENTIALS) not in log

    def test_default_cluster_is_logged(self):
        self.start_web(METRICS_CLUSTER=None)
        assert "event=default-cluster" in self.web.log()

    def test_a_collector_that_is_away_is_logged_once(self):
        dead = free_port(socket.SOCK_DGRAM)
        self.start_web(METRICS_CLUSTER=f"statsd://127.0.0.1:{dead}")
        for _ in range(20):
            assert self.post().status == 201
        wait_until(lambda: "event=send-failed" in self.web.log(),
                   "the failure in the log")
        assert self.web.log().count("event=send-failed") == 1
        assert (
            f"collector=statsd://127.0.0.1:{dead} datagrams=3 "
            'reason="Connection refused"'
        ) in self.web.log()


class Stopping(WebTest):
    def test_idle_it_stops_at_once_and_leaves_nothing(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            self.start_web()
            started = children(self.web.pid)
            self.web.send_signal(how)
            assert self.web.wait(20) == 0
            wait_until(lambda: not any(map(is_running, started)),
                       "no process left over")


NOWHERE = (r"statsd://nowhere\.\.invalid:8126: the host name cannot be "
           r"looked up: \w+")


class Faults(WebTest):
    def start_broken(self, **env):
        web = self.keep(Process([ROOT / "bin" / "web"], env={
            "PORT": str(free_port()), "BIND": "127.0.0.1", **env}))
        assert web.wait(20) != 0
        return web.log()

    def test_every_fault_is_shown_and_nothing_starts(self):
        log = self.start_broken(
            METRICS_CLUSTER="udp://a, statsd://u:hush@b:0,",
            API_CREDENTIALS_X="hush", LEVELS="loud", AUTH="maybe")
        for fault in ("collector 1, udp://a", "collector 2, statsd://***@b:0",
                      "collector 3, : empty", "API_CREDENTIALS_X: must be",
                      "LEVELS: must be", "AUTH: must be"):
            assert fault in log
        assert "hush" not in log

    def test_a_host_that_does_not_exist_is_a_fault(self):
        log = self.start_broken(
            METRICS_CLUSTER="statsd://nowhere..invalid")
        assert re.search(NOWHERE, log)

    def test_it_is_no_hindrance_to_the_other_collectors(self):
        self.start_web(METRICS_CLUSTER="statsd://127.0.0.1:1,"
                                       "statsd://nowhere..invalid")
        assert re.search(r'event=fault reason=".*' + NOWHERE, self.web.log())
        assert self.post().status == 201

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            log = self.start_broken(PORT=port)
        assert "Address already in use" in log
