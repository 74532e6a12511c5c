"""Random bodies: mutated fixtures, a grammar of correct and nearly correct
messages, and hostile bytes."""

import functools
import re
from pathlib import Path

from lib.frames import frame

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"

WORDS = [
    b"Error ", b"Error R14", b"Error L10 (", b"Error H12:", b"Error R1",
    b"Error R1234", b"Error r14", b"error R14", b"Error  R14", b"Error\tR14",
    b"Error X14 ", b"Error L12: 2 messages dropped", b"R14", b"H12",
    b"at=error", b"at=warning", b"at=info", b"at=", b'at="error"', b"at=err",
    b'at="err\\or"', b"at=error2", b"AT=error", b"at=notice",
    b"code=H12", b"code=H1", b"code=H123", b"code=H1234", b"code=R14",
    b'code="H12"', b'code="H\\12"', b"code=", b"code=h12", b'code="H12',
    b'desc="Request timeout"', b'desc="a \\"code=H99\\" b"', b'desc=""',
    b'path="/?at=error code=H11"', b"path=/", b"sock=client", b"dyno=",
    b"a=b=c", b'a="b"c', b'a=b"c', b"=x", b'"x"=y', b"word", b"a=\\", b'b="\\',
    b"- ", b"-", b"- - ", b'[a b="c"] ', b'[a b="c]d"][e] ', b"[a] ", b"[a]",
    b"[] ", b'[a b=c] ', b"[a b=] ", b'[a b="c" ] ', b"[GIN] 200 ", b"[" + b"n" * 32 + b"] ",
    b"[" + b"n" * 33 + b"] ", b'[a b="\\"]"] ', b"\xef\xbb\xbf", b"\xff", b"\0",
    b" ", b"  ", b"\t", b"\n", b"\r\n", b"\x0b", b"\x0c", b"\xc2\xa0", b":", b"=",
    b'"', b"\\", b"----> Building", b"State changed from starting to up",
    b"10 <1>1 - - - - - x",
]
APP_NAMES = [b"heroku", b"app", b"Heroku", b"logplex-parse", b"heroku ", b"-"]
PROCIDS = [b"router", b"web.1", b"log-shuttle", b"logplex", b"-", b"app[run.3]"]
PRIS = [b"<0>1", b"<158>1", b"<999>1", b"<45>12", b"<45>999", b"<45>1000",
        b"<1000>1", b"<>1", b"<45>0", b"<45>01", b"<45>", b"<4 5>1", b"<-1>1",
        b"45>1", b"<45>1\t", b"<00>1"]
NOISE = b'0123456789 \r\n<>1-[]"\\=:ErorRHLat code\x00\xff'


@functools.cache
def fixtures(most):
    """The fixtures of at most so many bytes."""
    return [body for body in (p.read_bytes() for p in [
        *FIXTURES.glob("*.logplex"), *FIXTURES.glob("malformed/*.logplex")])
        if len(body) <= most]


@functools.cache
def documented():
    """The texts of messages in the list of documented errors."""
    lines = (FIXTURES / "platform-errors.tsv").read_bytes().split(b"\n")
    return [line.split(b"\t")[0] for line in lines if line]


class Bodies:
    """Random bodies, from one random.Random."""

    SMALL = 4000

    def __init__(self, random):
        self.random = random
        self.align = getattr(random, "align", lambda: None)
        self.small = fixtures(self.SMALL)
        self.texts = documented()

    def __iter__(self):
        kinds = [self.mutated, self.grammar, self.grammar, self.hostile_frames,
                 self.noise, self.mended]
        while True:
            yield self.random.choice(kinds)()

    def fixture(self):
        source = fixtures(1 << 30) if self.random.random() < 0.01 else \
            self.small
        return self.random.choice(source)

    def mutate(self, data, times):
        """Flips, drops, doubles, inserts and joins bytes."""
        r = self.random
        for _ in range(times):
            at = r.randrange(len(data) + 1)
            end = min(len(data), at + r.choice([1, 1, 2, 8, 64]))
            piece = data[at:end]
            data = data[:at] + r.choice([
                bytes([r.randrange(256)]), b"", piece + piece,
                r.choice(WORDS) + piece, bytes([r.choice(NOISE)]) + piece,
                bytes(b ^ (1 << r.randrange(8)) for b in piece),
                r.choice(self.small)[at:at + 99],
            ]) + data[end:]
        return data

    def mutated(self):
        return self.mutate(self.fixture(), self.random.choice([1, 1, 2, 3, 9]))

    def text(self):
        r = self.random
        kind = r.random()
        if kind < 0.25:
            return r.choice(self.texts)
        if kind < 0.45:
            return self.mutate(r.choice(self.texts), r.choice([1, 1, 2, 4]))
        glue = r.choice([b"", b" ", b" ", b" ", b"\t"])
        return glue.join(r.choices(WORDS, k=r.randrange(7)))

    def header(self):
        r = self.random
        fields = [b"<158>1" if r.random() < 0.8 else r.choice(PRIS),
                  b"2022-06-13T14:52:23.622778+00:00", b"host",
                  r.choice(APP_NAMES[:2] if r.random() < 0.8 else APP_NAMES),
                  r.choice(PROCIDS), b"-"]
        if r.random() < 0.1:
            fields[r.randrange(6)] = r.choice([b"", b"\n", b"x\0", b"\xff", b"-"])
        if r.random() < 0.05:
            del fields[r.randrange(6)]
        return b" ".join(fields)

    def message(self):
        self.align()
        return self.header() + (b" " + self.text()
                                if self.random.random() < 0.97 else b"")

    def grammar(self):
        """Correct frames, sometimes with a fault between them."""
        r = self.random
        out = b""
        for _ in range(r.choice([0, 1, 1, 2, 3, 8])):
            out += frame(self.message())
            if r.random() < 0.1:
                out += r.choice([b"\n", b"\r\n", b"\n\n", b"\r"])
        if r.random() < 0.15:
            length = len(out)
            out += r.choice([
                b"0 ", b"01 x", b"+1 x", b"1x", b"1", b"9", b" 1 x", b"1\tx",
                b"1  ", b"x", b"9999999 x", b"99999999 x", b"%d " % (1 << 32),
                b"%d x" % (1 << 64), b"\x00", b"1 x1 y2 z"])
            if r.random() < 0.3:
                out = out[length:] + out[:length]
        return out

    def hostile_frames(self):
        """Frames of the correct length, with any text."""
        r = self.random
        return b"".join(
            frame(bytes(r.choices(NOISE, k=r.randrange(1, 60))))
            if r.random() < 0.3 else
            frame(b"<1>1 - - heroku log-shuttle - " +
                       b"".join(r.choices(WORDS, k=r.randrange(9))) +
                       bytes(r.choices(NOISE, k=r.randrange(9))))
            for _ in range(r.randrange(4)))

    def noise(self):
        r = self.random
        if r.random() < 0.5:
            return r.randbytes(r.randrange(80))
        return bytes(r.choices(NOISE, k=r.randrange(200)))

    def mended(self):
        """A mutated fixture, framed again, so that its messages are judged."""
        parts = re.split(rb"[0-9]+ (?=<)", self.mutated())
        return b"".join(frame(p) for p in parts if p)
