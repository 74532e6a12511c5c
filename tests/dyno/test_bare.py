"""A bare system, as debootstrap makes it, with nobody but root: README's first
minute, from a folder with a difficult name. This machine's own system, so that
bin/test --all sees two (test_machine.py has the other); the long form has both
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


# A network of its own, and terminals.
APART = r"""
mount -t devpts -o newinstance,ptmxmode=666 devpts "$0/dev/pts" &&
  mount --bind "$0/dev/pts/ptmx" "$0/dev/ptmx" &&
  ip link set lo up && exec "$@"
"""


def apart(root, command, network=False):
    """Runs a command in the clone; on the network outside if it needs one."""
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
