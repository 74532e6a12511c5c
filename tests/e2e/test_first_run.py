"""What --check and --explain show to users who set up the program."""

import hmac
import os
import re
import socket
import subprocess
import tempfile
import time

from lib.case import Case
from lib.collector import Collector
from lib.places import FIXTURES, PATH, PROGRAM, REFERENCE
from lib.ports import free_port
from lib.terminal import shown_by

SECRET = "0123456789abcdef"
LOG = (FIXTURES / "heroku-logs.txt").read_bytes()


def run(*args, stdin=b"", **env):
    full = {"PATH": PATH, "METRICS_CLUSTER": "statsd://127.0.0.1:9",
            "API_SECRET": SECRET, **env}
    return subprocess.run(
        [PROGRAM, *args], input=stdin, capture_output=True, timeout=20,
        env={k: v for k, v in full.items() if v is not None})


def check(*args, **env):
    """Standard output and standard error of --check, which succeeds."""
    done = run("--check", *args, **env)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return done.stdout.decode(), done.stderr.decode()


def warnings(**env):
    return check("--no-send", **env)[1]


class Probe(Case):
    def collector(self, *args):
        c = self.keep(Collector(*args))
        return c

    def test_somebody_listens(self):
        c = self.collector()
        out, err = check(METRICS_CLUSTER=c.uri)
        assert "a datagram was sent and not refused: something listens there\n" in \
            out
        assert err == ""
        assert c.settled() == [b""]

    def test_nobody_listens(self):
        port = free_port(socket.SOCK_DGRAM)
        out, _ = check(METRICS_CLUSTER=f"statsd://127.0.0.1:{port}")
        assert "a datagram was sent and refused: nothing listens there\n" in \
            out

    def test_a_signed_probe_verifies_and_holds_no_text(self):
        c = self.collector()
        check(METRICS_CLUSTER=c.uri.replace("//", "//u:key@"))
        datagrams = c.settled()
        assert [len(d) for d in datagrams] == [44]
        assert hmac.digest(b"key", datagrams[0][32:], "sha256") == datagrams[
            0][:32]

    def test_the_second_address_of_a_name_is_tried(self):
        names = {a[4][0] for a in socket.getaddrinfo("localhost", 1)}
        if "::1" not in names:  # if there is one address, both are the same
            assert names == {"127.0.0.1"}
        c = self.collector()
        out, _ = check(METRICS_CLUSTER=f"statsd://localhost:{c.port}")
        assert "something listens there\n" in out

    def test_ipv6(self):
        c = self.collector("::1")
        out, _ = check(METRICS_CLUSTER=c.uri)
        assert "something listens there\n" in out

    def test_nothing_is_sent_when_told_so(self):
        c = self.collector()
        out, _ = check("--no-send", METRICS_CLUSTER=c.uri)
        assert "datagram" not in out
        assert c.settled() == []

    def test_a_network_that_is_not_there(self):
        out, _ = check(METRICS_CLUSTER="statsd://[fe80::1]:8125")
        assert "a datagram could not be sent: " in out

    def test_a_broadcast_address_is_a_fault(self):
        c = self.collector()
        r = run("--check", METRICS_CLUSTER=f"{c.uri},statsd://255.255.255.255")
        assert (r.returncode, r.stdout) == (1, b"")
        assert b"nothing can be sent there" in r.stderr

    def test_elsewhere_silence_tells_nothing(self):
        # A loopback address that does not look like one.
        c = self.collector()
        began = time.monotonic()
        out, _ = check(METRICS_CLUSTER=f"statsd://[::ffff:127.0.0.1]:{c.port}")
        assert "there is no way to know whether it arrived\n" in out
        took = time.monotonic() - began
        assert 0.2 <= took < 5, took

    def test_no_time_is_lost_on_loopback(self):
        def took():
            began = time.monotonic()
            check()
            return time.monotonic() - began
        # The machine may be busy: one quick run of several is enough.
        assert min(took() for _ in range(5)) < 0.15


