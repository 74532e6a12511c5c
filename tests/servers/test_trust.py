"""AUTH=remote-user trusts the web server: the ways described in
docs/web-servers.md in which a client can deceive each server, shown with the
real servers, and the program's own warning."""

import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest

from lib import fastcgi
from lib.case import Case
from lib.collector import Sink
from lib.http import request
from lib.places import CREDENTIALS, PROGRAM, REFERENCE
from lib.processes import Process
from servers import (ApacheCgi, ApacheProxy, Caddy, Haproxy, LighttpdSocket,
                     Nginx, Server)

WRONG = "Aladdin:wrong"
LOCATION = "location / {\n"
PARAMS = "\tinclude /etc/nginx/logplex-statsd-params.conf;\n"


class TrustTest(Case):
    def start(self, server_class, *edits, checked_by_server=True):
        """edits: (file, old, new)"""
        by_file = {}
        for name, old, new in edits:
            by_file.setdefault(name, []).append((old, new))
        server = self.keep(server_class(checked_by_server=checked_by_server,
                                        edits=by_file))
        return server

    def status(self, server, **kwargs):
        kwargs.setdefault("credentials", None)
        answer = request(server.port, body=REFERENCE, **kwargs)
        counted = sum(len(sink.take()) for sink in server.sinks)
        assert counted == (4 if answer.status == 201 else 0)
        return answer.status


class NginxTrust(TrustTest):
    def test_debians_parameters_alone_are_not_believed(self):
        # They contain the REMOTE_USER that the client claims, but no
        # AUTH_TYPE.
        server = self.start(
            Nginx, ("nginx-password.conf", "/etc/nginx/logplex-statsd-params"
                    ".conf;", "/usr/share/nginx-fastcgi_params;\n"
                    "fastcgi_pass unix:/run/logplex-statsd.sock;"),
            ("nginx-password.conf", 'auth_basic           "logplex-statsd";',
             "auth_basic off;"),
            ("nginx-password.conf", "fastcgi_param AUTH_TYPE   Basic;", ""))
        assert self.status(server, credentials=WRONG) == 401

    def test_user_and_type_without_a_password_check_let_anybody_in(self):
        server = self.start(
            Nginx, ("nginx-password.conf", 'auth_basic           "logplex-statsd";',
                    "auth_basic off;"))
        assert self.status(server, credentials=WRONG) == 201

    def test_satisfy_any_lets_anybody_in(self):
        server = self.start(Nginx, ("nginx-password.conf", LOCATION, LOCATION +
                                    "satisfy any; allow 127.0.0.1;\n"))
        assert self.status(server, credentials=WRONG) == 201

    def test_subrequest_that_asks_another_lets_anybody_in(self):
        server = self.start(
            Nginx, ("nginx-password.conf", 'auth_basic           "logplex-statsd";',
                    "auth_request /asked;"),
            ("nginx-password.conf", LOCATION,
             "location = /asked { return 204; }\n" + LOCATION))
        assert self.status(server, credentials=WRONG) == 201

    def test_parameter_that_comes_twice_counts_as_its_last_value(self):
        twice = ("\tinclude /usr/share/nginx-fastcgi_params;\n"
                 "\tfastcgi_param REMOTE_USER \"\";\n"
                 "\tfastcgi_param AUTH_TYPE Basic;\n")
        server = self.start(Nginx, ("nginx.conf", LOCATION, LOCATION + twice),
                            checked_by_server=False)
        # SCRIPT_NAME is the whole path first, and then empty.
        assert self.status(server, credentials=CREDENTIALS) == 201
        # REMOTE_USER is Aladdin first, and then empty.
        server = self.start(
            Nginx, ("nginx-password.conf", LOCATION, LOCATION),
            ("nginx-password.conf", 'auth_basic           "logplex-statsd";',
             "auth_basic off;"),
            ("nginx-password.conf", "fastcgi_param REMOTE_USER $remote_user;",
             twice))
        assert self.status(server, credentials=WRONG) == 401

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        # The package's own file, independent of the test's folder.
        package = Path("/etc/nginx/fastcgi_params")
        assert "$remote_user" in package.read_text()
        self._replaced = Nginx.replaced
        original = Server.replaced.fget
        Nginx.replaced = property(lambda s: [
            *original(s), ("/usr/share/nginx-fastcgi_params", package)])
        self.at_end(delattr, Nginx, "replaced")


class ApacheTrust(TrustTest):
    LINES = 'SetEnvIf X-Remote-User "(.+)" REMOTE_USER=$1\n'
    GUARD = ("apache-password.conf", "  Require valid-user\n",
             "  Require all granted\n")

    def setenvif(self, *lines):
        mark = "ScriptAlias \"/cgi-bin"
        self.at_end(setattr, ApacheCgi, "more_modules",
                        ApacheCgi.more_modules)
        ApacheCgi.more_modules = (*ApacheCgi.more_modules, "setenvif")
        return self.start(ApacheCgi, self.GUARD, (
            "apache-cgi.conf", mark, "".join(lines) + mark))

    def test_require_all_granted_gives_no_user(self):
        server = self.start(ApacheCgi, self.GUARD)
        assert self.status(server, credentials=WRONG) == 401

    def test_remote_user_from_a_header_is_not_believed_alone(self):
        server = self.setenvif(self.LINES)
        assert self.status(server, headers=["X-Remote-User: Aladdin"]) == 401

    def test_remote_user_and_type_from_a_header_let_anybody_in(self):
        server = self.setenvif(self.LINES, "SetEnv AUTH_TYPE Basic\n")
        assert self.status(server, headers=["X-Remote-User: Aladdin"]) == 201

    def test_proxy_parameters_from_a_header_let_anybody_in(self):
        mark = '<Location "/drain/">'
        server = self.start(ApacheProxy, self.GUARD, (
            "apache-proxy.conf", mark,
            'ProxyFCGISetEnvIf "true" REMOTE_USER "%{HTTP:X-Remote-User}"\n'
            'ProxyFCGISetEnvIf "true" AUTH_TYPE "Basic"\n' + mark))
        assert self.status(server, headers=["X-Remote-User: Aladdin"]) == 201


