"""The program as a service: make install, and the systemd units, checked by
systemd-analyze and started by systemd-socket-activate."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from lib import fastcgi
from lib.case import Case
from lib.collector import Sink
from lib.places import CREDENTIALS, PATH, PROGRAM, ROOT, tool
from lib.processes import (Process, children, is_running, responders,
                           wait_until)
from servers import EXAMPLES

SETTINGS = {"API_CREDENTIALS_HEAVEN": CREDENTIALS}
# On systemd's scale of 0 to 10, where most services have 9.
EXPOSURE_MAX = 1.2


def run(*command, **kwargs):
    return subprocess.run([str(c) for c in command], capture_output=True,
                          text=True, timeout=60, **kwargs)


def links(document):
    """The relative links of a document."""
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.M | re.S)
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link for link in found if not re.match("https?:", link)]


def dead(document, link):
    """Whether the file or the heading that a link names is missing."""
    name, _, heading = link.partition("#")
    target = document.parent / name if name else document
    if not target.exists():
        return True
    headings = re.findall(r"^#+ (.*)$", target.read_text(), re.M) \
        if heading else []
    return bool(heading) and heading not in (
        re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings)


class ServiceTest(Case):
    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-install-")
        self.at_end(folder.cleanup)
        self.folder = Path(folder.name)

    def make(self, target, **variables):
        done = run(tool("make"), "-s", "-C", ROOT, target,
                   *(f"{k}={v}" for k, v in variables.items()))
        assert done.returncode == 0, done.stderr

    def files(self, folder):
        return {str(p.relative_to(folder)): p.stat().st_mode & 0o777
                for p in folder.rglob("*") if p.is_file()}

    def units(self):
        """The units of an installation, as systemd would find them."""
        self.make("install", PREFIX=self.folder / "usr")
        units = self.folder / "usr" / "lib" / "systemd" / "system"
        return units / "logplex-statsd.socket", units / "logplex-statsd.service"

    def setting(self, unit, name):
        return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.M)[-1]


class Install(ServiceTest):
    def test_everything_where_distributions_expect_it(self):
        self.make("install", DESTDIR=self.folder, PREFIX="/usr")
        files = self.files(self.folder)
        for file in ("bin/logplex-statsd", "bin/logplex-statsd-listener",
                     "bin/logplex-statsd-add-app",
                     "share/doc/logplex-statsd/dashboards/"
                     "check_platform_errors"):
            assert files.pop("usr/" + file) == 0o755, file
        assert set(files.values()) == {0o644}
        for file in ("share/man/man1/logplex-statsd.1",
                     "share/man/man1/logplex-statsd-listener.1",
                     "share/man/man1/logplex-statsd-add-app.1",
                     "share/doc/logplex-statsd/web-servers.md",
                     "share/doc/logplex-statsd/dashboards/grafana.json",
                     "lib/systemd/system/logplex-statsd.socket",
                     "lib/systemd/system/logplex-statsd.service",
                     *(f"share/doc/logplex-statsd/servers/{p.name}"
                       for p in EXAMPLES.iterdir())):
            assert "usr/" + file in files
        # Only the program's path differs, everywhere.
        for file in files:
            if "/servers/" in file or file.endswith("m/logplex-statsd.service"):
                installed = (self.folder / file).read_text()
                source = ROOT / "docs" / (
                    "servers" if "/servers/" in file else "systemd")
                assert installed == (
                    source / Path(file).name).read_text().replace("/usr/local/bin",
                    "/usr/bin")

    def test_uninstall_leaves_nothing(self):
        self.make("install", DESTDIR=self.folder)
        assert "usr/local/bin/logplex-statsd" in self.files(self.folder)
        self.make("uninstall", DESTDIR=self.folder)
        assert self.files(self.folder) == {}

    def test_installed_programs_run_and_know_their_names(self):
        self.make("install", DESTDIR=self.folder)
        commands = self.folder / "usr/local/bin"
        assert re.search(r"^logplex-statsd [0-9.]+\n$",
                         run(commands / "logplex-statsd", "--version").stdout)
        for name in ("logplex-statsd-listener", "logplex-statsd-add-app"):
            assert re.search(rf"^usage: \S*{name} ",
                             run(commands / name, "--help").stdout)
        said = run(commands / "logplex-statsd-add-app", "a b")
        assert re.search("^logplex-statsd-add-app: ", said.stderr)

    def test_no_link_of_the_documents_is_dead(self):
        self.make("install", DESTDIR=self.folder)
        installed = self.folder / "usr/local/share/doc/logplex-statsd"
        for folder, found in ((installed, [*installed.rglob("*.md")]),
                              (ROOT, [ROOT / "README.md",
                                      *(ROOT / "docs").rglob("*.md")])):
            assert folder / "README.md" in found
            for document in found:
                for link in links(document):
                    assert dead(document, link) == \
                        False, f"{document.relative_to(folder)}: {link}"

    def test_man_has_nothing_to_warn_of(self):
        self.make("install", DESTDIR=self.folder)
        pages = sorted((self.folder / "usr/local/share/man/man1").iterdir())
        assert len(pages) == 3
        for page in pages:
            for width in ("60", "80", "132"):
                done = run(tool("man"), "--warnings", "-l", "-Tutf8", page,
                           env={"PATH": PATH, "MANWIDTH": width,
                                "LC_ALL": "C.UTF-8"})
                assert (done.returncode, done.stderr) == (0, "")
                assert "SEE ALSO" in re.sub(".\b", "", done.stdout)

    def test_version_does_nothing_else(self):
        done = run(tool("strace"), PROGRAM, "--version")
        assert done.returncode == 0
        # libc asks for random bytes too, but does not wait for them.
        assert not re.search(r"(?m)^(socket|connect|getrandom.*, 0)\W",
                             done.stderr)
        assert re.search(r"(?m)^write\(1, ", done.stderr)


class Systemd(ServiceTest):
    def test_verify_finds_nothing_to_say(self):
        units = self.units()
        done = run(tool("systemd-analyze"), "verify", "--man=no", *units)
        # It also reports faults of the machine's other units.
        ours = [line for line in done.stderr.splitlines()
                if "logplex-statsd" in line]
        assert (done.returncode, ours) == (0, []), done.stderr

    def test_verify_would_find_a_mistake(self):
        socket_unit, service = self.units()
        service.write_text(service.read_text().replace(
            "ProtectHome=yes", "ProtectHomes=yes"))
        done = run(tool("systemd-analyze"), "verify", "--man=no", service)
        assert "ProtectHomes" in done.stderr

    def for_haproxy(self):
        """The units with the additions of docs/servers."""
        units = self.units()
        for unit in units:
            example = self.folder / "usr/share/doc/logplex-statsd/servers" / (
                f"haproxy-{unit.suffix[1:]}.conf")
            added = unit.parent / (unit.name + ".d") / "haproxy.conf"
            added.parent.mkdir()
            shutil.copy(example, added)
        return units

    def test_verify_finds_nothing_to_say_for_haproxy(self):
        tool("/usr/bin/multiwatch")
        units = self.for_haproxy()
        done = run(tool("systemd-analyze"), "verify", "--man=no", *units)
        ours = [line for line in done.stderr.splitlines()
                if re.search("logplex-statsd|haproxy", line)]
        assert (done.returncode, ours) == (0, []), done.stderr
        added = units[1].parent / (units[1].name + ".d") / "haproxy.conf"
        added.write_text(added.read_text().replace("MemoryMax", "MemoryMux"))
        done = run(tool("systemd-analyze"), "verify", "--man=no", *units)
        assert "MemoryMux" in done.stderr

    def test_it_is_started_again_however_often_it_crashes(self):
        # systemd would give up after five starts in ten seconds.
        _, service = self.units()
        unit = re.search(r"(?ms)^\[Unit\]$(.*?)^\[", service.read_text())[1]
        assert re.search(r"(?m)^StartLimitIntervalSec=0$", unit)
        assert self.setting(service, "Restart") == "on-failure"

    def test_exposure_is_low(self):
        _, service = self.units()
        done = run(tool("systemd-analyze"), "security", "--offline=true",
                   f"--threshold={EXPOSURE_MAX * 10:.0f}", service)
        assert done.returncode == 0, done.stdout + done.stderr
        level = re.search(r"exposure level .*: ([0-9.]+)", done.stdout)
        assert float(level[1]) <= EXPOSURE_MAX

    def test_socket_is_private(self):
        socket_unit, _ = self.units()
        assert self.setting(socket_unit, "SocketMode") == "0660"
        assert self.setting(socket_unit, "ListenStream") == \
            "/run/logplex-statsd.sock"

    def activate(self, service, *more):
        """Starts the service as its socket does, with the listening socket as
        standard input; waits until clients can connect."""
        assert self.setting(service, "StandardInput") == "socket"
        self.sinks = [Sink(), Sink()]
        for sink in self.sinks:
            self.keep(sink)
        folder = "/run/" + self.setting(service, "RuntimeDirectory")
        frames = self.setting(service, "Environment=FRAMES_FILE")
        assert os.path.dirname(frames) == folder
        env = {**SETTINGS, "FRAMES_FILE": self.folder / "frames",
               "METRICS_CLUSTER": ",".join(s.uri for s in self.sinks)}
        self.socket = self.folder / "socket"
        process = self.keep(Process(
            [tool("systemd-socket-activate"), "--inetd", "-l", self.socket,
             *(f"--setenv={name}" for name in env), *more,
             *self.setting(service, "ExecStart").split()], env=env))
        wait_until(self.is_listening, "the socket", process=process)
        return process

    def is_listening(self):
        """Asks the kernel: a socket has its name before it listens."""
        rows = map(str.split, Path("/proc/net/unix").read_text().split("\n"))
        return ["00010000", str(self.socket)] in (
            [row[3], row[7]] for row in rows if len(row) == 8)

    def post(self, **kwargs):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.socket))
            s.sendall(fastcgi.message(**kwargs))
            return fastcgi.read_reply(s).status

    def test_activated_by_its_socket(self):
        process = self.activate(self.units()[1])
        assert self.post() == 201
        assert sum(len(s.take()) for s in self.sinks) == 4
        assert self.post(credentials="Aladdin:wrong") == 401
        wait_until(lambda: "event=refused" in process.log(), "the log")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    def several(self):
        """The service with haproxy-service.conf in one file."""
        _, service = self.for_haproxy()
        added = service.parent / (service.name + ".d") / "haproxy.conf"
        service.write_text(service.read_text() + added.read_text())
        return service

    def test_several_responders_on_one_socket(self):
        process = self.activate(self.several())
        assert self.post() == 201
        eight = self.running(process, 8)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        wait_until(lambda: not any(map(is_running, eight)), "all have ended")

    def running(self, process, count):
        """Its responders, once all of them have become the program: until
        then, a signal would be lost."""
        wait_until(lambda: len(responders(process.pid)) == count,
                   f"{count} responders", 30, process)
        return responders(process.pid)

    def test_system_calls_and_sockets_are_those_allowed(self):
        self.assert_only_allowed_calls(self.units()[1], 1)

    def test_system_calls_of_several_responders_too(self):
        self.assert_only_allowed_calls(self.several(), 8)

    def assert_only_allowed_calls(self, service, count):
        # No name server is asked here: glibc's look-ups use sockets, which are
        # allowed, and files.
        trace = self.folder / "trace"
        process = self.activate(
            service, tool("strace"), "-f", "-qq", "-o", trace)
        assert self.post() == 201
        assert self.post(credentials="Aladdin:wrong") == 401
        self.running(process, count)
        for pid in children(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)  # one may have ended the others
        process.wait(30)
        lines = re.findall(r"^\d+ +(.*)$", trace.read_text(), re.M)
        used = {line.partition("(")[0] for line in lines
                if re.match(r"[a-z0-9_]+\(", line)}
        assert "accept" in "".join(used)
        assert (self.folder / "frames").exists()
        allowed = self.allowed(service)
        assert "mount" not in allowed
        assert used - allowed == set()
        assert (set(re.findall(r"socket\((AF_[A-Z0-9]+)", trace.read_text())) -
                set(self.setting(service, "RestrictAddressFamilies").split())) == \
            set()

    def allowed(self, service):
        allowed = set()
        for line in re.findall(r"^SystemCallFilter=(.*)$",
                               service.read_text(), re.M):
            for name in line.lstrip("~").split():
                calls = self.calls(name)
                allowed = allowed - calls if line[0] == "~" \
                    else allowed | calls
        return allowed

    def calls(self, name):
        if not name.startswith("@"):
            return {name}
        out = run(tool("systemd-analyze"), "syscall-filter", name).stdout
        calls = set()
        for inner in re.findall(r"^    ([@a-z0-9_-]+)$", out, re.M):
            calls |= self.calls(inner)
        return calls
