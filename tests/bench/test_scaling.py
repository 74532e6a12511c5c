"""docs/scaling.md: instances share nothing, a counter has one owner regardless
of its sender, and statsd's own proxy can be put between instances and
collectors."""

import collections
import contextlib
import re
import socket
import subprocess
import tempfile
import zlib
from pathlib import Path

from lib.case import Case
from lib.collector import Collector
from lib.http import request
from lib.places import REFERENCE, ROOT, tool
from lib.ports import free_port
from lib.processes import Process, wait_until
from stack import STATSD, Statsd, connects, install_statsd

HASHRING_VERSION = "3.2.0"
APPS = [f"shop-{i}" for i in range(60)]
CODES = {"R99", "R89", "L99", "H12"}  # of the reference body


def buckets(apps=APPS):
    return {f"{app}.heroku.errors.{code}" for app in apps for code in CODES}


def share_moved(before, after):
    """The percentage of counters whose owner changes."""
    return 100 * sum(before[b] != after[b] for b in before) / len(before)


class Instance(Process):
    """bin/web with a separate cluster; any number of them can run."""

    def __init__(self, cluster):
        self.port = free_port()
        super().__init__(
            [ROOT / "bin" / "web"],
            env={"PORT": str(self.port), "BIND": "127.0.0.1",
                 "API_SECRET": "secret", "METRICS_CLUSTER": ",".join(cluster)})
        wait_until(self.ready, "bin/web answers", process=self)

    def ready(self):
        with contextlib.suppress(OSError):
            return request(self.port, method="GET", path="/_ping",
                           credentials=None).status == 200
        return False

    def post(self, apps):
        for app in apps:
            answer = request(self.port, path=f"/{app}/logs", body=REFERENCE,
                             credentials=":secret")
            if answer.status != 201:
                raise AssertionError(answer.raw)


class Proxy(Process):
    """statsd's proxy.js: a ring of collectors, whose health it checks."""

    def __init__(self, folder, nodes):
        package = install_statsd()
        if not (STATSD / "node_modules" / "hashring").exists():
            subprocess.run(
                [tool("npm"), "install", "--no-audit", "--no-fund",
                 "--omit=optional", "--no-package-lock",
                 "--no-update-notifier", "--prefix", str(STATSD),
                 f"hashring@{HASHRING_VERSION}"], check=True, timeout=300)
        self.port, self.management = free_port(socket.SOCK_DGRAM), free_port()
        config = Path(folder) / f"proxy-{self.port}.js"
        listed = ", ".join(
            f"{{host: '127.0.0.1', port: {n.port}, adminport: {n.management}}}"
            for n in nodes)
        config.write_text(
            f"{{ nodes: [{listed}], host: '127.0.0.1', port: {self.port}, "
            f"mgmt_port: {self.management}, server: './servers/udp', "
            f"forkCount: 0, checkInterval: 1000, cacheSize: 10000 }}\n")
        super().__init__([
            tool("node"), "-r", ROOT / "tests" / "collectors" / "clock.js",
            package / "proxy.js", config], cwd=package)
        wait_until(lambda: connects(self.management), "proxy.js listens",
                   process=self)

    @property
    def uri(self):
        return f"statsd://127.0.0.1:{self.port}"


class Scaling(Case):
    def keep(self, started):
        self.at_end(getattr(started, "stop", None) or started.close)
        return started

    def counted(self, collectors):
        """How often each bucket was counted, by collector."""
        return [collections.Counter(line.partition(":")[0]
                                    for line in c.lines())
                for c in collectors]

    def owners(self, counted, times):
        """The one collector that has each bucket."""
        owner = {}
        for i, counts in enumerate(counted):
            for bucket, n in counts.items():
                assert bucket not in owner, "two owners"
                assert n == times, bucket
                owner[bucket] = i
        assert set(owner) == buckets()
        return owner

    def test_every_counter_has_one_owner_whichever_instance_sends_it(self):
        collectors = [self.keep(Collector()) for _ in range(3)]
        instances = [self.keep(Instance([c.uri for c in collectors]))
                     for _ in range(3)]
        for instance in instances:
            instance.post(APPS)
        owner = self.owners(self.counted(collectors), len(instances))
        for bucket, i in owner.items():
            assert i == zlib.crc32(bucket.encode()) % 3

    def test_a_collector_listed_twice_gets_twice_the_share(self):
        collectors = [self.keep(Collector()) for _ in range(2)]
        a, b = (c.uri for c in collectors)
        self.keep(Instance([a, a, b])).post(APPS)
        counted = self.counted(collectors)
        self.owners(counted, 1)
        share = len(counted[0]) / len(buckets())
        assert 0.6 < share < 0.75, share

    def test_the_numbers_of_what_moves_are_what_the_document_says(self):
        names = [f"app-{i}.heroku.errors.H{10 + i % 40}" for i in range(5000)]
        text = (ROOT / "docs" / "scaling.md").read_text()
        for old, new in ((2, 3), (3, 4), (4, 5), (2, 4), (4, 8)):
            moved = share_moved(
                *({n: zlib.crc32(n.encode()) % size for n in names}
                  for size in (old, new)))
            assert f"| {old} to {new} | {moved:.0f} % |" in text
        places = {n: zlib.crc32(n.encode()) % 12 for n in names}
        moved = share_moved(
            *({n: ring[place] for n, place in places.items()}
              for ring in ("abababababab", "cbacabcbacab")))
        assert f"{moved:.0f} % of all" in " ".join(text.split())

    def ask_statsds(self, statsds):
        """The counters of each that are not statsd's own."""
        return [collections.Counter(
            {name: int(count) for name, count in re.findall(
                r"['\"]?([\w.-]+)['\"]?: (\d+)", s.ask("counters"))
             if name in buckets()}) for s in statsds]

    def through_proxy(self, folder, statsds):
        proxy = self.keep(Proxy(folder, statsds))
        before = self.ask_statsds(statsds)
        self.keep(Instance([proxy.uri])).post(APPS)

        def news():
            return [after - b for after, b in
                    zip(self.ask_statsds(statsds), before)]
        wait_until(lambda: sum(map(len, news())) == len(buckets()),
                   "all counters arrive through the proxy", process=proxy)
        return self.owners(news(), 1)

    def test_statsds_proxy_keeps_most_owners_when_a_collector_is_added(self):
        nobody = collections.namedtuple("Carbon", "port")(free_port())
        with tempfile.TemporaryDirectory() as folder:
            statsds = [self.keep(Statsd(Path(folder), nobody, flush=3600))
                       for _ in range(3)]
            for s in statsds:
                wait_until(s.ready, "statsd listens", process=s)
            moved = share_moved(self.through_proxy(folder, statsds[:2]),
                                self.through_proxy(folder, statsds))
        print(f"{moved:.0f} % of {len(buckets())} counters moved")
        assert 0 < moved < 50, moved
