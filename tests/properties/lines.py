"""Random batches of lines for all families of metrics: the fixture
metric-lines, mutated; correct and nearly correct lines, assembled from pieces;
many names."""

import functools

from bodies import FIXTURES, WORDS, Bodies
from lib.frames import frame

DYNOS = [b"web.1", b"web.2", b"worker.12", b"run.2660", b"release.5",
         b"scheduler.9200", b"sidekiq_mail.1", b"a.b.1", b"a_b.1", b"web.",
         b".1", b"web", b"web.x", b"web.01", b"web.1 ", b"\xc3\xa9.1", b"a:b.3",
         b"r|c.1", b"#.1", b"run.1.2", b"RUN.1", b"t" * 64 + b".1",
         b"t" * 65 + b".1", b"web." + b"1" * 64, b"web." + b"1" * 65]
WRITERS = [  # APP-NAME and PROCID
    (b"heroku", b"router"), (b"heroku", b"router"), (b"heroku", None),
    (b"heroku", None), (b"app", None), (b"app", None), (b"app", b"api"),
    (b"heroku", b"api"), (b"app", b"heroku-postgres"),
    (b"app", b"heroku-redis"), (b"app", b"heroku-pgbouncer"),
    (b"heroku", b"logplex"), (b"app", b"log-shuttle"),
    (b"heroku", b"log-shuttle"), (b"app", b"router"),
    (b"heroku", b"heroku-redis"), (b"app", b"heroku-kafka"), (b"Heroku", None)]
NUMBERS = [
    b"0", b"1", b"5", b"7", b"99", b"100", b"101", b"250", b"251", b"499",
    b"500", b"501", b"1000", b"2500", b"5001", b"10000", b"30000", b"30001",
    b"7001", b"0.0", b"0.5", b"0.0042", b"1.23", b"1.2345", b"12.", b".5",
    b"00", b"007", b"0.00", b"-1", b"+1", b"1e3", b"1,5", b"1.2.3", b"",
    b"nan", b"0x10", b"\xd9\xa1", b"1 ", b"255", b"256", b"143", b"137",
    b"999999999999999", b"1000000000000000", b"1" * 20, b"1" * 21,
    b"1." + b"1" * 18, b"1." + b"1" * 19, b"000000000000001",
    b"2147483647", b"2147483648", b"18446744073709551616"]
UNITS = [b"", b"", b"", b"ms", b"ms", b"s", b"MB", b"kB", b"bytes", b"pages",
         b"M", b"%", b"m", b"MS", b"ms ", b"ms%", b"\xc2\xb5s", b"s.", b"|c"]
BOUNDS = [0, 100, 250, 500, 1000, 2500, 5000, 10000, 30000]
STATUSES = [b"200", b"201", b"304", b"404", b"499", b"500", b"503", b"101",
            b"100", b"", b"600", b"099", b"20", b"2000", b"20x", b"-", b"0101"]
NAMES = [b"a", b"db.latency", b"queue-length", b"load_avg_1m", b"load-avg-1m",
         b"load_avg_5m", b"load_avg_15m", b"memory_total", b"memory-total",
         b"memory_rss", b"memory_cache", b"memory_swap", b"memory_quota",
         b"memory_pgpgin", b"active-connections", b"hit-rate", b"", b".", b"..",
         b"a..b", b".a", b"a.", b"a b", b"a:b", b"a|b", b"a#b", b"a@b", b"a,b",
         b"\xff", b"\0", b"n" * 64, b"n" * 65, b"A", b"a/b", b"\xc3\xa9", b"-"]
ADDON_NAMES = [b"redis-example-1", b"DATABASE", b"HEROKU_POSTGRESQL_RED",
               b"", b"a b", b"a.b", b"a|b:c", b"\xff", b"x" * 64, b"X" * 65]
TYPES = [b"web", b"worker", b"release", b"a.b", b"", b"t" * 65, b"a:b", b"by",
         b"\xff", b"a=b", b"a@b"]
PREFIXES = [b"", b"", b"", b"", b"", b"", b"- ", b"- - ", b"\xef\xbb\xbf",
            b"- \xef\xbb\xbf", b'[a b="c"] ', b'[a b="]"][c] ', b"[a", b"[] ",
            b" ", b"-", b"\xef\xbb\xbf- "]
SEPARATORS = [b" ", b" ", b" ", b" ", b"  ", b"\t", b"\n", b"\x0b", b"", b","]


