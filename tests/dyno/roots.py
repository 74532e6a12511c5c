"""Clean roots that stand for Heroku's images, made by debootstrap.

heroku-24 is Ubuntu 24.04 (noble), heroku-26 is Ubuntu 26.04 (resolute); if
their packages cannot be reached, Debian 12 (bookworm) takes their place. The
build root has a compiler; the run root has only packages that the run images
of heroku-24 and heroku-26 also have (heroku/base-images, installed-packages),
and far fewer of them. Roots are kept in build/dyno until make clean."""

import contextlib
import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import warnings
from pathlib import Path

from lib.places import ROOT, tool

CACHE = Path(os.environ.get("DYNO_ROOTS", ROOT / "build" / "dyno"))
SYSTEMS = {"noble": "Ubuntu 24.04", "resolute": "Ubuntu 26.04",
           "bookworm": "Debian 12"}
STACKS = {"noble": "heroku-24", "resolute": "heroku-26"}
COMPONENTS = {"noble": "main,universe", "resolute": "main,universe",
              "bookworm": "main"}

# Ubuntu's archive key, from noble's package ubuntu-keyring.
UBUNTU_KEYRING = Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg")
UBUNTU_KEYRING_SHA256 = \
    "80a36b0a6de2f69f49d2df75ef473ccde121e9e190b9ea01d20a4f63778d5c31"

# The relevant packages that the run images have and a minimal system lacks.
RUN_PACKAGES = {
    "noble": ["libpcre2-8-0", "libnettle8t64", "libsodium23", "zlib1g"],
    "resolute": ["libpcre2-8-0", "libnettle8t64", "libsodium23", "zlib1g"],
    "bookworm": ["libpcre2-8-0", "libnettle8", "libsodium23", "zlib1g",
                 "libxxhash0"],
}
BUILD_PACKAGES = ["gcc", "make", "libc6-dev", "zlib1g-dev"]
UID = 1000
# Tests that take minutes belong to make test-dyno only.
LONG = os.environ.get("DYNO_LONG") == "1"


def this_system():
    """The suite of the machine on which the tests run."""
    text = Path("/etc/os-release").read_text()
    return re.search(r"^VERSION_CODENAME=(.*)$", text, re.M)[1]


def proxies():
    return {k: v for k, v in os.environ.items() if k.endswith("_proxy")}


def only_long(test):
    """Removes this test from the short form, instead of skipping it."""
    return test if LONG else None


class Unreachable(Exception):
    """The packages of a system cannot be reached from here."""


def run(command, **kwargs):
    """Runs a command; its output is shown only if it fails."""
    done = subprocess.run([str(c) for c in command], text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kwargs)
    if done.returncode != 0:
        raise AssertionError(
            f"{' '.join(str(c) for c in command)}: status {done.returncode}\n"
            + "\n".join(done.stdout.splitlines()[-40:]))
    return done.stdout