class Ports(Case):
    """An unused loopback address, on which no port is taken."""

    def warnings_with(self, listens, port):
        host = "127.{}.{}.{}".format(*(1 + b % 254 for b in os.urandom(3)))
        self.keep(Collector(host, listens))
        return check(METRICS_CLUSTER=f"statsd://{host}:{listens},"
                                     f"statsd://{host}{port}")[1]

    def test_statsd_has_its_own_default(self):
        assert (
            "collector 2: "
            "nothing listens on port 8126, but something does on 8125"
        ) in self.warnings_with(8125, "")

    def test_our_default_is_meant(self):
        assert "nothing listens on port 8125, but something does on 8126" in \
            self.warnings_with(8126, ":8125")

    def test_our_default_may_not_be_meant_where_nobody_listens(self):
        assert "nothing listens on port 8126; is it 8125" in \
            self.warnings_with(8127, "")

    def test_the_right_port_gives_no_warning(self):
        assert self.warnings_with(8125, ":8125") == ""


class Warnings(Case):
    def test_a_sound_configuration_gives_none(self):
        assert warnings(API_CREDENTIALS_HEAVEN="Aladdin:sesame") == ""

    def test_the_default_cluster_on_a_dyno(self):
        assert "this is a dyno" in warnings(METRICS_CLUSTER=None, DYNO="web.1")
        assert warnings(METRICS_CLUSTER=None) == ""
        assert warnings(DYNO="web.1") == ""

    def test_nobody_may_write(self):
        assert "every batch is answered 401" in warnings(API_SECRET=None)
        assert warnings(API_SECRET=None, API_CREDENTIALS_A="u:p") == ""

    def test_a_short_secret(self):
        assert "shorter than 16" in warnings(API_SECRET=SECRET[1:])

    def test_a_previous_secret_alone(self):
        assert "not accepted while API_SECRET is not set" in warnings(
            API_SECRET=None, API_PREVIOUS_SECRET=SECRET,
            API_CREDENTIALS_A="u:p")

    def test_what_no_drain_url_carries(self):
        for password in ["open sesame", "a:b", "a@b", "a/b", "a%40b", "a?b",
                         "a#b", "pä", "a\tb", 'a"b', "a[b", "/ab"]:
            said = warnings(API_CREDENTIALS_HEAVEN="Aladdin:" + password)
            assert "API_CREDENTIALS_HEAVEN: a drain URL" in said
            assert password not in said
        assert "API_SECRET: a drain URL" in warnings(API_SECRET=SECRET + "@")
        assert warnings(API_CREDENTIALS_A="u.-_~!$:aZ09-._~!$&'()*+,;=") == ""

    def test_a_variable_that_looks_like_one_of_ours(self):
        said = warnings(METRIC_CLUSTER="statsd://u:hush@h", APP="x")
        assert said == (
            "warning: METRIC_CLUSTER: not a variable of "
            "this program; is it misspelt?\n")

    def test_a_port_left_out(self):
        assert warnings(METRICS_CLUSTER="statsd://u:k3y@127.0.0.1/a") == (
            "warning: METRICS_CLUSTER: collector 1, statsd://***@127.0.0.1/a: "
            "no port given: 8126 is used, but statsd itself listens on 8125 "
            "by default\n")

    def test_an_empty_user(self):
        assert "the user is empty" in warnings(API_CREDENTIALS_A=":p")

    def test_two_variables_for_one_name(self):
        said = warnings(**{"API_CREDENTIALS_MY-APP": "u:p",
                           "API_CREDENTIALS_MY_APP": "u:p"})
        assert (
            "API_CREDENTIALS_MY-APP: API_CREDENTIALS_MY_APP is also " "set"
        ) in said
        assert warnings(**{"API_CREDENTIALS_MY-APP": "u:p"}) == ""

    def test_with_remote_user_passwords_are_not_ours(self):
        said = warnings(AUTH="remote-user", API_SECRET=None,
                        API_CREDENTIALS_A="u:a b")
        assert "warning: AUTH=remote-user" in said
        assert said.count("\n") == 1

    def test_no_secret_is_shown(self):
        out, err = check(
            METRICS_CLUSTER="statsd://u:k3y@127.0.0.1:9", API_SECRET="s3cret@",
            API_CREDENTIALS_A="us3r:p4ss word",
            API_PREVIOUS_CREDENTIALS_A="us3r:0ld")
        for secret in ["k3y", "s3cret", "us3r", "p4ss", "0ld"]:
            assert secret not in out + err


