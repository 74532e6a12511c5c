"""Commands to paste from the documents mean the same in interactive bash and
zsh: no URI is cut at its `&` or expanded to file names because of its `?`, and
no comment becomes arguments. Every command is recorded instead of run."""

import re
import subprocess

import pytest

from lib.places import ROOT, tool

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")),
             *sorted((ROOT / "docs").glob("*.1"))]
VARIABLES = ["METRICS_CLUSTER"]
URI = re.compile(r"[a-z]+://[^\s'\"`]*[?&][^\s'\"`]*")
SHELLS = {"bash": ["bash", "--norc", "--noprofile", "-i", "-s"],
          "zsh": ["zsh", "-f", "-i", "-s"]}
# Everything that is not a builtin comes here, as PATH is empty; with one write
# each, as the parts of a pipe write at the same time.
RECORD = r"""
record() { printf '%s\0' "$@" $'\n' >>"$RECORD"; }
command_not_found_handle() { record "$@"; }
command_not_found_handler() { record "$@"; }
export() { local a; for a in "$@"; do eval "${a%%=*}=\${a#*=}"; done; }
PS1= PS2= PATH=/nonexistent
"""


def to_paste(document):
    """Texts that readers paste into a shell."""
    text = document.read_text()
    if document.suffix == ".1":
        return [line.removeprefix(".Dl $ ") for line in text.splitlines()
                if line.startswith(".Dl $ ")]
    found = [block for language, block in re.findall(
        r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
        if language in ("", "sh") and "-->" not in block]
    return found + re.findall(r"^    (?:\$ )?([A-Z_]+=.*)$", text, re.M) + \
        re.findall(r"^    \$ (.*)$", text, re.M)


TEXTS = [(document, text) for document in DOCUMENTS
         for text in to_paste(document)]


def pasted(shell, text, folder):
    """The commands that a shell makes of a text, with their arguments, and
    then the variables that it sets."""
    record = folder / f"record-{shell}"
    record.write_text("")
    for program in (ROOT / "bin").iterdir():
        stub = folder / "bin" / program.name
        stub.parent.mkdir(exist_ok=True)
        stub.write_text(f"#!{tool('bash')}\n{RECORD}record bin/{program.name} "
                        '"$@"\n')
        stub.chmod(0o755)
    (folder / "docs").mkdir(exist_ok=True)
    shown = "".join(f'record {v} "${v}"\n' for v in VARIABLES)
    done = subprocess.run(
        [tool(SHELLS[shell][0]), *SHELLS[shell][1:]], cwd=folder,
        input=f"{RECORD}{text}\nwait\n{shown}exit\n", text=True, timeout=60,
        env={"RECORD": str(record), "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    commands = [line.split("\0")
                for line in record.read_text().split("\0\n\0")[:-1]]
    return sorted(commands), done.stdout


@pytest.mark.parametrize("document, text", TEXTS, ids=[
    f"{document.name}-{i}" for i, (document, _) in enumerate(TEXTS)])
def test_bash_and_zsh_make_the_same_of_it(document, text, tmp_path):
    for _ in range(5):  # background commands may record at the same time
        commands, said = pasted("bash", text, tmp_path)
        of_zsh, said_zsh = pasted("zsh", text, tmp_path)
        if of_zsh == commands:
            break
    assert of_zsh == commands, said + said_zsh
    words = [word for command in commands for word in command]
    for uri in URI.findall(text):
        assert any(uri in word for word in words), (uri, commands)
    for word in words:  # a comment that became arguments
        assert not word.startswith("#"), commands


def test_there_is_much_to_paste():
    assert {document.name for document, _ in TEXTS} >= {
        "README.md", "heroku.md", "web-servers.md", "collectors.md",
        "logplex-statsd.1"}
    assert sum(len(URI.findall(text)) for _, text in TEXTS) > 3


def test_every_uri_stands_in_quotes():
    """Leaves out syntax, and addresses to open in a browser."""
    found = []
    for document in DOCUMENTS:
        for line in document.read_text().splitlines():
            for uri in re.finditer(r"(.?)\b(statsd://[^\s'\"`\[\]|]*[?&])", line):
                found.append(uri[2])
                assert uri[1] in ("'", '"'), (document, line)
    assert len(found) > 3


@pytest.mark.parametrize("text", [
    "METRICS_CLUSTER=statsd://a?datagram=1432&backdate=1",
    "heroku config:set METRICS_CLUSTER=statsd://a?datagram=1432",
    "make install # and a comment",
])
def test_these_would_be_noticed(text, tmp_path):
    with pytest.raises(AssertionError):
        test_bash_and_zsh_make_the_same_of_it(None, text, tmp_path)
