"""Families of metrics, tags, prefixes and zeros, with lighttpd as bin/web
starts it: every real line of the fixtures must give the expected metrics."""

import json
import re
import zlib
from pathlib import Path

from lib import frames
from lib.fastcgi import ResponderTest
from lib.places import CREDENTIALS, FIXTURES, LOGPLEX
from lib.web import WebTest

MESSAGES = "errors,loss,router,latency,timings,dynos,releases,addons,custom"
H12 = b"at=error code=H12 service=30000ms status=503"


def rows():
    """(row, app_name, procid, msg, plain, tagged) of each real line."""
    lines = (FIXTURES / "metric-lines.tsv").read_bytes().split(b"\n")[1:]
    table = (FIXTURES / "metric-lines.expected.tsv").read_text()
    for line, row in zip(lines, table.split("\n")[1:]):
        if row:
            number, app_name, procid, plain, tagged = row.split("\t")
            yield (number, app_name, procid, line.split(b"\t")[2],
                   plain.split(" "), tagged.split(" "))


def frame(app_name, procid, msg):
    return frames.frame(b"<134>1 2024-01-01T00:00:00+00:00 host %s %s - %s\n" %
                        (app_name.encode(), procid.encode(), msg))


class Metrics(WebTest):
    def start_web(self, **how):
        super().start_web(API_SECRET="secret", **how)

    def count(self, *messages, app="heaven", **headers):
        answer = self.post(b"".join(frame(*m) for m in messages),
                           path=f"/{app}/logs", credentials="x:secret"
                           if app != "heaven" else CREDENTIALS, **headers)
        assert answer.status == 201
        return json.loads(answer.body)


class RealLines(Metrics):
    def by_application(self, pattern):
        """{application: its lines, sorted}, each at the line's owner."""
        found = {}
        for c in self.collectors:
            for line in c.lines():
                found.setdefault(re.search(pattern, line)[1], []).append(line)
        return {app: sorted(lines) for app, lines in found.items()}

    def test_every_line_gives_what_it_must_plain(self):
        self.start_web(options="?datagram=1432", METRICS=MESSAGES)
        wanted = {}
        for number, app_name, procid, msg, plain, _ in rows():
            app = "row" + number
            self.count((app_name, procid, msg), app=app)
            if plain != ["-"]:
                wanted[app] = sorted(
                    app + line.removeprefix("shop") for line in plain)
        assert len(wanted) > 100
        for i, c in enumerate(self.collectors):
            for line in c.lines():
                bucket = line.split(":")[0].encode()
                assert zlib.crc32(bucket) % 2 == i, line
        assert self.by_application(r"^(row\d+)\.") == wanted

    def test_every_line_gives_what_it_must_tagged(self):
        self.start_web(options="?tags=dogstatsd&datagram=8192",
                       METRICS=MESSAGES)
        wanted = {}
        for number, app_name, procid, msg, _, tagged in rows():
            app = "row" + number
            self.count((app_name, procid, msg), app=app)
            if tagged != ["-"]:
                wanted[app] = sorted(line.replace("#app:shop", "#app:" + app)
                                     for line in tagged)
        assert len(wanted) > 100
        assert self.by_application(r"#app:(row\d+)") == wanted


class Naming(Metrics):
    def test_prefix_and_tags(self):
        self.start_web(options="/p?tags=dogstatsd", PREFIX_HEAVEN="shop.live",
                       TAGS="env:live,team:a")
        self.count(("heroku", "router", H12))
        assert self.counters() == [
            "p.heroku.errors:1|c|#app:shop.live,code:H12,env:live,team:a"]

    def test_prefix_in_buckets_and_their_owner(self):
        self.start_web(PREFIX_HEAVEN="shop.live")
        self.count(("heroku", "router", H12))
        bucket = "shop.live.heroku.errors.H12"
        owner = zlib.crc32(bucket.encode()) % 2
        assert self.collectors[owner].lines() == [bucket + ":1|c"]
        assert self.collectors[1 - owner].lines() == []


