"""Secrets of the configuration are visible in the environment only, and the
program keeps nothing that it does not need."""

import base64
import contextlib
import os
import re
import signal
import stat
import subprocess
import urllib.parse
from pathlib import Path

import pytest

from lib.case import Case
from lib.places import PATH, PROGRAM, REFERENCE, ROOT, tool
from lib.ports import free_port
from lib.processes import (Process, children, fastcgi_socket, responders,
                           wait_until)
from lib.web import WebTest

KEY = "Hush-k3y"  # for URIs with every kind of fault
SECRETS = {
    "API_CREDENTIALS_HEAVEN": "Aladdin:sEcret-1:with-colon",
    "API_PREVIOUS_CREDENTIALS_HEAVEN": "Aladdin:sEcret-2",
    "API_CREDENTIALS_MY_APP": "somebody:sEcret-3",
    "API_SECRET": "sEcret-4", "API_PREVIOUS_SECRET": "sEcret-5"}
KEYS = ["sEcret-6", "sEcret/7@,%"]


def forms(value):
    """All forms of a secret: plain, encoded, with its user."""
    user, colon, password = value.partition(":")
    word = password if colon else value
    found = {word, urllib.parse.quote(word, safe="")}
    for whole in (value, word, f":{word}", f"{word}:", f"anyone:{word}"):
        found.add(base64.b64encode(whole.encode()).decode())
    return {f.encode() for f in found} | {word.encode().hex().encode()}


ALL_FORMS = set().union(*map(forms, [*SECRETS.values(), *KEYS]))


def environment(cluster=None, **more):
    return {"PATH": PATH, "METRICS_CLUSTER": cluster or "statsd://127.0.0.1:9",
            **SECRETS, **more}


