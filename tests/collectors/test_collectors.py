"""From a POST to lighttpd, through real collectors (statsd and collectd), to
the numbers in Graphite's whisper files."""

import hashlib
import re
import signal
import subprocess

import pytest

from lib.places import FIXTURES, PATH, PROGRAM, REFERENCE, tool
from lib.processes import wait_until
from lib.web import WebTest
from stack import Carbon, Collectd, Statsd, start

CODES = ["H12", "L99", "R89", "R99"]


def counts_of(app, prefix=""):
    return f"stats.counters.{prefix}{app}.heroku.errors."


def expected_counts():
    """What each file counts by default, from fixtures/expected.tsv."""
    for line in (FIXTURES / "expected.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, _, _, errors, warnings, _, note = line.split("\t")
        pairs = [p for part in (errors, warnings) if part != "-"
                 for p in part.split(",")]
        if name == "spoof-app.logplex":  # its note has the default
            pairs = note.partition("else ")[2].partition(" (")[0].split(",")
        yield name, {k: float(v) for k, v in (p.split("=") for p in pairs)}


class CollectorTest(WebTest):
    @pytest.fixture(autouse=True, scope="class")
    def started(self, request, class_keep, tmp_path_factory):
        cls = request.cls
        cls.folder = tmp_path_factory.mktemp("collectors")
        cls.carbon = class_keep(Carbon(cls.folder))
        start([cls.carbon])
        cls.statsds = [class_keep(Statsd(cls.folder, cls.carbon))
                       for _ in range(2)]
        start(cls.statsds)

    def start_for(self, *uris, **env):
        self.start_web(METRICS_CLUSTER=",".join(uris),
                       API_CREDENTIALS_HEAVEN=None, API_SECRET="open-sesame",
                       **env)

    def post_to(self, app, body=REFERENCE):
        answer = self.post(body, path=f"/{app}/logs",
                           credentials="x:open-sesame")
        assert answer.status == 201, answer.raw

    def assert_counts(self, before, wanted):
        """Asserts that the whisper files below a name hold these sums, and
        that there are no others."""
        def sums():
            return {m[len(before):-len(".count")]: self.carbon.sum(m)
                    for m in self.carbon.metrics()
                    if m.startswith(before) and m.endswith(".count")}
        try:
            wait_until(lambda: sums() == wanted, before)
        except AssertionError:
            assert sums() == wanted


class ThroughStatsd(CollectorTest):
    def test_reference_example_ends_in_whisper(self):
        self.start_for(*(s.uri for s in self.statsds))
        self.post_to("heaven")
        self.assert_counts(counts_of("heaven"), dict.fromkeys(CODES, 1.0))

    def test_a_count_stays_a_sum_when_it_grows_old(self):
        self.start_for(self.statsds[0].uri + "/old")
        self.post_to("heaven")
        self.assert_counts(counts_of("heaven", "old."),
                           dict.fromkeys(CODES, 1.0))
        path = self.carbon.whisper / "stats/counters/old/heaven/heroku"
        shown = subprocess.run(
            [tool("whisper-info"), path / "errors/H12/count.wsp"],
            capture_output=True, text=True, check=True).stdout
        assert re.search("aggregationMethod: sum", shown)
        assert re.search("xFilesFactor: 0", shown)

    def test_each_collector_has_what_it_owns_under_its_prefix(self):
        first, second = self.statsds
        self.start_for(first.uri + "/one", second.uri + "/two/b")
        self.post_to("heaven")
        self.assert_counts(counts_of("heaven", "one."), {"R89": 1.0})
        self.assert_counts(counts_of("heaven", "two.b."),
                           dict.fromkeys(["H12", "L99", "R99"], 1.0))

    def test_packed_lines_count_the_same_in_fewer_datagrams(self):
        statsd = self.keep(Statsd(self.folder, self.carbon, flush=600))
        start([statsd])
        self.start_for(statsd.uri + "/packed?datagram=1432")
        self.post_to("heaven")

        def counters():
            return statsd.ask("counters")
        wait_until(lambda: "packed" in counters(), "the datagram arrives")
        for code in CODES:
            assert f"'packed.heaven.heroku.errors.{code}': 1" in counters()
        assert "'statsd.packets_received': 1" in counters()
        assert "'statsd.metrics_received': 4" in counters()
        assert "'statsd.bad_lines_seen': 0" in counters()

    def test_packed_lines_end_in_whisper(self):
        self.start_for(*(s.uri + "/p?datagram=512" for s in self.statsds))
        self.post_to("heaven")
        self.assert_counts(counts_of("heaven", "p."),
                           dict.fromkeys(CODES, 1.0))

    def test_every_recorded_body_ends_as_its_numbers(self):
        self.start_for(*(s.uri + "?datagram=1432" for s in self.statsds))
        wanted = dict(expected_counts())
        assert len(wanted) > 9
        for name in wanted:
            self.post_to(name.partition(".")[0],
                         (FIXTURES / name).read_bytes())
        for name, counts in wanted.items():
            self.assert_counts(counts_of(name.partition(".")[0]), counts)

    def test_a_hyphen_in_a_name_stays(self):
        self.start_for(self.statsds[0].uri)
        self.post_to("my-app")
        self.assert_counts(counts_of("my-app"), dict.fromkeys(CODES, 1.0))

    def tagged_file(self, series):
        """Where carbon keeps a series with tags: named by a hash."""
        name = hashlib.sha256(series.encode()).hexdigest()
        return f"_tagged/{name[:3]}/{name[3:6]}/{name}"

    def test_tags_become_tagged_series(self):
        self.start_for(self.statsds[0].uri + "?tags=dogstatsd&datagram=1432",
                       TAGS="stage:live")
        self.post_to("with-tags")
        files = [self.tagged_file("stats.counters.heroku.errors.count;"
                                  f"app=with-tags;code={code};stage=live")
                 for code in CODES]
        wait_until(lambda: all(map(self.carbon.sum, files)), "the series")
        assert [self.carbon.sum(f) for f in files] == [1.0] * 4
        shown = subprocess.run(
            [tool("whisper-info"), self.carbon.whisper / f"{files[0]}.wsp"],
            capture_output=True, text=True, check=True).stdout
        assert re.search("aggregationMethod: sum", shown)

    def check(self, *uris):
        return subprocess.run(
            [PROGRAM, "--check"], capture_output=True, text=True,
            env={"PATH": PATH, "METRICS_CLUSTER": ",".join(uris),
                 "API_SECRET": "0123456789abcdef"})

    def test_the_probe_of_check_counts_nothing(self):
        statsd = self.keep(Statsd(self.folder, self.carbon, flush=600))
        start([statsd])
        done = self.check(statsd.uri)
        assert done.returncode == 0, done.stderr
        assert "a datagram was sent and not refused: something listens there\n" in \
            done.stdout
        wait_until(lambda: "'statsd.packets_received': 1" in
                   statsd.ask("counters"), "the probe arrives")
        assert "'statsd.metrics_received': 0" in statsd.ask("counters")
        assert "'statsd.bad_lines_seen': 0" in statsd.ask("counters")

    def test_nobody_listens_on_the_management_port(self):
        done = self.check(f"statsd://127.0.0.1:{self.statsds[0].management}")
        assert done.returncode == 0, done.stderr
        assert "refused: nothing listens there\n" in done.stdout


class ThroughCollectd(CollectorTest):
    def test_reference_example_ends_in_whisper(self):
        collectd = self.keep(Collectd(self.folder, self.carbon))
        start([collectd])
        self.start_for(collectd.uri + "/c?datagram=1432")
        self.post_to("heaven")

        def written(metric):
            collectd.send_signal(signal.SIGUSR1)  # write what they hold
            return self.carbon.sum(metric) is not None
        for code in CODES:
            metric = f"test.statsd.count-c.heaven.heroku.errors.{code}"
            wait_until(lambda: written(metric), metric)
            assert self.carbon.sum(metric) == 1.0
