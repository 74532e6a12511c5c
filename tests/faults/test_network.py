"""The machine's own network changes under load: its address, the route to the
collector, the link. Batches answered 201 afterwards arrive. The responder and
the collector run in separate network namespaces, connected by a link; the
namespaces end with the processes that hold them."""

import contextlib
import itertools
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from lib.collector import Collector
from lib.fastcgi import ResponderTest
from lib.frames import frame
from lib.network import Neighbour, ip
from lib.places import tool
from lib.processes import wait_until

pytestmark = pytest.mark.namespaces

H12 = b"<158>1 2026-11-23T06:00:00Z host heroku router - at=error code=H12"
BODY = frame(H12)

HERE = ("10.9.0.1/24", "fd09::1/64")
HERE_LATER = ("10.9.0.3/24", "fd09::3/64")
THERE = ("10.9.0.2/24", "fd09::2/64")
FAR_HERE = ("10.7.0.1/24", "fd07::1/64")
FAR_THERE = ("10.7.0.2/24", "fd07::2/64")
ACCEPT_DAD = "/proc/sys/net/ipv6/conf/default/accept_dad"
BEYOND = ("10.8.0.1", "fd08::1")  # beyond THERE


class SourcesCollector(Collector):
    """A collector that notes the sources of its datagrams."""

    def __init__(self, *args):
        self.sources = []
        super().__init__(*args)

    def take(self):
        taken = []
        with contextlib.suppress(BlockingIOError):
            while True:
                datagram, source = self.socket.recvfrom(65536)
                taken.append(datagram)
                self.sources.append(source[0])
        return taken


class Load(threading.Thread):
    """Batch after batch, each from a different application."""

    def __init__(self, test):
        super().__init__(daemon=True)
        self.test, self.begun, self.ended = test, 0, False
        self.acknowledged, self.problems = [], []

    def run(self):
        for n in itertools.count():
            if self.ended:
                return
            self.begun = n
            status = self.test.status(BODY, path=f"/n{n}/logs",
                                      credentials=":secret")
            if status == 201:
                self.acknowledged.append(n)
            else:
                self.problems.append((n, status))

    def more(self, batches=200):
        """Waits for so many more batches to begin; returns the first one's
        number."""
        first = self.begun + 1
        wait_until(lambda: self.begun >= first + batches, "the load goes on")
        return first

    def end(self):
        self.ended = True
        self.join()


class Network(ResponderTest):
    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        # A second address survives the first; new ones can be used at once.
        Path("/proc/sys/net/ipv4/conf/all/promote_secondaries").write_text("1")
        Path(ACCEPT_DAD).write_text("0")
        self.neighbour = self.keep(Neighbour())
        self.neighbour.run("sh", "-c", f"echo 0 >{ACCEPT_DAD}")
        self.neighbour.run("ip", "link", "set", "lo", "up")
        for address in BEYOND:
            self.neighbour.run("ip", "addr", "add", address, "dev", "lo")
        self.link("near", HERE, THERE)

    def link(self, name, here, there):
        self.neighbour.link(name, here, there)
        self.at_end(subprocess.run, [
            tool("ip"), "link", "del", name], stderr=subprocess.DEVNULL)

    def start(self, host):
        self.collector = self.neighbour.call(lambda: SourcesCollector(host))
        self.start_responder([self.collector], API_SECRET="secret")
        self.load = Load(self)
        self.load.start()
        self.at_end(self.load.end)
        self.load.more()

    def arriving(self):
        """Waits until the load arrives again; returns the number of a later
        batch."""
        before = len(self.collector.datagrams)
        wait_until(lambda: len(self.collector.datagrams) > before,
                   "datagrams arrive again")
        return self.load.more()

    def wait_for_source(self, address):
        """Waits until datagrams come from this address. A network may drop
        those from an address that has gone, which the kernel still sends."""
        wait_until(lambda: self.collector.sources[-1:] ==
                   [address.split("/")[0]], f"sent from {address}")

    def assert_all_arrived_since(self, first, all_logged=True):
        """Every batch acknowledged since this one has arrived, once.  The log
        counts what was lost before, except for datagrams that the kernel had
        already accepted when a link went down or came up."""
        self.load.more()
        self.load.end()
        assert self.load.problems == []
        arrived = self.collector.lines()
        assert len(arrived) == len(set(arrived))
        missing = sorted(
            n for n in self.load.acknowledged
            if f"n{n}.heroku.errors.H12:1|c" not in arrived)
        assert [n for n in missing if n >= first] == []
        self.responder.send_signal(signal.SIGTERM)
        assert self.responder.wait(10) == 0
        logged = re.findall(
            r"event=send-failed collector=\S+ datagrams=(\d+) ",
            self.responder.log())
        if all_logged:
            assert sum(map(int, logged)) >= len(missing)
        print(f"{len(missing)} of {len(self.load.acknowledged)} lost",
              end=" ... ")

    @pytest.mark.parametrize("host, old, new", zip(THERE, HERE, HERE_LATER))
    def test_own_address_changes(self, host, old, new):
        self.start(host.split("/")[0])
        ip(f"addr add {new} dev near")
        ip(f"addr del {old} dev near")
        self.wait_for_source(new)
        self.assert_all_arrived_since(self.arriving())

    @pytest.mark.parametrize("host, old, new", zip(THERE, HERE, HERE_LATER))
    def test_own_address_goes_and_another_comes(self, host, old, new):
        self.start(host.split("/")[0])
        ip(f"addr del {old} dev near")
        self.load.more()
        ip(f"addr add {new} dev near")
        self.wait_for_source(new)
        self.assert_all_arrived_since(self.arriving())

    @pytest.mark.parametrize("host, gateway", zip(BEYOND, THERE))
    def test_route_goes_and_comes(self, host, gateway):
        route = f"{host} via {gateway.split('/')[0]}"
        ip(f"route add {route}")
        self.start(host)
        for _ in range(3):
            ip(f"route del {route}")
            self.load.more()
            ip(f"route add {route}")
            first = self.arriving()
        self.assert_all_arrived_since(first)
        ip(f"route del {route}")

    def test_route_moves_to_another_link(self):
        self.link("far", FAR_HERE, FAR_THERE)
        for host, gateway, later, old, source in zip(
                BEYOND, THERE, FAR_THERE, HERE, FAR_HERE):
            ip(f"route add {host} via {gateway.split('/')[0]}")
            self.start(host)
            ip(f"route replace {host} via {later.split('/')[0]}")
            self.load.more()
            ip(f"addr del {old} dev near")
            self.wait_for_source(source)
            self.assert_all_arrived_since(self.arriving())
            ip(f"route del {host}")

    @pytest.mark.parametrize("host, here", zip(THERE, HERE))
    def test_link_goes_down_and_up(self, host, here):
        self.start(host.split("/")[0])
        for _ in range(3):
            ip("link set near down")
            self.load.more()
            ip("link set near up")
            if ":" in here:  # the kernel has removed it
                ip(f"addr add {here} dev near")
            first = self.arriving()
        self.assert_all_arrived_since(first, all_logged=False)

    @pytest.mark.parametrize("host, new", zip(THERE, HERE_LATER))
    def test_link_is_replaced(self, host, new):
        self.start(host.split("/")[0])
        ip("link del near")
        self.load.more()
        self.link("near", HERE_LATER, THERE)
        self.assert_all_arrived_since(self.arriving(), all_logged=False)
