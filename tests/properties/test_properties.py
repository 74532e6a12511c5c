"""The program and a second implementation judge random bodies: they find the
same verdicts, lines, offsets and faults.

BODIES (50000) and LINES (20000) are their numbers; SEED repeats a run.  A
difference is shrunk to a minimum; its body is in build/properties/found."""

import collections
import os
import struct
import subprocess

import pytest

import families
import naive
from bodies import Bodies
from entropy import SEED, each_batch
from lib.frames import frame
from lib.places import FIXTURES, PATH, PROGRAM, ROOT
from lines import Lines

BODIES = int(os.environ.get("BODIES", "50000"))
LINES = int(os.environ.get("LINES", "20000"))
EXPLAINED = 200
JUDGE = ROOT / "build" / "properties" / "judge"
FOUND = ROOT / "build" / "properties" / "found"
RULES = [3, 3, 3, 7, 1, 2, 4, 11, 15]
ALL = (1 << len(families.FAMILIES)) - 1
TAGS = [("env", "test")]


@pytest.fixture
def judged():
    """The verdicts of the program's own functions on (rules, families, body);
    rules are bits for levels and PLATFORM_ONLY, as in judge.c."""
    process = subprocess.Popen([JUDGE], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)

    def ask(records):
        stream = b"".join(struct.pack("<BHI", rules, bits, len(body)) + body
                          for rules, bits, body in records)
        if len(records) > 1 and len(stream) > 1 << 14:
            # Otherwise questions and answers could fill both pipes.
            return [line for record in records for line in ask([record])]
        process.stdin.write(stream)
        process.stdin.flush()
        lines = [process.stdout.readline() for _ in records]
        assert all(lines), f"judge ended with {process.wait()}"
        return [line.decode("ascii").rstrip("\n") for line in lines]
    yield ask
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()


def named(bits):
    return frozenset(name for i, name in enumerate(families.FAMILIES)
                     if bits >> i & 1)


def expected(rules, bits, body):
    """In the form of judge.c, but only whether something was left out."""
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


def differ(rules, body, got, want):
    FOUND.mkdir(parents=True, exist_ok=True)
    (FOUND / "body").write_bytes(body)
    pytest.fail(f"SEED={SEED}, rules {rules}, {FOUND / 'body'}:\n"
                f"program {str(got)[:3000]}\nnaive   {str(want)[:3000]}\n"
                f"{body[:2000]!r}")


@pytest.fixture
def compare(judged):
    """Yields the columns of each record, which must be the same in both."""
    def compare(records):
        for (rules, bits, body), line in zip(records, judged(records)):
            got, want = comparable(line), expected(rules, bits, body)
            if got != want:
                differ((rules, bits), body, got, want)
            yield want
    return compare


def test_random_bodies_are_judged_the_same(compare):
    seen = collections.Counter()

    def check(random, bodies):
        for outcome, numbers, *_ in compare(
                [(random.choice(RULES), random.choice([1, 1, 1, ALL]), body)
                 for body in bodies]):
            seen["bodies"] += 1
            seen[outcome.split()[0]] += 1
            seen["skipped"] += int(numbers.split()[1])
            seen["errors"] += int(numbers.split()[2])
    each_batch(Bodies, BODIES, check)
    # Otherwise this shows nothing: they must reach every kind of verdict.
    assert seen["bodies"] >= BODIES
    for kind in ("ok", "fault", "errors", "skipped"):
        assert seen[kind] > BODIES / 20, seen


KINDS = [".errors.", ".logplex.dropped", ".lost:", ".router.requests:",
         ".status.1xx:", ".status.none:", ".bytes:", ".le.100:", ".le.inf:",
         ".service:", ".connect:", ".load_avg_1m:", ".memory_percent:",
         ".state.up:", ".exit.", ".release:", ".rollback:", ".formation.",
         ".postgres.", ".redis.", ".pgbouncer.", ".custom.", "|c", "|g", "|ms"]


def test_random_lines_of_all_families_give_the_same(compare):
    seen = collections.Counter()

    def check(random, bodies):
        bits = [ALL, ALL, ALL, random.randrange(ALL), random.randrange(ALL)]
        for outcome, numbers, _, *lines in compare(
                [(random.choice(RULES), random.choice(bits), body)
                 for body in bodies]):
            seen["fault"] += outcome != "ok"
            seen["left out"] += numbers.endswith(" 1")
            for kind in KINDS:
                seen[kind] += any(kind in line for line in lines[:1])
    each_batch(Lines, LINES, check, at_once=10, blocks=40)
    for kind in ["fault", "left out", *KINDS]:
        assert seen[kind] >= LINES // 10000, (kind, seen)


def message(text, app_name=b"app", procid=b"web.1"):
    return frame(b"<134>1 2024 host %s %s - %s" % (app_name, procid, text))


def keys(n):
    return b"".join(
        message(b"source=a%d sample#k=%d" % (i, i), procid=b"heroku-redis")
        for i in range(n))


def names(n):
    return message(b" ".join(b"count#n%d=1 sample#n%d=2" % (i, i)
                             for i in range(n)))


