"""From a POST to lighttpd, through netdata's statsd, to numbers and alerts in
Prometheus."""

import collections
import contextlib
import json
import math
import socket

import pytest

from lib.frames import frame
from lib.places import FIXTURES, ROOT
from lib.processes import wait_until
from lib.web import WebTest
from prometheus_stack import Netdata, Prometheus
from test_statsd_exporter import filled, metrics, series

DASHBOARD = ROOT / "docs" / "dashboards" / "grafana-prometheus.json"
FAMILIES = ("errors,loss,router,latency,timings,dynos,releases,addons,custom,"
            "drain")


def rows():
    """(app_name, procid, msg, lines) of each real line, and of an R15."""
    texts = (FIXTURES / "metric-lines.tsv").read_bytes().split(b"\n")[1:]
    table = (FIXTURES / "metric-lines.expected.tsv").read_text().split("\n")[1:]
    for text, row in zip(texts, table):
        if row:
            _, app_name, procid, plain, _ = row.split("\t")
            yield (app_name, procid, text.split(b"\t")[2],
                   [] if plain == "-" else plain.split(" "))
    yield ("heroku", "web.1", b"Error R15 (Memory quota vastly exceeded)",
           ["shop.heroku.errors.R15:1|c"])


def body():
    out = b""
    for app_name, procid, msg, _ in rows():
        message = b"<134>1 2024-01-01T00:00:00+00:00 host %s %s - %s\n" % (
            app_name.encode(), procid.encode(), msg)
        out += frame(message)
    return out


def as_netdata_has_it(name, labels):
    """The series in netdata: in lower case, and with memory not scaled."""
    if name.startswith("heroku_dyno_memory_"):
        name = name.replace("_bytes", "_mebibytes").replace("_ratio",
                                                            "_percent")
    if name.startswith("custom_"):
        name = name.lower()
    return name, tuple(sorted(
        (k, v if k in ("code", "le") else v.lower())
        for k, v in labels.items()))


# A line for each metric of the table, sent unchanged.
TABLE = [f"every-one.{filled(bucket)}:1|{kind}"
         for bucket, _, _, kind in metrics() if kind != "ms"]


def expected():
    """{(name, labels): value} of all counters, and of all gauges."""
    counters, gauges = collections.Counter(), {}
    lines = [*TABLE, *(line for row in rows() for line in row[3])]
    count = sum(1 for _ in rows())
    lines += ["shop.heroku.drain.batches:1|c",
              f"shop.heroku.drain.messages:{count}|c"]
    for line in lines:
        (name, labels, _), = series(line)
        key = as_netdata_has_it(name, labels)
        value = float(line.rpartition(":")[2].partition("|")[0])
        if line.endswith("|c"):
            counters[key] += value
        elif line.endswith("|g"):
            gauges[key] = value
    return counters, gauges


@pytest.mark.alone  # netdata drops datagrams while it has no processor
class ThroughNetdata(WebTest):
    @pytest.fixture(autouse=True, scope="class")
    def started(self, request, class_keep, tmp_path_factory):
        cls, folder = request.cls, tmp_path_factory.mktemp("prometheus")
        cls.netdata = class_keep(Netdata(folder))
        wait_until(cls.netdata.ready, "netdata", 30, cls.netdata)
        cls.prometheus = class_keep(Prometheus(folder, cls.netdata))
        wait_until(cls.prometheus.ready, "Prometheus", 30, cls.prometheus)
        # Wait until both jobs have been scraped, so that the counters appear
        # later.
        wait_until(lambda: [v for _, v in cls.prometheus.query("up")] == [1, 1],
                   "both jobs are up", 30, cls.prometheus)
        with cls.alone() as web:
            web.start_web(METRICS_CLUSTER=cls.netdata.uri + "?datagram=1432",
                          METRICS=FAMILIES, API_SECRET="open-sesame",
                          API_CREDENTIALS_HEAVEN=None)
            answer = web.post(body(), path="/shop/logs",
                              credentials="x:open-sesame")
            assert answer.status == 201, answer.raw
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto("\n".join(TABLE).encode(),
                     ("127.0.0.1", cls.netdata.port))

    def found(self):
        return {(m["__name__"], tuple(sorted(
                    (k, v) for k, v in m.items()
                    if k not in ("__name__", "job", "instance")))): value
                for m, value in self.prometheus.query(
                    '{app!="",__name__!~".*:.*|ALERTS.*"}')}

    def wrong(self):
        """The actual values that differ, with the expected ones. Counters are
        exact; of gauges, netdata keeps three decimals and seven digits."""
        counters, gauges = expected()
        wanted, found = {**counters, **gauges}, self.found()

        def right(key):
            if key in counters or key not in found or key not in wanted:
                return found.get(key) == wanted.get(key)
            return math.isclose(found[key], wanted[key], rel_tol=1e-6,
                                abs_tol=0.0011)
        return {key: (found.get(key), wanted.get(key))
                for key in {*found, *wanted} if not right(key)}

    def test_every_real_line_ends_as_its_numbers(self):
        counters, gauges = expected()
        assert len(counters) > 80
        assert len(gauges) > 150
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not self.wrong(), "the numbers", seconds=15)
        assert self.wrong() == {}

    def test_every_panel_of_the_dashboard_shows_something(self):
        expressions = [
            (panel["title"], target["expr"])
            for panel in json.loads(DASHBOARD.read_text())["panels"]
            for target in panel.get("targets", [])]
        assert len(expressions) > 18
        for title, expression in expressions:
            for app in ("shop", ".+"):
                filled_in = expression.replace("$application", app)
                assert "$" not in filled_in
                if app == "shop" and "skipped" in expression:
                    continue  # it had none
                if "up{" in expression:  # nothing is down
                    assert self.prometheus.query(filled_in) == []
                    continue
                with contextlib.suppress(AssertionError):
                    wait_until(lambda: self.prometheus.query(filled_in), title,
                               seconds=10)
                assert self.prometheus.query(filled_in) != [], title

    def test_the_dashboard_shows_the_application_that_was_chosen(self):
        board = json.loads(DASHBOARD.read_text())
        panel, = (p for p in board["panels"] if p["title"] == "Errors by code")
        expression = panel["targets"][0]["expr"]
        wait_until(lambda: self.prometheus.query(
            expression.replace("$application", "every-one")), "errors")
        assert self.prometheus.query(
                   expression.replace("$application", "every-one")) == \
            [({"code": "H12"}, 1)]

    def alerts(self):
        return {(m["alertname"], m["app"], m.get("code"))
                for m, _ in self.prometheus.query(
                    'ALERTS{alertstate="firing"}') if "app" in m}

    def test_the_first_error_is_an_alert(self):
        wanted = {("HerokuDynoKilled", "shop", "R15"),
                  ("HerokuAppDown", "shop", None),
                  ("HerokuMessagesLost", "shop", None),
                  ("HerokuErrorRatio", "shop", None)}
        with contextlib.suppress(AssertionError):
            wait_until(lambda: wanted <= self.alerts(), "alerts", seconds=15)
        assert wanted - self.alerts() == set()
        assert "HerokuNoHeartbeat" not in {name for name, *_ in self.alerts()}

    def test_errors_are_counted_from_the_first_on(self):
        def errors():
            return {m["code"]: v for m, v in self.prometheus.query(
                'app_code:heroku_errors:increase5m{app="shop"}')}
        wanted = {dict(labels)["code"]: value
                  for (name, labels), value in expected()[0].items()
                  if name == "heroku_errors_total" and
                  ("app", "shop") in labels}
        wait_until(lambda: errors() == wanted, "the errors", seconds=20)
