"""The command line, classic CGI and the listener."""

import hashlib
import hmac
import json
import os
import re
import socket
import struct
import subprocess
import tempfile
import time

import pytest

from lib.case import Case
from lib.collector import Collector
from lib.http import basic
from lib.places import (CREDENTIALS, FIXTURES, LOGPLEX, PATH, PROGRAM,
                        REFERENCE, REFERENCE_COUNTERS, ROOT, tool)
from lib.ports import free_port
from lib.processes import Process, wait_until

LISTENER = ROOT / "bin" / "listener"
CLUSTER = "statsd://127.0.0.1:8126,statsd://127.0.0.1:8127"


def run(*args, stdin=b"", env=None, program=PROGRAM):
    return subprocess.run([str(program), *map(str, args)], input=stdin,
                          env={"PATH": PATH, "NO_COLOR": "1", **(env or {})},
                          capture_output=True, timeout=20)


class Options(Case):
    def test_help_and_version(self):
        r = run("--help")
        assert r.returncode == 0
        for word in (b"--check", b"--explain", b"--app", b"METRICS_CLUSTER"):
            assert word in r.stdout
        r = run("--version")
        assert r.returncode == 0
        assert re.search(rb"^logplex-statsd \d+\.\d+\.\d+\n$", r.stdout)

    @pytest.mark.parametrize("args", [
        (), ("--nonsense",), ("file",), ("--check", "file"),
        ("--explain", "one", "two"), ("--app",), ("--check", "--explain"),
        ("--explain", "--no-send", "--check"),
        ("--explain", "--app", "a:1|c\nb")])
    def test_usage_errors(self, args):
        r = run(*args)
        assert r.returncode == 2
        assert b"usage" in r.stderr
        assert r.stdout == b""

    @pytest.mark.parametrize("args, reason", [
        (("file",), b'"file" is not expected'),
        (("--check", "x"), b'"x" is not expected'),
        (("--explain", "one", "two"), b'"two" is not expected'),
        (("--check", "--explain"), b"either --check or --explain")])
    def test_usage_errors_have_a_reason(self, args, reason):
        first, *_ = run(*args).stderr.splitlines()
        assert first == b"logplex-statsd: " + reason

    def test_a_socket_that_does_not_listen_is_no_web_server(self):
        ours, its = socket.socketpair()
        with ours, its:
            r = subprocess.run([PROGRAM], stdin=its, capture_output=True,
                               env={"PATH": PATH}, timeout=20)
        assert r.returncode == 2
        assert b"usage" in r.stderr


