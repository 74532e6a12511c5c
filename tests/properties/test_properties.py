#!/usr/bin/env python3
"""Random bodies, judged by the program and by a second implementation: the same
verdicts, lines, offsets and faults.

BODIES (100000) and LINES (20000) say how many, SEED repeats a run."""

import os
import random
import struct
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from bodies import Bodies
from lib.places import FIXTURES, PATH, PROGRAM, ROOT
from lines import Lines
import families
import naive

BODIES = int(os.environ.get("BODIES", "100000"))
LINES = int(os.environ.get("LINES", "20000"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
EXPLAINED = 200
JUDGE = ROOT / "build" / "properties" / "judge"
FOUND = ROOT / "build" / "properties" / "found"
CHUNK = 1000
ALL = (1 << len(families.FAMILIES)) - 1
TAGS = [("env", "test")]


def judged(records):
    """What the program's own functions say about (rules, families, body):
    rules are bits of levels and PLATFORM_ONLY, as judge.c has them."""
    stream = b"".join(struct.pack("<BHI", rules, bits, len(body)) + body
                      for rules, bits, body in records)
    result = subprocess.run([JUDGE], input=stream, capture_output=True)
    if result.returncode != 0:
        raise AssertionError(f"judge ended with {result.returncode}: "
                             f"{result.stderr.decode(errors='replace')}")
    lines = result.stdout.decode("ascii").splitlines()
    assert len(lines) == len(records), (len(lines), len(records))
    return lines


def named(bits):
    return frozenset(name for i, name in enumerate(families.FAMILIES)
                     if bits >> i & 1)


def expected(rules, bits, body):
    """As judge.c prints it, but for how much was left out: only whether."""
    levels, platform_only = rules & 7, bool(rules & 8)
    outcome, numbers, _, verdicts = naive.count(
        body, levels, platform_only).split("\t")
    if outcome != "ok":
        return [outcome, numbers, verdicts]
    request = families.request(
        body, families.Rules(named(bits), levels, platform_only))
    lines = list(request.lines())
    return [outcome, f"{numbers} {request.left_out > 0:d}", verdicts,
            " ".join(families.plain("shop", *line) for line in lines),
            " ".join(families.tagged("shop", *line, TAGS) for line in lines)]


def comparable(line):
    """A line of judge.c in the form of expected()."""
    columns = [column.rstrip(" ") for column in line.split("\t")]
    numbers, left_out = columns[1].rsplit(" ", 1)
    columns[1] = f"{numbers} {left_out != '0':d}" if columns[0] == "ok" \
        else numbers
    return columns


class Compared(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)

    def differ(self, rules, body, got, want):
        FOUND.mkdir(parents=True, exist_ok=True)
        (FOUND / "body").write_bytes(body)
        self.fail(f"SEED={SEED}, rules {rules}, {FOUND / 'body'}:\n"
                  f"program {str(got)[:3000]}\nnaive   {str(want)[:3000]}\n"
                  f"{body[:2000]!r}")

    def compare(self, records):
        """Gives each record's columns, which are the same in both."""
        for (rules, bits, body), line in zip(records, judged(records)):
            got, want = comparable(line), expected(rules, bits, body)
            if got != want:
                self.differ((rules, bits), body, got, want)
            yield want

    def random_records(self, bodies, number, some_families):
        """In chunks."""
        r = self.random
        for start in range(0, number, CHUNK):
            yield [(r.choice([3, 3, 3, 7, 1, 2, 4, 11, 15]),
                    r.choice(some_families), next(bodies))
                   for _ in range(min(CHUNK, number - start))]


class Properties(Compared):
    KINDS = ["fault", "left out", ".errors.", ".logplex.dropped", ".lost:",
             ".router.requests:", ".status.1xx:", ".status.none:", ".bytes:",
             ".le.100:", ".le.inf:", ".service:", ".connect:", ".load_avg_1m:",
             ".memory_percent:", ".state.up:", ".exit.", ".release:",
             ".rollback:", ".formation.", ".postgres.", ".redis.",
             ".pgbouncer.", ".custom.", "|c", "|g", "|ms"]

    def test_random_bodies_are_judged_the_same(self):
        seen = {"ok": 0, "fault": 0, "errors": 0, "skipped": 0}
        for records in self.random_records(
                iter(Bodies(self.random)), BODIES, [1, 1, 1, ALL]):
            for outcome, numbers, *_ in self.compare(records):
                seen[outcome.split()[0]] += 1
                seen["skipped"] += int(numbers.split()[1])
                seen["errors"] += int(numbers.split()[2])
        print(f"{BODIES} bodies, SEED={SEED}: {seen} ", end="")
        # They must reach every kind of verdict, or this shows nothing.
        for kind, n in seen.items():
            self.assertGreater(n, BODIES / 20, kind)

    def test_random_lines_of_all_families_give_the_same(self):
        seen = dict.fromkeys(self.KINDS, 0)
        some_families = [ALL] * 3 + [self.random.randrange(ALL)
                                     for _ in range(2)]
        for records in self.random_records(
                iter(Lines(self.random)), LINES, some_families):
            for outcome, numbers, _, *lines in self.compare(records):
                seen["fault"] += outcome != "ok"
                seen["left out"] += numbers.endswith(" 1")
                for kind in self.KINDS[2:]:
                    seen[kind] += any(kind in line for line in lines[:1])
        print(f"{LINES} batches, SEED={SEED}: {seen} ", end="")
        for kind, n in seen.items():
            self.assertGreater(n, LINES / 1000, kind)


def frame(text, app_name=b"app", procid=b"web.1"):
    message = b"<134>1 2024 host %s %s - %s" % (app_name, procid, text)
    return b"%d %s" % (len(message), message)


class Ceilings(Compared):
    """At each and one beyond."""

    def test_ceilings_are_the_same(self):
        def keys(n):
            return b"".join(
                frame(b"source=a%d sample#k=%d" % (i, i), procid=b"heroku-redis")
                for i in range(n))

        def names(n):
            return frame(b" ".join(b"count#n%d=1 sample#n%d=2" % (i, i)
                                   for i in range(n)))
        records = [(3, ALL, body) for body in [
            keys(families.BUCKETS), keys(families.BUCKETS + 1),
            keys(families.BUCKETS + 1) + frame(b"Error R14 (x)", b"heroku") +
            frame(b"at=info service=5ms status=200", b"heroku", b"router"),
            frame(b"Error R14 (x)", b"heroku") + keys(families.BUCKETS),
            names(families.CUSTOM_NAMES), names(families.CUSTOM_NAMES + 1),
            frame(b"measure#t=1ms") * families.TIMER_VALUES,
            frame(b"measure#t=1ms") * (families.TIMER_VALUES + 1)]]
        left_out = [numbers[-1] for _, numbers, *_ in self.compare(records)]
        self.assertEqual(left_out, list("01110101"))


class Explain(Compared):
    CLUSTERS = [
        "statsd://127.0.0.1:8126,statsd://[::1]:9,statsd://192.0.2.1:8125",
        "statsd://127.0.0.1:8126/a/b,statsd://[::1]:9?tags=dogstatsd,"
        "statsd://192.0.2.1:8125/c?tags=dogstatsd&datagram=1432"]

    def lines(self, cluster, app, request, tags):
        """What is printed of each line."""
        collectors = cluster.split(",")
        for line in request.lines():
            uri = families.owner(app, line[0], collectors)
            address, _, options = uri.partition("?")
            scheme, _, rest = address.partition("://")
            host, _, path = rest.partition("/")
            prefix = "".join(part + "." for part in path.split("/") if part)
            text = families.tagged(app, *line, tags) if "tags=" in options \
                else families.plain(app, *line)
            yield f"{scheme}://{host}\t{prefix}{text}"

    def explain(self, body, **env):
        done = subprocess.run([PROGRAM, "--explain", "--app", "my-app"],
                              input=body, env={"PATH": PATH, **env},
                              capture_output=True)
        return done.returncode, done.stdout.decode("ascii").split("\n")[:-1]

    def test_explain_says_the_same(self):
        bodies, cluster = iter(Bodies(self.random)), self.CLUSTERS[0]
        for _ in range(EXPLAINED):
            body = next(bodies)
            status, lines = self.explain(body, METRICS_CLUSTER=cluster)
            outcome, _, _, verdicts = naive.count(body).split("\t")
            want = [[str(n), *v.split(":")]
                    for n, v in enumerate(verdicts.split(), 1)]
            got = [line.split("\t")[:3] for line in lines[:len(want)]]
            rest = lines[len(want):]
            if outcome == "ok":
                request = families.request(body, families.Rules())
                wanted_rest = ["", *self.lines(cluster, "my-app", request, ())]
            else:
                wanted_rest = [f"fault\t{outcome.split()[1]}"]
                rest = ["\t".join(line.split("\t")[:2]) for line in rest]
            if got != want or rest != wanted_rest or \
                    status != (outcome != "ok"):
                self.differ(3, body, lines, (want, wanted_rest))

    def test_explain_lists_the_lines_of_all_families(self):
        batches, cluster = iter(Lines(self.random)), self.CLUSTERS[1]
        for _ in range(EXPLAINED):
            body = next(batches)
            try:
                request = families.request(body, families.Rules(named(ALL)))
            except naive.Fault:
                continue
            status, lines = self.explain(
                body, METRICS_CLUSTER=cluster, TAGS="env:test,a:b",
                METRICS=",".join(families.FAMILIES), PREFIX_MY_APP="shop.eu")
            got = lines[lines.index("") + 1:]
            want = list(self.lines(cluster, "shop.eu", request,
                                   [("env", "test"), ("a", "b")]))
            if got != want or status != 0:
                self.differ(3, body, got, want)


class Fixtures(unittest.TestCase):
    """The second implementation itself."""

    def test_it_counts_what_the_fixtures_say(self):
        rows = (FIXTURES / "expected.tsv").read_text().splitlines()[1:]
        for row in rows:
            name, messages, _, error, warning, info, *_ = row.split("\t")
            body = (FIXTURES / name).read_bytes()
            for levels, columns in (1, [error]), (3, [error, warning]), \
                    (7, [error, warning, info]):
                want = sorted(code for column in columns if column != "-"
                              for code in column.split(","))
                outcome, numbers, counts, _ = naive.count(
                    body, levels).split("\t")
                if name == "spoof-app.logplex":
                    want = sorted(naive.count(body, levels, False)
                                  .split("\t")[2].split())
                    self.assertEqual(
                        naive.count(body, levels, True).split("\t")[2], "")
                self.assertEqual(sorted(counts.split()), want, name)
                self.assertEqual(outcome, "ok", name)
                self.assertEqual(numbers.split()[0], messages, name)

    def test_it_refuses_what_the_fixtures_say(self):
        rows = (FIXTURES / "malformed" / "expected.tsv").read_text()
        for row in rows.splitlines()[1:]:
            name, status, messages, skipped, counts, place = row.split("\t")
            outcome, numbers, got, _ = naive.count(
                (FIXTURES / "malformed" / name).read_bytes()).split("\t")
            if status == "422":
                self.assertEqual(outcome, "fault " + place, name)
            else:
                self.assertEqual(outcome, "ok", name)
                self.assertEqual(numbers.split()[:2], [messages, skipped], name)
                self.assertEqual(got, counts.replace("-", ""), name)

    def test_it_finds_every_documented_code(self):
        for line in (FIXTURES / "platform-errors.tsv").read_text().splitlines():
            text, want, note = line.split("\t")
            body = b"<158>1 - host heroku router - " + text.encode()
            self.assertEqual(
                naive.judge(body, 3, False).decode(), want, (text, note))

