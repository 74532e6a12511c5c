"""A dyno and a container, as far as possible without Heroku: the slug and the
image that test_build.py has made, started in their clean roots by an
unprivileged user, with separate network and processes. The tests treat them as
Heroku treats dynos, and account for every counter."""

import contextlib
import os
import pickle
import queue
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

import roots
from lib.collector import Collector
from lib.http import build_request, connect, read_answer
from lib.places import CREDENTIALS, FIXTURES, REFERENCE, ROOT
from lib.ports import free_port
from lib.processes import Process, children, wait_until
from lib.web import WebTest

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("dyno"),
              pytest.mark.namespaces]

# Heroku's time limits: for binding the port, and for stopping.
BOOT, SHUTDOWN = 60, 30
# Runs the Procfile's command and stays, like a dyno's init: it reports how the
# command ended, so that the test can see which processes remain.
INIT = r"""
bash -c "$1" </dev/null &
child=$!
wait "$child"
echo "init: exit status $?" >&2
read -r _
"""
# Milliseconds from the start to the signal to stop.
START_MOMENTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 30, 60]
EXITED = re.compile(r"^init: exit status (\d+)$", re.M)


def procfile_command():
    text = (ROOT / "Procfile").read_text()
    return re.search(r"^web: (.*)$", text, re.M)[1]


