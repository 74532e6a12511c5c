#!/usr/bin/env python3
"""Breaks the program in many small ways and reports those that no test
notices.

    tests/mutation/mutate.py [--sample N] [--seed S] [--only FILE,...]
                             [--again OUTPUT] [--least PERCENT] [--all]

A mutant is one change in one place: a comparison or a logical operator is
reversed, a constant is off by one, a negation or a statement is dropped.  Each
is built in a copy of the tree, which compiles only what it changes, and is
tried with the unit tests and random bodies, then with the unit tests under
sanitizers, then with end-to-end tests, until one of them fails.  Files that only
end-to-end tests run are tried with those; --all or their names in --only include
them.  With --again, only the survivors in the output of an earlier run are tried.

Not changed are lines that no test can reach (GCOVR_EXCL_LINE), and what is a
different number rather than a different behaviour: ceilings (bounds.h), sizes of
arrays, a millisecond or a thousandth of a time, and whether 0 is a descriptor.  survivors.tsv
lists the other known survivors, with the reason of each; a row that fits no
line of src/ is a failure."""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TREE = ROOT / "build" / "mutation" / "tree"

# What only end-to-end tests run, and which of them do.
END_TO_END = {
    "cgi.c": ["e2e/test_cli.py"],
    "fcgi.c": ["e2e/test_cli.py", "e2e/test_core.py",
               "servers/test_trust.py::SocketTrust", "faults/test_fastcgi.py",
               "faults/test_faults.py::MachineFaults", "faults/test_names.py"],
    "listener.c": ["e2e/test_cli.py"],
    "main.c": ["e2e/test_cli.py", "e2e/test_first_run.py", "e2e/test_core.py",
               "servers/test_trust.py::SocketTrust",
               "faults/test_secrets.py::Hardening::"
               "test_of_the_running_responder",
               "faults/test_fastcgi.py"],
    "options.c": ["e2e/test_cli.py", "e2e/test_first_run.py"],
}
LAST = ["e2e/test_cli.py", "e2e/test_first_run.py", "e2e/test_core.py",
        "e2e/test_metrics.py"]
NO_BUILD = {**os.environ, "NO_BUILD": "1"}
FLAGS = ["CC=gcc", "CFLAGS=-O0", "MODE_CFLAGS=", "MODE_LDFLAGS="]

# Lines that no test can reach, comments, strings, characters, directives, sizes
# of arrays, and 0 beside a descriptor.
MASKED = re.compile("|".join((
    r"^[^\n]*GCOVR_EXCL_LINE[^\n]*", r"/\*.*?\*/", r"\"(?:\\.|[^\"\\])*\"",
    r"'(?:\\.|[^'\\])*'", r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", r"sizeof\([^()]*\)",
    r"^[ \t]*(?!return\b)[a-z_][\w ]* \**\w+\[[^=;]*\];",
    r"\bfd(?:| = \w+\([^()]*\)\)) (?:>=|<) 0\b")), re.DOTALL | re.MULTILINE)
# Lines about time, where a millisecond, or a thousandth, is no difference.
TIME = re.compile(r"_MS\b|tv_sec|nsec|timespec|clock_ms|deadline")
BOUNDS = {("<", "<="), ("<=", "<"), (">", ">="), (">=", ">")}

# (what, pattern, replacements); group 1 is replaced.
OPERATORS = [
    ("comparison", r"\s(==)\s", ["!="]),
    ("comparison", r"\s(!=)\s", ["=="]),
    ("comparison", r"\s(<=)\s", ["<", ">"]),
    ("comparison", r"\s(>=)\s", [">", "<"]),
    ("comparison", r"\s(<)\s", ["<=", ">="]),
    ("comparison", r"[^-]\s(>)\s", [">=", "<="]),
    ("logic", r"\s(&&)\s", ["||"]),
    ("logic", r"\s(\|\|)\s", ["&&"]),
    ("negation", r"[(\s](!)[a-z(]", [""]),
    ("boolean", r"\b(true)\b", ["false"]),
    ("boolean", r"\b(false)\b", ["true"]),
    ("sum", r"\w (\+) \w", ["-"]),
    ("sum", r"\w (-) \w", ["+"]),
    ("choice", r"\s(\?)\s", ["&& 0 ?"]),
    ("statement", r"\n\t+((?:[a-z_][\w.>\[\]-]*(?:\+\+|--| [-+|]?= [^;{}]*|"
                  r"\([^;{}]*\)));)", [";"]),
    ("statement", r"\n\t+((?:break|continue);)", [";"]),
]
CONSTANT = re.compile(r"(?<![\w.])(0x[0-9a-f]+|[0-9]+)(?![\w.])")


