"""Datadog's dashboard and monitors cannot be run here; this compares the
metrics and tags that they query with docs/metrics.md."""

import json
import re

import pytest

from lib.places import ROOT
from test_statsd_exporter import metrics

FOLDER = ROOT / "docs" / "dashboards"


def tags():
    """{name with tags: the keys of its tags}"""
    known = {}
    for _, name, pairs, _ in metrics():
        known.setdefault(name, {"app"}).update(
            pair.partition(":")[0] for pair in pairs.split(",") if pair)
    return known


def queries(name):
    found = re.findall(r'"query": "([^"]+)"', (FOLDER / name).read_text())
    return [part for query in found
            for part in re.findall(r"(\w+):(heroku[a-z_.]+)\{([^}]*)\}"
                                   r"(?: by \{([^}]*)\})?", query)]


@pytest.mark.parametrize("name, least", [("datadog.json", 11),
                                         ("datadog-monitors.json", 10)])
def test_queries_ask_for_what_is_sent(name, least):
    json.loads((FOLDER / name).read_text())
    asked, known = queries(name), tags()
    assert len(asked) >= least
    for _, metric, scope, groups in asked:
        keys = set(re.findall(r"(\w+):", scope)) | set(
            filter(None, groups.split(",")))
        assert metric in known
        assert keys <= known[metric], (metric, keys)
        values = re.findall(r"code:([^ )]+)", scope)
        assert values == [v.lower() for v in values]  # in Datadog's form


def test_each_monitor_says_its_threshold_twice():
    for monitor in json.loads((FOLDER / "datadog-monitors.json").read_text()):
        limit = re.search(r"[<>] ([0-9.]+)$", monitor["query"])[1]
        assert float(limit) == monitor["options"]["thresholds"]["critical"]
