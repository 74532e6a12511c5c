"""The short form of make bench: what it measures works as it should.  No time
is judged."""

import tempfile

import pytest

from bench import (Server, VARIANTS, http, make_bodies, memory, run, start,
                   system_calls, unread)
from lib.case import Case
from lib.places import PROGRAM, REFERENCE


class Bench(Case):
    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-bench-")
        self.at_end(folder.cleanup)
        self.folder = folder.name
        self.sink = self.keep(unread())

    def test_bodies_are_the_same_every_time(self):
        body, = make_bodies(self.folder, (1000,))
        assert (body.bytes, body.errors, body.codes) == (275860, 30, 8)

    def test_recognises_every_body_it_times(self):
        run("recognise", 0)

    def test_allocates_nothing_between_body_and_answer(self):
        run("requests", 0)

    def test_starts_as_cgi_and_tells_its_version(self):
        start(self.folder, self.sink, 0)

    def test_makes_no_needless_system_call(self):
        rows = system_calls(self.folder, 3)
        # Accepting, two to write (to libfcgi's pipe and the answer), closing;
        # a wait and two to receive, and the same once more if the web server
        # had not written all yet; a datagram for each code; more reads for a
        # longer body; and once a second a look at a collector's route.
        for body, calls in rows:
            route = [calls[call] for call in
                     ("socket", "connect", "getsockname")]
            waits = calls["ppoll"] + calls["recvfrom"]
            others = sum(calls.values()) - waits - sum(
                calls[call] for call in ("sendto", "read", "readv"))
            assert others - sum(route) - route[0] <= 4 * 3, calls
            assert waits <= 5 * 3, calls

    def test_memory_does_not_grow(self):
        _, once, many = memory(self.folder, self.sink, 30)
        assert many[1] < once[1] + 256

    def test_serves_under_load_as_the_null_responder_does(self):
        http(self.folder, self.sink, 1, 1, (10, 1000))

    @pytest.mark.parametrize("name, edit", VARIANTS.items())
    def test_serves_under_load_with_every_variant_of_the_configuration(
            self, name, edit):
        server = self.keep(
            Server(self.folder, PROGRAM, self.sink.uri, edit))
        server.post([REFERENCE] * 3)
