"""Paths, and the reference example."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
PROGRAM = ROOT / "bin" / "logplex-statsd"
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"

REFERENCE = (FIXTURES / "reference.logplex").read_bytes()
REFERENCE_COUNTERS = {
    "heaven.heroku.errors.R99:1|c", "heaven.heroku.errors.R89:1|c",
    "heaven.heroku.errors.L99:1|c", "heaven.heroku.errors.H12:1|c"}
CREDENTIALS = "Aladdin:open sesame"
LOGPLEX = "application/logplex-1"


def tool(name):
    """The path of a command; if it is missing, the test fails and names it."""
    found = shutil.which(name, path=PATH)
    if found is None:
        raise AssertionError(
            f"{name} is not installed: run bin/development-bootstrap --all")
    return found
