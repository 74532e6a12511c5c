"""A machine on which something already runs: systemd, nginx on port 80, a
policy of what may start. A user with sudo pastes the README and
docs/web-servers.md, in a folder with a difficult name; what was there before
stays."""

import contextlib
import os
import re
import signal

import pytest

import first_run
import machine
import roots
from lib.places import ROOT
from lib.processes import Process, wait_until

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("machine")]

CLONE = "/app/my drain's clone"
POLICY = "usr/sbin/policy-rc.d"
# Files in /etc that the installation of other packages may change.
SHARED = re.compile(
    r"/etc/(ld\.so\.cache|mailcap|(group|gshadow|passwd|shadow|subuid|subgid)-?"
    r"|shells|ca-certificates.*|alternatives/.*|\.pwd\.lock)$")
STARTS = re.compile(r"/etc/systemd/.*\.wants/|/etc/rc[2-5S]\.d/S")


class User(machine.Machine):
    """The machine, and the actions of a user there."""

    def __init__(self, root):
        root.place_checkout(CLONE)
        self.policy = root.path / POLICY
        self.policy.write_text(
            "#!/bin/sh\ncase $1 in e2scrub*) exit 101; esac\nexit 0\n")
        self.policy.chmod(0o755)
        super().__init__(root)
        try:
            self.before = self.state()
            self.killed = self.kill_bootstrap()
            self.said = self.paste("bin/development-bootstrap", network=True)
            self.after = self.state()
        except BaseException:
            self.stop()
            raise

    def may_start(self, *services):
        """The policy's answer for each service: 0 for yes, 101 for no."""
        return [self.try_run(f"/{POLICY} {service} start").returncode
                for service in services]

    def bootstrap_rules(self):
        with contextlib.suppress(FileNotFoundError):  # it is being replaced
            return "bootstrap" in self.policy.read_text()

    def kill_bootstrap(self):
        """The policy's answers while bootstrap runs, and after it was
        killed."""
        ours = Process(self.command(["bin/development-bootstrap"], network=True,
                                    uid=roots.UID, cwd=CLONE))
        wait_until(self.bootstrap_rules, "the policy", process=ours)
        services = ("nginx", "e2scrub_all.timer", "lighttpd.service")
        during = self.may_start(*services)
        os.killpg(ours.pid, signal.SIGKILL)
        ours.stop()
        wait_until(lambda: self.may_start("lighttpd.service") == [0],
                   "the policy of before")
        return during, self.may_start(*services)

    def paste(self, text, **kwargs):
        return self.run(text, uid=roots.UID, cwd=CLONE, **kwargs)

    def state(self):
        """Everything that must not change, by name."""
        state = {}
        for line in self.run(
                "find /etc /usr/sbin/policy-rc.d* -type f -print0 | "
                "xargs -0 sha256sum; find /etc/systemd /etc/rc?.d -type l "
                "-printf '%l  %p\n'").splitlines():
            content, _, name = line.partition("  ")
            state[name] = content
        for line in self.run("dpkg-query -W -f '${Package} ${Version}\n'; "
                             "ss -Hltunp | sed 's/ *$//'").splitlines():
            name, _, rest = line.partition(" ")
            state.setdefault(name, set()).add(re.sub(r" +", " ", rest))
        state["units"] = self.units()
        return {k: v for k, v in state.items() if not SHARED.match(k)}

    def units(self):
        """The services that run."""
        return set(self.run(
            "systemctl list-units --state=active --type=service,socket,timer "
            "--plain --no-legend | cut -d ' ' -f 1").split())


@pytest.fixture(scope="module")
def user():
    root = machine.root(roots.suite()).copy("running")
    try:
        user = User(root)
        try:
            yield user
        finally:
            user.stop()
    finally:
        roots.remove(root.path)


def test_what_was_there_is_as_it_was(user):
    assert "nginx.service" in user.before["units"]
    assert f"/{POLICY}" in user.before
    assert any("0.0.0.0:80 " in line and "nginx" in line
               for line in user.before["tcp"])
    assert {k: user.after.get(k) for k in user.before} == user.before


