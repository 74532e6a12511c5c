"""docs/dashboards/prometheus/statsd_exporter.yml. There is no package of
statsd_exporter, so this interprets the rules as its documentation describes: a
`*` in a glob matches one part between two points, $1 is that part, and every
character that Prometheus does not allow in a name becomes `_`."""

import functools
import re

import pytest

from lib.places import FIXTURES, ROOT

MAPPING = ROOT / "docs" / "dashboards" / "prometheus" / "statsd_exporter.yml"
TYPES = {"c": "counter", "g": "gauge", "ms": "observer"}
# The variable parts of a bucket in docs/metrics.md, with an example of each.
PARTS = {"<code>": "H12", "<type>": "web", "<n>": "1", "<status>": "137",
         "<addon>": "postgresql-curly-12345", "<key>": "db_size",
         "<name>": "queue.length"}
MEMORY = {f"heroku_dyno_memory_{m}_bytes"
          for m in ("total", "rss", "cache", "swap", "quota")}
# The names in Prometheus of these metrics; in all others, points become
# underscores, and counters end in _total.
NAMES = {
    "heroku.logplex.dropped": "heroku_logplex_dropped_messages_total",
    "heroku.logplex.lost": "heroku_logplex_lost_messages_total",
    "heroku.router.status": "heroku_router_responses_total",
    "heroku.router.bytes": "heroku_router_response_bytes_total",
    "heroku.router.service.le": "heroku_router_service_seconds_bucket",
    "heroku.router.service": "heroku_router_service_timing_seconds",
    "heroku.router.connect": "heroku_router_connect_timing_seconds",
    "heroku.dyno.memory_percent": "heroku_dyno_memory_ratio",
    "heroku.dyno.state": "heroku_dyno_state_changes_total",
    "heroku.dyno.exit": "heroku_dyno_exits_total",
    "heroku.release": "heroku_releases_total",
    "heroku.rollback": "heroku_rollbacks_total",
    "heroku.formation": "heroku_formation_dynos",
    "heroku.drain.skipped": "heroku_drain_skipped_messages_total",
    "heroku.drain.duplicates": "heroku_drain_duplicate_batches_total",
    "heroku.drain.refused": "heroku_drain_refused_batches_total",
}
LIMITS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]


@functools.lru_cache(None)
def rules():
    import yaml  # not needed by the core
    return yaml.safe_load(MAPPING.read_text())["mappings"]


def pattern(rule):
    if rule.get("match_type") == "regex":
        return re.compile(rule["match"])
    parts = map(re.escape, rule["match"].split("*"))
    return re.compile("([^.]+)".join(parts) + r"\Z")


def series(line):
    """The name and the labels from the rule that matches a statsd line."""
    bucket, value, kind = re.fullmatch(r"(.+):(.+)\|(\w+)", line).groups()
    found = []
    for rule in rules():
        match = pattern(rule).match(bucket)
        if match is None or rule["match_metric_type"] != TYPES[kind]:
            continue

        def fill(template):
            return re.sub(r"\$\{?(\d)\}?", lambda m: match[int(m[1])],
                          template)
        found.append((re.sub("[^A-Za-z0-9_]", "_", fill(rule["name"])),
                      {k: fill(v) for k, v in rule["labels"].items()},
                      float(value) * rule.get("scale", 1)))
    return found


def expected_name(name, kind):
    """The name of a metric with tags, according to Prometheus's
    conventions."""
    if name in NAMES:
        return NAMES[name]
    ending = {"c": "_total", "ms": "_seconds", "g": ""}[kind]
    if name.startswith("heroku.dyno.memory_"):
        ending = "_bytes"
    return re.sub("[.-]", "_", name) + ending


def metrics():
    """(bucket, name with tags, tags, type) of each metric in
    docs/metrics.md."""
    for row in (ROOT / "docs" / "metrics.md").read_text().splitlines():
        cells = [c.strip() for c in row.strip("|").split("|")]
        if row.startswith("| `") and len(cells) == 7:
            yield *(c.strip("`") for c in cells[:3]), cells[3]


def tagged(line):
    """A line with tags: the expected name, the tags and the value."""
    name, value, kind, tags = re.fullmatch(
        r"(.+):(.+)\|(\w+)\|#(.*)", line).groups()
    return (expected_name(name, kind),
            dict(t.split(":", 1) for t in tags.split(",")), float(value))


def lines():
    """The lines of metric-lines.expected.tsv, without and with tags."""
    rows = (FIXTURES / "metric-lines.expected.tsv").read_text().splitlines()
    for row in rows[1:]:
        _, _, _, plain, with_tags = row.split("\t")
        if plain != "-":
            yield plain.split(" "), with_tags.split(" ")