def status(pid):
    """Fields of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {k: v.strip() for k, _, v in (l.partition(":") for l in lines)}


def blocks(pid, sig):
    return bool(int(status(pid)["SigBlk"], 16) & 1 << (sig - 1))


def catches(pid, sig):
    return bool(int(status(pid)["SigCgt"], 16) & 1 << (sig - 1))


class Dyno(Process):
    """The Procfile's command in the slug's root."""

    def __init__(self, env):
        root = roots.Root(roots.CACHE / roots.suite() / "dyno", roots.suite())
        self.input, output = os.pipe()
        full = {"HOME": "/app", "DYNO": "web.1", "LC_ALL": "C",
                "PATH": "/usr/local/bin:/usr/bin:/bin", **env}
        super().__init__(
            root.command(["/bin/bash", "-c", INIT, "init",
                          procfile_command()], uid=roots.UID, env=full,
                         cwd="/app"), stdin=self.input)
        os.close(self.input)
        self.input = output

    def stop(self):
        with contextlib.suppress(OSError):
            os.close(self.input)
        super().stop(signal.SIGKILL)

    def processes(self):
        """All processes of the dyno except its init: {pid: name}."""
        found = {}
        for pid in children(self.pid)[1:]:
            with contextlib.suppress(OSError, KeyError):
                if status(pid)["State"][0] != "Z":
                    found[pid] = status(pid)["Name"]
        return found

    def find(self, name):
        """The only process with this name (comm has at most 15 characters)."""
        (pid,) = [p for p, n in self.processes().items() if n == name[:15]]
        return pid

    def signal_all(self, sig):
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)

    def exit_status(self):
        found = EXITED.search(self.log())
        return int(found[1]) if found else None

    def wait_for_exit(self, seconds):
        """Its exit status and how long that took."""
        started = time.monotonic()
        wait_until(lambda: self.exit_status() is not None,
                   "the dyno's command ends", seconds, self)
        return self.exit_status(), time.monotonic() - started


class DynoTest(WebTest):
    env = {"METRICS_CLUSTER": None}

    def start_web(self, **env):
        self.collectors = [Collector(), Collector()]
        for c in self.collectors:
            self.keep(c)
        self.start_dyno(**{
            "METRICS_CLUSTER": ",".join(c.uri for c in self.collectors),
            "API_CREDENTIALS_HEAVEN": CREDENTIALS, **env})
        self.wait_for_web()

    def start_dyno(self, **env):
        self.port = free_port()
        self.web = self.keep(Dyno({"PORT": str(self.port), **env}))

    def shut_down(self, times=3, pause=0.4):
        """Stops it as Heroku does: SIGTERM to every process, repeatedly."""
        for i in range(times):
            if i > 0:
                time.sleep(pause)
            self.web.signal_all(signal.SIGTERM)

    def assert_ends(self, within, status=0):
        ended, took = self.web.wait_for_exit(within)
        assert ended == status, self.web.log()
        self.assert_nothing_left()
        return took

    def assert_nothing_left(self):
        wait_until(lambda: self.web.processes() == {},
                   f"nothing is left over of {self.web.processes()}",
                   process=self.web)

    def counted(self, lines=None):
        """The sum of all counters: four for each answered reference
        example."""
        total = 0
        for line in self.counters() if lines is None else lines:
            total += int(re.fullmatch(
                r"heaven\.heroku\.errors\.(?:R99|R89|L99|H12):(\d+)\|c",
                line)[1])
        return total

    def hold_responder(self):
        """Stops the responder for a moment, so that requests pile up."""
        pid = self.web.find("logplex-statsd")
        os.kill(pid, signal.SIGSTOP)
        return lambda: os.kill(pid, signal.SIGCONT)


class Start(DynoTest):
    def test_reference_example_arrives_at_the_owners(self):
        self.start_web()
        assert self.post().status == 201
        assert self.collectors[0].lines() == ["heaven.heroku.errors.R89:1|c"]
        assert self.collectors[1].lines() == ["heaven.heroku.errors.R99:1|c",
                                              "heaven.heroku.errors.L99:1|c",
                                              "heaven.heroku.errors.H12:1|c"]

    def test_everything_runs_from_the_slug_and_the_run_image(self):
        self.start_web()
        self.post()
        for name in ("lighttpd", "logplex-statsd"):
            pid = self.web.find(name)
            assert status(pid)["Uid"].split() == ["1000"] * 4
            mapped = set(re.findall(
                r"r-xp .* (/\S+)$",
                Path(f"/proc/{pid}/maps").read_text(), re.M))
            inside = str(self.web_root())
            for path in mapped:
                assert path.startswith(inside), path
                path = path[len(inside):]
                assert re.search(r"\A(/app/bin/logplex-statsd|/app/\.lighttpd/"
                           r"lighttpd|(/usr)?/lib/.*/(ld-linux-x86-64|lib(c|m|"
                           r"pcre2-8|nettle|sodium|z|xxhash))\.so\S*)\Z", path)

    def web_root(self):
        return roots.CACHE / roots.suite() / "dyno"

    def test_sigterm_is_kept_from_lighttpd_and_responder(self):
        self.start_web()
        lighttpd = self.web.find("lighttpd")
        responder = self.web.find("logplex-statsd")
        assert blocks(lighttpd, signal.SIGTERM)
        assert blocks(responder, signal.SIGTERM)
        assert not blocks(lighttpd, signal.SIGINT)

    def test_secrets_are_in_no_title_and_no_log(self):
        self.start_web(API_SECRET="s3cr3t-of-all", LOG_LEVEL="debug")
        self.post()
        self.post(credentials="x:y")
        for pid in self.web.processes():
            title = Path(f"/proc/{pid}/cmdline").read_text()
            for secret in ("open sesame", "s3cr3t"):
                assert secret not in title
        assert "open sesame" not in self.web.log()
        assert "s3cr3t" not in self.web.log()

    def test_faulty_configuration_ends_the_start_with_every_fault(self):
        self.start_dyno(METRICS_CLUSTER="statsd://u:hidden@a:99999,udp://b",
                        API_CREDENTIALS_HEAVEN="nocolon",
                        LOG_LEVEL="loud")
        status, took = self.web.wait_for_exit(SHUTDOWN)
        assert status != 0
        assert took < 8
        log = self.web.log()
        for fault in ("collector 1", "collector 2", "API_CREDENTIALS_HEAVEN",
                      "LOG_LEVEL"):
            assert fault in log
        assert "hidden" not in log
        assert "nocolon" not in log
        self.assert_nothing_left()

    def test_port_that_is_none_ends_the_start(self):
        self.start_dyno(METRICS_CLUSTER="statsd://127.0.0.1:8126", PORT="abc")
        status, _ = self.web.wait_for_exit(SHUTDOWN)
        assert status != 0
        assert "port" in self.web.log()
        self.assert_nothing_left()

    def test_port_in_use_ends_the_start(self):
        with socket.socket() as s:
            s.bind(("0.0.0.0", 0))
            s.listen()
            self.start_dyno(METRICS_CLUSTER="statsd://127.0.0.1:8126",
                            PORT=str(s.getsockname()[1]))
            status, _ = self.web.wait_for_exit(SHUTDOWN)
        assert status != 0
        assert "in use" in self.web.log()
        self.assert_nothing_left()


class Shutdown(DynoTest):
    """SIGTERM to every process, three times, and 30 s."""

    def test_idle(self):
        self.start_web()
        self.shut_down(times=1)
        assert self.assert_ends(SHUTDOWN) < 10

    def test_requests_in_hand_are_answered_and_counted(self):
        self.start_web()
        go_on = self.hold_responder()
        waiting = [connect(self.port, timeout=SHUTDOWN) for _ in range(20)]
        half = [connect(self.port, timeout=SHUTDOWN) for _ in range(5)]
        message = build_request(body=REFERENCE)
        for s in waiting:
            s.sendall(message)
        for s in half:
            s.sendall(message[:-100])
        time.sleep(0.3)
        self.shut_down()
        for s in half:
            s.sendall(message[-100:])
        time.sleep(0.3)
        go_on()
        for s in waiting + half:
            assert read_answer(s).status == 201
            s.close()
        assert self.assert_ends(SHUTDOWN) < 10
        assert self.counted() == 4 * 25

    def test_large_bodies_in_hand_are_answered(self):
        body = (FIXTURES / "batch-100k.logplex").read_bytes()
        self.start_web()
        message = build_request(body=body)
        assert len(body) > 65536
        clients = [connect(self.port, timeout=SHUTDOWN) for _ in range(5)]
        for s in clients:
            s.sendall(message[:70000])
        time.sleep(0.2)
        self.shut_down()
        for s in clients:
            s.sendall(message[70000:])
        for s in clients:
            assert read_answer(s).status == 201
            s.close()
        self.assert_ends(SHUTDOWN)

    def test_under_load_every_201_has_its_counters(self):
        self.start_web()
        # With new connections, and a kept one: (answered, unanswered).
        results = queue.Queue()
        stop = threading.Event()
        message = build_request(body=REFERENCE)
        kept = build_request(body=REFERENCE, close=False)

        def deliver(message):
            """Sends until it is stopped or refused, on a new connection when
            the previous one is closed."""
            answered = lost = 0
            with contextlib.suppress(ConnectionError):
                while not stop.is_set():
                    with connect(self.port) as s:
                        more = True
                        while more and not stop.is_set():
                            answer = answer_or_none(s, message)
                            answered += answer is not None
                            lost += answer is None
                            more = answer is not None and \
                                answer.headers.get("connection") != "close"
            results.put((answered, lost))

        threads = [threading.Thread(target=deliver, args=[m]) for m in
                   [message] * 3 + [kept] * 2]
        for t in threads:
            t.start()
        time.sleep(60 if roots.LONG else 1)
        self.shut_down()
        self.assert_ends(SHUTDOWN)
        stop.set()
        for t in threads:
            t.join(30)
        outcomes = [results.get_nowait() for _ in threads]
        answered = sum(a for a, _ in outcomes)
        assert answered > 100
        lost = sum(l for _, l in outcomes)
        print(f"[{answered} answered, {lost} not] ", end="", flush=True)
        assert self.counted() == 4 * answered
        # If a connection closes while a request is under way, the client sends
        # that one again: at most one per connection.
        assert lost <= len(threads)

    def test_idle_kept_connections_are_closed(self):
        self.start_web()
        clients = [connect(self.port) for _ in range(10)]
        for s in clients:
            s.sendall(build_request(body=REFERENCE, close=False))
            assert read_answer(s).status == 201
        self.shut_down()
        assert self.assert_ends(SHUTDOWN) < 10
        for s in clients:
            assert s.recv(1) == b""
            s.close()

    @roots.only_long
    def test_connection_outlasts_the_routers_patience(self):
        # Heroku's router closes an idle connection after 90 s; it must never
        # use one that lighttpd has closed.
        self.start_web()
        message = build_request(body=REFERENCE, close=False)
        with connect(self.port) as s:
            for pause in (0, 92):
                time.sleep(pause)
                s.sendall(message)
                assert read_answer(s).status == 201
        assert self.counted() == 8

    def test_clients_that_never_finish_do_not_hold_it(self):
        self.start_web()
        message = build_request(body=REFERENCE)
        clients = [connect(self.port) for _ in range(4)]
        clients[1].sendall(message[:20])
        clients[2].sendall(message[:-10])
        clients[3].sendall(build_request(body=REFERENCE, close=False))
        assert read_answer(clients[3]).status == 201
        clients[3].sendall(message[:-1])
        time.sleep(0.2)
        self.shut_down()
        # lighttpd before 1.4.77 waits for such clients, and ends with 1 when
        # the time is up.
        ended, took = self.web.wait_for_exit(SHUTDOWN - 5)
        assert ended in (0, 1)
        self.assert_nothing_left()
        print(f"[{took:.0f} s] ", end="", flush=True)
        for s in clients:
            s.close()
        assert self.counted() == 4

    def test_before_lighttpd_listens_to_signals(self):
        for _ in range(50):
            self.start_dyno(METRICS_CLUSTER="statsd://127.0.0.1:8126")
            frozen = freeze_before_lighttpd_listens(self.web)
            if frozen:
                break
            self.web.stop()
        assert frozen, "it was never caught that early"
        self.shut_down(times=1)
        time.sleep(0.5)
        os.kill(frozen, signal.SIGCONT)
        self.assert_ends(SHUTDOWN)

    def test_at_any_moment_of_the_start(self):
        for delay in START_MOMENTS:
            self.start_dyno(METRICS_CLUSTER="statsd://127.0.0.1:8126")
            wait_until(lambda: self.web.processes(), "it starts")
            time.sleep(delay / 1000)
            self.shut_down(times=1)
            self.web.wait_for_exit(SHUTDOWN)
            self.assert_nothing_left()
            self.web.stop()


def offspring(pid):
    """Like children, but faster: the kernel's own list."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        yield from offspring(int(child))