def line_at(source, at):
    return source[source.rfind("\n", 0, at) + 1:source.find("\n", at)].strip()


class Mutant:
    def __init__(self, path, source, start, end, replacement, what):
        self.path, self.source = path, source
        self.start, self.end = start, end
        self.replacement, self.what = replacement, what
        self.line = source.count("\n", 0, start) + 1
        self.text = line_at(source, start)

    def mutated(self):
        return (self.source[:self.start] + self.replacement +
                self.source[self.end:])

    def key(self):
        old = " ".join(self.source[self.start:self.end].split())
        return self.path.name, self.text, f"{old} -> {self.replacement}"

    def __str__(self):
        name, text, change = self.key()
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.what}, {change}: {text}"


def mutants_of(path):
    source = path.read_text()
    masked = MASKED.sub(lambda m: re.sub(r"[^\n]", "\x00", m[0]), source)
    for what, pattern, replacements in OPERATORS:
        for m in re.finditer(f"(?={pattern})" if what != "statement"
                             else pattern, masked):
            of_time = TIME.search(line_at(source, m.start(1)))
            for replacement in replacements:
                if not of_time or (m[1], replacement) not in BOUNDS:
                    yield Mutant(path, source, *m.span(1), replacement, what)
    for m in CONSTANT.finditer(masked):
        number = int(m[1], 0)
        if number >= 100 and TIME.search(line_at(source, m.start(1))):
            continue
        yield Mutant(path, source, *m.span(1), str(number + 1), "constant")
        if number > 1:
            yield Mutant(path, source, *m.span(1), str(number - 1), "constant")


def all_mutants(only=(), all_files=False):
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        if path.name == "bounds.h":
            continue
        if path.name in only or (not only and (
                all_files or path.name not in END_TO_END)):
            yield from mutants_of(path)


def run(command, timeout, **kwargs):
    """True if it ends well in time."""
    try:
        return subprocess.run(command, cwd=TREE, timeout=timeout,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL,
                              **kwargs).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def make(*targets):
    return run(["make", "-s", "-j2", *FLAGS, *targets], 300)


def prepare():
    shutil.rmtree(TREE, ignore_errors=True)
    files = subprocess.run(
        [ROOT / "tests" / "files"], capture_output=True, check=True,
        text=True).stdout
    for name in files.split("\0")[:-1]:
        (TREE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, TREE / name)


def run_suites(suites):
    """Whether these end-to-end tests pass.  Each runs in namespaces of its own:
    a mutant may leave processes that its test cannot stop."""
    apart = ["unshare", "--net", "--mount-proc", "--pid", "--fork",
             "--kill-child"]
    if os.geteuid() != 0:
        apart.append("--map-root-user")
    script = 'ip link set lo up && exec pytest-3 -x "$@"'
    return all(run([*apart, "sh", "-c", script, "sh",
                    f"tests/{suite}"], 120, env=NO_BUILD)
               for suite in suites)


def programs(name):
    """The unit tests, the one of that name first."""
    tests = sorted(f"build/tests/{p.stem}"
                   for p in (TREE / "tests").glob("test_*.c"))
    return sorted(tests, key=lambda t: t != f"build/tests/test_{name}")


