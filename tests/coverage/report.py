#!/usr/bin/env python3
"""Reads what gcov measured and writes it as a page: report.py TREE PAGE.

What no test reaches is held against unreached.tsv: a file, the text of a line
(a part of it will do) and the reason why nothing reaches it."""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What is asked for, in percent.
LINES, BRANCHES = 95.0, 90.0


PREFACE = f"""\
# What the tests cover

Written by `make coverage`: gcc's coverage of `src/`, without optimisation, by
the unit tests, the end-to-end tests, the command line, faults caused by hand-made
FastCGI records and dying processes, and the tests of the socket with
`AUTH=remote-user`. At least {LINES:.0f} % of the lines and {BRANCHES:.0f} % of the
branches must be reached. A condition has two branches for each of its parts.
Fuzzing, random bodies and the suites that build a separate program are not
counted.
"""


def measured(tree):
    """{file: {line: [count, [branch counts]]}} of src/."""
    objects = sorted(Path(tree, "build").resolve().glob("**/*.gcda"))
    if not objects:
        sys.exit("no coverage was measured")
    files = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["gcov", "--branch-probabilities", "--json-format",
                        *map(str, objects)], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        for path in Path(folder).glob("*.gcov.json.gz"):
            for file in json.loads(gzip.open(path).read())["files"]:
                if file["file"].startswith("src/"):
                    add(files.setdefault(file["file"], {}), file["lines"])
    return files


def add(lines, more):
    """Inline functions are measured once for each file that uses them."""
    for line in more:
        counts = [b["count"] for b in line["branches"]]
        known = lines.setdefault(line["line_number"], [0, []])
        known[0] += line["count"]
        if len(known[1]) == len(counts):
            known[1] = [a + b for a, b in zip(known[1], counts)]
        elif len(counts) > len(known[1]):
            known[1] = counts


def share(parts):
    return 100.0 * sum(parts) / len(parts) if parts else 100.0


def reasons():
    rows = (HERE / "unreached.tsv").read_text().splitlines()
    return [row.split("\t") for row in rows
            if row and not row.startswith("#")]


def unreached(tree, files):
    """(file, number, text, what) of each line that is not wholly reached."""
    for name in sorted(files):
        text = Path(tree, name).read_text().splitlines()
        for number, (count, branches) in sorted(files[name].items()):
            missed = branches.count(0)
            if count == 0:
                yield name, number, text[number - 1].strip(), "never run"
            elif missed:
                yield (name, number, text[number - 1].strip(),
                       f"{missed} of {len(branches)} branches")


def main(tree, page):
    files = measured(tree)
    out = [PREFACE, "| file | lines | reached | branches | reached |",
           "|---|---:|---:|---:|---:|"]
    all_lines, all_branches = [], []
    for name in sorted(files):
        lines = [count > 0 for count, _ in files[name].values()]
        branches = [c > 0 for _, bs in files[name].values() for c in bs]
        all_lines += lines
        all_branches += branches
        out.append(f"| {name} | {len(lines)} | {share(lines):.1f} % | "
                   f"{len(branches)} | {share(branches):.1f} % |")
    total = share(all_lines), share(all_branches)
    out.append(f"| all | {len(all_lines)} | {total[0]:.1f} % | "
               f"{len(all_branches)} | {total[1]:.1f} % |")
    out += ["", "| what is not reached | how much | why |", "|---|---|---|"]
    known, unexplained = reasons(), 0
    for name, number, text, what in unreached(tree, files):
        why = [r for f, part, r in known
               if f == Path(name).name and part in text]
        unexplained += not why
        shown = text.replace("|", "\\|").replace("`", "")
        out.append(f"| {name}: `{shown}` | {what} | "
                   f"{why[0] if why else '**not explained**'} |")
        if not why:
            print(f"{name}:{number}: {what}: {text}")
    Path(page).write_text("\n".join(out) + "\n")
    print(f"lines {total[0]:.1f} %, branches {total[1]:.1f} %, "
          f"{unexplained} not explained; see {page}")
    sys.exit(total[0] < LINES or total[1] < BRANCHES)


if __name__ == "__main__":
    main(*sys.argv[1:])
