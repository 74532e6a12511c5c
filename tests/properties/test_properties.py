#!/usr/bin/env python3
"""Random bodies, judged by the program and by a second implementation: the same
verdicts, counts, offsets and faults.

BODIES (100000) says how many, SEED repeats a run."""

import os
import random
import struct
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from bodies import Bodies
from support import *
import naive

BODIES = int(os.environ.get("BODIES", "100000"))
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
EXPLAINED = 200
JUDGE = ROOT / "build" / "properties" / "judge"
FOUND = ROOT / "build" / "properties" / "found"
COLLECTORS = ["statsd://127.0.0.1:8126", "statsd://[::1]:9",
              "statsd://192.0.2.1:8125"]
CHUNK = 1000


def judged(records):
    """What the program's own functions say about (rules, body) pairs."""
    stream = b"".join(struct.pack("<BI", rules, len(body)) + body
                      for rules, body in records)
    result = subprocess.run([JUDGE], input=stream, capture_output=True)
    if result.returncode != 0:
        raise AssertionError(f"judge ended with {result.returncode}: "
                             f"{result.stderr.decode(errors='replace')}")
    return result.stdout.decode("ascii").splitlines()


def expected(rules, body):
    return naive.count(body, rules & 7, bool(rules & 8))


class Properties(unittest.TestCase):
    def setUp(self):
        self.random = random.Random(SEED)

    def differ(self, rules, body, got, want):
        FOUND.mkdir(parents=True, exist_ok=True)
        (FOUND / "body").write_bytes(body)
        self.fail(f"SEED={SEED}, rules {rules}, {FOUND / 'body'}:\n"
                  f"program {got[:2000]}\nnaive   {want[:2000]}\n"
                  f"{body[:2000]!r}")

    def test_random_bodies_are_judged_the_same(self):
        bodies = iter(Bodies(self.random))
        seen = {"ok": 0, "fault": 0, "errors": 0, "skipped": 0}
        for start in range(0, BODIES, CHUNK):
            records = [(self.random.choice([3, 3, 3, 7, 1, 2, 4, 11, 15]),
                        next(bodies))
                       for _ in range(min(CHUNK, BODIES - start))]
            lines = judged(records)
            self.assertEqual(len(lines), len(records))
            for (rules, body), got in zip(records, lines):
                want = expected(rules, body)
                if got != want:
                    self.differ(rules, body, got, want)
                outcome, numbers, _, _ = want.split("\t")
                seen[outcome.split()[0]] += 1
                seen["skipped"] += int(numbers.split()[1])
                seen["errors"] += int(numbers.split()[2])
        print(f"{BODIES} bodies, SEED={SEED}: {seen} ", end="")
        # They must reach every kind of verdict, or this shows nothing.
        for kind, n in seen.items():
            self.assertGreater(n, BODIES / 20, kind)

    def test_explain_says_the_same(self):
        bodies = iter(Bodies(self.random))
        env = {"METRICS_CLUSTER": ",".join(COLLECTORS), "PATH": PATH}
        for _ in range(EXPLAINED):
            body = next(bodies)
            result = subprocess.run(
                [PROGRAM, "--explain", "--app", "my-app"], input=body, env=env,
                capture_output=True)
            outcome, _, counts, verdicts = naive.count(body).split("\t")
            want = [[str(n), *v.split(":")]
                    for n, v in enumerate(verdicts.split(), 1)]
            lines = result.stdout.decode("ascii").split("\n")
            got = [line.split("\t")[:3] for line in lines[:len(want)]]
            rest = lines[len(want):-1]
            if outcome == "ok":
                wanted_rest = ["", *naive.counters("my-app", counts, COLLECTORS)]
            else:
                wanted_rest = [f"fault\t{outcome.split()[1]}"]
                rest = ["\t".join(line.split("\t")[:2]) for line in rest]
            if got != want or rest != wanted_rest or \
                    result.returncode != (outcome != "ok"):
                self.differ(3, body, result.stdout.decode("ascii"),
                            f"{want} {wanted_rest}")


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


if __name__ == "__main__":
    main("properties")
