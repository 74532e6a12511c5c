"""docs/web-servers.md, pasted section by section on a machine with systemd and
the servers as Debian's packages leave them: each way counts the reference
example.  Part of the long form, make test-dyno."""

import os
import re
import shutil

import pytest

import first_run
import machine
import roots
from lib.places import ROOT, tool

pytestmark = [pytest.mark.root, pytest.mark.xdist_group("pasted")]

CLONE = "/app/clone"
DOCUMENT = "docs/web-servers.md"
PACKAGES = [
    "systemd-sysv", "sudo", "iproute2", "procps", "curl", "openssl",
    "libfcgi0ldbl", "libsodium23", "apache2", "libapache2-mod-fcgid", "caddy",
    "fcgiwrap", "h2o", "haproxy", "lighttpd", "lighttpd-mod-openssl",
    "multiwatch", "nginx", "spawn-fcgi"]
SERVERS = ["apache2", "caddy", "h2o", "haproxy", "lighttpd", "nginx"]
# Everything that is written while a machine runs is in memory, and is lost
# with it.
OVERLAY = r"""
mount --make-rprivate /
mount -t tmpfs tmpfs "$1/mnt"
mkdir "$1/mnt/upper" "$1/mnt/work"
mount -t overlay -o "lowerdir=$1,upperdir=$1/mnt/upper,workdir=$1/mnt/work" \
  overlay "$1"
"""
CERTIFICATE = """
sudo openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
  -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -out /etc/ssl/logplex-statsd.pem -keyout /etc/ssl/logplex-statsd.pem.key 2>&1
sudo chmod 644 /etc/ssl/logplex-statsd.pem.key
"""


def edit(unit, *lines):
    """Writes what `systemctl edit UNIT` writes."""
    folder = f"/etc/systemd/system/{unit}.d"
    text = "\\n".join(lines)
    return (f"sudo mkdir -p {folder}\n"
            f"printf '{text}\\n' | sudo tee {folder}/override.conf\n"
            "sudo systemctl daemon-reload\n")


def section(heading, number=0, old="", new=""):
    """A block of the document, with another example."""
    block = first_run.blocks(DOCUMENT, heading)[number]
    assert old in block, (heading, old)
    return block.replace(old, new)


def group(name):
    return edit("logplex-statsd.socket", "[Socket]", f"SocketGroup={name}")


SETTINGS = section("Four steps for every server", 1,
                   "sudoedit /etc/logplex-statsd.env\n")
LOOK = section("Four steps for every server", -1)
SOCKET = section("A separate responder")
USERS = section("Passwords that the web server checks")
WAYS = {
    "nginx": SOCKET + section("nginx"),
    "nginx, TLS": SOCKET + section("nginx", 0, "-site.conf", "-tls.conf"),
    "nginx, passwords": USERS +
        "sudo sed -i s/^#AUTH/AUTH/ /etc/logplex-statsd.env\n" + SOCKET +
        section("nginx", 0, "/nginx.conf ", "/nginx-password.conf "),
    "nginx, fcgiwrap": section("nginx", 0, "nginx-socket", "nginx-fcgiwrap") +
        section("nginx", 1),
    "lighttpd": SOCKET + section("lighttpd"),
    "lighttpd, TLS": SOCKET + section("lighttpd", 0, "-site.conf", "-tls.conf"),
    "lighttpd, CGI": section("lighttpd", 0, "-socket.conf", "-cgi.conf"),
    "lighttpd, starts the responder": edit(
        "lighttpd.service", "[Service]",
        "EnvironmentFile=/etc/logplex-statsd.env") +
        section("lighttpd", 0, "-socket.conf", "-fastcgi.conf"),
    "apache2": SOCKET + section("Apache"),
    "apache2, TLS": "sudo a2enmod ssl http2\n" + SOCKET +
        section("Apache", 0, "-site.conf", "-tls.conf"),
    "apache2, CGI": "sudo a2enmod cgid\n" +
        section("Apache", 0, "-proxy.conf", "-cgi.conf"),
    "apache2, mod_fcgid": section("Apache", 0, "-proxy.conf", "-fcgid.conf"),
    "caddy": group("caddy") + SOCKET + section("Caddy"),
    "caddy, TLS": group("caddy") + SOCKET +
        section("Caddy", 0, "-site.conf", "-tls.conf"),
    "h2o": group("debian-h2o") + SOCKET + section("h2o"),
    "haproxy": section("HAProxy"),
    "haproxy, TLS": section("HAProxy", 0, "-site.conf", "-tls.conf"),
}


class Fresh(machine.Machine):
    """A machine on which nothing remains of the previous one."""
    script = OVERLAY + machine.BOOT


@pytest.fixture(scope="module")
def root():
    made = roots.made("bookworm", "servers", PACKAGES).copy("pasted")
    try:
        made.place_checkout(CLONE)
        for program in ("logplex-statsd", "listener"):
            shutil.copy(ROOT / "bin" / program, f"{made.path}{CLONE}/bin")
        roots.run([tool("make"), "-s", "-C", ROOT, "install",
                   f"DESTDIR={made.path}"])
        (made.path / "etc/sudoers.d/heroku").write_text(
            "heroku ALL=(ALL) NOPASSWD: ALL\n")
        (made.path / "etc/hosts").write_text(
            f"127.0.0.1 localhost {os.uname().nodename}\n")
        yield made
    finally:
        roots.remove(made.path)


def counts(root, way):
    server = way.partition(",")[0]
    tls = "TLS" in way
    others = [root.path / f"etc/systemd/system/{s}.service"
              for s in SERVERS if s != server]  # all of them want port 80
    for unit in others:
        unit.symlink_to("/dev/null")
    try:
        fresh = Fresh(root)
    finally:
        for unit in others:
            unit.unlink()
    try:
        commands = re.sub(r"(?m)^sudo apt install .*\n", "", "set -e\n" +
                          SETTINGS + (CERTIFICATE if tls else "") + WAYS[way])
        fresh.run(commands, uid=roots.UID, cwd=CLONE)
        look = LOOK.replace("bin/listener 8126 & bin/listener 8127 &",
                            "bin/listener 8126 >/tmp/1 & "
                            "bin/listener 8127 >/tmp/2 & sleep 1")
        if tls:
            look = look.replace(
                "http://127.0.0.1:8080",
                "--cacert /etc/ssl/logplex-statsd.pem https://localhost")
        said = fresh.run(look + "sleep 0.5; kill %1 %2\necho; cat /tmp/1\n"
                         "echo --; cat /tmp/2", uid=roots.UID, cwd=CLONE)
    finally:
        fresh.stop()
    assert " 201" in said, said
    first, _, second = said.partition("--\n")
    assert "heaven.heroku.errors.R89:1|c" in first, said
    for code in ("R99", "L99", "H12"):
        assert f"heaven.heroku.errors.{code}:1|c" in second, said


@roots.only_long
@pytest.mark.parametrize("way", WAYS)
def test_reference_example_is_counted(root, way):
    counts(root, way)