class Zeros(Metrics):
    def test_with_the_first_batch_and_not_with_the_next(self):
        self.start_web(ZEROS="H12,R14,L10")
        self.count(("heroku", "router", H12))
        assert self.counters() == ["heaven.heroku.errors.H12:1|c",
                                   "heaven.heroku.errors.L10:0|c",
                                   "heaven.heroku.errors.R14:0|c"]
        self.count(("heroku", "router", b"at=info"))
        assert len(self.counters()) == 3
        self.count(("heroku", "router", b"at=info"), app="other")
        assert self.counters()[3:] == [f"other.heroku.errors.{code}:0|c"
                                       for code in ("H12", "L10", "R14")]

    def test_are_of_the_family_errors(self):
        self.start_web(ZEROS="H12", METRICS="router")
        self.count(("heroku", "router", b"at=info status=200"))
        assert self.counters() == ["heaven.heroku.router.requests:1|c",
                                   "heaven.heroku.router.status.2xx:1|c"]


class Drain(Metrics):
    def test_counts_what_becomes_of_batches(self):
        self.start_web(METRICS="drain")
        answer = self.count(("heroku", "router", H12), ("app", "x", b"y"))
        assert answer["errors"] == 1
        assert self.counters() == ["heaven.heroku.drain.batches:1|c",
                                   "heaven.heroku.drain.messages:2|c"]
        for body, status in (b"nonsense", 422), (b"", 415):
            for c in self.collectors:
                c.datagrams.clear()
            answer = self.post(body, content_type="text/plain" if
                               status == 415 else LOGPLEX)
            assert answer.status == status
            assert self.counters() == ["heaven.heroku.drain.refused:1|c"]
        for c in self.collectors:
            c.datagrams.clear()
        assert self.post(b"", credentials="x:y").status == 401
        assert self.counters() == []

    def test_a_duplicate_counts_as_that_alone(self):
        self.start_web(METRICS="errors,drain,router")
        for _ in range(2):
            self.count(("heroku", "router", H12),
                       headers=["Logplex-Frame-Id: a"])
        assert self.counters() == sorted(
            ["heaven.heroku.errors.H12:1|c", "heaven.heroku.router.requests:1|c", "heaven.heroku.router.status.5xx:1|c", "heaven.heroku.drain.batches:1|c", "heaven.heroku.drain.messages:1|c", "heaven.heroku.drain.duplicates:1|c"])


class Ceilings(Metrics):
    def test_an_application_that_mints_names_reaches_them_and_no_other(self):
        self.start_web(options="?datagram=8192",
                       METRICS="custom,dynos,addons,errors")
        custom = [("app", "web.1", b"count#n%d=1" % i) for i in range(200)]
        dynos = [("heroku", "t%d.1" % i, b"sample#memory_total=%d" % i)
                 for i in range(9000)]
        self.count(*custom, *dynos, ("heroku", "router", H12))
        lines = self.counters()
        names = {line.split(":")[0] for line in lines}
        assert len(names) == len(lines)
        assert sum(".custom." in name for name in names) == 100
        assert len(names) == 8192 + 1
        assert "heaven.heroku.errors.H12" in names
        assert {name.split(".")[0] for name in names} == {"heaven"}
        assert len(re.findall(r"^event=left-out app=heaven samples=\d+ ",
                              self.web.log(), re.M)) == 1
        self.count(*custom[150:160], app="other")
        assert sum(line.startswith("other.custom.")
                   for line in self.counters()) == \
            10


class Memory(ResponderTest):
    def resident(self):
        status = Path(f"/proc/{self.responder.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1])

    def test_stays_small_after_large_batches(self):
        lines = b"".join(frame(*row[1:4]) for row in rows())
        body = lines * (1000000 // len(lines) + 1)
        for families, most in ("errors", 4096), (MESSAGES + ",drain", 6144):
            self.start_responder(METRICS=families)
            for _ in range(5):
                assert self.status(body) == 201
            assert self.resident() < most, families
