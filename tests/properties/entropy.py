"""Randomness that hypothesis generates and shrinks: numbers from a string of
bytes.  Zeros are the simplest choices: the first of a list, and nothing that
is rare.  When the bytes are used up, more are derived from the first ones."""

import os
import random

import hypothesis
from hypothesis import HealthCheck, Verbosity, strategies

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
BLOCK = 16  # bytes generated and shrunk as a unit
PART = 64   # enough bytes for most messages


class Entropy(random.Random):
    def __new__(cls, _):
        return super().__new__(cls)

    def __init__(self, blocks):
        super().__init__(blocks[0])
        self.data, self.at = b"".join(blocks), 0

    def getrandbits(self, k):
        n = (k + 7) // 8
        taken = self.data[self.at:self.at + n]
        self.at += n
        if len(taken) < n:
            return super().getrandbits(k)
        return int.from_bytes(taken, "big") >> (n * 8 - k)

    def align(self):
        """Makes what follows independent of how many bytes were used
        before."""
        self.at += -self.at % PART

    def random(self):
        return 1 - (self.getrandbits(16) + 1) / 65536


def entropies(number, blocks):
    """A list of this length, each item with this many blocks."""
    block = strategies.binary(min_size=BLOCK, max_size=BLOCK)
    return strategies.lists(
        strategies.tuples(*[block] * blocks).map(Entropy),
        min_size=number, max_size=number)


def each_batch(kind, total, check, at_once=20, blocks=16):
    """Calls check(random, bodies) until it has had so many bodies of
    kind(random); random is for its own choices."""
    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=-(-total // at_once), deadline=None, database=None,
        verbosity=Verbosity.quiet, suppress_health_check=list(HealthCheck))
    @hypothesis.given(entropies(at_once, blocks))
    def check_batch(entropies):
        check(entropies[0], [next(iter(kind(e))) for e in entropies])
    print(f"SEED={SEED}")
    check_batch()