class Secrets(WebTest):
    def assert_none_in(self, text, what):
        if isinstance(text, str):
            text = text.encode()
        for form in ALL_FORMS | {KEY.encode()}:
            if form in text:
                # This test does not show it either.
                pytest.fail(f"{what}: a secret, {len(form)} bytes, "
                          f"at byte {text.index(form)} of {len(text)}")

    def start(self, level):
        self.start_web(LOG_LEVEL=level, **SECRETS)
        cluster = ",".join(
            f"statsd://u:{urllib.parse.quote(key, safe='')}@127.0.0.1:{c.port}"
            for key, c in zip(KEYS, self.collectors))
        self.web.stop()
        self.start_again(level, cluster)

    def start_again(self, level, cluster):
        self.web = self.keep(Process([ROOT / "bin" / "web"], env=environment(
            cluster, PORT=str(self.port), BIND="127.0.0.1", LOG_LEVEL=level)))
        self.wait_for_web()

    def titles(self):
        for pid in [self.web.pid, *children(self.web.pid)]:
            for name in ("cmdline", "comm", "status", "maps"):
                with contextlib.suppress(OSError):
                    yield Path(f"/proc/{pid}/{name}").read_bytes()

    def requests(self):
        """Correct, wrong and odd requests: (path, credentials, more)."""
        for app, credentials in (
                ("heaven", SECRETS["API_CREDENTIALS_HEAVEN"]),
                ("heaven", SECRETS["API_PREVIOUS_CREDENTIALS_HEAVEN"]),
                ("my-app", SECRETS["API_CREDENTIALS_MY_APP"]),
                ("other", ":sEcret-4"), ("other", "sEcret-4:"),
                ("other", "anyone:sEcret-5")):
            yield f"/{app}/logs", credentials, {}
            yield f"/{app}x-y/logs", credentials, {}
            yield f"/{app}/nothing", credentials, {}
            yield f"/{app}/logs", credentials + "x", {}
            yield f"/{app}/logs", credentials, {"method": "PUT"}
            yield f"/{app}/logs", credentials, {"body": b"12 x"}
            yield f"/{app}/logs", credentials, {"content_type": "a/b"}

    def busy_run(self, level):
        self.start(level)
        statuses = set()
        for path, credentials, more in self.requests():
            answer = self.post(**{"path": path, "credentials": credentials,
                                  "body": REFERENCE, **more})
            statuses.add(answer.status)
            self.assert_none_in(answer.raw, f"the answer to {path}")
            for title in self.titles():
                self.assert_none_in(title, "/proc")
        assert {201, 401, 404, 405, 415, 422} <= statuses
        return statuses

    @pytest.mark.parametrize("level, event", [
        ("info", "event=refused "),
        ("debug", "event=request ")])
    def test_not_in_a_busy_run(self, level, event):
        self.busy_run(level)
        log = self.web.log()
        assert event in log
        self.assert_none_in(log, "the log")
        for c in self.collectors:
            for datagram in c.settled():
                self.assert_none_in(datagram, "a datagram")

    def test_not_in_what_a_crash_leaves(self):
        self.start("debug")
        for how in (signal.SIGSEGV, signal.SIGABRT):
            pid, = responders(self.web.pid)
            folder = os.readlink(f"/proc/{pid}/cwd")
            os.kill(pid, how)
            wait_until(lambda: self.post(credentials=SECRETS[
                "API_CREDENTIALS_HEAVEN"]).status == 201 and
                responders(self.web.pid) != [pid], "another responder")
            assert [f for f in os.listdir(folder) if f.startswith("core")] == [
                ]
        self.assert_none_in(self.web.log(), "the log")

    def run_program(self, *arguments, program=PROGRAM, env, **kwargs):
        done = subprocess.run([program, *arguments], env=env, timeout=30,
                              capture_output=True, **kwargs)
        self.assert_none_in(done.stdout + done.stderr, arguments)
        return done

    def test_not_in_check_or_explain(self):
        cluster = ",".join(
            f"statsd://u:{urllib.parse.quote(key, safe='')}@127.0.0.1:9"
            for key in KEYS)
        env = environment(cluster, LOG_LEVEL="debug")
        done = self.run_program("--check", env=env)
        assert done.returncode == 0, done.stderr
        assert b"signed" in done.stdout
        done = self.run_program("--explain", "--app", "heaven", env=env,
                                input=REFERENCE)
        assert b"heaven.heroku.errors.H12:1|c" in done.stdout

    faulty_clusters = [
        "statsd://u:KEY@h:0", "statsd://u:KEY@", "statsd://u:KEY@h:x",
        "statsd://KEY@h", "statsd://:KEY@h:99999", "udp://u:KEY@h", "u:KEY@h",
        "KEY@h", "statsd:/u:KEY@h", "statsd:u:KEY@h", "//u:KEY@h",
        "statsd://u:KEY@h/pre fix", "statsd://u:KEY@h?x=1",
        "statsd://u:KEY@h#x", "statsd://u:KEY/a@h", "statsd://u:a/KEY@h",
        "statsd://u:1/KEY@h", "statsd://u:KEY?a@h", "statsd://u:1?KEY@h",
        "statsd://u:KEY#a@h", "statsd://u:1#KEY@h", "statsd://u:KEY,a@h",
        "statsd://u:a,KEY@h", "statsd://u:a,KEY,b@h", "statsd://u:1,KEY,b@h",
        "statsd://u:7KEY,b@h", "statsd://u:a@KEY,b@h",
        "statsd://u:a,b://KEY@h",
        "statsd://u:a@KEY@h", "statsd://u:KEY@a@h", "statsd://u:%zzKEY@h",
        "statsd://u:KEY%@h", " statsd://u:KEY b@h:0 ", "statsd://[u:KEY@h:0",
        "statsd://u:KEY@[::1", "statsd://[u:KEY", "statsd://u:KEY",
        "statsd://u:7KEY", "statsd://u:KEY@no-such-name.invalid",
        "statsd://a,statsd://u:KEY@h:0", "statsd://u:KEY@h,", ",KEY@h",
        "statsd://u:" + "KEY" * 100 + "@h", "statsd://u:KEY@" + "h" * 300,
        "statsd://u:KEY@h/" + "p" * 300, "statsd://u:KEY\n@h:0",
        "statsd://h?key=KEY", "statsd://h?KEY", "statsd://h?datagram=1&KEY",
        "statsd://h?datagram=KEY", "statsd://h#KEY"]

    faulty_variables = [
        {"API_CREDENTIALS_HEAVEN": KEY},
        {"API_CREDENTIALS_heaven": "u:" + KEY},
        {"API_CREDENTIALS_": "u:" + KEY},
        {"API_CREDENTIALS_X": "u:" + KEY * 100}, {"API_SECRET": KEY * 100},
        {"API_PREVIOUS_CREDENTIALS_X": KEY},
        {"API_PREVIOUS_SECRET": KEY * 100}]

    def faulty_environments(self):
        for cluster in self.faulty_clusters:
            yield environment(cluster.replace("KEY", KEY))
        for variables in self.faulty_variables:
            yield environment(None, **variables)

    def test_not_in_what_is_said_of_a_faulty_configuration(self):
        for number, env in enumerate(self.faulty_environments()):
            cgi = {**env, "GATEWAY_INTERFACE": "CGI/1.1",
                   "REQUEST_METHOD": "GET", "PATH_INFO": "/_ping"}
            done = self.run_program("--check", env=env)
            assert done.returncode == 1
            assert len(done.stderr) > 20
            # A name is looked up only when there is something to send.
            if "invalid" not in env["METRICS_CLUSTER"]:
                done = self.run_program(env=cgi, stdin=subprocess.DEVNULL)
                assert b"Status: 500" in done.stdout
                assert b"event=fault" in done.stderr

    def test_not_in_what_bin_web_says_of_a_faulty_configuration(self):
        for cluster in self.faulty_clusters[:3]:
            done = self.run_program(
                program=ROOT / "bin" / "web", env=environment(
                    cluster.replace("KEY", KEY), PORT=str(free_port())))
            assert done.returncode == 1
            assert b"not starting" in done.stderr


