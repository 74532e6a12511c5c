"""A bare system, made by debootstrap, without users other than root: the
README's first minute, in a folder with a difficult name. It is the system of
this machine (test_machine.py tests another one); the long form tests both
here."""

import re

import pytest

import first_run
import roots
from lib.places import tool

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("package")]

CLONE = "/root/my drain's clone"
SYSTEMS = ["bookworm", "noble"] if roots.LONG else [roots.this_system()]
ENV = {"HOME": "/root", "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="module", params=SYSTEMS)
def bare(request):
    root = roots.base(request.param).copy("bare")
    try:
        root.place_checkout(CLONE)
        policy = root.path / "usr/sbin/policy-rc.d"
        root.policy = policy.read_text(), lambda: policy.read_text()
        root.said = root.run(["bin/development-bootstrap"], cwd=CLONE,
                             env={**ENV, **roots.proxies()})
        yield root
    finally:
        roots.remove(root.path)


# With a separate network, and terminals.
APART = r"""
mount -t devpts -o newinstance,ptmxmode=666 devpts "$0/dev/pts" &&
  mount --bind "$0/dev/pts/ptmx" "$0/dev/ptmx" &&
  ip link set lo up && exec "$@"
"""


def apart(root, command, network=False):
    """Runs a command in the clone, with the outer network if necessary."""
    return roots.run([
        tool("unshare"), "--mount", *([] if network else ["--net"]), "sh", "-c",
        APART, root.path, *root.command(command, cwd=CLONE, env=ENV)])


def test_bootstrap_leaves_services_as_they_were(bare):
    before, now = bare.policy
    assert now() == before
    assert "not started, and disabled: lighttpd" in bare.said
    assert list((bare.path / "etc").glob("rc[2-5S].d/S*lighttpd")) == []
    assert list((bare.path / "etc/systemd").rglob("lighttpd*")) == []


def test_the_first_minute(bare):
    first_run.assert_counted(apart(bare, first_run.first_minute()))


@roots.only_long
def test_the_core_tests_pass_in_that_folder(bare):
    said = apart(bare, ["bin/test"], network=True)
    assert re.search(r"(?m)^=+ \d+ passed in ", said), said
