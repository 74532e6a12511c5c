"""The ways to run the program with a web server: the examples in
docs/servers/, run by the real servers.

The files run unchanged except for what differs between machines (REPLACED
below) and the lines that users uncomment if the server checks the passwords.
"""

import atexit
import contextlib
import functools
import getpass
import grp
import os
import pwd
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
from pathlib import Path

from lib.collector import Sink
from lib.http import build_request, connect, read_answer
from lib.places import CREDENTIALS, PROGRAM, ROOT, tool
from lib.ports import free_port
from lib.processes import Process, children, wait_until

EXAMPLES = ROOT / "docs" / "servers"
MODULES = "/usr/lib/apache2/modules"
ROOTED = os.geteuid() == 0
USER = "www-data" if ROOTED else getpass.getuser()
GROUP = grp.getgrgid(pwd.getpwnam(USER).pw_gid).gr_name
CLUSTER = "statsd://127.0.0.1:8126,statsd://127.0.0.1:8127"
OTHER = "Mallory:a password of their own"


@functools.lru_cache(None)
def password_hash(password, how="-apr1"):
    return subprocess.run([tool("openssl"), "passwd", how, password],
                          check=True, capture_output=True,
                          text=True).stdout.strip()


@functools.lru_cache(None)
def certificate():
    """The path of a self-signed certificate; the key is the same path with
    .key appended."""
    folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-certificate-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "logplex-statsd.pem"
    Path(folder.name).chmod(0o755)
    subprocess.run(
        [tool("openssl"), "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-out", path, "-keyout", f"{path}.key"],
        check=True, capture_output=True)
    return path


