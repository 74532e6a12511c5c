"""What a body gives in every family of metrics, once more: written from the
rules, without regard for speed.  naive.py has frames, headers and errors.

A message gives samples; lines() adds them up and writes them as a collector
takes them, plain or with tags."""

import re
import zlib
from collections import namedtuple

from naive import (BOM, PAIR, SPACE, STRUCTURED_DATA, frames, parsed,
                   plain_code)

# In the order in which they are sent.
FAMILIES = ["errors", "loss", "router", "latency", "timings", "dynos",
            "releases", "addons", "custom", "drain"]

# A bucket is `plain`; with tags it is `name` and `tags`, (key, value) each.
Sample = namedtuple("Sample", "family plain name tags type value")

# What a message is read with.
Rules = namedtuple("Rules", "families levels platform_only",
                   defaults=(frozenset(["errors"]), 3, False))

BUCKETS = 8192
TIMER_VALUES = 65536
CUSTOM_NAMES = 100
MOST_LOST = 2 ** 31 - 1

NUMBER = rb"[0-9]+(?:\.[0-9]+)?"
GAUGE = re.compile(rb"(" + NUMBER + rb")[A-Za-z]*\Z")
COUNT = re.compile(rb"[0-9]{1,15}\Z")
MILLISECONDS = re.compile(rb"([0-9]{1,15})(?:ms)?\Z")
MEASURE = re.compile(rb"(" + NUMBER + rb")(ms|s)\Z")
END = rb"(?=" + SPACE + rb"|\Z)"

LOST = re.compile(SPACE + rb"([0-9]+) messages" + END)
DYNO = re.compile(rb"(.+)\.([0-9]+)\Z", re.DOTALL)
STATUS_CLASS = re.compile(rb"([1-5])[0-9][0-9]\Z")
PROCESS_RUNNING = re.compile(
    rb"Process running mem=(" + NUMBER + rb")[A-Za-z]*"
    rb"(?:(?=\()(?:\((" + NUMBER + rb")%\)" + END + rb")?|" + END + rb")")
STATE = re.compile(
    rb"State changed from [^ ]+ to (starting|up|down|crashed|complete)" + END)
EXIT = re.compile(rb"Process exited with status (0|[1-9][0-9]{0,2})" + END)
RELEASE = re.compile(rb"Release v[0-9]+ created by")
ROLLBACK = re.compile(rb"Rollback to v[0-9]+ by")
SCALED = b"Scaled to "
FORMATION = re.compile(rb"([^ @]+)@([0-9]{1,20}):")

LE = [100, 250, 500, 1000, 2500, 5000, 10000, 30000]
ONE_OFF = [b"run", b"release", b"scheduler"]
DYNO_KEYS = [b"load_avg_1m", b"load_avg_5m", b"load_avg_15m", b"memory_total",
             b"memory_rss", b"memory_cache", b"memory_swap", b"memory_quota"]
ADDONS = {b"heroku-postgres": "postgres", b"heroku-redis": "redis",
          b"heroku-pgbouncer": "pgbouncer"}


def part(text, keep=rb"A-Za-z0-9_-"):
    """A part of a name, or None."""
    if not 1 <= len(text) <= 64:
        return None
    return re.sub(rb"[^" + keep + rb"]", b"_", text).decode()


def gauge(value):
    """The number of a gauge as it stands, or None."""
    found = GAUGE.match(value)
    return found[1].decode() if found and len(found[1]) <= 20 else None


def pairs(text):
    """The first of each key, up to what is no pair; without empty values."""
    found, at = {}, 0
    while pair := PAIR.match(text, at):
        at = pair.end()
        key, quoted, bare = pair.groups()
        found.setdefault(key, bare if quoted is None else re.sub(
            rb"\\(.)", rb"\1", quoted, flags=re.DOTALL))
    return {key: value for key, value in found.items() if value}


def counter(family, name, value=1, **tags):
    """A counter whose bucket ends in the values of its tags."""
    plain = ".".join([name, *tags.values()])
    return Sample(family, plain, name, tuple(tags.items()), "c", value)


