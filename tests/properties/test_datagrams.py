"""Random batches of all families, sent through lighttpd: each collector
receives the datagrams of the second implementation, in the same order. Some
batches come again, some of these with a new L10 in front; some are refused."""

import json
import os
import random

import pytest

import families
from lib.collector import Collector
from lib.frames import frame
from lib.http import request
from lib.web import WebTest
from lines import Lines
from naive import Fault

BATCHES = 300
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
SECRET = "open-sesame"
RULES = families.Rules(frozenset(families.FAMILIES))
TAGS = [("env", "test")]
APPS = {"shop": "shop.live", "my-app": "my-app"}
L10 = (b"<172>1 2024 host heroku logplex - Error L10 (output buffer overflow): "
       b"7 messages dropped since 2024.")


class Datagrams(WebTest):
    OPTIONS = ["", "/p/q?datagram=1432", "/r?tags=dogstatsd&datagram=2000"]

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.random = random.Random(SEED)
        self.wanted = [[] for _ in self.OPTIONS]
        ours = [Collector() for _ in self.OPTIONS]
        for collector in ours:
            self.keep(collector)
        self.start_web(
            METRICS_CLUSTER=",".join(c.uri + o for c, o in
                                     zip(ours, self.OPTIONS)),
            METRICS=",".join(families.FAMILIES), TAGS="env:test",
            API_CREDENTIALS_HEAVEN=None, API_SECRET=SECRET,
            PREFIX_SHOP="shop.live")
        self.ours = ours

    def expect(self, app, counted):
        """Notes the datagrams expected from the lines of one request."""
        lines = [[] for _ in self.OPTIONS]
        for sample, value in counted.lines():
            owner = families.owner(APPS[app], sample, range(len(lines)))
            lines[owner].append(
                "r." + families.tagged(APPS[app], sample, value, TAGS)
                if owner == 2 else ["", "p.q."][owner] +
                families.plain(APPS[app], sample, value))
        for wanted, of, size in zip(self.wanted, lines, (0, 1432, 2000)):
            wanted += families.packed(of, size)

    def post_batch(self, app, body, frame_id, status=201):
        answer = request(self.port, path=f"/{app}/logs", body=body,
                         credentials="x:" + SECRET,
                         headers=[f"Logplex-Frame-Id: {frame_id}"])
        assert answer.status == status, (SEED, answer.raw)
        return json.loads(answer.body)

    def again(self, app, body, frame_id):
        """Sends the same batch, perhaps with a new L10."""
        counted = families.Request(RULES.families)
        if self.random.random() < 0.5:
            body = frame(L10) + body
            if not families.begins_with_l10(body[len(L10) + 4:], RULES):
                counted.add_message(families.samples(L10, RULES))
        counted.add_message(families.drain(duplicates=1))
        self.expect(app, counted)
        assert self.post_batch(app, body, frame_id)["duplicate"]

    def test_what_arrives_is_what_the_model_says(self):
        batches = iter(Lines(self.random))
        for number in range(BATCHES):
            body, app = next(batches), self.random.choice(list(APPS))
            try:
                counted = families.request(body, RULES)
            except Fault:
                counted = families.Request(RULES.families)
                counted.add_message(families.drain(refused=1))
                self.expect(app, counted)
                self.post_batch(app, body, number, 422)
                continue
            self.expect(app, counted)
            self.post_batch(app, body, number)
            if self.random.random() < 0.2:
                self.again(app, body, number)
        for collector, wanted in zip(self.ours, self.wanted):
            got = [d.decode("ascii") for d in collector.settled()]
            assert len(wanted) > BATCHES / 3
            assert got == wanted, SEED