class Server:
    """A web server that runs the program.

    checked_by_server: whether it checks the passwords; tls: whether it runs
    the example for TLS; edits: further changes, {file: [(old, new)]}, each of
    which must apply."""

    way = None        # its name in the tables
    name = None       # of its examples in docs/servers
    files = ()        # that of this way
    external = False  # whether another program starts the responder
    cgi = False
    streams = None    # bodies from this size on are streamed
    responders_wanted = 2
    checks_passwords = True  # otherwise only the program can
    mounts = ("", "/drain")

    def __init__(self, checked_by_server=False, tls=False, edits=None,
                 settings=None):
        self.checked_by_server, self.tls = checked_by_server, tls
        self.edits = edits or {}
        self.settings = settings or {}
        self.port = free_port()
        self.sinks = [Sink(), Sink()]
        self.responder = self.process = None
        self.folder = Path(tempfile.mkdtemp(prefix="logplex-statsd-servers-"))
        if ROOTED:
            os.chown(self.folder, pwd.getpwnam(USER).pw_uid, -1)
        self.folder.chmod(0o755)
        self.binary = self.folder / "bin" / "logplex-statsd"
        self.binary.parent.mkdir()
        shutil.copy(PROGRAM, self.binary)
        try:
            self.write_passwords()
            if self.external:
                self.start_responder()
            self.start()
            wait_until(self.answers, f"{self.way} answers",
                       process=self.process)
        except BaseException:
            self.stop()
            raise

    def answers(self):
        with contextlib.suppress(OSError):
            with self.connect() as s:
                s.sendall(build_request("GET", "/_ping"))
                return read_answer(s).status == 200
        return False

    def connect(self):
        if not self.tls:
            return connect(self.port)
        context = ssl.create_default_context(cafile=certificate())
        return context.wrap_socket(connect(self.port),
                                   server_hostname="localhost")

    def stop(self):
        for process in (self.process, self.responder):
            if process is not None:
                left = children(process.pid)
                process.stop()
                for pid in left:  # those that are in another session
                    with contextlib.suppress(OSError):
                        if str(self.folder) in os.readlink(
                                f"/proc/{pid}/exe"):
                            os.kill(pid, signal.SIGKILL)
        for sink in self.sinks:
            sink.close()
        shutil.rmtree(self.folder)

    # The examples.

    @property
    def replaced(self):
        folder = self.folder
        return [
            ("443" if self.tls else "8080", self.port),
            ("/usr/local/bin", folder / "bin"),
            ("/run/lighttpd/", f"{folder}/"),
            ("/run/logplex-statsd.sock", folder / "logplex-statsd.sock"),
            ("/run/logplex-statsd", folder / "run"),
            ("/var/lock/apache2/", f"{folder}/"),
            ("/run/fcgiwrap.socket", folder / "logplex-statsd.sock"),
            ("/etc/ssl/logplex-statsd.pem", certificate()),
            ("/etc/logplex-statsd.", f"{folder}/logplex-statsd."),
            ("/etc/lighttpd/", f"{folder}/"),
            ("/etc/apache2/", f"{folder}/"),
            ("/etc/nginx/", f"{folder}/"),
            ("/etc/caddy/", f"{folder}/"),
            (CLUSTER, ",".join(s.uri for s in self.sinks)),
            *([] if ROOTED else [("-U www-data", f"-U {USER}"),
                                 ("-u www-data", f"-u {USER}"),
                                 ("-G www-data", f"-G {GROUP}"),
                                 ("-g www-data", f"-g {GROUP}"),
                                 ("-o www-data", f"-o {USER}")]),
        ]

    def example(self, name, as_name=None, uncomment=(), edits=()):
        """Copies an example into the folder; returns its path there."""
        text = (EXAMPLES / name).read_text()
        for line in uncomment if self.checked_by_server else ():
            assert text.count("#" + line) == 1, (name, line)
            text = text.replace("#" + line, line)
        for old, new in (*edits, *self.edits.get(name, ())):
            assert old in text, (name, old)
            text = text.replace(old, new)
        for old, new in self.replaced:
            text = text.replace(str(old), str(new))
        path = self.folder / (as_name or name)
        path.write_text(text)
        return path

    def site(self, **kwargs):
        return self.example(
            f"{self.name}-{'tls' if self.tls else 'site'}.conf", **kwargs)

    def write_passwords(self):
        lines = []
        for credentials in (CREDENTIALS, OTHER):
            user, _, password = credentials.partition(":")
            lines.append(f"{user}:{password_hash(password)}\n")
        path = self.folder / "logplex-statsd.htpasswd"
        path.write_text("".join(lines))

    def environment(self):
        """The settings in logplex-statsd.env, read as systemd reads them."""
        env = self.example("logplex-statsd.env",
                           uncomment=['AUTH="remote-user"'])
        lines = [line for line in env.read_text().splitlines()
                 if line and not line.startswith("#")]
        pairs = (line.partition("=") for line in lines)
        return {**{k: v.strip('"') for k, _, v in pairs}, **self.settings}

    def start_responder(self):
        env = self.example("logplex-statsd.env",
                           uncomment=['AUTH="remote-user"'])
        with env.open("a") as f:
            f.writelines(f'{k}="{v}"\n' for k, v in self.settings.items())
        script = self.example("spawn-fcgi.sh", edits=[
            ("responders=2", f"responders={self.responders_wanted}")])
        tool("spawn-fcgi"), tool("/usr/bin/multiwatch")
        self.responder = Process(["/bin/sh", script])
        wait_until((self.folder / "logplex-statsd.sock").exists,
                   "spawn-fcgi made its socket", process=self.responder)

    # Its processes.

    def responders(self):
        """The pids of the program, whatever has started it."""
        pids = []
        for process in (self.process, self.responder):
            for pid in children(process.pid) if process else ():
                with contextlib.suppress(OSError):
                    comm = Path(f"/proc/{pid}/comm").read_text()
                    if comm == f"{self.binary.name[:15]}\n":
                        pids.append(pid)
        return pids

    @contextlib.contextmanager
    def stand_in(self, script):
        """Replaces the program by a script, which then becomes the program."""
        program = self.binary.rename(self.binary.with_suffix(".away"))
        self.binary.write_text(f"#!/bin/sh\n{script}\nexec {program}\n")
        self.binary.chmod(0o755)
        try:
            yield
        finally:
            program.rename(self.binary)

    def stand_ins(self):
        """The pids of those scripts."""
        pids = []
        for process in (self.process, self.responder):
            for pid in children(process.pid) if process else ():
                with contextlib.suppress(OSError):
                    if str(self.binary).encode() in Path(
                            f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                        pids.append(pid)
        return pids

    def logs(self):
        """{where: text}"""
        logs = {"the server's standard error": self.process.log()}
        if self.responder:
            logs["spawn-fcgi's standard error"] = self.responder.log()
        error_log = self.folder / "error.log"
        if error_log.exists():
            logs["the server's error log"] = \
                error_log.read_text(errors="replace")
        return logs

    def base(self, name, text):
        """The main configuration of the package, with the site included."""
        path = self.folder / name
        path.write_text(text)
        return path

    def settings_lines(self, directive):
        return "".join(f'{directive} {k} "{v}"\n'
                       for k, v in self.settings.items())


class Lighttpd(Server):
    name = "lighttpd"

    def start(self):
        self.example(self.files[0], "logplex-statsd.conf")
        self.example("lighttpd-password.conf", "logplex-statsd-password.conf",
                     uncomment=['setenv.set-environment += ( "AUTH"']
                     if self.cgi else [])
        site = self.site(uncomment=[
            'include "/etc/lighttpd/logplex-statsd-password.conf"'])
        conf = self.base("lighttpd.conf", f"""
server.modules = ( "mod_alias" )
server.feature-flags += ( "server.h2proto" => "enable" )
server.bind = "{self.folder}/main.sock"
server.document-root = "{self.folder}"
server.upload-dirs = ( "{self.folder}" )
server.errorlog = "{self.folder}/error.log"
{f'server.username = "{USER}"' if ROOTED else ''}
{f'server.groupname = "{GROUP}"' if ROOTED else ''}
include "{site}"
""")
        env = {} if self.external or self.cgi else self.environment()
        self.process = Process([tool("lighttpd"), "-D", "-f", conf], env=env)


class LighttpdFastcgi(Lighttpd):
    way = "lighttpd, mod_fastcgi, starts the responder"
    files = ("lighttpd-fastcgi.conf",)


class LighttpdSocket(Lighttpd):
    way = "lighttpd, mod_fastcgi, socket"
    files = ("lighttpd-socket.conf",)
    external = True


class LighttpdCgi(Lighttpd):
    way = "lighttpd, mod_cgi"
    files = ("lighttpd-cgi.conf",)
    cgi = True
    mounts = ("", "/drain", "/cgi-bin/logplex-statsd")

    def __init__(self, **kwargs):
        more = "".join(f'  "{k}" => "{v}",\n'
                       for k, v in kwargs.get("settings", {}).items())
        mark = "setenv.set-environment = (\n"
        kwargs["edits"] = {**kwargs.get("edits", {}), self.files[0]: [
            (mark, mark + more), *kwargs.get("edits", {}).get(
                self.files[0], [])]}
        super().__init__(**kwargs)


class Apache(Server):
    name = "apache"
    modules = ("mpm_event", "authn_core", "authz_core", "auth_basic",
               "authn_file", "authz_user", "alias", "env")
    more_modules = ()
    settings_directive = None
    base_lines = ""

    def start(self):
        path = self.example(self.files[0], "logplex-statsd.conf")
        if self.settings_directive:
            with path.open("a") as f:
                f.write(self.settings_lines(self.settings_directive))
        self.example("apache-password.conf", "logplex-statsd-password.conf")
        site = self.site(uncomment=[
            'Include "/etc/apache2/logplex-statsd-password.conf"'])
        modules = "".join(f"LoadModule {m}_module {MODULES}/mod_{m}.so\n"
                          for m in (*self.modules, *self.more_modules,
                                    *(("ssl", "http2") if self.tls else ())))
        for m in self.more_modules:
            if not Path(f"{MODULES}/mod_{m}.so").exists():
                raise AssertionError(
                    f"Apache's mod_{m} is not installed: run "
                    "bin/development-bootstrap --all")
        conf = self.base("apache.conf", f"""
ServerRoot "{self.folder}"
DefaultRuntimeDir "{self.folder}"
PidFile "{self.folder}/pid"
ServerName localhost
ErrorLog "{self.folder}/error.log"
User {USER}
Group {GROUP}
{modules}
{self.base_lines.format(folder=self.folder)}
{f"Listen {self.port}" if self.tls else ""}
<Directory />
  Require all denied
</Directory>
Include "{site}"
""")
        self.process = Process([tool("apache2"), "-DFOREGROUND", "-f", conf])


class ApacheCgi(Apache):
    way = "Apache, mod_cgid"
    streams = 1
    files = ("apache-cgi.conf",)
    cgi = True
    mounts = ("", "/drain", "/cgi-bin/logplex-statsd")
    more_modules = ("cgid",)
    settings_directive = "SetEnv"
    base_lines = 'ScriptSock "{folder}/cgid.sock"'


class ApacheFcgid(Apache):
    way = "Apache, mod_fcgid"
    files = ("apache-fcgid.conf",)
    more_modules = ("fcgid",)
    settings_directive = "FcgidInitialEnv"
    base_lines = ('FcgidIPCDir "{folder}/fcgid"\n'
                  'FcgidProcessTableFile "{folder}/fcgid_shm"')


class ApacheProxy(Apache):
    way = "Apache, mod_proxy_fcgi, socket"
    files = ("apache-proxy.conf",)
    external = True
    more_modules = ("proxy", "proxy_fcgi", "buffer")


class Nginx(Server):
    way = "nginx, socket"
    name = "nginx"
    files = ("nginx-socket.conf",)
    external = True

    def start(self):
        self.example("nginx-password.conf" if self.checked_by_server else
                     "nginx.conf", "logplex-statsd.conf")
        self.example("nginx-params.conf", "logplex-statsd-params.conf")
        self.example(self.files[0], "logplex-statsd-pass.conf")
        site = self.site()
        temp = "".join(f"{what}_temp_path {self.folder}/temp;\n" for what in (
            "client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        conf = self.base("nginx-main.conf", f"""
daemon off;
{f'user {USER} {GROUP};' if ROOTED else ''}
pid {self.folder}/pid;
error_log {self.folder}/error.log;
events {{ worker_connections 64; }}
http {{
{temp}
access_log off;
include {site};
}}
""")
        self.process = Process([tool("nginx"), "-p", self.folder, "-c", conf,
                                "-e", self.folder / "error.log"])


class NginxFcgiwrap(Nginx):
    way = "nginx, fcgiwrap"
    files = ("nginx-fcgiwrap.conf",)
    cgi = True

    def start_responder(self):
        # Like Debian's fcgiwrap.socket and fcgiwrap.service, with our program.
        unit = self.example("fcgiwrap.conf").read_text()
        frames = re.search("^Environment=(FRAMES_FILE)=(.*)$", unit, re.M)
        Path(frames[2]).parent.mkdir(mode=0o700)
        if ROOTED:
            shutil.chown(Path(frames[2]).parent, USER, GROUP)
        command = re.findall("^ExecStart=(.*)$", unit, re.M)[-1].split()
        self.responder = Process(
            [tool("spawn-fcgi"), "-n", "-s", self.folder / "logplex-statsd.sock",
             "-M", "0600", "-U", USER, "-G", GROUP, "-u", USER, "-g", GROUP,
             "--", tool(command[0]), *command[1:]],
            env={**self.environment(), frames[1]: frames[2]})
        wait_until((self.folder / "logplex-statsd.sock").exists,
                   "spawn-fcgi made its socket", process=self.responder)


class Caddy(Server):
    way = "Caddy, socket"
    name = "caddy"
    external = True
    hashes = {}  # bcrypt takes long at Caddy's cost: computed once

    def write_passwords(self):
        lines = []
        for credentials in (CREDENTIALS, OTHER):
            user, _, password = credentials.partition(":")
            if credentials not in self.hashes:
                self.hashes[credentials] = subprocess.run(
                    [tool("caddy"), "hash-password", "--plaintext", password],
                    check=True, capture_output=True, text=True).stdout.strip()
            lines.append(f"{user} {self.hashes[credentials]}\n")
        (self.folder / "logplex-statsd.users").write_text("".join(lines))

    def start(self):
        self.example("caddy-password.conf" if self.checked_by_server else
                     "caddy.conf", "logplex-statsd.conf")
        site = self.site()
        conf = self.base("Caddyfile", f"""
{{
	admin off
	auto_https off
}}
import {site}
""")
        self.process = Process(
            [tool("caddy"), "run", "--adapter", "caddyfile", "--config", conf],
            env={"HOME": str(self.folder)})


class Haproxy(Server):
    way = "HAProxy, socket"
    name = "haproxy"
    external = True
    streams = 16384
    responders_wanted = 8

    @property
    def replaced(self):
        # It has another root folder, as with Debian's haproxy.cfg.
        inside = [("unix@/run/", "unix@/")] if ROOTED else []
        return [*inside, *super().replaced]

    def write_passwords(self):
        lines = ["userlist logplex-statsd"]
        for credentials in (CREDENTIALS, OTHER):
            user, _, password = credentials.partition(":")
            lines.append(f"\tuser {user} password "
                         f"{password_hash(password, '-1')}")
        (self.folder / "users.cfg").write_text("\n".join(lines) + "\n")

    def start(self):
        main = self.base("haproxy.cfg", f"""
global
	log stderr local0
{f'	chroot {self.folder}' if ROOTED else ''}
{f'	user {USER}' if ROOTED else ''}
{f'	group {GROUP}' if ROOTED else ''}
defaults
	log global
	mode http
	timeout connect 5000
	timeout client 50000
	timeout server 50000
""")
        parts = [main, self.example("haproxy.conf", uncomment=[
            "set-param REMOTE_USER", "set-param AUTH_TYPE",
            "http-request auth"]), self.folder / "users.cfg", self.site()]
        self.process = Process([
            tool("haproxy"), "-db", *(a for p in parts for a in ("-f", p))])


class H2o(Server):
    way = "h2o, socket"
    external = True
    mounts = ("",)
    checks_passwords = False

    def start(self):
        edits = [("debian-h2o", USER)]
        if self.tls:
            text = (EXAMPLES / "h2o.conf").read_text()
            lines = text[text.index("#listen:"):text.index("hosts:")]
            edits += [("8080", str(free_port())),
                      (lines, lines.replace("#", ""))]
        conf = self.example("h2o.conf", edits=edits)
        self.process = Process([tool("h2o"), "-c", conf])

    @property
    def replaced(self):
        return [*super().replaced,
                *([] if ROOTED else [("user: ", "#user: ")])]


WAYS = (LighttpdFastcgi, LighttpdSocket, LighttpdCgi, ApacheCgi, ApacheFcgid,
        ApacheProxy, Nginx, NginxFcgiwrap, Caddy, Haproxy, H2o)