class Summary(Case):
    """The last line, and the effect of --strict."""

    def merged(self, *args, **env):
        """Both streams as a terminal shows them, and the exit status."""
        with tempfile.TemporaryFile() as out:
            status = subprocess.run(
                [PROGRAM, "--check", "--no-send", *args], stdout=out,
                stderr=out, timeout=20,
                env={"METRICS_CLUSTER": "statsd://127.0.0.1:9",
                     "API_CREDENTIALS_A": "u:p", **env}).returncode
            out.seek(0)
            return out.read().decode().splitlines(), status

    def test_counts_the_warnings(self):
        lines, status = self.merged()
        assert (lines[-1], status) == ("no warnings", 0)
        lines, status = self.merged(API_SECRETS="x")
        assert (lines[-1], status) == ("1 warning", 0)
        assert lines[-2].startswith("warning: API_SECRETS: ")
        lines, status = self.merged(API_SECRETS="x", METRIC_CLUSTER="y")
        assert (lines[-1], status) == ("2 warnings", 0)

    def test_strict(self):
        assert self.merged("--strict")[1] == 0
        lines, status = self.merged("--strict", API_SECRETS="x")
        assert (lines[-1], status) == ("1 warning", 1)

    def test_faults_come_alone(self):
        lines, status = self.merged(LEVELS="x", API_SECRETS="x")
        assert (len(lines), status) == (1, 1)

    def test_nobody_listens(self):
        port = free_port(socket.SOCK_DGRAM)
        done = run("--check", "--strict",
                   METRICS_CLUSTER=f"statsd://127.0.0.1:{port}")
        assert done.returncode == 1
        assert done.stderr.decode() == \
            f"warning: collector 1: nothing listens on port {port}\n"


class DrainUrl(Case):
    def test_of_each_application(self):
        out, _ = check("--no-send", API_CREDENTIALS_MY_APP="u:p")
        assert (
            "application MY_APP: has its own credentials\n"
            "  drain URL: https://USER:PASSWORD@HOST/my-app/logs\n"
        ) in out
        assert "share these" in out
        assert (
            "all other applications: API_SECRET\n"
            "  drain URL: https://drain:API_SECRET@HOST/APPLICATION/logs\n"
        ) in out

    def test_with_a_base_path(self):
        out, _ = check("--no-send", API_CREDENTIALS_A="u:p",
                       BASE_PATH="/drain/")
        assert "https://USER:PASSWORD@HOST/drain/a/logs\n" in out


class Explain(Case):
    def on_terminal(self, body=REFERENCE, **env):
        with tempfile.NamedTemporaryFile() as file:
            file.write(body)
            file.flush()
            return shown_by([PROGRAM, "--explain", file.name],
                            env={"PATH": PATH, **env})

    def test_a_summary_goes_to_standard_error(self):
        done = run("--explain", stdin=REFERENCE)
        assert done.stderr == \
            b"5 messages: 4 platform errors, 4 lines, 0 skipped\n"

    def test_a_fault_is_summed_up(self):
        done = run("--explain", stdin=REFERENCE + b"x")
        assert done.returncode == 1
        assert b"in message 6, at byte 536: " in done.stderr

    def test_colour_and_a_head_on_a_terminal_alone(self):
        plain = run("--explain", stdin=REFERENCE,
                    METRICS_CLUSTER=None).stdout.decode()
        shown = self.on_terminal(TERM="xterm")
        assert "\x1b" not in plain
        assert "1\t0\t\x1b[32mrouter\x1b[0m\t" in self.on_terminal(
            LOG, TERM="xterm", METRICS="router")
        assert "5\t410\t\x1b[1;31mH12\x1b[0m\trouter line\t\t" in shown
        bare = re.sub(r"\x1b\[[0-9;]*m", "", shown)
        head, _, rest = re.sub(r"\t+", "\t", bare).partition("\n")
        assert head == "number\toffset\tverdict\twhy\ttext"
        assert rest == plain

    def test_columns_line_up_on_a_terminal(self):
        for metrics, column in (("errors", 48), ("errors,router", 56)):
            shown = self.on_terminal(LOG, METRICS=metrics, NO_COLOR="1",
                                     LEVELS="error,warning,info")
            rows = shown.partition("\n\n")[0].split("\n")
            assert len(rows) == 1 + LOG.count(b"\n")
            for row in rows:
                start, *_ = row.rpartition("\t")
                assert len((start + "\t").expandtabs()) == column, shown

    def test_no_colour_where_it_is_not_wanted(self):
        assert "\x1b" not in self.on_terminal(NO_COLOR="1")
        assert "\x1b" not in self.on_terminal(TERM="dumb")
        assert "\x1b" in self.on_terminal(NO_COLOR="")
