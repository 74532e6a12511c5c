"""The builds, in clean roots: the buildpack's detect, compile and release as an
unprivileged user, and the Dockerfile's steps. Leaves a dyno's root and a
container's root behind, for test_dyno.py."""

import pickle
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import pytest

import container
import roots
from lib.places import ROOT

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("dyno")]

BUILD = "/tmp/build_1234"
ENV = {"HOME": "/app", "LC_ALL": "C"}
# Shared libraries that the run images of heroku-24 and heroku-26 have.
LIBRARIES = re.compile(r"lib(c|m|pcre2-8|nettle|sodium|z|xxhash)\.so\.|ld-linux")


def files(folder):
    """Every file and link in a folder, by its path in it."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*")
            if p.is_symlink() or not p.is_dir()}


class Buildpack(unittest.TestCase):
    """bin/detect, bin/compile and bin/release as uid 1000."""

    @classmethod
    def setUpClass(cls):
        cls.root = roots.build_root(roots.suite()).copy("building")
        cls.addClassCleanup(roots.remove, cls.root.path)
        cls.fresh()
        cls.before = files(cls.folder)
        (cls.root.path / "tmp/env").mkdir()
        started = time.monotonic()
        cls.done = cls.step("compile", BUILD, "/tmp/cache", "/tmp/env",
                            env={"STACK": roots.STACKS.get(roots.suite(), roots.suite())})
        cls.took = time.monotonic() - started

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
        self.assertEqual(self.done.returncode, 0, output)
        for line in self.done.stdout.splitlines():
            self.assertRegex(line, "^(-----> |       )")
        for line in self.done.stderr.splitlines():
            self.assertTrue(line.startswith(" !     "), line)
        self.assertIn("lighttpd/1.4.", self.done.stdout)
        self.assertIn("logplex-statsd 1.", self.done.stdout)
        self.assertLess(self.took, 60, "a build takes seconds")
        print(f"[{self.took:.1f} s] ", end="", flush=True)

    def test_cluster_that_is_not_set_is_warned_of(self):
        self.assertIn(" !     METRICS_CLUSTER is not set", self.done.stderr)
        self.assertIn("heroku config:set METRICS_CLUSTER=", self.done.stderr)

    def test_two_programs_are_all_that_is_added(self):
        self.assertEqual(files(self.folder) - self.before,
                         {"bin/logplex-statsd", ".lighttpd/lighttpd"})
        self.assertEqual(self.before - files(self.folder), set())
        self.assertEqual(list((self.root.path / "tmp").glob("tmp.*")), [])

    def test_slug_is_small(self):
        slug = subprocess.run(["tar", "-cz", "-C", self.folder, "."],
                              stdout=subprocess.PIPE, check=True).stdout
        self.assertLess(len(slug), 1 << 20)
        print(f"[{len(slug) // 1024} KiB] ", end="", flush=True)

    def test_libraries_are_those_of_the_run_image(self):
        run = roots.run_root(roots.suite())
        for program in ("bin/logplex-statsd", ".lighttpd/lighttpd"):
            needed = subprocess.run(
                ["readelf", "-d", self.folder / program], text=True,
                stdout=subprocess.PIPE, check=True).stdout
            names = re.findall(r"NEEDED.*\[(.*)\]", needed)
            self.assertTrue(names)
            for name in names:
                self.assertRegex(name, LIBRARIES)
                found = run.try_run(["/sbin/ldconfig", "-p"]).stdout
                self.assertIn(name, found, f"{program}: not in the run root")
            self.assertNotIn("RPATH", needed)
            self.assertNotIn("RUNPATH", needed)
        self.assertIn("libsodium.so", subprocess.run(
            ["readelf", "-d", self.folder / "bin/logplex-statsd"], text=True,
            stdout=subprocess.PIPE, check=True).stdout,
            "libsodium comes from the image, which keeps it up to date")

    def test_detect_knows_this_repository_and_no_other(self):
        known = self.step("detect", BUILD)
        self.assertEqual((known.returncode, known.stdout),
                         (0, "logplex-statsd\n"))
        other = self.step("detect", "/tmp")
        self.assertNotEqual(other.returncode, 0)
        self.assertIn("does not hold it", other.stderr)

    def test_release_names_the_web_process(self):
        self.assertIn("web: bin/web", self.step("release", BUILD).stdout)

    def test_slug_is_what_the_dyno_gets(self):
        dyno = roots.run_root(roots.suite()).copy("dyno")
        app = dyno.path / "app"
        roots.remove(app)
        roots.run(["cp", "-a", self.folder, app])
        for tool in ("cc", "gcc", "make", "lighttpd"):
            self.assertNotEqual(
                dyno.try_run(["/bin/sh", "-c", f"command -v {tool}"])
                .returncode, 0, f"a run image has no {tool}")


class Faults(unittest.TestCase):
    """Each failure of bin/compile says what happened and what to do."""

    @classmethod
    def setUpClass(cls):
        cls.root = roots.build_root(roots.suite()).copy("failing")
        cls.addClassCleanup(roots.remove, cls.root.path)

    def setUp(self):
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
        self.assertNotEqual(ran.returncode, 0, output)
        for line in ran.stderr.splitlines():
            self.assertTrue(line.startswith(" !     "), output)
        for sentence in sentences:
            self.assertIn(sentence, ran.stderr, output)

    def test_without_a_network(self):
        self.assert_says(self.compile(prefix=["unshare", "--net"]),
                         "lists of packages could not be fetched",
                         "deploy again in a few minutes")

    def test_source_that_does_not_compile(self):
        with open(self.folder / "src/main.c", "a") as f:
            f.write("this is no C\n")
        ran = self.compile()
        self.assert_says(ran, "could not be built", "report this")
        self.assertIn("       src/main.c:", ran.stdout)

    @roots.only_long
    def test_configuration_that_lighttpd_refuses(self):
        with open(self.folder / "lighttpd.conf", "a") as f:
            f.write('server.modules += ( "mod_nothing" )\n')
        ran = self.compile()
        self.assert_says(ran, "lighttpd refuses lighttpd.conf", "Undo")
        self.assertIn("mod_nothing", ran.stdout)

    @roots.only_long
    def test_package_that_does_not_exist(self):
        path = self.folder / "bin/compile"
        path.write_text(path.read_text().replace(
            "zlib1g-dev 2>&1", "no-such-package 2>&1"))
        ran = self.compile()
        self.assert_says(ran, "packages could not be fetched", "stack:set")
        self.assertIn("no-such-package", ran.stdout)

    def test_image_without_a_compiler(self):
        cc = self.root.path / "usr/bin/cc"
        away = cc.rename(cc.with_name("cc.away"))
        self.addCleanup(away.rename, cc)
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
        self.assertIn("libabsent.so", ran.stdout)

    @roots.only_long
    def test_buildpack_by_its_git_address_has_nothing_to_say(self):
        # Then it runs from a checkout of its own. METRICS_CLUSTER is set here.
        self.root.place_checkout("/tmp/buildpack")
        env_dir = self.root.path / "tmp/env"
        env_dir.mkdir()
        (env_dir / "METRICS_CLUSTER").write_text("statsd://127.0.0.1:8126")
        ran = self.compile("/tmp/env", buildpack="/tmp/buildpack")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), ran.stdout)


class Container(unittest.TestCase):
    """The Dockerfile's steps, and what the final image holds."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as context:
            roots.place_files(context)
            cls.image = container.build(
                (ROOT / "Dockerfile").read_text(), Path(context), roots.suite())
        roots.remove(roots.CACHE / roots.suite() / "stage-build")
        with open(roots.CACHE / roots.suite() / "container.pickle", "wb") as f:
            pickle.dump(cls.image, f)

    def test_final_image_has_the_program_and_no_compiler(self):
        root = self.image.root
        self.assertEqual(files(root.path / "app"),
                         {"lighttpd.conf", "bin/web", "bin/responder",
                          "bin/logplex-statsd"})
        for tool in ("cc", "gcc", "make", "ld"):
            self.assertNotEqual(root.try_run(
                ["/bin/sh", "-c", f"command -v {tool}"]).returncode, 0, tool)
        self.assertEqual(list((root.path / "var/lib/apt/lists").glob("*_*")), [])

    def test_what_is_said_about_running_it(self):
        self.assertEqual(self.image.command, ["bin/web"])
        self.assertEqual(self.image.stopsignal, "SIGTERM")
        self.assertEqual(self.image.ports, [3000])
        self.assertEqual(self.image.env, {"PORT": "3000"})
        uid, _, gid = self.image.user.partition(":")
        self.assertGreater(int(uid), 0)
        self.assertGreater(int(gid), 0)
        self.assertTrue(self.image.healthcheck)

    def test_stages_start_from_the_same_image(self):
        froms = [rest.split()[0] for word, rest in container.instructions(
            (ROOT / "Dockerfile").read_text()) if word == "FROM"]
        self.assertEqual(froms, ["ubuntu:24.04"] * 2)