class Explain(Case):
    def test_reference_example(self):
        """The exact form: tab-separated, an empty line, the counters."""
        r = run("--explain", "--app", "heaven",
                FIXTURES / "reference.logplex", env={
                    "METRICS_CLUSTER": CLUSTER.replace("8126", "8126/a/b")})
        assert r.returncode == 0
        messages, counters = r.stdout.decode().split("\n\n")
        rows = [line.split("\t") for line in messages.split("\n")]
        assert [row[:3] for row in rows] == \
            [["1", "0", "-"], ["2", "110", "R99"], ["3", "210", "R89"],
             ["4", "310", "L99"], ["5", "410", "H12"]]
        assert all(len(row) == 5 and row[3] for row in rows)
        assert rows[4][4].startswith('- at=error code=H12 desc="a thing')
        assert counters == (
            "statsd://127.0.0.1:8127\theaven.heroku.errors.R99:1|c\n"
            "statsd://127.0.0.1:8126\ta.b.heaven.heroku.errors.R89:1|c\n"
            "statsd://127.0.0.1:8127\theaven.heroku.errors.L99:1|c\n"
            "statsd://127.0.0.1:8127\theaven.heroku.errors.H12:1|c\n")

    def test_standard_input_and_the_default_name(self):
        r = run("--explain", stdin=REFERENCE)
        assert r.returncode == 0
        assert b"\tapp.heroku.errors.H12:1|c\n" in r.stdout

    def test_skipped_messages_and_control_characters(self):
        r = run("--explain", stdin=b"6 \x1b[2J\n\t25 <1>1 t h a p - Error R14\n")
        first, second = r.stdout.split(b"\n")[:2]
        assert first.split(b"\t")[2] == b"skipped"
        assert first.split(b"\t")[4] == b"\\x1b[2J\\n\\t"
        assert second.split(b"\t")[2:5:2] == [b"R14", b"Error R14\\n"]

    def test_every_malformed_body(self):
        table = (FIXTURES / "malformed" / "expected.tsv").read_text()
        for row in filter(None, table.split("\n")[1:]):
            name, status, messages, skipped, counts, place = row.split("\t")
            r = run("--explain", FIXTURES / "malformed" / name)
            lines = r.stdout.decode().split("\n")
            if status == "422":
                assert r.returncode == 1
                offset, message = place.split()
                fault = lines[int(message) - 1].split("\t")
                assert fault[:2] == ["fault", offset]
                assert fault[2]
                assert lines[int(message):] == [""]
            else:
                assert r.returncode == 0
                assert lines.index("") == int(messages)
                assert sum(l.split("\t")[2:3] == ["skipped"]
                           for l in lines) == \
                    int(skipped)

    def test_what_heroku_logs_prints(self):
        at = b"2024-01-01T00:00:00.000000+00:00 "
        printed = at.join([
            b"", b'heroku[router]: at=error code=H12 desc="x" status=503\n',
            b"app[web.1]: at=info not the router's\n",
            b"heroku[web.1]: Error R14 (Memory quota exceeded)\n",
            b"heroku web.1: Error R15\n", b"a b[web.1]: Error R15\n",
            b"heroku[]: Error R15\n", b"heroku[web.1] Error R15\n"]) + \
            b"Error R15\n2024-01-01 heroku[web.1]: Error R15\n" + \
            at + b"heroku[web.2]: Error R14 (x)"
        r = run("--explain", "--app", "heaven", stdin=printed,
                env={"METRICS_CLUSTER": "statsd://127.0.0.1:8126",
                     "METRICS": "errors,router"})
        assert r.returncode == 0
        messages, counters = r.stdout.decode().split("\n\n")
        rows = [line.split("\t") for line in messages.split("\n")]
        assert [row[2] for row in rows] == [
            "H12,router", "-", "R14", *["skipped"] * 6, "R14"]
        assert [int(row[1]) for row in rows] == [
            0, *(i + 1 for i, c in enumerate(printed[:-1]) if c == 10)]
        assert counters == "".join(
            f"statsd://127.0.0.1:8126\theaven.heroku.{line}|c\n" for line in (
                "errors.H12:1", "errors.R14:2", "router.requests:1",
                "router.status.5xx:1"))

    def test_levels_and_platform_only_apply(self):
        spoofed = FIXTURES / "spoof-app.logplex"
        r = run("--explain", spoofed, env={"PLATFORM_ONLY": "1"})
        assert r.stdout.endswith(b"\n\n")
        r = run("--explain", FIXTURES / "router-errors.logplex",
                env={"LEVELS": "info"})
        assert r.stdout.decode().split("\n\n")[1].count("errors.H8") == 2

    def test_files_that_cannot_be_read(self):
        for file in ("/nonexistent", "/"):
            r = run("--explain", file)
            assert r.returncode == 1
            assert file.encode() in r.stderr
            assert r.stderr.count(b"\n") == 1
        newlines = b"\n" * 8 * 1024 * 1024
        assert run("--explain", stdin=newlines).returncode == 0
        r = run("--explain", stdin=newlines + b"\n")
        assert r.returncode == 1
        assert b"8 MiB" in r.stderr
        assert r.stderr.count(b"\n") == 1
        with open("/proc/self/mem", "rb") as unreadable:
            r = subprocess.run([PROGRAM, "--explain"], stdin=unreadable,
                               capture_output=True, timeout=20)
        assert r.returncode == 1
        assert b"standard input" in r.stderr

    def test_a_configuration_with_faults(self):
        r = run("--explain", FIXTURES / "reference.logplex",
                env={"LEVELS": "none"})
        assert r.returncode == 1
        assert r.stdout == b""
        assert b"LEVELS: must be" in r.stderr


