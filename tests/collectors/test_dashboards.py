"""Every expression of docs/dashboards, run against a Graphite that holds
known numbers: posted to lighttpd, and come through statsd."""

import collections
import csv
import io
import json
import re
import shlex
import subprocess
import tempfile
import unittest
import urllib.parse

from stack import *

FOLDER = ROOT / "docs" / "dashboards"
COUNTS = {
    ("shop", "H12"): 30, ("shop", "R15"): 2, ("shop", "R14"): 3,
    ("shop", "L10"): 1, ("shop", "H27"): 8, ("billing", "H10"): 4,
    ("billing", "H12"): 6, ("my-app", "H27"): 5, ("my-app", "R151"): 1}
APPS = {app for app, _ in COUNTS}


def body_of(counts):
    out = b""
    for code, n in counts.items():
        text = (f"at=error code={code} desc=x" if code[0] == "H"
                else f"Error {code} (x)")
        message = f"<158>1 2026-11-23T00:00:00+00:00 host heroku web.1 - {text}"
        out += f"{len(message)} {message}".encode() * n
    return out


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
    def fill_graphite(cls):
        """Starts what all tests here share, and posts COUNTS."""
        folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-")
        unittest.addModuleCleanup(folder.cleanup)
        path = Path(folder.name)
        cls.carbon = cls.keep(Carbon(path, "1s:2h"))
        start([cls.carbon])
        cls.statsd = cls.keep(Statsd(path, cls.carbon))
        cls.graphite = cls.keep(Graphite(path, cls.carbon))
        start([cls.statsd, cls.graphite])
        web = cls("sums")  # a test of no name, for its bin/web
        unittest.addModuleCleanup(web.doCleanups)
        web.start_web(METRICS_CLUSTER=cls.statsd.uri,
                      API_SECRET="open-sesame", API_CREDENTIALS_HEAVEN=None)
        for app in APPS:
            answer = web.post(
                body_of({c: n for (a, c), n in COUNTS.items() if a == app}),
                path=f"/{app}/logs", credentials="x:open-sesame")
            assert answer.status == 201, answer.raw
        wait_until(lambda: cls.sums(
            "sumSeries(stats.counters.*.heroku.errors.*.count)") ==
            [sum(COUNTS.values())], "Graphite has all")

    @classmethod
    def keep(cls, process):
        unittest.addModuleCleanup(process.stop)
        return process

    @classmethod
    def sums_by_name(cls, target, **parameters):
        return {s["target"]: sum(v or 0 for v, _ in s["datapoints"])
                for s in cls.graphite.render(target, **parameters)}

    @classmethod
    def sums(cls, target):
        return list(cls.sums_by_name(target).values())


def setUpModule():
    DashboardTest.fill_graphite()