class Root:
    """A folder that contains a whole system."""

    def __init__(self, path, suite):
        self.path, self.suite = Path(path), suite
        self.system = SYSTEMS[suite]

    def command(self, command, uid=0, env=None, cwd="/"):
        """The command line that runs this one inside, in new pid and mount
        namespaces, which end with it."""
        full = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                        "/sbin:/bin", **(env or {})}
        settings = [f"{k}={v}" for k, v in full.items()]
        return [tool("unshare"), "--mount", "--pid", "--fork", "--kill-child",
                f"--mount-proc={self.path}/proc",
                tool("chroot"), f"--userspec={uid}:{uid}", self.path,
                "/usr/bin/env", "-i", f"--chdir={cwd}", *settings, *command]

    def run(self, command, **kwargs):
        return run(self.command(command, **kwargs))

    def try_run(self, command, **kwargs):
        """Like run, but any exit status will do."""
        return subprocess.run(
            [str(c) for c in self.command(command, **kwargs)], text=True,
            errors="replace", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def install(self, packages):
        env = {"DEBIAN_FRONTEND": "noninteractive", **proxies()}
        self.run(["apt-get", "-qq", "-o", "Acquire::Retries=3", "update"],
                 env=env)
        self.run(["apt-get", "-qq", "-y", "-o", "Acquire::Retries=3", "install",
                  "--no-install-recommends",
                  *packages], env=env)

    def copy(self, name):
        """A fresh copy of this root."""
        copy = Root(CACHE / self.suite / name, self.suite)
        remove(copy.path)
        run(["cp", "-a", self.path, copy.path])
        return copy

    def place_checkout(self, where):
        """Copies the project's files into a folder inside, owned by the
        user."""
        target = self.path / where.lstrip("/")
        place_files(target)
        run(["chown", "-R", f"{UID}:{UID}", target])


def place_files(target):
    """Copies the project's files, and nothing that was built, to a folder."""
    Path(target).mkdir(parents=True, exist_ok=True)
    names = subprocess.run([ROOT / "tests" / "files"], check=True,
                           stdout=subprocess.PIPE).stdout
    packed = subprocess.run(
        ["tar", "-c", "-C", ROOT, "--null", "--files-from=-", "--owner=0",
         "--group=0"], input=names, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", target], input=packed, check=True)


def remove(path):
    if Path(path).exists():
        run(["rm", "-rf", "--one-file-system", path])


def debootstrap(suite, target, *options):
    """Runs debootstrap. Its scripts for all of Ubuntu's suites are the same, so
    an old one serves for those that Debian 12 does not know."""
    scripts = Path("/usr/share/debootstrap/scripts")
    script = scripts / suite
    if not script.exists():
        script = scripts / "gutsy"
    # In a separate mount namespace, so that no mount remains.
    return run([tool("unshare"), "--mount", tool("debootstrap"),
                "--variant=minbase", f"--components={COMPONENTS[suite]}",
                *options, suite, target, "", script])


def ubuntu_keyring():
    """The keyring for Ubuntu's packages. If the system has none, it comes from
    the archive and is verified by its checksum."""
    if UBUNTU_KEYRING.exists():
        return UBUNTU_KEYRING
    kept = CACHE / UBUNTU_KEYRING.name
    if not kept.exists():
        fetched = CACHE / "keyring"
        remove(fetched)
        try:
            debootstrap("noble", fetched, "--no-check-gpg", "--download-only")
        except AssertionError as e:
            raise Unreachable(str(e)) from None
        (package,) = fetched.glob(
            "var/cache/apt/archives/ubuntu-keyring_*.deb")
        run(["dpkg-deb", "--extract", package, fetched])
        shutil.copy(fetched / str(UBUNTU_KEYRING).lstrip("/"), kept)
        remove(fetched)
    if hashlib.sha256(kept.read_bytes()).hexdigest() != UBUNTU_KEYRING_SHA256:
        kept.unlink()
        raise AssertionError("the keyring that was fetched is not Ubuntu's")
    return kept


@contextlib.contextmanager
def locked(root):
    """Lets one process at a time make a root, while the others wait for it."""
    root.path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{root.path}.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def base(suite):
    """The minimal system, made once."""
    root = Root(CACHE / suite / "base", suite)
    with locked(root):
        if not (root.path / ".complete").exists():
            make_base(suite, root)
    return root


def make_base(suite, root):
    options = []
    if suite != "bookworm":
        options = [f"--keyring={ubuntu_keyring()}"]
    remove(root.path)
    try:
        debootstrap(suite, root.path, *options)
    except AssertionError as e:
        remove(root.path)
        raise Unreachable(str(e)) from None
    quick = root.path / "etc/dpkg/dpkg.cfg.d/quick"
    quick.write_text("force-unsafe-io\n")
    no_services = root.path / "usr/sbin/policy-rc.d"
    no_services.write_text("#!/bin/sh\nexit 101\n")
    no_services.chmod(0o755)
    root.run(["useradd", "--uid", str(UID), "--user-group", "--no-create-home",
              "--home-dir", "/app", "heroku"])
    (root.path / ".complete").touch()


def made(suite, name, packages):
    """A copy of the minimal system with these packages, made once."""
    root = Root(CACHE / suite / name, suite)
    with locked(root):
        if not (root.path / f".{name}").exists():
            base(suite).copy(name).install(packages)
            (root.path / f".{name}").touch()
    return root


def run_root(suite):
    return made(suite, "run", RUN_PACKAGES[suite])


def build_root(suite):
    return made(suite, "build", RUN_PACKAGES[suite] + BUILD_PACKAGES)


@functools.cache
def suite():
    """The suite to test on: DYNO_SUITE, or Ubuntu 24.04 if its packages can be
    reached, or else Debian 12."""
    wanted = os.environ.get("DYNO_SUITE")
    if os.geteuid() != 0:
        raise AssertionError("clean roots are made by root alone: use sudo")
    for name in [wanted] if wanted else ["noble", "bookworm"]:
        try:
            base(name)
        except Unreachable as e:
            warnings.warn(f"{SYSTEMS[name]} is out of reach: {e}")
        else:
            os.environ["DYNO_SUITE"] = name  # for the tests in namespaces
            return name
    raise AssertionError("no system to test on; the warnings say why")
