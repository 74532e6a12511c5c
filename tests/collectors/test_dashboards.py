"""Every expression in docs/dashboards, evaluated by a Graphite with known
numbers, which were posted to lighttpd and came through statsd."""

import collections
import csv
import io
import json
import operator
import re
import shlex
import statistics
import subprocess
import time
import urllib.parse

import pytest

from lib.http import connect
from lib.places import PATH, ROOT
from lib.ports import free_port
from lib.processes import wait_until
from lib.web import WebTest
from stack import Carbon, Graphite, Statsd, start

FOLDER = ROOT / "docs" / "dashboards"
COUNTS = {
    ("shop", "H12"): 30, ("shop", "R15"): 2, ("shop", "R14"): 3,
    ("shop", "L10"): 1, ("shop", "H27"): 8, ("billing", "H10"): 4,
    ("billing", "H12"): 6, ("my-app", "H27"): 5, ("my-app", "R151"): 1}
APPS = {app for app, _ in COUNTS}


# Requests without a platform error: the status, and how many took how many
# ms.
REQUESTS = {
    "shop": {(200, 40): 400, (200, 200): 150, (304, 450): 200, (404, 800): 120,
             (500, 2000): 80, (200, 6000): 20, (101, 354198): 3},
    "billing": {(200, 600): 90}}
ROUTER = {  # the router's line about a request that failed
    "H10": "at=error code=H10 desc=x connect= service= status=503 bytes=",
    "H12": "at=error code=H12 desc=x connect=1ms service=30000ms status=503"
           " bytes=0",
    "H27": "sock=client at=warning code=H27 desc=x connect=1ms service=1200ms"
           " status=499 bytes=0"}
DYNOS = {  # the platform's line about a dyno
    "shop": [("web.1", "sample#memory_total=480.00MB"
                       " sample#memory_quota=512.00MB"),
             ("web.2", "sample#memory_total=128.00MB"
                       " sample#memory_quota=512.00MB"),
             *[("web.1", "State changed from up to crashed")] * 2,
             *[("web.1", "State changed from crashed to starting")] * 3,
             *[("web.1", "Process exited with status 137")] * 2,
             ("run.7", "Process exited with status 0")],
    "billing": [("worker.1", "Process running mem=870M(170.1%)")],
    "my-app": []}
LOST = 500  # the number of messages in the L10
BOUNDS = [100, 250, 500, 1000, 2500, 5000, 10000, 30000]
# The last batch of this one came a while ago.
GONE = "gone"


def framed(process, text):
    message = f"<158>1 2026-11-23T00:00:00+00:00 host heroku {process} - {text}"
    return f"{len(message)} {message}".encode()


def body_of(app):
    out = b""
    for (owner, code), n in COUNTS.items():
        if owner != app:
            continue
        if code in ROUTER:
            out += framed("router", ROUTER[code]) * n
        else:
            out += framed("logplex" if code[0] == "L" else "web.1",
                          f"Error {code} (x): {LOST} messages dropped") * n
    for (status, service), n in REQUESTS.get(app, {}).items():
        out += framed("router", "at=info method=GET path=/ connect=0ms "
                      f"service={service}ms status={status} bytes=9") * n
    return out + b"".join(framed(*said) for said in DYNOS[app])


def answered(app):
    """The time of each request of an application, as far as the counters have
    it: without WebSockets and requests that no dyno got."""
    took = [service for (status, service), n in REQUESTS.get(app, {}).items()
            for _ in range(n) if status != 101]
    return took + [30000] * COUNTS.get((app, "H12"), 0) + \
        [1200] * COUNTS.get((app, "H27"), 0)


def requests_of(app):
    return sum(REQUESTS.get(app, {}).values()) + \
        sum(n for (a, code), n in COUNTS.items() if a == app and code[0] == "H")


def percentile_95(app):
    """A percentile, interpolated in the bucket that holds it."""
    took, below, low = answered(app), 0, 0
    wanted = 0.95 * len(took)
    for bound in BOUNDS:
        within = sum(ms <= bound for ms in took)
        if within >= wanted:
            return low + (bound - low) * (wanted - below) / (within - below)
        low, below = bound, within
    return low


def share(app, matches):
    took = answered(app)
    return 100 * sum(map(matches, took)) / len(took)