@pytest.mark.parametrize("left_out, body", [
    (0, lambda: keys(families.BUCKETS)),
    (1, lambda: keys(families.BUCKETS + 1)),
    (1, lambda: keys(families.BUCKETS + 1) +
     message(b"Error R14 (x)", b"heroku") +
     message(b"at=info service=5ms status=200", b"heroku", b"router")),
    (1, lambda: message(b"Error R14 (x)", b"heroku") + keys(families.BUCKETS)),
    (0, lambda: names(families.CUSTOM_NAMES)),
    (1, lambda: names(families.CUSTOM_NAMES + 1)),
    (0, lambda: message(b"measure#t=1ms") * families.TIMER_VALUES),
    (1, lambda: message(b"measure#t=1ms") * (families.TIMER_VALUES + 1)),
])
def test_ceilings_are_the_same(compare, left_out, body):
    (_, numbers, *_), = compare([(3, ALL, body())])
    assert numbers.endswith(f" {left_out}")


CLUSTERS = [
    "statsd://127.0.0.1:8126,statsd://[::1]:9,statsd://192.0.2.1:8125",
    "statsd://127.0.0.1:8126/a/b,statsd://[::1]:9?tags=dogstatsd,"
    "statsd://192.0.2.1:8125/c?tags=dogstatsd&datagram=1432"]


def explained(cluster, app, request, tags):
    """The output of --explain for each line."""
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


def explain(body, **env):
    done = subprocess.run([PROGRAM, "--explain", "--app", "my-app"],
                          input=body, env={"PATH": PATH, **env},
                          capture_output=True)
    return done.returncode, done.stdout.decode("ascii").split("\n")[:-1]


def check_explain(body):
    cluster = CLUSTERS[0]
    status, lines = explain(body, METRICS_CLUSTER=cluster)
    outcome, _, _, verdicts = naive.count(body).split("\t")
    want = [[str(n), *v.split(":")] for n, v in enumerate(verdicts.split(), 1)]
    got = [line.split("\t")[:3] for line in lines[:len(want)]]
    rest = lines[len(want):]
    if outcome == "ok":
        request = families.request(body, families.Rules())
        wanted_rest = ["", *explained(cluster, "my-app", request, ())]
    else:
        wanted_rest = [f"fault\t{outcome.split()[1]}"]
        rest = ["\t".join(line.split("\t")[:2]) for line in rest]
    if (got, rest, status) != (want, wanted_rest, outcome != "ok"):
        differ(3, body, lines, (want, wanted_rest))


def check_explained_families(body):
    cluster = CLUSTERS[1]
    try:
        request = families.request(body, families.Rules(named(ALL)))
    except naive.Fault:
        return
    status, lines = explain(
        body, METRICS_CLUSTER=cluster, TAGS="env:test,a:b",
        METRICS=",".join(families.FAMILIES), PREFIX_MY_APP="shop.eu")
    got = lines[lines.index("") + 1:]
    want = list(explained(cluster, "shop.eu", request,
                          [("env", "test"), ("a", "b")]))
    if got != want or status != 0:
        differ(3, body, got, want)


@pytest.mark.parametrize("kind, check", [
    (Bodies, check_explain), (Lines, check_explained_families)])
def test_explain_says_the_same(kind, check):
    each_batch(kind, EXPLAINED, lambda _, bodies: [*map(check, bodies)])


def rows_of(name):
    """The rows of a table, without its head, as parameters."""
    rows = [row.split("\t") for row in
            (FIXTURES / name).read_text().splitlines()[1:]]
    return [pytest.param(*row, id=row[0]) for row in rows]


@pytest.mark.parametrize(
    "name, messages, size, error, warning, info, note",
    rows_of("expected.tsv"))
def test_naive_counts_what_the_fixtures_say(
        name, messages, size, error, warning, info, note):
    body = (FIXTURES / name).read_bytes()
    for levels, columns in (1, [error]), (3, [error, warning]), \
            (7, [error, warning, info]):
        want = sorted(code for column in columns if column != "-"
                      for code in column.split(","))
        outcome, numbers, counts, _ = naive.count(
            body, levels, name == "spoof-app.logplex").split("\t")
        assert (sorted(counts.split()), outcome) == (want, "ok")
        assert numbers.split()[0] == messages


@pytest.mark.parametrize("name, status, messages, skipped, counts, place",
                         rows_of("malformed/expected.tsv"))
def test_naive_refuses_what_the_fixtures_say(
        name, status, messages, skipped, counts, place):
    outcome, numbers, got, _ = naive.count(
        (FIXTURES / "malformed" / name).read_bytes()).split("\t")
    if status == "422":
        assert outcome == "fault " + place
    else:
        assert (outcome, numbers.split()[:2]) == ("ok", [messages, skipped])
        assert got == counts.replace("-", "")


def test_naive_finds_every_documented_code():
    for line in (FIXTURES / "platform-errors.tsv").read_text().splitlines():
        text, want, note = line.split("\t")
        body = b"<158>1 - host heroku router - " + text.encode()
        assert naive.judge(body, 3, False).decode() == want, (text, note)
