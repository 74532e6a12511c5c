"""Kills responders at random, under load, KILLS times.

Four siblings serve one socket and share FRAMES_FILE. After every kill, another
one is started. Senders that behave like Logplex speak FastCGI to them
directly: lighttpd would wait for seconds before it starts a responder that has
died twice. Every error that was acknowledged must be counted once.

SEED repeats the choices of a run, as far as the machine allows.
DUPLICATES=count shows what would happen without the table of ids.
"""

import collections
import os
import random
import re
import signal
import socket
import subprocess
import time

from lib.logplex import CountingCollector, Drain, Ledger, OverFastcgi
from lib.places import PATH, PROGRAM

KILLS = int(os.environ.get("KILLS", "100"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().getrandbits(32)
SIBLINGS, DRAINS = 4, 6
SECRET = "a-shared-secret"


class Siblings:
    """Responders on one socket, which stays open when they die."""

    def __init__(self, folder, cluster):
        self.path = f"{folder}/socket"
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(self.path)
        self.listening.listen(1024)
        self.log = open(f"{folder}/log", "a+")
        self.env = {
            "PATH": PATH, "METRICS_CLUSTER": cluster, "API_SECRET": SECRET,
            "FRAMES_FILE": f"{folder}/frames",
            "DUPLICATES": os.environ.get("DUPLICATES", "drop")}
        self.running = [self.start() for _ in range(SIBLINGS)]

    def start(self):
        return subprocess.Popen([PROGRAM], stdin=self.listening, env=self.env,
                                stdout=self.log, stderr=self.log)

    def kill_one(self, rng):
        n = rng.randrange(SIBLINGS)
        self.running[n].kill()
        status = self.running[n].wait()
        self.running[n] = self.start()
        return status

    def stop(self):
        for p in self.running:
            p.terminate()
        statuses = [p.wait(20) for p in self.running]
        self.listening.close()
        return statuses

    def said(self):
        self.log.seek(0)
        return self.log.read()


def start_drains(ledger, siblings, rng):
    """Half of them send small batches, the others batches with many errors, so
    that responders spend much of their time between datagrams."""
    drains = [Drain(ledger, OverFastcgi(siblings.path, ":" + SECRET),
                    f"drain{n}", rng.getrandbits(32), pause=0.005,
                    most_codes=(4, 100)[n % 2]) for n in range(DRAINS)]
    for drain in drains:
        drain.start()
    return drains


def run_kills(kills, siblings, ledger, rng):
    statuses = collections.Counter()
    started = time.monotonic()
    for n in range(1, kills + 1):
        time.sleep(rng.uniform(0.01, 0.12))
        statuses[siblings.kill_one(rng)] += 1
        if n % 100 == 0:
            ledger.judge()
            print(f"{time.monotonic() - started:6.0f} s {n} kills, "
                  f"{dict(ledger.seen)}, {len(ledger.faults)} faults",
                  flush=True)
    return statuses


def tell(ledger, drains, said):
    answers = sum((d.statuses for d in drains), collections.Counter())
    events = collections.Counter(re.findall(r"event=[a-z-]+", said))
    print(f"{KILLS} kills, seed {SEED}")
    print("answers: " + ", ".join(f"{n} x {s or 'none'}"
                                  for s, n in answers.most_common()))
    print("log: " + (", ".join(f"{n} x {e}" for e, n in events.items()) or
                     "empty"))
    for what, n in ledger.seen.most_common():
        print(f"{n:10,} {what}")


def test_what_was_acknowledged_was_counted_once(tmp_path):
    rng = random.Random(SEED)
    ledger = Ledger()
    collectors = [CountingCollector(ledger, n) for n in range(2)]
    ledger.collectors = len(collectors)
    for c in collectors:
        c.start()
    siblings = Siblings(
        tmp_path, f"statsd://127.0.0.1:{collectors[0].port},"
        f"statsd://127.0.0.1:{collectors[1].port}?datagram=300")
    try:
        drains = start_drains(ledger, siblings, rng)
        killed = run_kills(KILLS, siblings, ledger, rng)
        for drain in drains:
            drain.stopping.set()
        for drain in drains:
            drain.stop()
    finally:
        ended = siblings.stop()
    time.sleep(1)
    overflowed = sum(c.overflowed() for c in collectors)
    for c in collectors:
        c.stop()
    ledger.judge(everything=True)
    said = siblings.said()
    tell(ledger, drains, said)
    assert ledger.faults == []
    assert overflowed == 0, "this test's own sockets lost something"
    assert ledger.seen["errors counted once"] > 0
    assert [r for d in drains for r in d.refusals] == []
    assert set(killed) == {-signal.SIGKILL}
    # The last one may have been stopped before it had a handler.
    assert set(ended) <= {0, -signal.SIGTERM}
    assert [line for line in said.splitlines() if not re.match(
        r"event=(duplicate app=|refused status=503 )", line)] == []