def test_nothing_new_starts_or_is_enabled(user):
    new = user.after.keys() - user.before.keys()
    assert "lighttpd" in new
    assert [name for name in new if STARTS.match(name)] == []
    assert user.try_run("systemctl is-enabled lighttpd").stdout == "disabled\n"


def test_the_policy_is_that_of_before_but_for_what_is_new(user):
    while_it_runs, once_killed = user.killed
    assert while_it_runs == [0, 101, 101]
    assert once_killed == [0, 101, 0]


def test_one_line_says_what_was_installed(user):
    first, last = user.said.splitlines()
    assert re.match(r"Installing (.* )?lighttpd( |$)", first)
    assert re.match(r"Installed them and their dependencies, \d+ packages; not "
                    r"started, and disabled: lighttpd( lighttpd-maint.timer)?"
                    r"\.$", last)


def test_there_is_nothing_to_install_twice(user):
    assert user.paste("bin/development-bootstrap") == ""


def test_the_first_minute(user):
    output = user.run_command(first_run.first_minute(), uid=roots.UID,
                              cwd=CLONE)
    first_run.assert_counted(output)


CRASHES = r"""
make -s && make -s install
echo METRICS_CLUSTER=statsd://127.0.0.1:8126 >/etc/logplex-statsd.env
systemctl daemon-reload
systemctl start logplex-statsd.service
pid() { systemctl show --property=MainPID --value logplex-statsd.service; }
frames() {
  for _ in {1..100}; do
    stat --format='%i of mode %a' /run/logplex-statsd/frames 2>&1 && return
    sleep 0.1
  done
}
first=$(frames)
for crash in {1..8}; do
  crashed=$(pid)
  kill -KILL "$crashed"
  for _ in {1..100}; do
    now=$(pid)
    [ "$now" = 0 ] || [ "$now" = "$crashed" ] || continue 2
    sleep 0.1
  done
  exit 1
done
systemctl show --property=ActiveState --property=NRestarts \
  logplex-statsd.service logplex-statsd.socket
[ "$(frames)" = "$first" ]
systemctl restart logplex-statsd.service
[ "$(frames)" = "$first" ]
echo "${first#* of }"
! journalctl --unit=logplex-statsd.service | grep event=frames-file
"""


def test_the_unit_starts_again_however_often_it_crashes(user):
    try:
        said = user.run(CRASHES, cwd=CLONE)
    finally:
        user.run("systemctl stop logplex-statsd.socket logplex-statsd.service; "
                 "make -s uninstall; rm -f /etc/logplex-statsd.env; "
                 "systemctl daemon-reload", cwd=CLONE)
    assert said.splitlines() == ["NRestarts=8", "ActiveState=active", "",
                                 "ActiveState=active", "mode 600"]


# The packages of bin/development-bootstrap --all that would start something.
SERVICES = {"collectd-core", "caddy", "haproxy", "h2o", "fcgiwrap"}
if roots.LONG:
    SERVICES |= {"graphite-carbon", "prometheus", "netdata-core"}


def only_services():
    """A bin/development-bootstrap whose --all has only these packages."""
    text = (ROOT / "bin" / "development-bootstrap").read_text()
    of_all = re.search(r"^demo=\(.*?^all=\(.*?^\)\n", text, re.M | re.S)[0]
    wanted = [entry for entry in re.findall(r"\S+:\S+", of_all)
              if entry.rpartition(":")[2] in SERVICES]
    assert len(wanted) == len(SERVICES), wanted
    text = text.replace(of_all, f"demo=() all=({' '.join(wanted)})\n")
    return re.sub(r"(?m)^.*all\+=\(.*\n", "", text)