def by(part, matches=lambda app, code: True):
    """COUNTS added up by application (0) or by code (1)."""
    sums = collections.Counter()
    for key, n in COUNTS.items():
        if matches(*key):
            sums[key[part]] += n
    return dict(sums)


def failed(app, code):
    return code[0] == "H" and code not in ("H27", "H28") and code < "H4"


class DashboardTest(WebTest):
    @classmethod
    def start_graphite(cls, path, keep):
        cls.carbon = keep(Carbon(path, "1s:2h"))
        start([cls.carbon])
        cls.statsd = keep(Statsd(path, cls.carbon))
        cls.graphite = keep(Graphite(path, cls.carbon))
        start([cls.statsd, cls.graphite])

    @classmethod
    def fill_graphite(cls, web):
        """Posts COUNTS."""
        web.start_web(METRICS_CLUSTER=cls.statsd.uri + "?datagram=1432",
                      METRICS="errors,loss,router,latency,dynos,drain",
                      API_SECRET="open-sesame", API_CREDENTIALS_HEAVEN=None)
        # A ratio of two sums is unambiguous only within one step of time.
        left = -time.time() % 300
        if left < 15:
            time.sleep(left)
        for app in APPS:
            answer = web.post(body_of(app), path=f"/{app}/logs",
                              credentials="x:open-sesame")
            assert answer.status == 201, answer.raw
        with connect(cls.carbon.port) as s:
            s.sendall(f"stats.counters.{GONE}.heroku.drain.batches.count 5 "
                      f"{int(time.time()) - 1800}\n".encode())
        wait_until(lambda: cls.sums(
            "sumSeries(stats.counters.*.heroku.errors.*.count)") ==
            [sum(COUNTS.values())], "Graphite has all")
        wait_until(lambda: cls.sums(
            "sumSeries(stats.counters.*.heroku.drain.batches.count)") ==
            [len(APPS)], "Graphite has the batches")

    @classmethod
    def sums_by_name(cls, target, **parameters):
        return {s["target"]: sum(v or 0 for v, _ in s["datapoints"])
                for s in cls.graphite.render(target, **parameters)}

    @classmethod
    def sums(cls, target):
        return list(cls.sums_by_name(target).values())

    def assert_numbers(self, got, wanted, what):
        assert got.keys() == wanted.keys(), what
        for name, number in wanted.items():
            assert abs(got[name] - number) <= 0.01


@pytest.fixture(autouse=True, scope="module")
def graphite(module_keep, tmp_path_factory):
    """The base class of all tests here."""
    DashboardTest.start_graphite(tmp_path_factory.mktemp("graphite"),
                                 module_keep)
    with DashboardTest.alone() as web:
        DashboardTest.fill_graphite(web)
        yield