def expected_labels(tags):
    """The labels that tags become: le is in seconds."""
    labels = dict(tags)
    if "le" in labels:
        labels["le"] = "+Inf" if labels["le"] == "inf" else \
            f"{int(labels['le']) / 1000:g}"
    return labels


def filled(text):
    for part, example in PARTS.items():
        text = text.replace(part, example)
    return text


def test_every_metric_of_the_table_has_one_rule():
    rows = [(*map(filled, row[:3]), row[3]) for row in metrics()]
    assert len(rows) > 45
    seen = set()
    for bucket, tagged_name, tags, kind in rows:
        (name, labels, _), = series(f"my-app.{bucket}:1|{kind}")
        pairs = dict(t.split(":", 1) for t in tags.split(",") if t)
        assert name == expected_name(tagged_name, kind)
        assert labels == {"app": "my-app", **expected_labels(pairs)}
        seen.add((name, *sorted(labels.items())))
    assert len(seen) == len(rows)


def test_every_line_gives_the_name_and_the_labels_that_its_tags_say():
    count = 0
    for plain, with_tags in lines():
        got = []
        for line in plain:
            (name, labels, _), = series(line)
            value = float(line.rpartition(":")[2].partition("|")[0])
            got.append((name, sorted(labels.items()), value))
        assert sorted(got) == sorted(
            (name, sorted(expected_labels(tags).items()), value)
            for name, tags, value in map(tagged, with_tags))
        count += len(plain)
    assert count > 700


def test_every_rule_is_needed_by_a_metric_of_the_table():
    used = set()
    for bucket, _, _, kind in metrics():
        bucket = filled(bucket)
        used |= {i for i, rule in enumerate(rules())
                 if rule["match_metric_type"] == TYPES[kind]
                 and pattern(rule).match(f"my-app.{bucket}")}
    assert used == set(range(len(rules())))


def test_statsd_exporter_accepts_the_globs():
    """It refuses the whole file if a `*` is not a whole part."""
    globs = [r["match"] for r in rules() if r.get("match_type") != "regex"]
    assert len(globs) > 25
    for glob in globs:
        for part in glob.split("."):
            assert re.fullmatch(r"\*|[A-Za-z0-9_]+", part), glob


def test_names_keep_to_the_conventions():
    for rule in rules():
        name, kind = rule["name"], rule["match_metric_type"]
        assert (kind == "counter") == name.endswith(("_total", "_bucket"))
        if kind == "observer":
            assert name.endswith("_seconds")
            assert rule["observer_type"] == "histogram"
        if "ttl" in rule:
            assert kind == "gauge", name


@pytest.mark.parametrize("line, wanted", [
    ("my-app.heroku.errors.H12:3|c",
     ("heroku_errors_total", {"app": "my-app", "code": "H12"}, 3)),
    ("shop.heroku.router.status.5xx:1|c",
     ("heroku_router_responses_total", {"app": "shop", "class": "5xx"}, 1)),
    ("shop.heroku.dyno.web.1.memory_total:180.5|g",
     ("heroku_dyno_memory_total_bytes",
      {"app": "shop", "type": "web", "dyno": "web.1"}, 189267968)),
    ("shop.heroku.dyno.web.1.memory_percent:170.1|g",
     ("heroku_dyno_memory_ratio",
      {"app": "shop", "type": "web", "dyno": "web.1"}, pytest.approx(1.701))),
    ("shop.heroku.dyno.web.exit.137:1|c",
     ("heroku_dyno_exits_total",
      {"app": "shop", "type": "web", "status": "137"}, 1)),
    ("shop.heroku.redis.redis-curly-1.hit_rate:0.9|g",
     ("heroku_redis_hit_rate",
      {"app": "shop", "addon": "redis-curly-1"}, 0.9)),
    ("shop.custom.http.status.2xx:4|c",
     ("custom_http_status_2xx_total", {"app": "shop"}, 4)),
    ("shop.heroku.drain.batches:1|c",
     ("heroku_drain_batches_total", {"app": "shop"}, 1)),
])
def test_names_and_values(line, wanted):
    assert series(line) == [wanted]


def test_memory_becomes_bytes():
    scaled = {r["name"]: r["scale"] for r in rules() if "scale" in r}
    assert scaled == {**dict.fromkeys(MEMORY, 1024 ** 2),
                      "heroku_dyno_memory_ratio": 0.01}


def test_the_latency_is_a_histogram():
    found = [series(f"shop.heroku.router.service.le.{le}:1|c")[0]
             for le in ["100", "250", "500", "1000", "2500", "5000", "10000",
                        "30000", "inf"]]
    assert {name for name, _, _ in found} == {
        "heroku_router_service_seconds_bucket"}
    assert [labels["le"] for _, labels, _ in found] == [
        *(f"{limit:g}" for limit in LIMITS), "+Inf"]