def freeze_before_lighttpd_listens(dyno):
    """Stops lighttpd, or the process about to become it, while it blocks
    SIGTERM and has no handler for SIGINT yet: its pid, or None if too late."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        with contextlib.suppress(OSError, KeyError):
            for pid in offspring(dyno.pid):
                if status(pid)["Name"] in ("env", "setpriv", "lighttpd") and \
                        blocks(pid, signal.SIGTERM):
                    os.kill(pid, signal.SIGSTOP)
                    return None if catches(pid, signal.SIGINT) else pid
    return None


def answer_or_none(s, message):
    """The 201 to a request, None if the connection ended without one."""
    try:
        s.sendall(message)
        answer = read_answer(s)
    except OSError:
        return None
    if answer.raw == b"":
        return None
    if answer.status != 201:
        raise AssertionError(f"status {answer.status}")
    return answer


class Crashes(DynoTest):
    def test_responder_that_is_killed_is_started_again(self):
        self.start_web()
        before = self.web.find("logplex-statsd")
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: self.post().status == 201, "it answers again")
        assert self.web.find("logplex-statsd") != before
        assert blocks(self.web.find("logplex-statsd"), signal.SIGTERM)
        self.shut_down()
        self.assert_ends(SHUTDOWN)

    def test_lighttpd_that_is_killed_leaves_no_orphan(self):
        self.start_web()
        os.kill(self.web.find("lighttpd"), signal.SIGKILL)
        self.assert_ends(SHUTDOWN, status=128 + signal.SIGKILL)

    def test_bin_web_that_is_killed_leaves_no_orphan(self):
        self.start_web()
        lighttpd = self.web.find("lighttpd")
        parent = int(status(lighttpd)["PPid"])
        os.kill(parent, signal.SIGKILL)
        self.web.wait_for_exit(SHUTDOWN)
        wait_until(lambda: self.web.processes() == {},
                   "nothing is left over", 5, self.web)

    def test_restart_serves_with_the_new_secrets_alone(self):
        self.start_web()
        first = self.web
        assert self.post().status == 201
        os.kill(first.find("lighttpd"), signal.SIGKILL)
        self.web = self.keep(Dyno({
            "PORT": str(self.port),
            "METRICS_CLUSTER": ",".join(c.uri for c in self.collectors),
            "API_CREDENTIALS_HEAVEN": "Aladdin:new"}))
        self.wait_for_web()
        assert self.post().status == 401
        assert self.post(credentials="Aladdin:new").status == 201


class Container(DynoTest):
    """The image made from the Dockerfile, started and stopped as docker does
    it: the command is process 1, and only that gets the signal."""

    def start_dyno(self, **env):
        with open(roots.CACHE / roots.suite() / "container.pickle", "rb") as f:
            self.image = pickle.load(f)
        self.port = 3000
        resolv = self.image.root.path / "etc/resolv.conf"
        resolv.write_text("nameserver 127.0.0.1\n")
        uid = self.image.user.partition(":")[0]
        self.web = Process(self.image.root.command(
            self.image.command, uid=uid, cwd=self.image.workdir,
            env={**self.image.env, **env}))
        self.at_end(self.web.stop, signal.SIGKILL)

    def healthy(self):
        uid = self.image.user.partition(":")[0]
        return self.image.root.try_run(
            self.image.healthcheck, uid=uid, env=self.image.env,
            cwd=self.image.workdir).returncode == 0

    def stop_container(self):
        (first, *_) = children(self.web.pid)
        os.kill(first, getattr(signal, self.image.stopsignal))

    def test_image_serves_is_healthy_and_stops(self):
        self.start_web()
        assert self.healthy()
        assert self.post().status == 201
        assert self.counted() == 4
        with connect(self.port) as s:
            message = build_request(body=REFERENCE)
            s.sendall(message[:-5])
            time.sleep(0.2)
            self.stop_container()
            time.sleep(0.5)
            s.sendall(message[-5:])
            assert read_answer(s).status == 201
        assert self.web.wait(SHUTDOWN) == 0
        assert self.counted() == 8
        assert not self.healthy()

    def test_health_check_fails_while_the_responder_is_down(self):
        self.start_web()
        (pid,) = [p for p in children(self.web.pid)
                  if status(p)["Name"] == "logplex-statsd"]
        assert self.healthy()
        os.kill(pid, signal.SIGSTOP)
        check = Process(self.image.root.command(
            self.image.healthcheck, uid=10001, env=self.image.env))
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                check.wait(2)  # docker gives up after its --timeout
        finally:
            check.stop(signal.SIGKILL)
            os.kill(pid, signal.SIGCONT)
        assert self.healthy()

    def test_stops_while_the_name_server_keeps_it_waiting(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 53))
            silent.settimeout(30)
            self.start_dyno(METRICS_CLUSTER="statsd://collector.example:8126")
            silent.recv(512)
            self.stop_container()
            assert self.web.wait(8) == 0

    def test_stops_at_any_moment_of_the_start(self):
        for delay in START_MOMENTS:
            self.start_dyno(METRICS_CLUSTER="statsd://127.0.0.1:8126")

            # Process 1 gets no signal for which it has no handler yet.
            def listens():
                first = children(self.web.pid)[:1]
                with contextlib.suppress(OSError, KeyError):
                    return first and catches(first[0], signal.SIGTERM)
                return False
            wait_until(listens, "bin/web listens to signals")
            time.sleep(delay / 1000)
            self.stop_container()
            assert self.web.wait(SHUTDOWN) in (0, 130)
