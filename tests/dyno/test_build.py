"""The builds, in clean roots: the buildpack's detect, compile and release as
an unprivileged user, and the Dockerfile's steps. Leaves the root of a dyno and
the root of a container for test_dyno.py."""

import pickle
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

import container
import roots
from lib.case import Case
from lib.places import ROOT

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("dyno")]

BUILD = "/tmp/build_1234"
ENV = {"HOME": "/app", "LC_ALL": "C"}
# Shared libraries that the run images of heroku-24 and heroku-26 have.
LIBRARIES = re.compile(r"lib(c|m|pcre2-8|nettle|sodium|z|xxhash)\.so\.|ld-linux")


def files(folder):
    """The relative paths of all files and links in a folder."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*")
            if p.is_symlink() or not p.is_dir()}


class Buildpack(Case):
    """bin/detect, bin/compile and bin/release as uid 1000."""

    @pytest.fixture(autouse=True, scope="class")
    def built(self, request):
        cls = request.cls
        cls.root = roots.build_root(roots.suite()).copy("building")
        cls.fresh()
        cls.before = files(cls.folder)
        (cls.root.path / "tmp/env").mkdir()
        started = time.monotonic()
        cls.done = cls.step("compile", BUILD, "/tmp/cache", "/tmp/env", env={
            "STACK": roots.STACKS.get(roots.suite(), roots.suite())})
        cls.took = time.monotonic() - started
        yield
        roots.remove(cls.root.path)

    @classmethod
    def fresh(cls):
        cls.folder = cls.root.path / BUILD.lstrip("/")
        roots.remove(cls.folder)
        cls.root.place_checkout(BUILD)

    @classmethod
    def step(cls, name, *arguments, env=None):
        return cls.root.try_run(
            [f"{BUILD}/bin/{name}", *arguments], uid=roots.UID,
            env={**ENV, **(env or {})}, cwd="/tmp")

    def test_compile_succeeds_as_an_unprivileged_user(self):
        output = self.done.stdout + self.done.stderr
        assert self.done.returncode == 0, output
        for line in self.done.stdout.splitlines():
            assert re.search("^(-----> |       )", line)
        for line in self.done.stderr.splitlines():
            assert line.startswith(" !     "), line
        assert "lighttpd/1.4." in self.done.stdout
        assert "logplex-statsd 1." in self.done.stdout
        assert self.took < 60, "a build takes seconds"
        print(f"[{self.took:.1f} s] ", end="", flush=True)

    def test_cluster_that_is_not_set_is_warned_of(self):
        assert " !     METRICS_CLUSTER is not set" in self.done.stderr
        assert "heroku config:set METRICS_CLUSTER=" in self.done.stderr

    def test_two_programs_are_all_that_is_added(self):
        assert files(self.folder) - self.before == {
            "bin/logplex-statsd", ".lighttpd/lighttpd"}
        assert self.before - files(self.folder) == set()
        assert list((self.root.path / "tmp").glob("tmp.*")) == []

    def test_slug_is_small(self):
        slug = subprocess.run(["tar", "-cz", "-C", self.folder, "."],
                              stdout=subprocess.PIPE, check=True).stdout
        assert len(slug) < 1 << 20
        print(f"[{len(slug) // 1024} KiB] ", end="", flush=True)

    def test_libraries_are_those_of_the_run_image(self):
        run = roots.run_root(roots.suite())
        for program in ("bin/logplex-statsd", ".lighttpd/lighttpd"):
            needed = subprocess.run(
                ["readelf", "-d", self.folder / program], text=True,
                stdout=subprocess.PIPE, check=True).stdout
            names = re.findall(r"NEEDED.*\[(.*)\]", needed)
            assert names
            for name in names:
                assert re.search(LIBRARIES, name)
                found = run.try_run(["/sbin/ldconfig", "-p"]).stdout
                assert name in found, f"{program}: not in the run root"
            assert "RPATH" not in needed
            assert "RUNPATH" not in needed
        # The image keeps libsodium up to date.
        assert "libsodium.so" in subprocess.run(
            ["readelf", "-d", self.folder / "bin/logplex-statsd"], text=True,
            stdout=subprocess.PIPE, check=True).stdout

    def test_detect_knows_this_repository_and_no_other(self):
        known = self.step("detect", BUILD)
        assert (known.returncode, known.stdout) == (0, "logplex-statsd\n")
        other = self.step("detect", "/tmp")
        assert other.returncode != 0
        assert "does not hold it" in other.stderr

    def test_release_names_the_web_process(self):
        assert "web: bin/web" in self.step("release", BUILD).stdout

    def test_slug_is_what_the_dyno_gets(self):
        dyno = roots.run_root(roots.suite()).copy("dyno")
        app = dyno.path / "app"
        roots.remove(app)
        roots.run(["cp", "-a", self.folder, app])
        for tool in ("cc", "gcc", "make", "lighttpd"):
            found = dyno.try_run(["/bin/sh", "-c", f"command -v {tool}"])
            assert found.returncode != 0, f"a run image has no {tool}"


class Faults(Case):
    """If bin/compile fails, it says what happened and what to do."""

    @pytest.fixture(autouse=True, scope="class")
    def copied(self, request):
        cls = request.cls
        cls.root = roots.build_root(roots.suite()).copy("failing")
        yield
        roots.remove(cls.root.path)

    @pytest.fixture(autouse=True)
    def set_up(self, copied):
        folder = self.root.path / BUILD.lstrip("/")
        roots.remove(folder)
        self.root.place_checkout(BUILD)
        self.folder = folder

    def compile(self, *more, prefix=(), buildpack=BUILD):
        command = self.root.command(
            [f"{buildpack}/bin/compile", BUILD, "/tmp/cache", *more],
            uid=roots.UID, env={**ENV, "STACK": "heroku-99"})
        return subprocess.run(
            [str(c) for c in [*prefix, *command]], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    def assert_says(self, ran, *sentences):
        output = ran.stdout + ran.stderr
        assert ran.returncode != 0, output
        for line in ran.stderr.splitlines():
            assert line.startswith(" !     "), output
        for sentence in sentences:
            assert sentence in ran.stderr, output

    def test_without_a_network(self):
        self.assert_says(self.compile(prefix=["unshare", "--net"]),
                         "lists of packages could not be fetched",
                         "deploy again in a few minutes")

    def test_source_that_does_not_compile(self):
        with open(self.folder / "src/main.c", "a") as f:
            f.write("this is no C\n")
        ran = self.compile()
        self.assert_says(ran, "could not be built", "report this")
        assert "       src/main.c:" in ran.stdout

    @roots.only_long
    def test_configuration_that_lighttpd_refuses(self):
        with open(self.folder / "lighttpd.conf", "a") as f:
            f.write('server.modules += ( "mod_nothing" )\n')
        ran = self.compile()
        self.assert_says(ran, "lighttpd refuses lighttpd.conf", "Undo")
        assert "mod_nothing" in ran.stdout

    @roots.only_long
    def test_package_that_does_not_exist(self):
        path = self.folder / "bin/compile"
        path.write_text(path.read_text().replace(
            "zlib1g-dev 2>&1", "no-such-package 2>&1"))
        ran = self.compile()
        self.assert_says(ran, "packages could not be fetched", "stack:set")
        assert "no-such-package" in ran.stdout

    def test_image_without_a_compiler(self):
        cc = self.root.path / "usr/bin/cc"
        away = cc.rename(cc.with_name("cc.away"))
        self.at_end(away.rename, cc)
        self.assert_says(self.compile(), "There is no cc on heroku-99",
                         "stack:set")

    @roots.only_long
    def test_library_that_the_image_lacks(self):
        self.root.run(["cc", "-shared", "-Wl,-soname,libabsent.so", "-x", "c",
                       "/dev/null", "-o", "/tmp/libabsent.so"])
        with open(self.folder / "Makefile", "a") as f:
            f.write("LIBS += -Wl,--no-as-needed -L/tmp -labsent\n")
        ran = self.compile()
        self.assert_says(ran, "lacks the libraries", "stack:set")
        assert "libabsent.so" in ran.stdout

    @roots.only_long
    def test_buildpack_by_its_git_address_has_nothing_to_say(self):
        # Then it runs from a separate checkout. METRICS_CLUSTER is set here.
        self.root.place_checkout("/tmp/buildpack")
        env_dir = self.root.path / "tmp/env"
        env_dir.mkdir()
        (env_dir / "METRICS_CLUSTER").write_text("statsd://127.0.0.1:8126")
        ran = self.compile("/tmp/env", buildpack="/tmp/buildpack")
        assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout


class Container(Case):
    """The Dockerfile's steps, and the contents of the final image."""

    @pytest.fixture(autouse=True, scope="class")
    def built(self, request):
        with tempfile.TemporaryDirectory() as context:
            roots.place_files(context)
            request.cls.image = container.build(
                (ROOT / "Dockerfile").read_text(), Path(context), roots.suite())
        roots.remove(roots.CACHE / roots.suite() / "stage-build")
        with open(roots.CACHE / roots.suite() / "container.pickle", "wb") as f:
            pickle.dump(request.cls.image, f)

    def test_final_image_has_the_program_and_no_compiler(self):
        root = self.image.root
        assert files(root.path / "app") == {
            "lighttpd.conf", "bin/web", "bin/responder", "bin/logplex-statsd"}
        for tool in ("cc", "gcc", "make", "ld"):
            found = root.try_run(["/bin/sh", "-c", f"command -v {tool}"])
            assert found.returncode != 0, tool
        assert list((root.path / "var/lib/apt/lists").glob("*_*")) == []

    def test_what_is_said_about_running_it(self):
        assert self.image.command == ["bin/web"]
        assert self.image.stopsignal == "SIGTERM"
        assert self.image.ports == [3000]
        assert self.image.env == {"PORT": "3000"}
        uid, _, gid = self.image.user.partition(":")
        assert int(uid) > 0
        assert int(gid) > 0
        assert self.image.healthcheck

    def test_stages_start_from_the_same_image(self):
        froms = [rest.split()[0] for word, rest in container.instructions(
            (ROOT / "Dockerfile").read_text()) if word == "FROM"]
        assert froms == ["ubuntu:24.04"] * 2
