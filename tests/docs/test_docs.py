"""The documents agree with the program: options, variables, HTTP statuses, log
events, exit statuses and error codes."""

import re
import subprocess

from lib.case import Case
from lib.places import FIXTURES, PATH, PROGRAM, ROOT, tool

PAGE = ROOT / "docs" / "logplex-statsd.1"
MANUAL = PAGE.read_text()
README = (ROOT / "README.md").read_text()

# Variables that are not configuration of the program itself.
ELSEWHERE = {"PORT", "BIND", "NO_COLOR"}
# An invalid value for each variable.
FAULTY = {
    "METRICS_CLUSTER": "http://x", "API_CREDENTIALS_<APP>": "nocolon",
    "API_SECRET": "", "API_PREVIOUS_CREDENTIALS_<APP>": "nocolon",
    "API_PREVIOUS_SECRET": "", "AUTH": "x", "LEVELS": "x",
    "PLATFORM_ONLY": "x", "LOG_LEVEL": "x", "BASE_PATH": "x",
    "DUPLICATES": "x", "FRAMES_FILE": "x", "CAPTURE": "x", "METRICS": "x",
    "PREFIX_<APP>": "a..b", "TAGS": "x", "ZEROS": "x"}


def run(*args, env=None, stdin=b""):
    return subprocess.run(
        [PROGRAM, *args], input=stdin, capture_output=True, timeout=20,
        env={"PATH": PATH, **(env or {})})


def source(name):
    """A source file in any folder of src/."""
    path, = (ROOT / "src").rglob(name)
    return path.read_text()


def section(name):
    return re.search(rf'^\.Sh "?{re.escape(name)}"?\n(.*?)(?=^\.Sh|\Z)',
                     MANUAL, re.M | re.S)[1]


def manual_options():
    return {"-" + o for o in re.findall(r"^\.It Fl (-[a-z-]+)", MANUAL, re.M)}


def manual_variables():
    return set(re.findall(r"(?:^\.It|,) Ev ([A-Z_<>]+)",
                          section("ENVIRONMENT"), re.M))


def manual_statuses():
    return set(map(int, re.findall(r"^\.It (\d{3})$", section("HTTP"), re.M)))


class Manual(Case):
    def test_mandoc_finds_nothing_to_say(self):
        done = subprocess.run([tool("mandoc"), "-Tlint", "-W", "style", PAGE],
                              capture_output=True, text=True)
        # lighttpd's own manual may be missing here.
        said = [l for l in (done.stdout + done.stderr).splitlines()
                if "referenced manual not found" not in l and
                "outdated mandoc.db" not in l]
        assert said == []

    def test_it_is_readable_with_all_its_sections(self):
        text = subprocess.run([tool("mandoc"), "-Tascii", PAGE], check=True,
                              capture_output=True, text=True).stdout
        text = re.sub(".\b", "", text)
        for name in ["NAME", "SYNOPSIS", "DESCRIPTION", "HTTP", "ENVIRONMENT",
                     "FILES", "EXIT STATUS", "EXAMPLES", "DIAGNOSTICS"]:
            assert f"\n{name}\n" in text

    def test_options_are_those_of_the_program(self):
        known = {"--" + o for o in re.findall(
            r'\{"([a-z-]+)", (?:no|required)_argument', source("options.c"))}
        assert manual_options() == known
        shown = run("--help").stdout.decode()
        assert set(re.findall(r"--[a-z-]+", shown)) == known

    def test_the_program_takes_every_option(self):
        for option in manual_options():
            argument = ["x"] if option == "--app" else []
            mode = [] if option == "--check" else ["--explain"]
            done = run(*mode, option, *argument)
            assert done.returncode == 0, option
        assert run("--explain", "--nonsense").returncode == 2

    def test_variables_are_those_of_the_program(self):
        text = source("config.c")
        known = {name + "<APP>" if match == "FRONT" else name
                 for name, match in re.findall(
                     r'\{"([A-Z_]+)", (WHOLE|FRONT), load_', text)}
        assert manual_variables() - ELSEWHERE == known
        shown = run("--help").stdout.decode()
        for name in known:
            assert name in shown

    def test_the_program_refuses_a_faulty_value_of_each_variable(self):
        assert set(FAULTY) == manual_variables() - ELSEWHERE
        for name, value in FAULTY.items():
            name = name.replace("<APP>", "X")
            done = run("--check", "--no-send", env={name: value})
            assert done.returncode == 1, name
            assert done.stderr.decode().startswith(name + ": "), done.stderr

    def test_statuses_are_those_of_the_program(self):
        known = set(map(int, re.findall(r"^    \{(\d{3}), ",
                                        source("answer.c"), re.M)))
        assert manual_statuses() == known

    def test_log_events_are_those_of_the_program(self):
        text = "".join(p.read_text() for p in (ROOT / "src").rglob("*.c"))
        known = set(re.findall(
            r'\blog_(?:begin|reasons?)\([^;"]*"([a-z-]+)"', text))
        named = set(re.findall(r"^\.It Li event=([a-z-]+)", MANUAL, re.M))
        assert named == known

    def test_exit_statuses(self):
        assert re.findall(r"^\.It (\d)$", section("EXIT STATUS"), re.M) == [
            "0", "1", "2"]
        assert run("--check", "--no-send").returncode == 0
        assert run("--explain", stdin=b"x").returncode == 1
        assert run().returncode == 2

    def test_the_example_is_a_configuration(self):
        example = dict(re.findall(r"^([A-Z_]+)=(\S+)$",
                                  section("EXAMPLES"), re.M))
        assert len(example) == 2
        done = run("--check", "--no-send", env=example)
        assert done.returncode == 0, done.stderr
        assert done.stderr == b""
        assert b"10.0.0.6:8126, no prefix, signed" in done.stdout
        assert b"application HEAVEN" in done.stdout


