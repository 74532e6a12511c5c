"""Senders that behave like Logplex, for ONCE_SECONDS, while everything else
comes and goes.

They send to bin/web. Responders are killed, or stopped and continued; bin/web
is stopped like a dyno, and started again; lighttpd is killed. One collector
goes away and comes back; the address, the link and the route to another one
change. FRAMES_FILE outlives bin/web, as it does on a server.

In the end, every error of every acknowledged batch has been counted once. An
error may be missing only if its collector could not be reached at that time.

SEED repeats the choices of a run, as far as the machine allows; RATE is the
number of batches a second to aim for.
"""

import collections
import contextlib
import os
import random
import re
import signal
import threading
import time

import pytest

from lib import network
from lib.http import request
from lib.logplex import CountingCollector, Drain, Ledger, OverHttp
from lib.places import ROOT
from lib.ports import free_port
from lib.processes import Process, children, responders, wait_until

pytestmark = pytest.mark.namespaces

SECONDS = int(os.environ.get("ONCE_SECONDS", "20"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().getrandbits(32)
RATE = int(os.environ.get("RATE", "150"))
DRAINS = 6
SECRET = "a-shared-secret"
HERE, HERE_LATER, THERE = "10.9.0.1/24", "10.9.0.3/24", "10.9.0.2/24"
# Seconds before a collector is out of reach, as what it has not read is lost
# with its socket; and seconds after that, as the kernel checks links once a
# second.
BEFORE, AFTER = 0.5, {1: 0.2, 2: 1.5}


class World:
    """All parts, and what can happen to them."""

    def __init__(self, folder, rng):
        self.rng = rng
        self.folder = folder
        self.happened = collections.Counter()
        self.said = ""
        self.ledger = Ledger()
        self.neighbour = network.Neighbour()
        self.neighbour.link("near", [HERE], [THERE])
        self.here, self.here_later = HERE, HERE_LATER
        self.collectors = [CountingCollector(self.ledger, n)
                           for n in range(2)]
        self.collectors.append(self.neighbour.call(
            lambda: CountingCollector(self.ledger, 2, THERE.split("/")[0])))
        self.ledger.collectors = len(self.collectors)
        for c in self.collectors:
            c.start()
        port = [c.port for c in self.collectors]
        self.port = free_port()
        self.env = {
            "PORT": str(self.port), "BIND": "127.0.0.1", "API_SECRET": SECRET,
            "FRAMES_FILE": f"{folder}/frames", "METRICS_CLUSTER":
            f"statsd://127.0.0.1:{port[0]},"
            f"statsd://127.0.0.1:{port[1]}?datagram=300,"
            f"statsd://{self.collectors[2].host}:{port[2]}"}
        self.web = None
        self.start_web()

    def start_web(self):
        self.web = Process([ROOT / "bin" / "web"], env=self.env)
        wait_until(self.answers, "bin/web answers", process=self.web)

    def answers(self):
        with contextlib.suppress(OSError):
            return request(self.port, method="GET", path="/_ping",
                           credentials=None).status == 200
        return False

    def end_web(self, how=signal.SIGTERM):
        """Waits for it to end, and keeps its log."""
        if how:
            self.web.send_signal(how)
        self.web.wait(40)
        self.said += self.web.log()
        self.web.stop()

    def stop(self):
        if self.web is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.web.pid, signal.SIGCONT)
            self.web.stop()
        for c in self.collectors:
            c.stop()
        self.neighbour.stop()

    # Disturbances of processes.

    def responder(self):
        """The pid of a responder; waits until there is one."""
        wait_until(lambda: responders(self.web.pid), "a responder",
                   process=self.web)
        return self.rng.choice(responders(self.web.pid))

    def kill_responder(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.responder(), signal.SIGKILL)

    def stop_responder(self, seconds=None):
        pid = self.responder()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(seconds or self.rng.uniform(0.01, 2))
            os.kill(pid, signal.SIGCONT)

    def stop_responder_for_long(self):
        self.stop_responder(self.rng.uniform(5, 8))

    def restart_web(self):
        self.end_web()
        self.start_web()

    def kill_lighttpd(self):
        """bin/web ends with it; the responder finishes its request."""
        for pid in children(self.web.pid):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/exe").endswith("/lighttpd"):
                    os.kill(pid, signal.SIGKILL)
        self.end_web(None)
        self.start_web()

    # Disturbances of the network.

    @contextlib.contextmanager
    def unreachable(self, collector):
        since = time.monotonic()
        yield
        self.ledger.away.append(
            (since - BEFORE, time.monotonic() + AFTER[collector],
             collector))

    def collector_goes_and_comes(self):
        with self.unreachable(1):
            self.collectors[1].go()
            time.sleep(self.rng.uniform(0.05, 2))
            self.collectors[1].come()

    def address_changes(self):
        with self.unreachable(2):
            network.ip(f"addr del {self.here} dev near")
            time.sleep(self.rng.choice((0, 0.5)))
            network.ip(f"addr add {self.here_later} dev near")
        self.here, self.here_later = self.here_later, self.here

    def link_goes_down_and_up(self):
        with self.unreachable(2):
            network.ip("link set near down")
            time.sleep(self.rng.uniform(0, 1))
            network.ip("link set near up")

    def route_goes_and_comes(self):
        there = "10.9.0.0/24"
        with self.unreachable(2):
            network.ip(f"route del {there}")
            time.sleep(self.rng.uniform(0, 1))
            network.ip(f"route add {there} dev near")


PROCESSES = {"kill_responder": 12, "stop_responder": 5, "restart_web": 1,
             "stop_responder_for_long": 1, "kill_lighttpd": 1}
NETWORK = {"collector_goes_and_comes": 2, "address_changes": 1,
           "link_goes_down_and_up": 1, "route_goes_and_comes": 1}


class Disturber(threading.Thread):
    """Disturbs, one thing after the other; each at least once, early."""

    def __init__(self, world, weights, seed, pause):
        super().__init__(daemon=True)
        self.world, self.pause = world, pause
        self.rng = random.Random(seed)
        self.due = list(weights)
        self.rng.shuffle(self.due)
        self.weights = weights
        self.stopping = threading.Event()

    def run(self):
        with self.world.ledger.faults_of("disturber"):
            while not self.stopping.is_set():
                what = self.due.pop() if self.due else self.rng.choices(
                    list(self.weights), list(self.weights.values()))[0]
                since = time.monotonic()
                getattr(self.world, what)()
                print(f"{since:.3f} to {time.monotonic():.3f}: {what}",
                      flush=True)
                self.world.happened[what] += 1
                self.stopping.wait(self.rng.uniform(*self.pause))


def drive(world, seconds):
    drains = [Drain(world.ledger, OverHttp(world.port, ":" + SECRET),
                    f"drain{n}", world.rng.getrandbits(32),
                    pause=DRAINS / RATE) for n in range(DRAINS)]
    pause = (0.2, 1) if seconds < 60 else (0.5, 6)
    disturbers = [Disturber(world, w, world.rng.getrandbits(32), pause)
                  for w in (PROCESSES, NETWORK)]
    started = time.monotonic()
    for thread in drains + disturbers:
        thread.start()
    while (left := started + seconds - time.monotonic()) > 0:
        time.sleep(min(60, left))
        world.ledger.judge()
        if seconds > 60:
            print(f"{time.monotonic() - started:6.0f} s "
                  f"{sum(world.happened.values())} disturbances, "
                  f"{dict(world.ledger.seen)}, "
                  f"{len(world.ledger.faults)} faults", flush=True)
    for thread in disturbers:
        thread.stopping.set()
    for thread in disturbers:
        thread.join(60)
    for drain in drains:
        drain.stopping.set()
    for drain in drains:
        drain.stop()
    return drains


def tell(world, drains, events):
    answers = sum((d.statuses for d in drains), collections.Counter())
    print(f"{SECONDS} s, seed {SEED}; " + ", ".join(
        f"{n} x {what.replace('_', ' ')}"
        for what, n in world.happened.most_common()))
    print("answers: " + ", ".join(f"{n} x {s or 'none'}"
                                  for s, n in answers.most_common()))
    print("log: " + (", ".join(f"{n} x {e}" for e, n in events.most_common())
                     or "empty"))
    for what, n in world.ledger.seen.most_common():
        print(f"{n:10,} {what}")


def test_what_was_acknowledged_was_counted_once(tmp_path):
    world = World(tmp_path, random.Random(SEED))
    try:
        drains = drive(world, SECONDS)
        world.end_web()
        time.sleep(1)
        overflowed = sum(c.overflowed() for c in world.collectors[:2])
        overflowed += world.neighbour.call(world.collectors[2].overflowed)
    finally:
        world.stop()
    world.ledger.judge(everything=True)
    events = collections.Counter(re.findall(
        r'event=[a-z-]+(?: status=\d+)?', world.said))
    tell(world, drains, events)
    assert world.ledger.faults == []
    assert overflowed == 0, "this test's own sockets lost something"
    assert world.ledger.seen["errors counted once"] > 0
    assert set(world.happened) == set(PROCESSES | NETWORK)
    assert [r for d in drains for r in d.refusals] == []
    assert re.findall(r".*signal:? (?!9\b)\d+.*", world.said) == []
    assert events["event=frames-file"] == 0
