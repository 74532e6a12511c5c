"""The blocks that a document says to paste, and the README's first minute."""

import re

from lib.places import ROOT

# The first block keeps running while the second one is pasted.
PASTE = r"""
set -m
bash -c "$1" >/tmp/first-run 2>&1 </dev/null &
until grep -q '^Ready at' /tmp/first-run; do
  kill -0 $! || { cat /tmp/first-run; exit 1; }
  sleep 0.1
done
bash -c "$2"
for _ in {1..100}; do
  if [ "$(grep -c ':1|c$' /tmp/first-run)" -ge 4 ]; then break; fi
  sleep 0.1
done
kill -- -$!
wait
cat /tmp/first-run
"""
COUNTED = ["listener-8126.1 .* heaven.heroku.errors.R89:1|c",
           "listener-8127.1 .* heaven.heroku.errors.R99:1|c",
           "listener-8127.1 .* heaven.heroku.errors.L99:1|c",
           "listener-8127.1 .* heaven.heroku.errors.H12:1|c"]


def blocks(document, heading):
    """The blocks to paste below a heading of a document."""
    text = (ROOT / document).read_text()
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text,
                        re.M | re.S)
    assert section, f"{document} has no heading {heading}"
    found = re.findall(r"^```(?:sh)?\n(.*?)^```$", section[1], re.M | re.S)
    assert found, f"{document} has nothing to paste below {heading}"
    return found


def first_minute():
    """A command line that pastes it."""
    pasted = blocks("README.md", "Try it")
    server = pasted.index("bin/debug-server\n")
    return ["bash", "-c", PASTE, "bash", *pasted[server:server + 2]]


def assert_counted(output):
    assert "201 Created" in output, output
    for line in COUNTED:
        assert re.search(line.replace("|", r"\|"), output), output
