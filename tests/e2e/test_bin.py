"""The programs in bin/: their help, the addresses they listen on, whether they
work in a folder of any name, and what remains when they are killed."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from lib.case import Case
from lib.http import build_request, read_answer, request
from lib.places import PATH, REFERENCE, ROOT, tool
from lib.ports import free_port
from lib.processes import Process, children, is_running, wait_until
from lib.web import WebTest

PROGRAMS = sorted(p.name for p in (ROOT / "bin").iterdir())
# Its UDP ports are fixed, and only one can run in a folder.
debug_server = pytest.mark.xdist_group("debug-server")
# A space, both quotes, a letter beyond ASCII, and characters that shells
# expand.
FOLDER = "my drain's \"clöne\" $HOME"


def bash(command, **kwargs):
    return subprocess.run(["bash", "-c", command], capture_output=True,
                          text=True, timeout=60, **kwargs)


def is_lighttpd(pid):
    with contextlib.suppress(OSError):  # it may have ended
        return Path(f"/proc/{pid}/comm").read_text() == "lighttpd\n"
    return False


def marked(mark):
    """The pids of all processes that have this text in their environment."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark.encode() in environ.read_bytes():
                found.append(int(environ.parent.name))
    return found


class Help(Case):
    """With only bash, cat and env installed, a program fails if it does
    anything before it answers."""

    def run_alone(self, name, *args):
        with tempfile.TemporaryDirectory() as folder:
            for command in ("bash", "cat", "env"):
                os.symlink(tool(command), f"{folder}/{command}")
            return subprocess.run(
                [ROOT / "bin" / name, *args], cwd=folder, timeout=20,
                env={"PATH": folder}, capture_output=True, text=True)

    def test_every_program_says_how_it_is_used(self):
        assert "debug-server" in PROGRAMS
        for name in PROGRAMS:
            done = self.run_alone(name, "--help")
            assert (done.returncode, done.stderr) == (0, "")
            assert re.search(rf"^usage: (.*/)?{name}\b", done.stdout)

    @pytest.mark.parametrize("words", [
        ("test", "--all", "--help"), ("test", "-k", "frame", "--help"),
        ("demo", "--seconds", "9", "--help")])
    def test_after_other_words_too(self, words):
        done = self.run_alone(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"usage: bin/{words[0]} ")

    @pytest.mark.parametrize("seconds", [
        (), ("",), ("abc",), ("0",), ("-5",), ("nan",), ("1e9",), ("60", "60")])
    def test_a_demo_of_no_length_is_refused(self, seconds):
        done = self.run_alone("demo", "--seconds", *seconds)
        assert (done.returncode, done.stdout) == (2, "")
        assert "usage: " in done.stderr

    def test_every_program_refuses_an_option_that_is_none(self):
        for name in PROGRAMS:
            if name == "test":  # passes unknown options to pytest
                continue
            done = self.run_alone(name, "--nonsense")
            # Heroku takes any failure of bin/compile for what it is.
            assert done.returncode == (1 if name == "compile" else 2)
            assert done.stdout == ""
            assert "usage: " in done.stderr


