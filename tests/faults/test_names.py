"""Name servers that change their answers or stay silent, a send buffer that
fills up, a full disk.  These need a separate network and separate folders:
each test runs in new network and mount namespaces."""

import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from lib.collector import Collector
from lib.fastcgi import ResponderTest, variables
from lib.places import CREDENTIALS, PROGRAM, REFERENCE, ROOT, tool
from lib.ports import free_port
from lib.processes import Process, responders, wait_until
from lib.variant import impatient_program
from lib.web import WebTest

pytestmark = pytest.mark.namespaces

INTERVAL = 1  # seconds between look-ups in the impatient program
A, AAAA = 1, 28


def bind_text(path, text):
    """Replaces this file by another one, in this namespace only."""
    with tempfile.NamedTemporaryFile("w", dir="/var/tmp", delete=False) as f:
        f.write(text)
    os.chmod(f.name, 0o644)
    subprocess.run(["mount", "--bind", f.name, os.path.realpath(path)],
                   check=True)
    return f.name


class NameServer(threading.Thread):
    """A name server for all names, whose answers can be changed at any
    time."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.says = []  # addresses, or an RCODE, or None for no answer
        self.gone = 3  # the same, for gone.test
        self.asked = 0

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(1024)
            except OSError:
                return
            end = query.index(b"\0", 12) + 1
            kind, = struct.unpack(">H", query[end:end + 2])
            gone = query[12:].startswith(b"\x04gone\x04test")
            self.asked += kind == A and not gone
            says = self.gone if gone else self.says
            if says is None:
                continue
            rcode = says if isinstance(says, int) else 0
            found = [] if rcode or kind != A else says
            self.socket.sendto(
                query[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1,
                                        len(found), 0, 0) +
                query[12:end + 4] +
                b"".join(b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 0, 4) +
                         socket.inet_aton(a) for a in found), client)


class Names(ResponderTest):
    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.program = impatient_program()
        for path, text in (("/etc/nsswitch.conf", "hosts: files dns\n"),
                           ("/etc/resolv.conf", "nameserver 127.0.0.1\n")):
            self.at_end(os.unlink, bind_text(path, text))
            self.at_end(subprocess.run, ["umount", os.path.realpath(path)],
                        check=True)
        self.server = NameServer()
        self.keep(self.server.socket)
        self.server.start()

    def start(self, says, names=("collector",), serves=True):
        """A responder with a collector of this name; waits until it serves."""
        self.server.says = says
        self.server.gone = 3  # NXDOMAIN
        one = Collector("127.0.0.2")
        two = Collector("127.0.0.3", one.port)
        self.one, self.two = one, two
        self.cluster = ",".join(
            f"statsd://{name}.test:{one.port}" for name in names)
        self.start_responder(
            [one, two], [self.program],
            METRICS_CLUSTER=self.cluster)
        if serves:
            assert self.status(b"") == 201

    def post(self):
        """Posts the example; must be quick, regardless of the name server,
        whose silence lasts for more than 5 s."""
        started = time.monotonic()
        assert self.status() == 201
        assert time.monotonic() - started < 4

    def wait_for_lookups(self, n=2):
        asked = self.server.asked
        wait_until(lambda: self.server.asked >= asked + n, "look-ups")
        time.sleep(0.3)

    def wait_for_log(self, words):
        wait_until(lambda: words in self.responder.log(), words,
                   process=self.responder)

    def assert_counted(self, one, two):
        assert (len(self.one.lines()) / 4, len(self.two.lines()) / 4) == (
            one, two)

    @pytest.mark.waits
    def test_address_changed(self):
        self.start(["127.0.0.2"])
        self.post()
        self.server.says = ["127.0.0.3"]
        self.wait_for_lookups()
        self.post()
        self.assert_counted(1, 1)
        self.server.says = ["127.0.0.3", "127.0.0.2"]
        self.wait_for_lookups()
        self.post()
        self.assert_counted(1, 2)

    def test_looked_up_once_an_interval_however_many_requests(self):
        self.start(["127.0.0.2"])
        self.post()
        asked, started = self.server.asked, time.monotonic()
        posts = 0
        while time.monotonic() - started < 3.5 * INTERVAL:
            self.post()
            posts += 1
        assert posts > 50
        assert self.server.asked - asked in (3, 4)
        self.assert_counted(1 + posts, 0)

    @pytest.mark.waits
    def test_name_gone_keeps_the_old_address(self):
        self.start(["127.0.0.2"])
        self.post()
        self.server.says = 3  # NXDOMAIN
        self.wait_for_lookups()
        self.post()
        self.assert_counted(2, 0)
        assert "event=lookup-failed collector=statsd://collector.test:" in \
            self.responder.log()
        assert "using=old-address" in self.responder.log()

    @pytest.mark.waits
    def test_name_server_failing_keeps_the_old_address(self):
        self.start(["127.0.0.2"])
        self.post()
        for says in (2, 5, []):  # SERVFAIL, REFUSED, no address
            self.server.says = says
            self.wait_for_lookups()
            self.post()
        self.assert_counted(4, 0)

    @pytest.mark.waits
    def test_name_server_silent_keeps_the_old_address_and_holds_nobody_up(self):
        self.start(["127.0.0.2"])
        self.post()
        self.server.says = None
        self.wait_for_lookups(1)
        started, posts = time.monotonic(), 1
        while "using=old-address" not in self.responder.log():
            self.post()
            posts += 1
            assert time.monotonic() - started < 30
        assert time.monotonic() - started > 5
        self.assert_counted(posts, 0)
        self.server.says = ["127.0.0.3"]
        self.wait_for_lookups()
        self.post()
        self.assert_counted(posts, 1)

    def test_name_that_does_not_exist_at_start(self):
        self.start(3, serves=False)
        assert self.responder.wait(10) == 1
        assert "the host name cannot be looked up" in self.responder.log()

    def test_names_that_do_not_exist_beside_one_that_does(self):
        self.start(["127.0.0.2"], ("collector", "gone"))
        self.post()
        assert self.one.lines() == ["heaven.heroku.errors.R89:1|c"]
        assert re.search(
            r'event=fault reason="METRICS_CLUSTER: statsd://gone\.test:\d+: '
            r"the host name cannot be looked up: ",
            self.responder.log())
        assert re.search(
            r"event=send-failed collector=statsd://gone\.test:\d+ "
            r'datagrams=3 reason="no address"',
            self.responder.log())
        # It is looked up again: from now on, all four arrive.
        self.server.gone = ["127.0.0.3"]
        wait_until(lambda: self.status() == 201 and self.two.lines(),
                   "the name is looked up again")
        self.one.datagrams.clear(), self.two.datagrams.clear()
        self.post()
        self.assert_reference_counted()

    @pytest.mark.parametrize("names, status", [
        (("collector", "gone"), 201),
        (("gone", "gone"), 500)])
    def test_cgi_serves_with_the_collectors_that_have_addresses(
            self, names, status):
        self.start(["127.0.0.2"], names, serves=False)
        done = subprocess.run(
            [PROGRAM], input=REFERENCE, capture_output=True, env={
                "GATEWAY_INTERFACE": "CGI/1.1",
                "API_CREDENTIALS_HEAVEN": CREDENTIALS,
                "METRICS_CLUSTER": self.cluster,
                **dict(variables(len(REFERENCE)))})
        assert b"Status: %d " % status in done.stdout
        assert (
            b"event=fault reason=\"METRICS_CLUSTER: "
            b"statsd://gone.test:"
        ) in done.stderr
        assert self.one.lines() == [
            "heaven.heroku.errors.R89:1|c"] * (status == 201)

    @pytest.mark.waits
    def test_nine_addresses_in_turn(self):
        # Eight are kept, including the connected one, although the C library
        # puts it last; once it is no longer listed, it is given up.
        self.start(["127.0.0.10"])
        ninth = Collector("127.0.0.10", self.one.port)
        eight = [self.one, self.two, *(
            Collector(f"127.0.0.{n}", self.one.port) for n in range(4, 10))]
        for collector in (ninth, *eight[2:]):
            self.keep(collector)
        others = [collector.host for collector in eight]
        self.post()
        for n in range(2):
            self.server.says = [*others[n:], *others[:n], ninth.host]
            self.wait_for_lookups()
            self.post()
        assert len(ninth.lines()) == 3 * 4
        self.server.says = others
        self.wait_for_lookups()
        self.post()
        assert len(ninth.lines()) == 3 * 4
        assert sum(len(c.lines()) for c in eight) == 4

    @pytest.mark.waits
    def test_name_server_silent_at_start(self):
        started = time.monotonic()
        self.start(None, serves=False)
        assert self.status() == 201
        assert time.monotonic() - started < 8  # silence takes 10 s
        assert "the name server has not answered yet" in self.responder.log()
        self.wait_for_log('reason="no address"')
        self.server.says = ["127.0.0.2"]
        wait_until(lambda: self.status() == 201 and len(self.one.lines()) > 0,
                   "the collector is found")


class SendBuffer(ResponderTest):
    def test_full(self):
        # The interface takes 8 kbit a second, the socket's buffer takes the
        # rest until it is full: the request never waits.
        collector = Collector()
        self.start_responder([collector])
        assert self.status() == 201
        collector.settled()
        subprocess.run([tool("tc"), "qdisc", "add", "dev", "lo", "root", "tbf",
                        "rate", "8kbit", "burst", "1600", "limit", "10000000"],
                       check=True)
        try:
            for n in range(200):
                started = time.monotonic()
                assert self.status() == 201
                assert time.monotonic() - started < 4
        finally:
            subprocess.run([tool("tc"), "qdisc", "del", "dev", "lo", "root"],
                           check=True)
        lines = re.findall(r"event=send-failed .*", self.responder.log())
        assert len(lines) == 1, lines
        assert "temporarily unavailable" in lines[0]
        collector.settled()
        collector.datagrams.clear()
        assert self.status() == 201
        self.assert_reference_counted()


class Disk(WebTest):
    def test_full(self):
        # lighttpd keeps bodies above 64 KiB in /tmp until they are complete.
        kept = tempfile.mkdtemp(dir="/var/tmp")
        self.at_end(os.rmdir, kept)
        # The project itself may be below /tmp.
        subprocess.run(["mount", "--bind", ROOT, kept], check=True)
        self.at_end(subprocess.run, ["umount", "-l", kept], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs",
                        "/tmp"], check=True)
        self.at_end(subprocess.run, ["umount", "-l", "/tmp"], check=True)
        ballast = Path("/tmp/ballast")
        ballast.write_bytes(bytes((8 << 20) - (256 << 10)))
        self.start_web_in(Path(kept))
        large = (b"%d " % len(REFERENCE[4:110]) + REFERENCE[4:110]) * 10000
        assert len(large) > 1 << 20
        assert self.post().status == 201
        for _ in range(5):
            assert self.post(large).status in (500, 503, None)
        assert self.post().status == 201
        assert len(self.counters()) == 8
        ballast.unlink()
        assert self.post(large + REFERENCE).status == 201
        assert len(self.counters()) == 12
        print(self.web.log().splitlines()[1][:90], end=" ... ")

    def start_web_in(self, folder):
        self.collectors = [Collector(), Collector()]
        for c in self.collectors:
            self.keep(c)
        self.port = free_port()
        self.web = self.keep(Process([folder / "bin" / "web"], env={
            "PORT": str(self.port), "BIND": "127.0.0.1",
            "API_CREDENTIALS_HEAVEN": CREDENTIALS,
            "METRICS_CLUSTER": ",".join(c.uri for c in self.collectors)}))
        self.wait_for_web()


class Backlog(WebTest):
    """The number of connections that can wait for the responder."""

    setting = Path("/proc/sys/net/core/somaxconn")

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.at_end(self.setting.write_text, self.setting.read_text())

    def statuses(self, clients=300):
        """The answers to simultaneous requests while the responder is
        stopped."""
        self.start_web()
        pid, = responders(self.web.pid)
        statuses = []
        os.kill(pid, signal.SIGSTOP)
        threads = [threading.Thread(
            target=lambda: statuses.append(self.post().status))
            for _ in range(clients)]
        for t in threads:
            t.start()
        time.sleep(1)
        os.kill(pid, signal.SIGCONT)
        for t in threads:
            t.join()
        assert len(self.counters()) == 4 * statuses.count(201)
        return sorted(set(statuses)), statuses.count(201)

    def warnings(self):
        return subprocess.run(
            [PROGRAM, "--check", "--no-send"], check=True, text=True,
            capture_output=True, env={"API_CREDENTIALS_A": "u:p"}).stderr

    def test_is_warned_of_where_the_system_allows_fewer(self):
        self.setting.write_text("128")
        assert "warning: net.core.somaxconn is 128: " in self.warnings()
        # lighttpd answers 500 to those that find no place, and 503 to those
        # that come in the second after.
        statuses, _ = self.statuses()
        assert statuses in ([201, 500], [201, 500, 503])

    def test_is_1024(self):
        self.setting.write_text("1024")
        assert self.warnings() == ""
        assert self.statuses() == ([201], 300)