class LighttpdTrust(TrustTest):
    def test_guard_loaded_last_lets_nobody_in(self):
        server = self.start(
            LighttpdSocket, ("lighttpd-site.conf",
                             '"mod_auth", "mod_authn_file", ', ""),
            ("lighttpd-site.conf", '"mod_fastcgi"',
             '"mod_fastcgi", "mod_auth", "mod_authn_file"'))
        assert self.status(server, credentials=WRONG) == 401
        assert self.status(server) == 401

    def test_environment_that_names_a_user_lets_anybody_in(self):
        server = self.start(
            LighttpdSocket, ("lighttpd-site.conf", '"mod_auth",', ""),
            ("lighttpd-site.conf",
             '  include "/etc/lighttpd/logplex-statsd-password.conf"',
             '  setenv.set-environment = ( "REMOTE_USER" => "Aladdin",\n'
             '    "AUTH_TYPE" => "Basic" )'))
        assert self.status(server) == 201


class CaddyTrust(TrustTest):
    GUARD = ("caddy-password.conf",
             "basicauth {\n\timport /etc/logplex-statsd.users\n}\n", "")

    def test_without_basicauth_nobody_is_let_in(self):
        server = self.start(Caddy, self.GUARD)
        assert self.status(server, credentials=WRONG) == 401

    def test_remote_user_from_a_header_lets_anybody_in(self):
        server = self.start(
            Caddy, self.GUARD,
            ("caddy-password.conf", "env AUTH_TYPE Basic",
             "env AUTH_TYPE Basic\n"
             "env REMOTE_USER {http.request.header.X-Remote-User}"))
        assert self.status(server, headers=["X-Remote-User: Aladdin"]) == 201


class HaproxyTrust(TrustTest):
    def test_user_and_type_without_a_password_check_let_anybody_in(self):
        server = self.start(Haproxy, (
            "haproxy.conf", "http-request auth", "#http-request auth"))
        assert self.status(server, credentials=WRONG) == 201
        assert self.status(server) == 401


class SocketTrust(Case):
    """Anyone who can connect to the socket can claim to be any user."""

    def responder(self, family=socket.AF_UNIX, mode=0o600, auth="remote-user",
                  args=()):
        folder = tempfile.mkdtemp(prefix="logplex-statsd-socket-")
        self.at_end(shutil.rmtree, folder)
        s = self.keep(socket.socket(family))
        s.bind(("127.0.0.1", 0) if family == socket.AF_INET
               else folder + "/socket")
        if family == socket.AF_UNIX:
            os.chmod(folder + "/socket", mode)
        s.listen()
        self.sink = self.keep(Sink())
        env = {"METRICS_CLUSTER": self.sink.uri,
               "API_CREDENTIALS_HEAVEN": CREDENTIALS}
        if auth is not None:
            env["AUTH"] = auth
        process = self.keep(Process([PROGRAM, *args], env=env, stdin=s))
        self.address = s.getsockname()
        return process

    def exposed(self, **kwargs):
        process = self.responder(**kwargs)
        s = socket.socket(kwargs.get("family", socket.AF_UNIX))
        with s:
            s.connect(self.address)
            s.sendall(fastcgi.message(REMOTE_USER="Aladdin",
                                      AUTH_TYPE="Basic", credentials="no:one"))
            answer = fastcgi.read_reply(s)
        assert answer.status == (
            401 if kwargs.get("auth", "remote-user") is None else 201)
        return "event=exposed" in process.log()

    def test_tcp_port_is_logged(self):
        assert self.exposed(family=socket.AF_INET)

    def test_socket_that_everybody_may_open_is_logged(self):
        assert self.exposed(mode=0o666)

    def test_private_socket_is_not(self):
        assert not self.exposed(mode=0o600)
        assert not self.exposed(mode=0o660)

    def test_none_matters_where_the_program_checks(self):
        assert not self.exposed(family=socket.AF_INET, auth=None)

    def check(self, **kwargs):
        process = self.responder(args=["--check"], **kwargs)
        assert process.wait(10) == 0, process.log()
        return process.log()

    def test_check_says_what_the_web_server_must_do(self):
        log = self.check()
        assert "warning: AUTH=remote-user" in log
        assert "docs/web-servers.md" in log
        assert "socket's mode" not in log
        assert "remote-user" not in self.check(auth=None)

    def test_check_looks_at_the_socket(self):
        assert "give it a unix socket" in self.check(family=socket.AF_INET)
        assert "socket's mode" in self.check(mode=0o666)