class Grafana(DashboardTest):
    PANELS = {
        "Lost messages": by(1, lambda a, c: c == "L10"),
        "Failed requests": by(1, failed),
        "Killed dynos": by(1, lambda a, c: c == "R15"),
        "Errors by code": by(1),
        "Errors by application": by(
            0, lambda a, c: c not in ("H27", "H28")),
        "Memory": by(1, lambda a, c: c in ("R14", "R15", "R151")),
        "Messages lost": {"dropped": LOST},
        "Requests and error ratio": {
            **{app: requests_of(app) / 5 for app in APPS},
            **{app + " errors": 100 * by(0, failed).get(app, 0) /
               requests_of(app) for app in APPS}},
        "Status classes": {"1xx": 3, "2xx": 660, "3xx": 200, "4xx": 133,
                           "5xx": 120},
        "Answered within 500 ms": {
            app: share(app, lambda ms: ms <= 500) for app in APPS},
        "95th percentile": {app: percentile_95(app) for app in APPS},
        "Memory against quota": {
            "shop web.1": 93.75, "shop web.2": 25, "billing worker.1": 170.1},
        "Restarts and exits": {"web crashed": 2, "web starting": 3,
                               "web exit 137": 2, "run exit 0": 1},
        "Heartbeat": {app: 1 / 5 for app in APPS},
        "Messages": {"messages": sum(body_of(app).count(b" heroku ")
                                     for app in APPS)},
    }
    ALERTS = {  # the applications that raise an alert
        "logplex-statsd-r15": {"shop": 2},
        "logplex-statsd-h12": {"shop": 30, "billing": 6},
        "logplex-statsd-down": {"billing": 4},
        "logplex-statsd-r14": {"shop": 3},
        "logplex-statsd-lost": {"shop": 1},
        "logplex-statsd-error-ratio": {
            app: 100 * by(0, failed)[app] / requests_of(app)
            for app in ("shop", "billing")},
        "logplex-statsd-p95": {
            app: share(app, lambda ms: ms > 1000)
            for app in ("shop", "billing")},
        "logplex-statsd-memory": {
            "shop web.1": 93.75, "shop web.2": 25, "billing worker.1": 170.1},
        "logplex-statsd-heartbeat": {**{app: 1 for app in APPS}, GONE: 0},
    }
    FIRING = {
        "logplex-statsd-r15": {"shop"}, "logplex-statsd-h12": {"shop"},
        "logplex-statsd-down": {"billing"}, "logplex-statsd-r14": {"shop"},
        "logplex-statsd-lost": {"shop"},
        "logplex-statsd-error-ratio": {"billing"},
        "logplex-statsd-p95": {"shop", "billing"},
        "logplex-statsd-memory": {"shop web.1", "billing worker.1"},
        "logplex-statsd-heartbeat": {GONE}}

    board = json.loads((FOLDER / "grafana.json").read_text())
    alerts = json.loads((FOLDER / "grafana-alerts.json").read_text())

    def variables(self, application):
        found = {v["name"]: v for v in self.board["templating"]["list"]}
        values = {n: found[n]["current"]["value"]
                  for n in ("prefix", "gauges", "suffix", "bucket")}
        return {**values, "application": application}

    def fill_in(self, target, application):
        for name, value in self.variables(application).items():
            target = re.sub(rf"\${name}\b", value, target)
        assert not re.search(r"\$[a-z{]", target)
        return target

    def panels(self):
        for panel in self.board["panels"]:
            for target in panel.get("targets", []):
                yield panel["title"], target["target"]

    def test_every_panel_shows_the_right_numbers(self):
        shown = collections.defaultdict(dict)
        for title, target in self.panels():
            shown[title].update({
                name: n for name, n in self.sums_by_name(
                    self.fill_in(target, "*")).items()
                if name != GONE or n != 0})
        alive = shown.pop("Lines that statsd received")
        assert shown.keys() == self.PANELS.keys()
        for title, numbers in self.PANELS.items():
            self.assert_numbers(shown[title], numbers, title)
        assert alive["lines"] > len(COUNTS)

    def test_the_applications_can_be_chosen(self):
        for choice in ("billing", "{billing,my-app}"):
            apps = choice.strip("{}").split(",")
            for title, target in self.panels():
                if title == "Errors by code":
                    assert self.sums_by_name(self.fill_in(target, choice)) == \
                        by(1, lambda a, c: a in apps)

    def test_the_list_of_applications(self):
        variable = next(v for v in self.board["templating"]["list"]
                        if v["name"] == "application")
        query = re.match(r"expand\((.*)\)$", variable["query"])[1]
        found = json.loads(self.graphite.fetch(
            "/metrics/expand", query=self.fill_in(query, "")))["results"]
        pattern = variable["regex"].strip("/")
        assert {re.search(pattern, f)[1] for f in found} == APPS | {GONE}

    def reduced(self, reducer, target, seconds):
        """The value of a query in Grafana: a number for each series."""
        reduce = {"sum": sum, "max": max, "mean": statistics.mean}[reducer]
        points = {s["target"]: [v for v, _ in s["datapoints"] if v is not None]
                  for s in self.graphite.render(
                      target, **{"from": f"-{seconds}s"})}
        return {name: reduce(v) for name, v in points.items() if v}

    def test_alert_rules_fire_for_those_whom_it_concerns(self):
        rules = {r["uid"]: r for g in self.alerts["groups"]
                 for r in g["rules"]}
        silent = rules.pop("logplex-statsd-silent")
        sums, firing = {}, {}
        for uid, rule in rules.items():
            query, reduce, threshold = (d["model"] for d in rule["data"])
            seconds = rule["data"][0]["relativeTimeRange"]["from"]
            evaluator = threshold["conditions"][0]["evaluator"]
            sums[uid] = self.reduced(reduce["reducer"], query["target"],
                                     seconds)
            beyond = {"gt": operator.gt, "lt": operator.lt}[evaluator["type"]]
            firing[uid] = {app for app, n in sums[uid].items()
                           if beyond(n, evaluator["params"][0])}
        assert sums.keys() == self.ALERTS.keys()
        for uid, numbers in self.ALERTS.items():
            self.assert_numbers(sums[uid], numbers, uid)
        assert firing == self.FIRING
        assert silent["noDataState"] == "Alerting"
        points = self.graphite.render(silent["data"][0]["model"]["target"])
        assert len(points) == 1
        assert any(v is not None for v, _ in points[0]["datapoints"])