def test_nothing_of_all_starts_or_is_enabled(user):
    # A package that is removed leaves its init script behind.
    user.paste("sudo apt-get -qq update; for what in install remove; do "
               "sudo apt-get -qq $what fcgiwrap || exit; done", network=True)
    script = user.root.path / CLONE.lstrip("/") / "bin/development-bootstrap"
    script.write_text(only_services())
    try:
        said = user.paste("bin/development-bootstrap --all", network=True)
    finally:
        script.write_text((ROOT / "bin" / "development-bootstrap").read_text())
    after = user.state()
    assert after["units"] == user.before["units"]
    assert after.get("tcp") == user.before.get("tcp")
    new = after.keys() - user.before.keys()
    assert {"haproxy", "caddy", "fcgiwrap"} <= new
    assert [name for name in new if STARTS.match(name)] == []
    disabled = said.splitlines()[-1].partition("disabled: ")[2]
    assert {"caddy", "collectd", "fcgiwrap", "h2o", "haproxy"} <= set(
        disabled.rstrip(".").split()), said


# docs/web-servers.md: a section, its service, and its user's group. All of
# these packages want port 80 for a page of their own, but nginx has it here.
SERVERS = {"lighttpd": ("lighttpd", "www-data"), "Apache": ("apache2", "www-data"),
           "nginx": ("nginx", "www-data")}
if roots.LONG:
    SERVERS |= {"Caddy": ("caddy", "caddy"), "h2o": ("h2o", "debian-h2o"),
                "HAProxy": ("haproxy", None)}


@pytest.fixture(scope="module")
def installed(user):
    """The machine after the steps that are the same for every server."""
    install, settings, *_ = first_run.blocks(
        "docs/web-servers.md", "Four steps for every server")
    user.paste(install)
    user.paste(f"export SUDO_EDITOR=true\n{settings}")
    for responder in first_run.blocks("docs/web-servers.md",
                                      "A separate responder")[:1]:
        user.paste(responder)
    return user


def paste_server(user, name, service):
    """The lines of a section, and one that leaves port 80 to nginx."""
    block, *_ = first_run.blocks("docs/web-servers.md", name)
    *lines, last = block.splitlines()
    for line in lines:
        user.paste(line, network=line.startswith("sudo apt "))
    moves = first_run.blocks("docs/web-servers.md",
                             "Four steps for every server")[2].splitlines()
    for line in moves:
        if f"/etc/{service}/" in line:
            user.paste(line)
    user.paste(last)


@pytest.mark.parametrize("name", SERVERS)
def test_a_recipe_of_web_servers_where_port_80_is_taken(installed, name):
    user, (service, group) = installed, SERVERS[name]
    user.run("mkdir -p /etc/systemd/system/logplex-statsd.socket.d && "
             f"printf '[Socket]\\n{f'SocketGroup={group}' if group else ''}\\n' "
             ">/etc/systemd/system/logplex-statsd.socket.d/override.conf")
    try:
        paste_server(user, name, service)
        user.run("systemctl daemon-reload && "
                 "systemctl restart logplex-statsd.socket && "
                 "until ss -Hltn sport = 8080 | grep -q .; do sleep 0.1; done")
        look = first_run.blocks("docs/web-servers.md",
                                "Four steps for every server")[-1]
        output = user.paste(f"{{ {look} }} 2>&1; sleep 0.5; kill %1 %2")
        enabled = user.try_run(f"systemctl is-enabled {service}").stdout
        on_port_80 = user.run("ss -Hltnp sport = 80")
    finally:  # as before, for the next one
        if name == "nginx":
            user.run("rm -f /etc/nginx/sites-enabled/logplex-statsd && "
                     "systemctl reload nginx")
        else:
            user.try_run(f"systemctl disable --now {service}")
    assert "201 Created" in output, output
    assert sorted(re.findall(r"heaven\.heroku\.errors\..*", output)) == [
        f"heaven.heroku.errors.{code}:1|c"
        for code in ("H12", "L99", "R89", "R99")], output
    assert enabled == "enabled\n"
    assert "nginx" in on_port_80


def test_after_the_next_boot_the_same_runs(user):
    user.stop()
    user.boot()
    units = user.units()
    assert "nginx.service" in units
    assert {unit for unit in units - user.before["units"]
            if not unit.startswith(("systemd-", "logplex-statsd"))} == set()
