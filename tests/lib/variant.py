"""The program with shorter intervals, which a test can wait for."""

import fcntl
import os
import re
import shlex
import subprocess

from lib.places import ROOT

# Look-ups follow after a second, and every request refreshes the sockets.
CHANGED = {"LOOKUP_INTERVAL_MS": (60000, 1000),
           "LOOKUP_RETRY_MS": (5000, 1000),
           "REFRESH_INTERVAL_MS": (1000, 0)}
# tests/coverage/run sets others.
FLAGS = os.environ.get("VARIANT_FLAGS", "CFLAGS=-O0 MODE_CFLAGS=-fPIE")


def impatient_bounds():
    text = (ROOT / "src" / "bounds.h").read_text()
    for name, (usual, here) in CHANGED.items():
        text, n = re.subn(rf"(#define {name}) {usual}\n", rf"\1 {here}\n", text)
        if n != 1:
            raise AssertionError(f"{name} is not {usual} in src/bounds.h")
    return text


def impatient_program():
    """Builds it, with a bounds.h that is found before the usual one; its
    path."""
    folder = ROOT / "build" / "impatient"
    program = folder / "logplex-statsd"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        header, text = folder / "bounds.h", impatient_bounds()
        if not header.exists() or header.read_text() != text:
            header.write_text(text)
        # Relative: make splits names at blanks, which ROOT may have.
        name = folder.relative_to(ROOT)
        subprocess.run(["make", "-s", "-j2", f"BUILD={name}", f"BIN={name}",
                        f"CPPFLAGS=-iquote {name}", *shlex.split(FLAGS),
                        program.relative_to(ROOT)], check=True, cwd=ROOT)
    return program
