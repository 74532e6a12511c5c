#!/usr/bin/env python3
"""Writes the results of gcovr as a page: report.py TREE PAGE SUITE...

A line of src/ that no test can reach has a comment with the reason:
GCOVR_EXCL_LINE: reason."""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

# The least percentages.
LINES, BRANCHES = 99.0, 95.0

PREFACE = f"""\
Written by `make coverage`: gcc's coverage of `src/`, compiled without
optimisation, by the unit tests and these tests in `tests/`: {{suites}}. They must
reach at least {LINES:.0f} % of the lines and {BRANCHES:.0f} % of the branches. A
condition has two branches for each of its parts; the branch of a `switch` past
all enumerators and that of an `assert` that fails do not count.
"""


def measured(tree):
    """{file: {line: counts of its branches, or None if it never ran}}"""
    found = json.loads(subprocess.run(
        ["gcovr", "--root", tree, "--filter", "src/", "--json",
         "--exclude-branches-by-pattern", r".*\b(switch|assert) ?\(",
         "--object-directory", f"{tree}/build", f"{tree}/build"],
        cwd=tree, check=True, stdout=subprocess.PIPE).stdout)
    return {file["file"]: {
        line["line_number"]: [b["count"] for b in line["branches"]]
        if line["count"] else None
        for line in file["lines"] if not line["gcovr/noncode"]}
        for file in found["files"]}


def share(parts):
    return 100.0 * sum(parts) / len(parts) if parts else 100.0


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def shares(name, lines):
    reached = [branches is not None for branches in lines]
    branches = [n > 0 for counts in lines for n in counts or ()]
    return share(reached), share(branches), row(
        name, str(len(reached)), f"{share(reached):.1f} %",
        str(len(branches)), f"{share(branches):.1f} %")


def code(text):
    return "`" + text.strip().replace("|", "\\|") + "`"


def excluded(tree):
    """(place, code, reason) of each line of src/ that gives a reason."""
    for path in sorted(Path(tree, "src").rglob("*.[ch]")):
        for number, text in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r"(.*?)/\* GCOVR_EXCL_LINE: (.*) \*/$", text)
            if found:
                yield (f"{path.relative_to(tree)}:{number}", code(found[1]),
                       found[2])


def main(tree, page, *suites):
    files = measured(tree)
    preface = PREFACE.format(suites=", ".join(f"`{s}`" for s in suites))
    out = ["# Code that the tests reach", "", textwrap.fill(
               preface, 80, break_on_hyphens=False), "",
           "| file | lines | reached | branches | reached |",
           "|---|---:|---:|---:|---:|"]
    out += [shares(name, files[name].values())[2] for name in sorted(files)]
    lines, branches, all_files = shares(
        "all", [line for of in files.values() for line in of.values()])
    out += [all_files, "", "| no test can reach | | because |", "|---|---|---|",
            *(row(*cells) for cells in excluded(tree))]
    unreached = []
    for name in sorted(files):
        text = Path(tree, name).read_text().splitlines()
        unreached += [row(f"{name}:{n}", code(text[n - 1]))
                      for n, counts in files[name].items() if counts is None]
    if unreached:
        out += ["", "| no test reaches | |", "|---|---|", *unreached]
    Path(page).write_text("\n".join(out) + "\n")
    print(f"lines {lines:.1f} %, branches {branches:.1f} %; see {page}")
    sys.exit(lines < LINES or branches < BRANCHES)


if __name__ == "__main__":
    main(*sys.argv[1:])