def passes(path):
    """Whether all quick tests pass; the likeliest to fail comes first."""
    if path.name in END_TO_END:
        return make() and run_suites(END_TO_END[path.name])
    tests = programs(path.stem)
    first = tests[:1]
    return (make(*first) and all(run([TREE / t], 20) for t in first) and
            make(*tests) and all(run([TREE / t], 20) for t in tests[1:]) and
            make("bin/logplex-statsd", "build/properties/judge") and
            run(["pytest-3", "tests/properties"], 60,
                env={**NO_BUILD, "BODIES": "3000", "LINES": "3000",
                     "SEED": "1"}))


def passes_sanitized(path):
    """Whether the unit tests of that file, or all if it has none of its own,
    pass under sanitizers."""
    first = programs(path.stem)[0].replace("build/", "build/sanitize/", 1)
    if not first.endswith(f"/test_{path.stem}"):
        return run(["make", "-s", "-j2", "SANITIZE=1", "test-unit"], 600)
    return run(["make", "-s", "-j2", "SANITIZE=1", first], 300) and \
        run([TREE / first], 60)


def judge(mutant, known):
    """"stillborn", "killed", "known" or "survived"."""
    path = TREE / mutant.path.relative_to(ROOT)
    path.write_text(mutant.mutated())
    try:
        unit = path.relative_to(TREE / "src").with_suffix(".o")
        objects = [f"build/{unit}"] \
            if mutant.path.suffix == ".c" else ["build/liblogplex-statsd.a"]
        if not make(*objects):
            return "stillborn"
        if not passes(mutant.path):
            return "killed"
        if mutant.key() in known:
            return "known"
        return "survived" if passes_sanitized(mutant.path) and make() and \
            run_suites(LAST) else "killed"
    finally:
        path.write_text(mutant.source)


def survived_before(output):
    """Its lines about survivors, without the numbers of lines."""
    return {re.sub(r":\d+: ", ": ", line[len("survived "):], count=1)
            for line in Path(output).read_text().splitlines()
            if line.startswith("survived ")}


def known_survivors():
    rows = (HERE / "survivors.tsv").read_text().splitlines()
    return {tuple(row.split("\t")[:3]) for row in rows
            if row and not row.startswith("#")}


def stale_rows():
    """Those of survivors.tsv that are no mutant of src/."""
    return sorted(known_survivors() -
                  {m.key() for m in all_mutants(all_files=True)})


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sample", type=int)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--again")
    arguments.add_argument("--least", type=float, default=0)
    arguments.add_argument("--all", action="store_true")
    options = arguments.parse_args()
    mutants = list(all_mutants([*filter(None, options.only.split(","))],
                               options.all))
    if options.again:
        before = survived_before(options.again)
        mutants = [m for m in mutants
                   if re.sub(r":\d+: ", ": ", str(m), count=1) in before]
    found = len(mutants)
    if options.sample is not None and options.sample < found:
        mutants = random.Random(options.seed).sample(mutants, options.sample)
    prepare()
    kinds = {tuple(END_TO_END.get(m.path.name, ())): m.path for m in mutants}
    if not all(passes(path) for path in kinds.values()):
        sys.exit("the tests fail without any mutant")
    known, stale = known_survivors(), stale_rows()
    for row in stale:
        print("fits no line:", *row, sep="\t")
    counts = {"killed": 0, "survived": 0, "stillborn": 0, "known": 0}
    for number, mutant in enumerate(mutants, 1):
        verdict = judge(mutant, known)
        counts[verdict] += 1
        if verdict == "survived":
            print(f"survived {mutant}", flush=True)
        if number % 25 == 0:
            print(f"{number} of {len(mutants)}: {counts}", file=sys.stderr,
                  flush=True)
    born = len(mutants) - counts["stillborn"]
    killed = 100 * counts["killed"] / max(1, born)
    print(f"{len(mutants)} of {found} mutants, {counts}: "
          f"{killed:.1f} % of those that compile were killed")
    well = born > 0 and killed >= options.least and not stale
    print(f"mutation: {int(well)} passed, {int(not well)} failed")
    sys.exit(not well)


if __name__ == "__main__":
    main()
