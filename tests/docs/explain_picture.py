"""docs/images/explain.svg: what a terminal shows of --explain, in its colours.

make docs/images/explain.svg writes the picture anew."""

import html
import re

from lib.places import FIXTURES, PATH, PROGRAM, ROOT
from lib.terminal import shown_by

PICTURE = ROOT / "docs" / "images" / "explain.svg"
LOG = FIXTURES / "heroku-logs.txt"
ENV = {"METRICS": "errors,router"}
TYPED = ("heroku logs --num 6 --app shop | METRICS=errors,router "
         "bin/logplex-statsd --explain --app shop")
# By the escape sequence before the text; the last two are of the prompt.
COLOURS = {"0": "#d1d7e0", "1;31": "#ff7b72", "32": "#7ee787", "33": "#e3b341",
           "2": "#848d97", "prompt": "#7ee787", "typed": "#ffffff"}
WIDTH, HEIGHT, MARGIN = 7.2, 18, 16  # of a character, a line; around all


def shown():
    """What the program writes to a terminal."""
    with open(LOG, "rb") as log:
        return shown_by([PROGRAM, "--explain", "--app", "shop"], errors=True,
                        stdin=log, env={"PATH": PATH, "TERM": "xterm", **ENV})


def pieces(line):
    """The parts of a line: column, colour, text. Tabs stop at every eighth."""
    column, colour = 0, "0"
    for part in re.split(r"(\x1b\[[\d;]*m|\t)", line):
        if part == "\t":
            column += 8 - column % 8
        elif part.startswith("\x1b"):
            colour = part[2:-1]
        elif part:
            yield column, colour, part
            column += len(part)


def svg():
    typed = [(0, "prompt", "$"), (2, "typed", TYPED)]
    lines = [typed, *(list(pieces(l)) for l in shown().splitlines())]
    columns = max(c + len(text) for line in lines for c, _, text in line)
    width = round(columns * WIDTH) + 2 * MARGIN
    height = len(lines) * HEIGHT + 2 * MARGIN
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" font-size="12" '
        'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'
        "'DejaVu Sans Mono',monospace\">",
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>']
    for n, line in enumerate(lines):
        y = MARGIN + n * HEIGHT + 13
        # Each piece has its place and its length, whatever the font.
        drawn += [
            f'<text x="{MARGIN + column * WIDTH:g}" y="{y}" '
            f'textLength="{len(text) * WIDTH:g}" xml:space="preserve" '
            f'fill="{COLOURS[colour]}">{html.escape(text, quote=False)}</text>'
            for column, colour, text in line]
    return "\n".join([*drawn, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(svg())