def errors(text, rules):
    code = plain_code(text, rules.levels)
    if code is None:
        return
    yield counter("errors", "heroku.errors", code=code.decode())
    lost = LOST.search(text)
    if code in (b"L10", b"L12", b"L13") and lost and \
            int(lost[1]) <= MOST_LOST:
        name = "lost" if code == b"L13" else "dropped"
        yield counter("loss", "heroku.logplex." + name, int(lost[1]))


def router(text):
    line = pairs(text)
    if b"at" not in line:
        return
    yield counter("router", "heroku.router.requests")
    status = STATUS_CLASS.match(line.get(b"status", b""))
    yield counter("router", "heroku.router.status", **{
        "class": status[1].decode() + "xx" if status else "none"})
    if COUNT.match(line.get(b"bytes", b"")):
        yield counter("router", "heroku.router.bytes", int(line[b"bytes"]))
    service = MILLISECONDS.match(line.get(b"service", b""))
    if not service or line.get(b"status") == b"101":
        return
    for le in LE:
        if int(service[1]) <= le:
            yield counter("latency", "heroku.router.service.le", le=str(le))
    yield counter("latency", "heroku.router.service.le", le="inf")
    connect = MILLISECONDS.match(line.get(b"connect", b""))
    for key, time in ("service", service), ("connect", connect):
        if time:
            name = "heroku.router." + key
            yield Sample("timings", name, name, (), "ms", str(int(time[1])))


def dyno(kind, n, text):
    def sample(key, value):
        return Sample("dynos", f"heroku.dyno.{type}.{n}.{key}",
                      "heroku.dyno." + key,
                      (("type", type), ("dyno", f"{type}.{n}")), "g", value)
    type = part(kind)
    if type is None:
        return
    if part(n) is not None and kind not in ONE_OFF:
        n = n.decode()
        for key, value in pairs(text).items():
            name = key.removeprefix(b"sample#")
            if name != key and name in DYNO_KEYS and gauge(value):
                yield sample(name.decode(), gauge(value))
        running = PROCESS_RUNNING.match(text)
        for key, value in zip(("memory_total", "memory_percent"),
                              running.groups() if running else ()):
            if value and gauge(value):
                yield sample(key, gauge(value))
    if state := STATE.match(text):
        yield Sample("dynos", f"heroku.dyno.{type}.state.{state[1].decode()}",
                     "heroku.dyno.state",
                     (("type", type), ("state", state[1].decode())), "c", 1)
    status = EXIT.match(text)
    if status and int(status[1]) <= 255:
        yield Sample("dynos", f"heroku.dyno.{type}.exit.{status[1].decode()}",
                     "heroku.dyno.exit",
                     (("type", type), ("status", status[1].decode())), "c", 1)


def releases(text):
    if RELEASE.match(text):
        yield counter("releases", "heroku.release")
    if ROLLBACK.match(text):
        yield counter("releases", "heroku.rollback")
    if not text.startswith(SCALED):
        return
    for word in text[len(SCALED):].split(b" "):
        found = FORMATION.match(word)
        if not found:
            return
        if type := part(found[1]):
            yield Sample("releases", "heroku.formation." + type,
                         "heroku.formation", (("type", type),), "g",
                         found[2].decode())


def addons(kind, text):
    line = pairs(text)
    addon = part(line.get(b"addon", line.get(b"source", b"").lower()))
    for key, value in line.items():
        name = part(key.removeprefix(b"sample#"), rb"A-Za-z0-9_")
        if addon and key.startswith(b"sample#") and name and gauge(value):
            yield Sample("addons", f"heroku.{kind}.{addon}.{name}",
                         f"heroku.{kind}.{name}", (("addon", addon),), "g",
                         gauge(value))


def milliseconds(number, unit):
    """A measurement in ms, by moving the point."""
    if unit == b"ms":
        return number.decode()
    whole, _, fraction = number.decode().partition(".")
    fraction = fraction.ljust(3, "0")
    whole = (whole + fraction[:3]).lstrip("0") or "0"
    return whole + ("." + fraction[3:] if fraction[3:] else "")