class Check(Case):
    def test_what_it_would_use(self):
        r = run("--check", env={
            "METRICS_CLUSTER": "statsd://127.0.0.1:1/pre/fix,"
                               "statsd://u:hush@[::1]:2",
            "API_CREDENTIALS_MY_APP": "user:hush",
            "API_SECRET": "hush-hush-hush-hush-hush"})
        assert r.returncode == 0
        out = r.stdout.decode()
        first = out.index("statsd://127.0.0.1:1")
        second = out.index("statsd://[::1]:2")
        assert first < second
        assert "pre.fix." in out[first:second]
        assert "not signed" in out[first:second]
        assert re.search(r"(?<!not )signed", out[second:].split("\n")[0])
        assert "MY_APP" in out
        assert b"hush" not in r.stdout + r.stderr

    def test_nothing_is_set(self):
        r = run("--check", "--no-send")
        assert r.returncode == 0
        assert (
            b"METRICS_CLUSTER is not set; using its default\n"
            b"collector 1: statsd://127.0.0.1:8126, "
        ) in r.stdout
        assert b"\nall applications: refused, no API_SECRET\n" in r.stdout

    def test_every_fault_and_a_host_that_does_not_exist(self):
        r = run("--check", env={
            "METRICS_CLUSTER": "statsd://nowhere..invalid,statsd://h:0",
            "LEVELS": "x", "API_CREDENTIALS_A": "x"})
        assert r.returncode == 1
        for fault in (b"nowhere..invalid", b"collector 2", b"LEVELS",
                      b"API_CREDENTIALS_A"):
            assert fault in r.stderr