@functools.cache
def rows():
    """APP-NAME, PROCID and MSG of the fixture's lines."""
    texts = (FIXTURES / "metric-lines.tsv").read_bytes().split(b"\n")[1:]
    said = (FIXTURES / "metric-lines.expected.tsv").read_bytes() \
        .split(b"\n")[1:]
    return [(*row.split(b"\t")[1:3], text.split(b"\t")[2])
            for text, row in zip(texts, said) if row]


class Lines(Bodies):
    """Random batches, from one random.Random."""

    SMALL = 1000

    def __init__(self, random):
        super().__init__(random)
        self.rows = rows()

    def __iter__(self):
        r = self.random
        while True:
            batch = b"".join(frame(self.message())
                             for _ in range(r.choice([0, 1, 1, 1, 2, 3, 5, 9])))
            if r.random() < 0.01:
                batch += self.many()
            yield self.mutate(batch, 1) if r.random() < 0.02 else batch

    def message(self):
        r = self.random
        self.align()
        kind = r.random()
        app_name, procid, text = r.choice(self.rows)
        if kind > 0.2:
            text = self.mutate(text, r.choice([1, 1, 2, 4]))
        if kind > 0.45:
            app_name, procid = self.writer()
            text = self.true_or_nearly(app_name, procid)
        if kind > 0.9:
            app_name, procid = self.writer()
            text = r.choice([self.text, self.pairs])()
        if kind > 0.98:
            return self.mutate(self.headed(app_name, procid, text), 1)
        return self.headed(app_name, procid, text)

    def headed(self, app_name, procid, text):
        return b"<134>1 2024-01-01T00:00:00+00:00 host %s %s - %s%s" % (
            app_name, procid, self.random.choice(PREFIXES), text)

    def writer(self):
        r = self.random
        app_name, procid = r.choice(WRITERS)
        likely = DYNOS[:3] if r.random() < 0.6 else DYNOS
        return app_name, procid or r.choice(likely)

    def true_or_nearly(self, app_name, procid):
        if procid == b"router":
            return self.router()
        if procid == b"api":
            return self.release()
        if procid.startswith(b"heroku-"):
            return self.addon()
        if procid in (b"logplex", b"log-shuttle"):
            return self.loss()
        return self.custom() if app_name == b"app" else self.dyno()

    def number(self):
        r = self.random
        return r.choice(NUMBERS) if r.random() < 0.5 else \
            str(r.randrange(40000)).encode()

    def value(self):
        r = self.random
        value = self.number() + r.choice(UNITS)
        kind = r.random()
        if kind < 0.9:
            return value
        quoted = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        if kind < 0.95:
            at = r.randrange(len(quoted) + 1)
            quoted = quoted[:at] + b"\\" + quoted[at:]
        return b'"' + quoted + (b'"' if kind < 0.99 else b"")

    def glued(self, pieces):
        r = self.random
        odd = r.random() < 0.2
        return b"".join(piece + (r.choice(SEPARATORS) if odd else b" ")
                        for piece in pieces)[:-1 if r.random() < 0.8 else None]

    def noise_in(self, pieces, chance=0.1):
        r = self.random
        if r.random() < chance:
            pieces.insert(r.randrange(len(pieces) + 1), r.choice(WORDS))
        if r.random() < chance:
            pieces.append(r.choice(pieces))
        return self.glued(pieces)

    def router(self):
        r = self.random
        known = [
            b"at=" + r.choice([b"info", b"info", b"error", b"warning", b"",
                               b"x", b'"info"']),
            b"code=" + r.choice([b"H12", b"H27", b"H80", b"R14", b"H1", b""]),
            b'desc="Request timeout"', b"method=GET",
            b'path="/a b?at=error status=500"',
            b"dyno=web.1",
            b"connect=" + r.choice([self.value(), b"1ms"]),
            b"service=" + r.choice([self.value(), b"%dms" % (
                r.choice(BOUNDS) + r.randrange(2))]),
            b"status=" + r.choice([b"200", r.choice(STATUSES)]),
            b"bytes=" + r.choice([self.value(), b"512"]), b"protocol=https"]
        pieces = [p for p in known if r.random() < 0.85]
        if r.random() < 0.1:
            r.shuffle(pieces)
        return self.noise_in(pieces)

    def dyno(self):
        r = self.random
        kind = r.random()
        if kind < 0.15:
            return b"Process running mem=%s%s(%s%s)%s" % (
                self.number(), r.choice([b"M", b"M", b"", b"MB", b"G ", b"%"]),
                self.number(), r.choice([b"%", b"%", b"", b"M"]),
                r.choice([b"", b"", b" x", b"x", b"\n"]))
        if kind < 0.3:
            return b"State changed from %s to %s%s" % (
                r.choice([b"up", b"starting", b"created", b"", b"a b", b"x"]),
                r.choice([b"starting", b"up", b"down", b"crashed", b"complete",
                          b"created", b"", b"Up", b"upset"]),
                r.choice([b"", b"", b" x", b":", b"\n", b"."]))
        if kind < 0.45:
            return b"Process exited with status %s%s" % (
                r.choice([self.number(), b"%d" % r.randrange(300)]),
                r.choice([b"", b"", b" x", b":", b"\n", b"."]))
        return self.samples([b"source=web.1", b"dyno=heroku.1.a"], [b"sample"])

    def samples(self, pieces, kinds):
        r = self.random
        for _ in range(r.randrange(1, 7)):
            kind = r.choice(kinds) if r.random() < 0.95 else r.choice(
                [b"sample", b"count", b"measure", b"Sample", b"metric", b""])
            value = r.choice([b"", b"=" + self.value(), b"=" + self.value(),
                              b"=" + self.value(), b"=" + self.value()])
            pieces = [*pieces, kind + b"#" + r.choice(
                NAMES if r.random() < 0.5 else NAMES[:15]) + value]
        if r.random() < 0.1:
            r.shuffle(pieces)
        return self.noise_in(list(pieces), 0.05)

    def addon(self):
        r = self.random
        pieces = [key + r.choice(ADDON_NAMES if r.random() < 0.3
                                 else ADDON_NAMES[:3])
                  for key in (b"source=", b"addon=") if r.random() < 0.8]
        return self.samples(pieces, [b"sample"])

    def custom(self):
        return self.samples([b"source=x"], [b"sample", b"count", b"measure"])

    def release(self):
        r = self.random
        if r.random() < 0.4:
            return b"%s%s %s by user a@b" % (
                r.choice([b"Release v", b"Release v", b"Rollback to v",
                          b"release v", b"Rollback v"]), self.number(),
                r.choice([b"created", b"created", b"", b"made"]))
        if r.random() < 0.2:
            return b"Rollback to v%s by user a@b" % self.number()
        words = [b"%s@%s:%s" % (r.choice(TYPES if r.random() < 0.2
                                         else TYPES[:3]),
                                r.choice([b"2", self.number()]),
                                r.choice([b"Basic", b"Standard-1X", b""]))
                 for _ in range(r.randrange(5))]
        if r.random() < 0.1:
            words.insert(0, r.choice([b"by", b"x", b"web@2", b"@", b"web:2"]))
        return b"Scaled to " + self.glued(
            [*words, b"by user x@1:y user@example.com"])

    def loss(self):
        r = self.random
        return b"Error %s%s%s%s%s" % (
            r.choice([b"L10", b"L12", b"L13", b"L11", b"L14", b"R14", b"L1"]),
            r.choice([b" (output buffer overflow): ", b": ", b" ", b"",
                      b": drain 'd.x' dropped ", b": -", b": messages ",
                      b": 5 ", b":"]),
            self.number(),
            r.choice([b" messages", b" messages", b" message", b"  messages",
                      b" Messages", b" messages,", b"messages", b"\tmessages"]),
            r.choice([b" dropped since 2024", b" lost since 2024", b"", b"\n",
                      b" 7 messages"]))

    def pairs(self):
        """Pairs of all families, mixed."""
        r = self.random
        pieces = self.router().split(b" ") + self.addon().split(b" ") + \
            self.custom().split(b" ")
        return self.glued(r.sample(pieces, min(len(pieces), r.randrange(12))))

    def many(self):
        """A batch with more names than a request may have."""
        r = self.random
        if r.random() < 0.5:
            return frame(self.headed(b"app", b"web.1", b" ".join(
                b"%s#n%d=%d" % (r.choice([b"count", b"sample", b"measure"]),
                                r.randrange(300), n) +
                r.choice([b"", b"ms"]) for n in range(250))))
        return b"".join(
            frame(self.headed(b"app", b"heroku-redis", b" ".join(
                [b"source=A%d" % r.randrange(99),
                 *(b"sample#k%d=%d" % (r.randrange(200), n)
                   for n in range(100))])))
            for _ in range(r.choice([1, 20, 120])))
