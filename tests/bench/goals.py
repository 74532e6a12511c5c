"""The goals, and which of them the measurements reach."""

import collections
import re

from page import make_table


class Goal(collections.namedtuple("Goal", "words table rows column limit")):
    """All cells of a column, in rows that begin with one of these words, must
    be at most the limit, or at least ("> 0.9")."""


def of_http(messages, counted, least):
    return Goal(f"over HTTP, bodies of {messages:,}: CPU time of the null "
                "that sends, of ours", "http",
                rf"\| {messages} \| {counted} \|", "null that sends / ours",
                f"> {least}")


GOALS = [
    Goal("recognising, bodies of 10 messages and more, ns a message",
         "recognising", r"\| 10+ \| 0.3 MB", "ns a message", "< 25"),
    of_http(1, "errors", 0.97),
    of_http(10, "errors", 0.97),
    of_http(100, "errors", 0.92),
    of_http(1000, "errors", 0.92),
    Goal("all counters, ns a message", "families", r"\| 0.3 MB",
         "all counters", "< 85"),
    Goal("all counters, of a plain scan of pairs", "families", r"\| 0.3 MB",
         "all counters, of the scan", "< 0.48"),
    Goal("a line from its sample to the socket, ns", "lines",
         r"\| all counters \| (a line each|packed) \|", "ns a line", "< 100"),
    *[Goal(f"the worst body, {rules}: times the usual", "worst", "",
           rules, "< 20")
      for rules in ("errors alone", "all counters", "everything")],
    Goal("8 MiB of the worst body, everything counted, ms", "worst", "",
         "8 MiB, ms", "< 100"),
    Goal("linear in the body; flat in applications, collectors, ids and names",
         "growth", r"\| (?!errors)", "times", "< 1.2"),
    Goal("CGI, as deployed, of a constant program", "start",
         r"\| one request as classic CGI", "times the constant program",
         "< 1.4"),
    Goal("the same, with all families and FRAMES_FILE", "start",
         r"\| the same, with all", "times the constant program", "< 1.4"),
]


def number(cell):
    return float(re.match(r"[\d,.]+", cell)[0].replace(",", ""))


def find(goal, tables):
    """The cells that it concerns."""
    table = tables[goal.table]
    column = table.head.index(goal.column)
    found = [row[column] for row in table.rows
             if re.match(goal.rows, "| " + " | ".join(row) + " |")]
    if not found:
        raise AssertionError(f"nothing was measured for {goal}")
    return found


def judge(tables):
    rows = []
    for goal in GOALS:
        least = goal.limit.startswith(">")
        limit = float(goal.limit[2:])
        cells = sorted(find(goal, tables), key=number, reverse=not least)
        worst = number(cells[0])
        reached = worst >= limit if least else worst <= limit
        rows.append([goal.words, ("at least " if least else "at most ") +
                     goal.limit[2:], cells[0], "yes" if reached else "**no**"])
    return {"goals": make_table(["goal", "limit", "measured", "reached"], rows)}