class QueryStrings(Case):
    """RFC 3875 4.4: a query string without a = may become the arguments."""

    def cgi(self, *arguments):
        return subprocess.run(
            [PROGRAM, *arguments], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=20, env={
                "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET",
                "PATH_INFO": "/_ping", "QUERY_STRING": "+".join(arguments)})

    @pytest.mark.parametrize("arguments", [
        ["--check"], ["--version"], ["--help"], ["x"],
        ["--explain", "--app", "x", "/etc/passwd"]])
    def test_are_no_options(self, arguments):
        done = self.cgi(*arguments)
        assert done.stdout.startswith(b"Status: 200 OK\r\n"), \
            done.stdout
        assert b"root:" not in done.stdout


class Hardening(WebTest):
    def readelf(self, option, program):
        return subprocess.run(
            [tool("readelf"), "--wide", option, program], check=True,
            capture_output=True, text=True).stdout

    @pytest.mark.parametrize("program", [PROGRAM, ROOT / "bin" / "listener"])
    def test_of_the_binaries(self, program):
        header = self.readelf("--file-header", program)
        segments = self.readelf("--segments", program)
        dynamic = self.readelf("--dynamic", program)
        symbols = self.readelf("--dyn-syms", program)
        assert re.search(r"Type:\s+DYN", header)
        assert re.search(r"FLAGS_1.*\bNOW\b.*\bPIE\b", dynamic)
        assert re.search(r"GNU_RELRO", segments)
        assert re.search(r"GNU_STACK.* RW +0x", segments)
        assert not re.search(r"LOAD.* RWE ", segments)
        assert not re.search(r"\((RPATH|RUNPATH|TEXTREL)\)", dynamic)
        assert re.search(r" __stack_chk_fail@", symbols)
        assert re.search(r" __(memcpy|fprintf|printf|memset|"
                r"read|memmove|snprintf|vfprintf)_chk@", symbols)

    def test_of_every_compilation(self):
        commands = subprocess.run(
            ["make", "--dry-run", "--always-make", "-C", ROOT], check=True,
            capture_output=True, text=True).stdout
        compiled = [l for l in commands.splitlines() if " -c -o " in l]
        assert len(compiled) >= len(list((ROOT / "src").rglob("*.c")))
        for line in compiled:
            assert re.search(r" -O[23] ", line)
            for flag in ("-D_FORTIFY_SOURCE=3", "-fPIE",
                         "-fstack-protector-strong",
                         "-fstack-clash-protection"):
                assert f" {flag} " in line

    @pytest.mark.root
    def test_of_the_running_responder(self):
        self.start_web()
        assert self.post().status == 201
        pid, = responders(self.web.pid)
        proc = Path(f"/proc/{pid}")
        assert re.search(r"NoNewPrivs:\s+1\n", (proc / "status").read_text())
        assert re.search(r"Threads:\s+1\n", (proc / "status").read_text())
        for p in (pid, *children(self.web.pid), self.web.pid):
            assert re.search(r"Max core file size +0 +0 ",
                             Path(f"/proc/{p}/limits").read_text())
        assert not re.search(r" .wx. ", (proc / "maps").read_text())
        # The listening socket and one per collector; standard output and
        # error; the pipe to libfcgi; FRAMES_FILE.
        kinds = sorted(os.readlink(fd).split(":")[0]
                       for fd in (proc / "fd").iterdir())
        assert kinds.count("socket") == 1 + len(self.collectors)
        assert kinds.count("pipe") == 2
        assert len(kinds) == 6 + len(self.collectors), kinds

    def test_fastcgi_socket_is_where_nobody_else_can_write(self):
        self.start_web()
        assert self.post().status == 201
        path = fastcgi_socket(self.web.pid)
        assert path.is_socket()
        # lighttpd would use a socket that another user had put there.
        for found in (path.stat(), path.parent.stat()):
            assert stat.S_IMODE(found.st_mode) & 0o077 == 0
            assert found.st_uid == os.geteuid()
        self.web.stop()
        assert not path.parent.exists()
