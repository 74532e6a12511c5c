"""A second implementation of all families of metrics, written from the rules
without regard for speed.  naive.py has frames, headers and errors.

A message gives samples; lines() adds them up and writes them as collectors
take them, plain or with tags."""

import re
import zlib
from collections import namedtuple

from naive import (BOM, PAIR, SPACE, STRUCTURED_DATA, frames, parsed,
                   plain_code)

# In the order of sending.
FAMILIES = ["errors", "loss", "router", "latency", "timings", "dynos",
            "releases", "addons", "custom", "drain"]

# A bucket is `plain`; with tags it is `name` and `tags`, (key, value) each.
Sample = namedtuple("Sample", "family plain name tags type value")

# The settings that decide how a message is read.
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

# Fixed names are sent in this order, before those that vary.
FIXED = [
    "heroku.logplex.dropped", "heroku.logplex.lost", "heroku.router.requests",
    *("heroku.router.status." + c for c in
      ("1xx", "2xx", "3xx", "4xx", "5xx", "none")), "heroku.router.bytes",
    *("heroku.router.service.le." + le for le in
      ("100", "250", "500", "1000", "2500", "5000", "10000", "30000", "inf")),
    "heroku.release", "heroku.rollback",
    *("heroku.drain." + of for of in
      ("batches", "messages", "skipped", "duplicates", "refused"))]

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
    """The number of a gauge, unchanged, or None."""
    found = GAUGE.match(value)
    return found[1].decode() if found and len(found[1]) <= 20 else None


def pairs(text):
    """The first pair of each key, up to a token that is no pair."""
    found, at = {}, 0
    while pair := PAIR.match(text, at):
        at = pair.end()
        key, quoted, bare = pair.groups()
        found.setdefault(key, bare if quoted is None else re.sub(
            rb"\\(.)", rb"\1", quoted, flags=re.DOTALL))
    return found


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
    if not line.get(b"at"):
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
            if name != key and name in DYNO_KEYS:
                yield sample(name.decode(), gauge(value))
        running = PROCESS_RUNNING.match(text)
        if running and gauge(running[1]):
            yield sample("memory_total", gauge(running[1]))
            if running[2] and gauge(running[2]):
                yield sample("memory_percent", gauge(running[2]))
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
    addon = part(line.get(b"addon") or line.get(b"source", b"").lower())
    for key, value in line.items():
        name = part(key.removeprefix(b"sample#"), rb"A-Za-z0-9_")
        if addon and key.startswith(b"sample#") and name:
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
        if kind == b"count":
            yield counter("custom", name, int(value) if COUNT.match(value)
                          else None)
        elif kind == b"sample":
            yield Sample("custom", name, name, (), "g", gauge(value))
        elif kind == b"measure":
            measured = MEASURE.match(value)
            fits = measured and len(measured[1]) <= 20
            yield Sample("custom", name, name, (), "ms",
                         milliseconds(*measured.groups()) if fits else None)


def either(recognise, text):
    """The samples of MSG or, if it has none, those of the text after its
    STRUCTURED-DATA."""
    found = list(recognise(text.removeprefix(BOM)))
    after = STRUCTURED_DATA.match(text)
    if not found and after:
        found = list(recognise(after[1].removeprefix(BOM)))
    return found


def samples(message, rules):
    """All samples of a message, including families that are off; None if its
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
    """The samples of one request."""

    def __init__(self, families):
        self.families = families
        self.values = {}  # {(plain, type): (sample, its values)}, in order of appearance
        self.timers = []  # (sample, value)
        self.varying = set()
        self.custom_names = set()
        self.left_out = 0

    def add_message(self, samples):
        """Of several samples with one name, the first decides, even without a
        value; it also takes a place among the names."""
        named = set()
        for sample in samples:
            key = sample.plain, sample.type
            if sample.family not in self.families or key in named:
                continue
            if not self.has_room(sample, key):
                self.left_out += 1
                continue
            if sample.family != "timings":
                named.add(key)
            self.add(sample, key)

    def add(self, sample, key):
        if sample.type == "ms":
            if sample.value is not None and len(self.timers) == TIMER_VALUES:
                self.left_out += 1
            elif sample.value is not None:
                self.timers.append((sample, sample.value))
            return
        _, values = self.values.setdefault(key, (sample, []))
        if sample.value is not None:
            values[:] = [sum(values) + sample.value if sample.type == "c"
                         else sample.value]

    def has_room(self, sample, key):
        """Errors and fixed names always have."""
        if sample.plain in FIXED or sample.family == "timings" or \
                key in self.varying:
            return True
        if sample.family != "errors":
            new_custom = {sample.plain} - self.custom_names \
                if sample.family == "custom" else set()
            if len(self.varying) >= BUCKETS or \
                    len(self.custom_names | new_custom) > CUSTOM_NAMES:
                return False
            self.custom_names |= new_custom
        self.varying.add(key)
        return True

    def lines(self):
        """(sample, value) of each line, in order: by family, and in each one
        fixed names, names that vary in order of appearance, and timers."""
        def place(entry):
            sample = entry[0]
            return (FAMILIES.index(sample.family), sample.type == "ms",
                    FIXED.index(sample.plain) if sample.plain in FIXED
                    else len(FIXED))
        entries = [(sample, values[0]) for sample, values in
                   self.values.values() if values] + self.timers
        for sample, value in sorted(entries, key=place):
            if sample.type != "c" or value > 0:
                yield sample, str(value)


def request(body, rules):
    """What a batch counts; Fault if it is none."""
    request = Request(rules.families)
    messages = [samples(message, rules) for _, message in frames(body)]
    for found in messages:
        request.add_message(found or [])
    request.add_message(drain(batches=1, messages=len(messages),
                              skipped=messages.count(None)))
    return request


def begins_with_l10(body, rules):
    first = next((message for _, message in frames(body)), b"")
    return any(sample.plain == "heroku.errors.L10"
               for sample in samples(first, rules) or [])


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
    """Datagrams of at most so many bytes, in order, of whole lines."""
    datagrams = []
    for line in lines:
        if datagrams and len(datagrams[-1]) + 1 + len(line) <= size:
            datagrams[-1] += "\n" + line
        else:
            datagrams.append(line)
    return datagrams