class Grafana(DashboardTest):
    PANELS = {
        "Lost messages": by(1, lambda a, c: c == "L10"),
        "Failed requests": by(1, failed),
        "Killed dynos": by(1, lambda a, c: c == "R15"),
        "Errors by code": by(1),
        "Errors by application": by(
            0, lambda a, c: c not in ("H27", "H28")),
        "Memory": by(1, lambda a, c: c in ("R14", "R15", "R151")),
    }
    ALERTS = {  # the applications that fire
        "logplex-statsd-r15": {"shop": 2},
        "logplex-statsd-h12": {"shop": 30, "billing": 6},
        "logplex-statsd-down": {"billing": 4},
        "logplex-statsd-r14": {"shop": 3},
        "logplex-statsd-lost": {"shop": 1},
    }
    FIRING = {
        "logplex-statsd-r15": {"shop"}, "logplex-statsd-h12": {"shop"},
        "logplex-statsd-down": {"billing"}, "logplex-statsd-r14": {"shop"},
        "logplex-statsd-lost": {"shop"}}

    @classmethod
    def setUpClass(cls):
        cls.board = json.loads((FOLDER / "grafana.json").read_text())
        cls.alerts = json.loads((FOLDER / "grafana-alerts.json").read_text())

    def variables(self, application):
        found = {v["name"]: v for v in self.board["templating"]["list"]}
        values = {n: found[n]["current"]["value"]
                  for n in ("prefix", "suffix", "bucket")}
        return {**values, "application": application}

    def fill_in(self, target, application):
        for name, value in self.variables(application).items():
            target = re.sub(rf"\${name}\b", value, target)
        self.assertNotRegex(target, r"\$[a-z{]")
        return target

    def panels(self):
        for panel in self.board["panels"]:
            for target in panel["targets"]:
                yield panel["title"], target["target"]

    def test_every_panel_shows_the_right_numbers(self):
        shown = {title: self.sums_by_name(self.fill_in(target, "*"))
                 for title, target in self.panels()}
        alive = shown.pop("Lines that statsd received")
        self.assertEqual(shown, self.PANELS)
        # Its own gauges are no lines; each code of an application is one.
        self.assertEqual(alive, {"lines": len(COUNTS)})

    def test_the_applications_can_be_chosen(self):
        for choice in ("billing", "{billing,my-app}"):
            apps = choice.strip("{}").split(",")
            for title, target in self.panels():
                if title == "Errors by code":
                    self.assertEqual(
                        self.sums_by_name(self.fill_in(target, choice)),
                        by(1, lambda a, c: a in apps))

    def test_the_list_of_applications(self):
        variable = next(v for v in self.board["templating"]["list"]
                        if v["name"] == "application")
        query = re.match(r"expand\((.*)\)$", variable["query"])[1]
        found = json.loads(self.graphite.fetch(
            "/metrics/expand", query=self.fill_in(query, "")))["results"]
        pattern = variable["regex"].strip("/")
        self.assertEqual(
            {re.search(pattern, f)[1] for f in found}, APPS)

    def test_alert_rules_fire_for_those_whom_it_concerns(self):
        rules = {r["uid"]: r for g in self.alerts["groups"]
                 for r in g["rules"]}
        silent = rules.pop("logplex-statsd-silent")
        sums, firing = {}, {}
        for uid, rule in rules.items():
            query, reduce, threshold = (d["model"] for d in rule["data"])
            seconds = rule["data"][0]["relativeTimeRange"]["from"]
            self.assertEqual(reduce["reducer"], "sum")
            evaluator = threshold["conditions"][0]["evaluator"]
            self.assertEqual(evaluator["type"], "gt")
            sums[uid] = self.sums_by_name(
                query["target"], **{"from": f"-{seconds}s"})
            firing[uid] = {app for app, n in sums[uid].items()
                           if n > evaluator["params"][0]}
        self.assertEqual(sums, self.ALERTS)
        self.assertEqual(firing, self.FIRING)
        self.assertEqual(silent["noDataState"], "Alerting")
        points = self.graphite.render(silent["data"][0]["model"]["target"])
        self.assertEqual(len(points), 1)
        self.assertTrue(any(v is not None
                            for v, _ in points[0]["datapoints"]))


class Urls(DashboardTest):
    def test_render_urls_of_the_readme(self):
        urls = re.findall(r"^    http://graphite(/render\S+)$",
                          (FOLDER / "README.md").read_text(), re.M)
        self.assertEqual(len(urls), 4)
        wanted = [
            {c: n for (a, c), n in COUNTS.items() if a == "shop"},
            by(0), by(1),
            {"H12": 36, "drawAsInfinite(L10)": 1}]
        for url, sums in zip(urls, wanted):
            query = urllib.parse.parse_qs(url.partition("?")[2])
            got = {}
            for target in query["target"]:
                got.update(self.sums_by_name(
                    target, **{"from": query["from"][0]}))
            self.assertEqual(got, sums, url)
            raw = self.graphite.fetch(
                "/render", **{k: v for k, v in query.items()})
            if query.get("format") == ["csv"]:
                rows = list(csv.reader(io.StringIO(raw.decode())))
                self.assertEqual(rows[0][0], "H12")
            else:
                self.assertTrue(raw.startswith(b"\x89PNG"), url)


class Nagios(DashboardTest):
    WANTED = {  # the state, and what is said, of each service
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
            self.assertEqual(program, "$USER1$/check_platform_errors")
            got[re.split("[: ,]", description)[0]
                if description[0] != "N" else "No data"] = self.plugin(*words)
        self.assertEqual(set(got), set(self.WANTED))
        for name, (state, said) in self.WANTED.items():
            self.assertEqual(got[name][0], state, got[name])
            self.assertTrue(got[name][1].startswith(said), got[name])

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
            self.assertEqual(self.plugin(*url, *args)[0], wanted, args)
        self.assertEqual(
            self.plugin("--url", f"http://127.0.0.1:{free_port()}")[0], 3)


if __name__ == "__main__":
    main("dashboards")
