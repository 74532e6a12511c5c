"""Senders other than Logplex: what docs/senders.md says about log-shuttle, with
requests like those that it sends."""

import gzip

from lib import frames
from lib.http import build_request, chunked, connect, read_answer
from lib.places import CREDENTIALS
from lib.web import WebTest

USER_AGENT = "log-shuttle/v0.20.0 (go1.21; linux; amd64)"
H12 = b'at=error code=H12 desc="Request timeout" method=GET path="/"\n'


def frame(header, text):
    return frames.frame(
        b"<190>1 2024-01-01T00:00:00.000000+00:00 " + header + b" " + text)


def raw(text):
    """The frame that log-shuttle makes of a line of its standard input."""
    return frame(b"shuttle token shuttle - -", text)


class LogShuttle(WebTest):
    def send(self, body, headers=(), credentials=CREDENTIALS):
        with connect(self.port) as s:
            s.sendall(build_request(
                credentials=credentials, length=False, close=False, headers=[
                    f"User-Agent: {USER_AGENT}", "Logplex-Msg-Count: 2",
                    "X-Request-Id: 59da6323-2bc4-4143-8677-cc66ccfb115f",
                    "Transfer-Encoding: chunked", *headers]) +
                chunked(body, 32768))
            return read_answer(s).status

    def test_counts_lines_and_its_own_losses(self):
        self.start_web()
        body = raw(H12) + raw(b"hello\n") + frame(
            b"shuttle token log-shuttle - -",
            b"Error L12: 222 messages dropped since "
            b"2013-11-04T21:31:32.125756+00:00.\n") + frame(
            b"shuttle token log-shuttle - -",
            b"Error L13: 111 messages lost since "
            b"2013-11-04T21:31:32.125756+00:00.\n")
        assert self.send(body) == 201
        assert self.counters() == [f"heaven.heroku.errors.{code}:1|c"
                                   for code in ("H12", "L12", "L13")]

    def test_batch_of_its_500_lines_of_10_kb(self):
        self.start_web()
        assert self.send(raw(H12.ljust(10000)) * 500) == 201
        assert self.counters() == ["heaven.heroku.errors.H12:500|c"]

    def test_batch_that_comes_again_counts_again(self):
        self.start_web()
        for _ in range(2):
            assert self.send(raw(H12)) == 201
        assert self.counters() == ["heaven.heroku.errors.H12:1|c"] * 2

    def test_gzip_is_refused(self):
        self.start_web()
        assert self.send(gzip.compress(raw(H12)),
                         ["Content-Encoding: gzip"]) == \
            415
        self.assert_nothing_counted()

    def test_bearer_token_is_refused(self):
        self.start_web()
        assert self.send(raw(H12), ["Authorization: Bearer open sesame"],
                         credentials=None) == \
            401
        self.assert_nothing_counted()

    def test_user_that_it_makes_up_is_refused(self):
        self.start_web()
        assert self.send(raw(H12), credentials="token:token") == 401
        self.assert_nothing_counted()

    def test_platform_only_counts_its_own_losses_and_what_is_named_heroku(self):
        self.start_web(PLATFORM_ONLY="1")
        assert self.send(
                raw(H12) + frame(b"shuttle heroku shuttle - -", H12) +
                frame(b"shuttle token log-shuttle - -", b"Error L13: 111 messages lost since 2013.\n")) == 201
        assert self.counters() == ["heaven.heroku.errors.H12:1|c",
                                   "heaven.heroku.errors.L13:1|c"]
