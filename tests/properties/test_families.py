"""The second implementation of the families of metrics agrees with the
fixtures and the rules."""

import collections
import re

import families
from entropy import SEED, each_batch
from families import Rules
from lib.case import Case
from lib.frames import logplex_frame
from lib.places import FIXTURES
from lines import Lines
from naive import Fault

ALL = frozenset(families.FAMILIES)
STREAM = ALL - {"drain"}  # the families of single messages


def frame(text, app_name="app", procid="web.1"):
    return logplex_frame(text, app_name, procid)


def sent(body, on=STREAM, app="shop", tags=None):
    lines = families.request(body, Rules(on)).lines()
    if tags is None:
        return [families.plain(app, *line) for line in lines]
    return [families.tagged(app, *line, tags) for line in lines]


class Fixtures(Case):
    def test_every_row_gives_what_it_must(self):
        texts = (FIXTURES / "metric-lines.tsv").read_text().splitlines()[1:]
        rows = (FIXTURES / "metric-lines.expected.tsv").read_text() \
            .splitlines()[1:]
        assert len(texts) == len(rows)
        for text, row in zip(texts, rows):
            number, app_name, procid, plain, tagged = row.split("\t")
            body = frame(text.split("\t")[2] + "\n", app_name, procid)
            for want, tags in (plain, None), (tagged, ()):
                got = " ".join(sorted(sent(body, tags=tags))) or "-"
                assert got == want, number


class Numbers(Case):
    def test_what_is_a_gauge(self):
        for value, want in [
                ("5", "5"), ("5.25", "5.25"), ("5MB", "5"), ("0.00", "0.00"),
                ("007", "007"), ('"5MB"', "5"), ("1" * 20, "1" * 20),
                ("1" * 21, None), ("5.", None), (".5", None), ("-5", None),
                ("+5", None), ("5e3x1", None), ("5e", "5"), ("5%", None),
                ("5M B", "5"), ("", None), ("NaN", None), ("1,5", None)]:
            assert sent(frame(f"sample#n={value}")) == (
                [f"shop.custom.n:{want}|g"] if want else []), value

    def test_what_is_a_count(self):
        for value, want in [
                ("1", 1), ("0", None), ("9" * 15, int("9" * 15)),
                ("9" * 16, None), ("1.0", None), ("1x", None), ("-1", None)]:
            assert sent(frame(f"count#n={value}")) == (
                [f"shop.custom.n:{want}|c"] if want else []), value

    def test_seconds_become_milliseconds(self):
        for value, want in [
                ("1.23s", "1230"), ("0.0042s", "4.2"), ("5s", "5000"),
                ("0s", "0"), ("1.2345s", "1234.5"), ("0.0001s", "0.1"),
                ("4ms", "4"), ("4.5ms", "4.5"), ("4", None), ("4m", None),
                ("4us", None), ("4 ms", None)]:
            assert sent(frame(f"measure#n={value}")) == (
                [f"shop.custom.n:{want}|ms"] if want else []), value


class Order(Case):
    def test_errors_come_first_then_the_families_of_the_table(self):
        body = b"".join([
            frame("count#a=1"),
            frame("Release v1 created by x", procid="api"),
            frame("source=A sample#b=1", procid="heroku-redis"),
            frame("at=info service=400ms status=200", "heroku", "router"),
            frame("State changed from up to down", "heroku"),
            frame("Error L10 (x): 7 messages dropped", "heroku", "logplex"),
            frame("at=error code=H12", "heroku", "router")])
        assert sent(body, ALL) == [
            "shop.heroku.errors.L10:1|c", "shop.heroku.errors.H12:1|c",
            "shop.heroku.logplex.dropped:7|c",
            "shop.heroku.router.requests:2|c",
            "shop.heroku.router.status.2xx:1|c",
            "shop.heroku.router.status.none:1|c",
            *[f"shop.heroku.router.service.le.{le}:1|c" for le in (500, 1000, 2500, 5000, 10000, 30000, "inf")],
            "shop.heroku.router.service:400|ms",
            "shop.heroku.dyno.web.state.down:1|c", "shop.heroku.release:1|c",
            "shop.heroku.redis.a.b:1|g", "shop.custom.a:1|c",
            "shop.heroku.drain.batches:1|c", "shop.heroku.drain.messages:7|c"]

    def test_counters_are_summed_gauges_stay_and_timers_repeat(self):
        body = b"".join(frame(f"count#a={n} sample#b={n} measure#c={n}ms")
                        for n in (1, 2, 3))
        assert sent(body) == ["shop.custom.a:6|c", "shop.custom.b:3|g",
                              "shop.custom.c:1|ms", "shop.custom.c:2|ms",
                              "shop.custom.c:3|ms"]

    def test_tags_follow_the_application_and_its_own(self):
        assert sent(frame("Error R14 (x)", "heroku"), app="shop.eu",
                    tags=[("env", "live"), ("team", "a")]) == \
            ["heroku.errors:1|c|#app:shop.eu,code:R14,env:live,team:a"]

    def test_lines_are_packed_in_order(self):
        assert families.packed(["aa", "bb", "cccc", "d"], 5) == [
            "aa\nbb", "cccc", "d"]
        assert families.packed(["aaaaaa", "b", "c"], 5) == ["aaaaaa", "b\nc"]


class Ceilings(Case):
    def test_a_hundred_custom_names(self):
        body = frame(" ".join(f"count#n{n}=1" for n in range(101)) +
                     " sample#n1=5")
        lines = sent(body)
        assert len(lines) == 101
        assert "shop.custom.n100:1|c" not in lines
        assert "shop.custom.n1:5|g" in lines

    def test_the_buckets(self):
        body = b"".join(frame(f"source=a{n} sample#k=1", "app", "heroku-redis")
                        for n in range(families.BUCKETS + 1))
        assert len(sent(body)) == families.BUCKETS

    def test_the_timer_values(self):
        body = frame("measure#t=1ms") * (families.TIMER_VALUES + 1)
        lines = sent(body)
        assert len(lines) == families.TIMER_VALUES


class RandomLines(Case):
    PLAIN = re.compile(r"shop\.[A-Za-z0-9_.-]+:[0-9]+(\.[0-9]+)?\|(c|g|ms)\Z")
    TAGGED = re.compile(
        r"(heroku|custom)\.[A-Za-z0-9_.-]+:[0-9]+(\.[0-9]+)?\|(c|g|ms)"
        r"\|#app:shop(,[a-z]+:[A-Za-z0-9_.-]+)*\Z")

    def test_no_line_has_another_form_and_every_family_is_reached(self):
        seen = collections.Counter()

        def check(body):
            try:
                request = families.request(body, Rules(ALL))
            except Fault:
                seen["fault"] += 1
                return
            for line in request.lines():
                assert re.search(self.PLAIN, families.plain("shop", *line))
                assert re.search(self.TAGGED, families.tagged("shop", *line))
            seen.update({sample.family for sample, _ in request.lines()})
        each_batch(Lines, 2000, lambda _, bodies: [*map(check, bodies)],
                   at_once=10, blocks=40)
        for family in [*ALL, "fault"]:
            assert seen[family] > 5, (family, SEED)
