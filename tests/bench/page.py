"""Tables, and the page with them, docs/benchmarks.md: a table follows its
marker, a comment with its name, and is replaced as a whole."""

import collections
import re

from lib.places import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
TABLE = re.compile(r"^<!-- table: ([a-z-]+) -->\n((?:\|.*\n)*)", re.M)


class Table(collections.namedtuple("Table", "head rows")):
    """Cells are strings."""

    def __str__(self):
        lines = ["| " + " | ".join(cells) + " |"
                 for cells in [self.head, *self.rows]]
        lines.insert(1, "|-" * len(self.head) + "|")
        return "\n".join(lines) + "\n"


def make_table(head, rows):
    return Table(list(head), [[str(cell) for cell in row] for row in rows])


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def read_tables(text):
    """The tables of a page, or of the output of a program, by name."""
    tables = {}
    for name, lines in TABLE.findall(text):
        head, *rows = map(cells, lines.splitlines() or [""])
        tables[name] = Table(head, rows[1:])
    return tables


def marked(name, table):
    return f"<!-- table: {name} -->\n{table}"


def write_tables(tables, page=PAGE):
    """Replaces tables of the page, which must contain their markers."""
    text = page.read_text()
    unknown = set(tables) - {name for name, _ in TABLE.findall(text)}
    if unknown:
        raise AssertionError(f"{page} has no marker of {unknown}")
    page.write_text(TABLE.sub(
        lambda m: marked(m[1], tables[m[1]]) if m[1] in tables else m[0],
        text))