class Urls(DashboardTest):
    def test_render_urls_of_the_readme(self):
        urls = re.findall(r"^    http://graphite(/render\S+)$",
                          (FOLDER / "README.md").read_text(), re.M)
        wanted = [
            {c: n for (a, c), n in COUNTS.items() if a == "shop"},
            by(0), by(1),
            {"H12": 36, "drawAsInfinite(L10)": 1},
            {"H1x per 100 requests": 100 * COUNTS["shop", "H12"] /
             requests_of("shop")},
            {"within 500 ms": share("shop", lambda ms: ms <= 500)},
            {"web.1": 480, "web.2": 128}]
        assert len(urls) == len(wanted)
        for url, sums in zip(urls, wanted):
            query = urllib.parse.parse_qs(url.partition("?")[2])
            got = {}
            for target in query["target"]:
                got.update(self.sums_by_name(
                    target, **{"from": query["from"][0]}))
            self.assert_numbers(got, sums, url)
            raw = self.graphite.fetch(
                "/render", **{k: v for k, v in query.items()})
            if query.get("format") == ["csv"]:
                rows = list(csv.reader(io.StringIO(raw.decode())))
                assert rows[0][0] == "H12"
            else:
                assert raw.startswith(b"\x89PNG"), url


class Nagios(DashboardTest):
    WANTED = {  # the state and the text of each service
        "R15": (2, "CRITICAL: R15 in 5 minutes: shop 2 | 'shop'=2;0;0;0"),
        "H12": (2, "CRITICAL: H12 in 5 minutes: billing 6, shop 30 |"),
        "H10": (2, "CRITICAL: H1[04] in 5 minutes: billing 4 |"),
        "L10": (2, "CRITICAL: L1[023] in 5 minutes: shop 1 |"),
        "No data": (0, "OK: statsd reports to Graphite"),
    }

    def plugin(self, *args):
        done = subprocess.run(
            [FOLDER / "check_platform_errors", *args], capture_output=True,
            text=True, timeout=30, env={"PATH": PATH})
        return done.returncode, done.stdout.strip() or done.stderr

    def test_every_service_of_the_configuration(self):
        text = (FOLDER / "nagios.cfg").read_text()
        commands = dict(re.findall(
            r"command_name +(\S+)\n +command_line +(.*)", text))
        services = re.findall(
            r"service_description +(.*)\n +check_command +(.*)", text)
        got = {}
        for description, command in services:
            name, *args = command.split("!")
            line = commands[name].replace("http://graphite.example.com",
                                          self.graphite.url)
            for i, value in enumerate(args, 1):
                line = line.replace(f"$ARG{i}$", value)
            program, *words = shlex.split(line)
            assert program == "$USER1$/check_platform_errors"
            got[re.split("[: ,]", description)[0]
                if description[0] != "N" else "No data"] = self.plugin(*words)
        assert set(got) == set(self.WANTED)
        for name, (state, said) in self.WANTED.items():
            assert got[name][0] == state, got[name]
            assert got[name][1].startswith(said), got[name]

    def test_states(self):
        url = ["--url", self.graphite.url]
        for args, wanted in [
                (["--code", "H12", "--warning", "29", "--critical", "40"], 1),
                (["--code", "H12", "--warning", "30", "--critical", "40"], 0),
                (["--code", "H12", "--warning", "5", "--critical", "29"], 2),
                (["--code", "H12", "--app", "billing", "--warning", "6",
                  "--critical", "6"], 0),
                (["--code", "R99"], 0),
                (["--alive", "--prefix", "nobody"], 2)]:
            assert self.plugin(*url, *args)[0] == wanted, args
        assert self.plugin("--url", f"http://127.0.0.1:{free_port()}")[0] == 3
