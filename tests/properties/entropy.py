"""Randomness that hypothesis makes, and shrinks: numbers out of a string of
bytes.  Zeros are the simplest choices: the first of a list, and what happens
rarely does not.  Where the bytes are used up, others follow from the first."""

import os
import random

import hypothesis
from hypothesis import HealthCheck, Verbosity, strategies

SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
BLOCK = 16  # bytes that are made, and shrunk, as one
PART = 64   # bytes that most messages use up


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
        """What comes next does not depend on how much was used up before."""
        self.at += -self.at % PART

    def random(self):
        return 1 - (self.getrandbits(16) + 1) / 65536


def entropies(number, blocks):
    """A list of so many, each of so many blocks."""
    block = strategies.binary(min_size=BLOCK, max_size=BLOCK)
    return strategies.lists(
        strategies.tuples(*[block] * blocks).map(Entropy),
        min_size=number, max_size=number)


def each_batch(kind, total, check, at_once=20, blocks=16):
    """Calls check(random, bodies) until it has seen so many bodies of
    kind(random); random is for choices of the check's own."""
    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=-(-total // at_once), deadline=None, database=None,
        verbosity=Verbosity.quiet, suppress_health_check=list(HealthCheck))
    @hypothesis.given(entropies(at_once, blocks))
    def check_batch(entropies):
        check(entropies[0], [next(iter(kind(e))) for e in entropies])
    print(f"SEED={SEED}")
    check_batch()