class Readme(Case):
    def test_its_options_are_in_the_manual(self):
        named = re.findall(r"logplex-statsd((?: --[a-z-]+(?: [A-Za-z]+)?)+)",
                           README)
        options = set(re.findall(r"--[a-z-]+", " ".join(named)))
        assert options - manual_options() == set()
        assert {"--check", "--explain", "--app"} <= options

    def test_its_variables_are_those_of_the_manual(self):
        table = re.findall(r"^\| (`[^|]+) \|", README, re.M)
        named = set(re.findall(r"`([A-Z_<>]+)`", " ".join(table)))
        assert named == manual_variables() - {"NO_COLOR"}

    def test_its_statuses_are_in_the_manual(self):
        named = set(map(int, re.findall(
            r"(?:^\| |status=|answers |answer is `)([2-5]\d\d)\b", README,
            re.M)))
        assert len(named) > 2
        assert named - manual_statuses() == set()


class Metrics(Case):
    def test_the_page_is_what_the_table_of_metrics_says(self):
        built = ROOT / "build" / "docs" / "metrics"
        subprocess.run(["make", "-s", built.relative_to(ROOT)], cwd=ROOT,
                       check=True)
        assert (ROOT / "docs" / "metrics.md").read_text() == \
            subprocess.run([built], check=True, capture_output=True,
                           text=True).stdout, \
            "make docs/metrics.md writes it anew"


class Examples(Case):
    def test_every_cluster_in_the_documents_is_one(self):
        found = []
        for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*")]:
            if path.suffix in (".md", ".1"):
                found += re.findall(
                    r"METRICS_CLUSTER=[\"']?(statsd://[^\s\"'`]+)",
                    path.read_text())
        assert len(found) > 3
        for cluster in found:
            # --explain reads the configuration, but looks nothing up.
            done = run("--explain", env={"METRICS_CLUSTER": cluster})
            assert (done.returncode, done.stdout) == (
                0, b"\n"), (cluster, done.stderr)


class ErrorCodes(Case):
    """docs/error-codes.md agrees with the recorded lines."""

    # From the reference example; Heroku documents none of them.
    SAMPLES = {"R89", "L99"}

    cells = [[c.strip() for c in line.strip("|").split("|")] for line in
             (ROOT / "docs" / "error-codes.md").read_text().splitlines()
             if re.match(r"\| [HRL]\d", line)]
    rows = {row[0]: row for row in cells}
    lines = [line.split("\t") for line in
             (FIXTURES / "platform-errors.tsv").read_text().splitlines()
             if not line.startswith("#")]

    def test_no_code_is_explained_twice(self):
        assert len(self.rows) == len(self.cells)

    def codes(self, counted):
        """{code: whether one of its recorded lines counts}"""
        found = set()
        for text, verdict, where in self.lines:
            named = re.match(r"(?:sock=\w+ )?at=\w+ code=(H\d{2,3}) desc=",
                             text)
            if verdict != "-":
                found.add((verdict, True))
            elif named and "at=info" in text:
                found.add((named[1], False))
        counts = {c for c, yes in found if yes}
        return (counts if counted else
                {c for c, _ in found} - counts) - self.SAMPLES

    def test_every_recorded_code_is_explained_and_no_other(self):
        assert set(self.rows) == self.codes(True) | self.codes(False)
        assert len(self.rows) > 40

    def test_what_counts_by_default(self):
        assert {c for c, r in self.rows.items() if r[3] == "yes"} == \
            self.codes(True)
        assert {c for c, r in self.rows.items() if r[3] == "`LEVELS=info`"} == \
            self.codes(False)

    def test_severity_of_router_codes_is_their_level(self):
        for text, verdict, _ in self.lines:
            named = re.match(r"(?:sock=\w+ )?at=(\w+) code=(H\d{2,3}) desc=",
                             text)
            if named and (verdict != "-" or
                          named[2] not in self.codes(True)):
                assert self.rows[named[2]][2] == named[1], text

    def test_no_cell_is_empty(self):
        for code, cells in self.rows.items():
            assert len(cells) == 6, code
            assert all(cells), code
            assert cells[2] in ["error", "warning", "info"]