class ClassicCgi(Case):
    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.collector = self.keep(Collector())
        self.env = {
            "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "/cgi-bin/logplex-statsd",
            "PATH_INFO": "/heaven/logs", "CONTENT_TYPE": LOGPLEX,
            "CONTENT_LENGTH": str(len(REFERENCE)),
            "HTTP_AUTHORIZATION": basic(CREDENTIALS),
            "API_CREDENTIALS_HEAVEN": CREDENTIALS,
            "METRICS_CLUSTER": self.collector.uri}

    def cgi(self, stdin=REFERENCE, **env):
        return run(stdin=stdin, env={**self.env, **env})

    def test_reference_example(self):
        r = self.cgi()
        assert r.returncode == 0
        assert r.stdout.startswith(b"Status: 201 Created\r\n")
        assert set(self.collector.lines()) == REFERENCE_COUNTERS

    def test_is_recognised_by_its_method_alone(self):
        del self.env["GATEWAY_INTERFACE"]  # as fcgiwrap under nginx does
        assert self.cgi().stdout.startswith(b"Status: 201 Created")
        assert set(self.collector.lines()) == REFERENCE_COUNTERS

    def test_counts_nothing_once_nobody_reads_its_answer(self):
        for open_ends in (os.pipe, lambda: [
                s.detach() for s in socket.socketpair()]):
            ours, its = open_ends()
            os.close(ours)
            with open(its, "wb") as stdout:
                r = subprocess.run([PROGRAM], input=REFERENCE, env=self.env,
                                   stdout=stdout, stderr=subprocess.PIPE,
                                   timeout=20)
            assert b"event=refused status=503 app=heaven" in r.stderr
        assert self.collector.lines() == []

    def test_without_a_cluster_the_log_says_which_one_is_used(self):
        del self.env["METRICS_CLUSTER"]
        r = self.cgi(PATH_INFO="/nowhere")
        assert r.stdout.startswith(b"Status: 404 ")
        assert re.search(b"event=default-cluster .*:8126 .*:8127", r.stderr)

    def test_a_body_without_length_lasts_until_the_end(self):
        for length in ("", "-1"):
            r = self.cgi(CONTENT_LENGTH=length)
            assert r.stdout.startswith(b"Status: 201 ")

    def test_a_body_that_comes_in_pieces(self):
        with subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, env=self.env,
                              stdout=subprocess.PIPE) as program:
            sent = REFERENCE + b"beyond its length"
            for start in range(0, len(sent), 100):
                program.stdin.write(sent[start:start + 100])
                program.stdin.flush()
                time.sleep(0.01)
            answer = program.communicate(timeout=20)[0]
        assert answer.startswith(b"Status: 201 ")
        assert set(self.collector.lines()) == REFERENCE_COUNTERS

    def test_a_short_body_counts_nothing(self):
        r = self.cgi(stdin=REFERENCE[:-1])
        assert r.stdout.startswith(b"Status: 503 ")
        assert self.collector.lines() == []

    def test_a_stream_that_breaks_counts_nothing(self):
        with open("/proc/self/mem", "rb") as unreadable:
            r = subprocess.run([PROGRAM], stdin=unreadable, env=self.env,
                               capture_output=True, timeout=20)
        assert r.stdout.startswith(b"Status: 503 ")
        assert self.collector.lines() == []

    def test_an_answer_that_cannot_be_written_changes_nothing(self):
        with open("/dev/full", "wb") as full:
            r = subprocess.run([PROGRAM], input=REFERENCE, env=self.env,
                               stdout=full, stderr=subprocess.PIPE, timeout=20)
        assert r.returncode == 0
        assert set(self.collector.lines()) == REFERENCE_COUNTERS

    def test_faults_answer_500(self):
        r = self.cgi(LEVELS="x")
        assert r.stdout.split(b"\r\n")[0] == \
            b"Status: 500 Internal Server Error"
        head, _, body = r.stdout.partition(b"\r\n\r\n")
        assert b"Content-Length: %d" % len(body) in head
        assert json.loads(body)["error"]
        assert b"event=fault" in r.stderr
        assert b"LEVELS" in r.stderr

    def test_a_body_that_is_refused_is_read_to_its_end(self):
        body = bytes(1 << 20)  # more than a pipe holds
        env = {**self.env, "LEVELS": "x", "CONTENT_LENGTH": str(len(body))}
        with subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, env=env,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as program:
            program.stdin.write(body)
            answer = program.communicate(timeout=20)[0]
        assert answer.startswith(b"Status: 500 ")

    def test_an_unknown_host_answers_500_only_when_it_is_needed(self):
        unknown = {"METRICS_CLUSTER": "statsd://nowhere..invalid"}
        r = self.cgi(**unknown)
        assert r.stdout.startswith(b"Status: 500 ")
        assert b"nowhere..invalid" in r.stderr
        r = self.cgi(stdin=b"", CONTENT_LENGTH="0", **unknown)
        assert r.stdout.startswith(b"Status: 201 ")
        r = self.cgi(HTTP_AUTHORIZATION="", **unknown)
        assert r.stdout.startswith(b"Status: 401 ")

    def test_a_collector_that_is_away_is_logged(self):
        dead = f"statsd://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        r = self.cgi(METRICS_CLUSTER=dead, LEVELS="info")
        assert r.stdout.startswith(b"Status: 201 ")
        assert (
            f"event=send-failed collector={dead} datagrams=3 "
            'reason="Connection refused"'
        ) in r.stderr.decode()

    def test_head_has_no_body(self):
        r = self.cgi(stdin=b"", REQUEST_METHOD="HEAD", PATH_INFO="/_ping",
                     CONTENT_LENGTH="")
        assert r.stdout.startswith(b"Status: 200 OK\r\n")
        assert r.stdout.endswith(b"\r\n\r\n")


class Responder(Case):
    @pytest.mark.parametrize("env, words", [
        ({"METRICS_CLUSTER": "x", "LEVELS": "none"},
         (b"METRICS_CLUSTER: collector 1", b"LEVELS: ")),
        ({"METRICS_CLUSTER": "statsd://nowhere..invalid"},
         (b"nowhere..invalid:8126: the host name",))])
    def test_faults_end_it_at_once(self, env, words):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            r = subprocess.run([PROGRAM], stdin=s, env=env, timeout=20,
                               capture_output=True)
            assert r.returncode == 1
            assert r.stderr.count(b"event=fault") == len(words)
            for word in words:
                assert word in r.stderr