class Listens(WebTest):
    def answers_at(self, host):
        try:
            with socket.create_connection((host, self.port), timeout=5) as s:
                s.sendall(build_request("GET", "/_ping"))
                return read_answer(s).status == 200
        except ConnectionRefusedError:
            return False

    def families(self, bind):
        self.start_web(BIND=bind)
        found = [h for h in ("127.0.0.1", "::1") if self.answers_at(h)]
        self.web.stop()
        return found

    def wait_for_web(self):
        wait_until(lambda: "server started" in self.web.log(),
                   "bin/web starts", process=self.web)

    @pytest.mark.parametrize("bind", [None, "", "::", "[::]"])
    def test_at_all_addresses_if_not_told_otherwise(self, bind):
        assert self.families(bind) == ["127.0.0.1", "::1"]

    @pytest.mark.parametrize("bind, family", [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "::1"),
        ("[::1]", "::1"), ("localhost", "127.0.0.1")])
    def test_at_the_address_it_is_told(self, bind, family):
        assert self.families(bind) == [family]

    def test_without_ipv6_all_addresses_are_those_of_ipv4(self):
        # While its loopback is down, a network has no IPv6 address.
        mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
        web = Process([tool("unshare"), "--net", *mapped, ROOT / "bin" / "web"],
                      env={"PORT": str(free_port()), "API_SECRET": "x" * 16})
        self.keep(web)
        wait_until(lambda: "server started" in web.log(), "bin/web starts",
                   process=web)
        # Parents first: a responder has lighttpd's name for a moment.
        server, *_ = filter(is_lighttpd, children(web.pid))
        assert re.search(r"(?m)^ *\d+: 00000000:",
                         Path(f"/proc/{server}/net/tcp").read_text())
        assert not re.search(r"(?m)^ *\d+: ",
                             Path(f"/proc/{server}/net/tcp6").read_text())

    @pytest.mark.parametrize("port", [
        "abc", "0", "65536", "-1", "080", "80 ", "1e3"])
    def test_a_port_that_is_none(self, port):
        done = subprocess.run([ROOT / "bin" / "web"], timeout=20,
                              env={"PATH": PATH, "PORT": port},
                              capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr == (
            f'bin/web: PORT is "{port}"; '
            "a port is a number from 1 to 65535.\n")


@debug_server
class DebugServer(Case):
    def start(self, root=ROOT, port=None, ready=True, **env):
        self.port = port or free_port()
        self.server = Process([root / "bin" / "debug-server"],
                              env={"PORT": str(self.port), **env})
        self.keep(self)
        if ready:
            wait_until(lambda: "\nReady at " in self.server.log(), "Ready",
                       seconds=60, process=self.server)
        return self.server

    def stop(self):
        self.server.stop(signal.SIGINT)

    def pasted(self):
        """The command that it tells users to run in a second terminal."""
        return re.search(r"^curl(?:.*\\\n)*.*$", self.server.log(), re.M)[0]

    def test_once_it_says_so_it_is_ready(self):
        self.start()
        with tempfile.TemporaryDirectory() as elsewhere:
            done = bash(self.pasted(), cwd=elsewhere)
        assert "201 Created" in done.stdout, done.stderr
        assert f"Ready at http://localhost:{self.port}/heaven/logs" in \
            self.server.log()

    def test_it_shows_requests_and_counters(self):
        server = self.start()
        assert request(self.port, body=REFERENCE).status == 201
        time_of_day = r"\d\d:\d\d:\d\d "
        for line in (r"listener-8126\.1 +\| .* heaven\.heroku\.errors\.R89:1",
                     r"listener-8127\.1 +\| .* heaven\.heroku\.errors\.R99:1",
                     r"listener-8127\.1 +\| .* heaven\.heroku\.errors\.L99:1",
                     r"listener-8127\.1 +\| .* heaven\.heroku\.errors\.H12:1",
                     r'web\.1 +\| event=request method="POST" '
                     r'path="/heaven/logs" status=201 us=\d+ bytes=536 body='):
            wait_until(lambda: re.search("(?m)^" + time_of_day + line,
                                         server.log()), line)

    def test_ctrl_c_stops_everything(self):
        server = self.start()
        started = children(server.pid)
        assert len(started) >= 4
        os.killpg(server.pid, signal.SIGINT)  # as Ctrl-C does
        assert server.wait(20) == 0
        left = [*filter(is_running, started)]
        assert left == [], server.log()

    def test_in_a_folder_of_any_name(self):
        with tempfile.TemporaryDirectory() as parent:
            clone = Path(parent) / FOLDER
            for name in ("bin", "src", "tests", "docs", "Makefile",
                         "lighttpd.conf"):
                source = ROOT / name
                if source.is_dir():
                    shutil.copytree(source, clone / name)
                else:
                    shutil.copy(source, clone)
            for name in ("logplex-statsd", "listener"):
                (clone / "bin" / name).unlink()
            self.start(clone)
            assert (clone / "bin" / "logplex-statsd").exists()
            done = bash(self.pasted(), cwd="/")
            assert "201 Created" in done.stdout, done.stderr
            wait_until(lambda: "heaven.heroku.errors.H12:1|c" in
                       self.server.log(), "the counter")
            self.stop()

    def test_a_password_of_ones_own_is_not_shown(self):
        self.start(API_CREDENTIALS_HEAVEN="it's me:s3cret")
        assert "s3cret" not in self.server.log()
        done = bash(f"curl() {{ printf '%s\\n' \"$@\"; }}\n{self.pasted()}")
        assert done.stdout.splitlines()[1:3] == ["-u", "it's me"]

    def test_a_second_one_says_where_the_first_is(self):
        self.start()
        first = self.server
        second = self.keep(
            Process([ROOT / "bin" / "debug-server"], env={"PORT": "1"}))
        assert second.wait(20) == 1
        assert second.log() == (
            "bin/debug-server: already running "
            f"here, on port {self.port}.\n")
        assert first.poll() is None
        self.stop()
        self.start()  # and now it is not

    def test_a_port_in_use(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 8126))
            server = self.start(ready=False)
            assert server.wait(60) == 1
            assert "UDP port 8126: Address already in use" in server.log()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            server = self.start(port=port, ready=False)
            assert server.wait(60) == 1
            assert f"port {port} is in use; PORT={port + 1} " in server.log()


@debug_server
class Killed(Case):
    """SIGKILL, which cannot be caught, at any moment of the start."""

    MOMENTS = [0, .002, .005, .01, .015, .02, .025, .03, .04, .06, .1, .2, .5]

    def start(self, name, **env):
        self.mark = f"MARK={os.urandom(8).hex()}"
        process = Process([ROOT / "bin" / name], env={
            "PORT": str(free_port()), "BIND": "127.0.0.1",
            "API_SECRET": "x" * 16, **env,
            **dict([self.mark.split("=")])})
        self.at_end(self.clean, self.mark)
        self.keep(process)
        return process

    def clean(self, mark):
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)

    def assert_nothing_left(self, moment):
        def gone():
            self.left = marked(self.mark)
            return not self.left
        try:
            wait_until(gone, f"killed after {moment} s", seconds=15)
        except AssertionError as e:
            left = [Path(f"/proc/{p}/cmdline").read_bytes() for p in self.left]
            raise AssertionError(f"{e}: {left}") from None

    def test_the_debug_server(self):
        for moment in self.MOMENTS:
            process = self.start("debug-server")
            time.sleep(moment)
            process.kill()
            process.wait()
            self.assert_nothing_left(moment)

    def test_the_web_process(self):
        for moment in self.MOMENTS:
            process = self.start("web")
            time.sleep(moment)
            process.kill()
            process.wait()
            self.assert_nothing_left(moment)

    def test_lighttpd(self):
        for moment in self.MOMENTS:
            process = self.start("web")
            servers = []

            def started():
                servers[:] = filter(is_lighttpd, children(process.pid))
                return servers
            wait_until(started, "lighttpd", process=process)
            time.sleep(moment)
            os.kill(servers[0], signal.SIGKILL)
            assert process.wait(20) == 128 + signal.SIGKILL
            self.assert_nothing_left(moment)