def custom(text):
    for key, value in pairs(text).items():
        kind, _, name = key.partition(b"#")
        name = part(name, rb"A-Za-z0-9_.-")
        if name is None or "" in name.split("."):
            continue
        name = "custom." + name
        measured = MEASURE.match(value)
        if kind == b"count" and COUNT.match(value):
            yield counter("custom", name, int(value))
        elif kind == b"sample" and gauge(value):
            yield Sample("custom", name, name, (), "g", gauge(value))
        elif kind == b"measure" and measured and len(measured[1]) <= 20:
            yield Sample("custom", name, name, (), "ms",
                         milliseconds(*measured.groups()))


def either(recognise, text):
    """What MSG gives as it stands, else what stands after its
    STRUCTURED-DATA gives."""
    found = list(recognise(text.removeprefix(BOM)))
    after = STRUCTURED_DATA.match(text)
    if not found and after:
        found = list(recognise(after[1].removeprefix(BOM)))
    return found


def samples(message, rules):
    """All samples of a message, of families that are off too; None if its
    header cannot be read."""
    header = parsed(message)
    if header is None:
        return None
    app_name, procid, text = header
    found = either(lambda t: errors(t, rules), text)
    if found and rules.platform_only and app_name != b"heroku" and not (
            procid == b"log-shuttle" and
            found[0].plain[-3:] in ("L12", "L13")):
        found = []
    platform, app = app_name == b"heroku", app_name == b"app"
    process = DYNO.match(procid)
    if platform and procid == b"router":
        found += either(router, text)
    if platform and process:
        found += either(lambda t: dyno(process[1], process[2], t), text)
    if (platform or app) and procid == b"api":
        found += either(releases, text)
    if app and procid in ADDONS:
        found += either(lambda t: addons(ADDONS[procid], t), text)
    if app and process:
        found += either(custom, text)
    return found


def drain(**counts):
    return [counter("drain", "heroku.drain." + key, n)
            for key, n in counts.items()]


class Request:
    """What one request counts."""

    def __init__(self, families):
        self.families = families
        self.values = {}  # (plain, type): (sample, its values)
        self.timer_values = 0
        self.custom_names = set()
        self.left_out = 0

    def add(self, sample):
        if sample.family not in self.families:
            return
        key = sample.plain, sample.type
        if not self.fits(sample, key):
            self.left_out += 1
            return
        _, values = self.values.setdefault(key, (sample, []))
        if sample.type == "c":
            values[:] = [sum(values) + sample.value]
        elif sample.type == "g":
            values[:] = [sample.value]
        else:
            values.append(sample.value)

    def fits(self, sample, key):
        names = self.custom_names
        if sample.family == "custom" and sample.plain not in names and \
                len(names) == CUSTOM_NAMES:
            return False
        if key not in self.values and len(self.values) == BUCKETS:
            return False
        if sample.type == "ms" and self.timer_values == TIMER_VALUES:
            return False
        if sample.family == "custom":
            names.add(sample.plain)
        self.timer_values += sample.type == "ms"
        return True

    def lines(self):
        """(sample, value) of each line, in order."""
        for family in FAMILIES:
            for sample, values in self.values.values():
                if sample.family != family:
                    continue
                for value in values:
                    if sample.type != "c" or value > 0:
                        yield sample, str(value)


def request(body, rules):
    """What a batch counts; Fault if it is none."""
    request = Request(rules.families)
    messages = [samples(message, rules) for _, message in frames(body)]
    for found in messages:
        for sample in found or []:
            request.add(sample)
    for sample in drain(batches=1, messages=len(messages),
                        skipped=messages.count(None)):
        request.add(sample)
    return request


def plain(app, sample, value):
    return f"{app}.{sample.plain}:{value}|{sample.type}"


def tagged(app, sample, value, tags=()):
    pairs = [("app", app), *sample.tags, *tags]
    return f"{sample.name}:{value}|{sample.type}|#" + ",".join(
        f"{key}:{value}" for key, value in pairs)


def owner(app, sample, collectors):
    bucket = f"{app}.{sample.plain}".encode()
    return collectors[zlib.crc32(bucket) % len(collectors)]


def packed(lines, size):
    """Datagrams of at most so many bytes, in order; a line is never cut."""
    datagrams = []
    for line in lines:
        if datagrams and len(datagrams[-1]) + 1 + len(line) <= size:
            datagrams[-1] += "\n" + line
        else:
            datagrams.append(line)
    return datagrams
