"""A release: the tarball, which needs no git, and the Debian package, which is
installed into a bare root of the system that it was built on. The command of
its unit is started there as systemd does it."""

import os
import re
import shlex
import socket
import subprocess

import pytest

import roots
from lib.collector import Collector
from lib.fastcgi import message, read_reply
from lib.places import CREDENTIALS, REFERENCE_COUNTERS, ROOT, tool
from lib.processes import Process

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("package")]

VERSION = re.search(r"^VERSION = (.*)$", (ROOT / "Makefile").read_text(),
                    re.M)[1]
CHANGES = (ROOT / "docs" / "CHANGELOG.md").read_text()
UNIT = "/lib/systemd/system/logplex-statsd.service"
SETTINGS = "/etc/logplex-statsd.env"


def run(*command, **kwargs):
    return roots.run(command, **kwargs)


@pytest.fixture(scope="module")
def built():
    """The folder in which make deb builds; the unit tests run elsewhere."""
    run("make", "-s", "-C", ROOT, "deb",
        env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck"})
    return ROOT / "build" / "deb"


@pytest.fixture(scope="module")
def package(built):
    (package,) = built.glob("logplex-statsd_*.deb")
    return package


@pytest.fixture(scope="module")
def bare(package):
    """A bare root with the package installed."""
    root = roots.base(roots.this_system()).copy("package")
    try:
        run("cp", package, root.path / "tmp")
        root.install([f"/tmp/{package.name}"])
        yield root
    finally:
        roots.remove(root.path)


def test_the_version_is_written_down_once():
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)
    headings = re.findall(r"^## (.*)$", CHANGES, re.M)
    assert re.fullmatch(rf"{re.escape(VERSION)} - \d{{4}}-\d\d-\d\d",
                        headings[0])
    said = run(ROOT / "bin" / "logplex-statsd", "--version")
    assert said == f"logplex-statsd {VERSION}\n"


def test_the_package_has_the_version_and_the_changes(package):
    assert package.name.startswith(f"logplex-statsd_{VERSION}_")
    listed = run("bash", "-c", "dpkg-deb --fsys-tarfile \"$0\" | tar -xO "
                 "./usr/share/doc/logplex-statsd/changelog.gz | gzip -d",
                 package)
    assert listed.startswith(f"logplex-statsd ({VERSION}) ")
    newest = re.split(r"^## .*$", CHANGES, flags=re.M)[1]
    items = re.findall(r"^- (.*(?:\n  .*)*)$", newest, re.M)
    assert len(items) > 3
    for item in items:
        assert " * " + " ".join(item.split()) in " ".join(listed.split())


def test_lintian_has_nothing_to_say(built):
    (changes,) = built.glob("*.changes")
    options = ["--allow-root"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [tool("lintian"), *options, "--fail-on", "warning,error", changes.name],
        cwd=built, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_it_installs_program_units_manuals_and_examples(bare):
    for path in ("/usr/bin/logplex-statsd", "/usr/bin/logplex-statsd-listener",
                 "/usr/bin/logplex-statsd-add-app", UNIT,
                 "/lib/systemd/system/logplex-statsd.socket",
                 "/usr/share/doc/logplex-statsd/README.md",
                 "/usr/share/doc/logplex-statsd/servers/nginx.conf",
                 "/usr/share/doc/logplex-statsd/dashboards/grafana.json"):
        assert (bare.path / path[1:]).is_file(), path
    listed = bare.run(["dpkg", "-L", "logplex-statsd"]).splitlines()
    assert "/usr/share/man/man1/logplex-statsd.1.gz" in listed
    assert not [path for path in listed if "/usr/local" in path]
    assert bare.run(["logplex-statsd", "--version"]).endswith(VERSION + "\n")


def test_the_settings_are_private_and_say_nothing_yet(bare):
    path = bare.path / SETTINGS[1:]
    assert (path.stat().st_mode & 0o777, path.stat().st_uid) == (0o600, 0)
    assert [line for line in path.read_text().splitlines()
            if line and not line.startswith("#")] == []


def test_nothing_is_enabled(bare):
    wants = (bare.path / "etc/systemd/system").rglob("logplex-statsd*")
    assert list(wants) == []


def test_the_units_command_counts_the_reference_example(bare):
    """Does what systemd does with the unit: settings, socket, command."""
    unit = (bare.path / UNIT[1:]).read_text()
    command = shlex.split(re.search(r"^ExecStart=(.*)$", unit, re.M)[1])
    assert re.search(rf"^EnvironmentFile={SETTINGS}$", unit, re.M)
    assert re.search(r"^StandardInput=socket$", unit, re.M)
    collectors = [Collector(), Collector()]
    settings = {"METRICS_CLUSTER": ",".join(c.uri for c in collectors),
                "API_CREDENTIALS_HEAVEN": CREDENTIALS}
    path = bare.path / "run/logplex-statsd.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        responder = Process(bare.command(command, uid=65534, env=settings),
                            stdin=listening)
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(str(path))
            s.sendall(message())
            assert read_reply(s).status == 201, responder.log()
        counted = sorted(line for c in collectors for line in c.lines())
        assert counted == sorted(REFERENCE_COUNTERS)
    finally:
        responder.stop()
        for collector in collectors:
            collector.close()


def test_the_tarball_builds_and_tests_without_git(tmp_path):
    """The archive that git makes works where git always fails."""
    run("make", "-s", "-C", ROOT, "dist")
    run("tar", "-xf", ROOT / f"build/logplex-statsd-{VERSION}.tar.gz", "-C",
        tmp_path)
    folder = tmp_path / f"logplex-statsd-{VERSION}"
    git = tmp_path / "bin" / "git"
    git.parent.mkdir()
    git.write_text("#!/bin/sh\necho git was called >&2\nexit 1\n")
    git.chmod(0o755)
    env = {**os.environ, "PATH": f"{git.parent}:{os.environ['PATH']}"}
    run("make", "-s", "-j2", "CFLAGS=-O0", "all",
        "build/tests/test_frame", cwd=folder, env=env)
    run("build/tests/test_frame", cwd=folder, env=env)
    listed = run("tests/files", cwd=folder, env=env).split("\0")
    assert "bin/web" in listed and "bin/logplex-statsd" not in listed
    assert "bin/web" in run(
        "make", "--eval", "scripts: ; @echo $(SHELL_SCRIPTS)", "scripts",
        cwd=folder, env=env)
    # The tests of one file are enough: pytest needs no git either.
    run("pytest-3", "-q", "-p", "no:cacheprovider", "tests/e2e/test_core.py",
        "-k", "reference", cwd=folder, env={**env, "NO_BUILD": "1"})