def signed(key, text, seconds, nonce=b"1234"):
    rest = struct.pack("<q", seconds) + nonce + text
    return hmac.new(key, rest, hashlib.sha256).digest() + rest


class Listener(Case):
    def start(self, *options):
        self.port = free_port(socket.SOCK_DGRAM)
        self.listener = self.keep(Process([LISTENER, self.port, *options]))
        wait_until(lambda: f"Listening on port {self.port}...\n"
                   in self.listener.log(), "the listener listens",
                   process=self.listener)

    def send(self, datagram, address="127.0.0.1"):
        """Sends a datagram; returns the listener's line about it."""
        before = self.listener.log().count("\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(datagram, (address, self.port))
        wait_until(lambda: self.listener.log().count("\n") > before,
                   "a line about the datagram", process=self.listener)
        return self.listener.log().split("\n")[before]

    def test_prints_a_line_a_datagram(self):
        self.start()
        assert re.search(r"^\S+T\S+Z 127\.0\.0\.1:\d+ "
                         r"a:1\|c\\nb:2\|c\\x1b\\xff$",
                         self.send(b"a:1|c\nb:2|c\x1b\xff"))
        assert re.search(r" (\\xff){60000}$", self.send(b"\xff" * 60000))

    def test_verifies_signatures(self):
        self.start("--key", "open sesame")
        time.sleep(1 - time.time() % 1)  # times are whole seconds
        now = int(time.time())
        for seconds in (now, now - 3):
            assert re.search(
                r"^\S+Z 127\.0\.0\.1:\d+ a:1\|c$",
                self.send(signed(b"open sesame", b"a:1|c", seconds)))
        for datagram, why in (
                (b"a:1|c", "too short"), (b"a:1|c" * 20, "unsigned"),
                (signed(b"Open Sesame", b"a:1|c", now), "another key"),
                (signed(b"open sesame", b"a:1|c", now + 9), "future"),
                (signed(b"open sesame", b"a:1|c", now - 4), "too long ago")):
            assert re.search(f"REJECTED, .*{why}.*: .*a:1",
                             self.send(datagram))

    def test_listens_where_it_is_told(self):
        self.start("--bind", "127.0.0.2")
        assert " a:1|c" in self.send(b"a:1|c", "127.0.0.2")
        r = run("1", "--bind", "localhost", program=LISTENER)
        assert r.returncode == 1
        assert b"address localhost, port 1: " in r.stderr
        r = run("--nonsense", "1", program=LISTENER)
        assert r.returncode == 2
        assert b"usage" in r.stderr

    def test_a_port_in_use_or_no_port(self):
        self.start()
        r = run(self.port, program=LISTENER)
        assert r.returncode == 1
        assert f"port {self.port}".encode() in r.stderr
        for port in ("x", "0", "65536", "99999", "8126x", ""):
            r = run(port, "--bind", "127.0.0.1", program=LISTENER)
            assert r.returncode == 1
            assert r.stderr.decode() == (
                f'listener: PORT is "{port}"; '
                "a port is a number from 1 to 65535.\n")
        assert run(program=LISTENER).returncode == 2
        assert run("1", "2", program=LISTENER).returncode == 2


class Missing(Case):
    """If something is not installed, its package is named."""

    def test_a_library_at_build_time(self):
        with tempfile.TemporaryDirectory() as folder:
            r = subprocess.run(
                ["make", "-s", "CPPFLAGS=-nostdinc", f"BUILD={folder}",
                 f"BIN={folder}"], cwd=ROOT, capture_output=True, text=True)
        assert r.returncode != 0
        assert "No <fcgiapp.h>: install the package libfcgi-dev" in r.stderr

    def test_a_machine_without_apt(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("bash", "dirname", "id", "cat"):
                os.symlink(tool(name), f"{folder}/{name}")
            r = subprocess.run(
                ["bash", ROOT / "bin" / "development-bootstrap"],
                env={"PATH": folder},
                capture_output=True, text=True)
        assert r.returncode == 1
        assert "Debian and Ubuntu only" in r.stderr
        assert re.search(r"install what these packages hold: .*gcc", r.stderr)
