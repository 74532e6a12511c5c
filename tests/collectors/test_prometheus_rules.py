"""promtool checks docs/dashboards/prometheus/rules.yml and runs it;
rules_test.yml has the input and the expected result."""

import re
import shutil
import subprocess
from pathlib import Path

from lib.places import ROOT, tool
from stack import documented

FOLDER = ROOT / "docs" / "dashboards" / "prometheus"
RULES = FOLDER / "rules.yml"
CASES = Path(__file__).with_name("rules_test.yml")


def promtool(*args):
    done = subprocess.run([tool("promtool"), *args], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_well_formed():
    assert re.search("SUCCESS: [1-9][0-9]+ rules", promtool(
        "check", "rules", "--lint-fatal", str(RULES)))


def test_the_documented_configurations_are_well_formed(tmp_path):
    shutil.copy(RULES, tmp_path)
    shutil.copy(FOLDER / "prometheus-netdata.yml", tmp_path)
    (tmp_path / "statsd_exporter.yml").write_text(
        documented("statsd_exporter into Prometheus", "yaml"))
    for name in ("prometheus-netdata.yml", "statsd_exporter.yml"):
        said = promtool("check", "config", "--lint-fatal", tmp_path / name)
        assert "1 rule files found" in said


def test_the_rules_make_of_known_numbers_what_they_should():
    assert "SUCCESS" in promtool("test", "rules", str(CASES))


def test_each_alert_has_a_case_in_which_it_fires():
    alerts = re.findall(r"- alert: (\w+)", RULES.read_text())
    fires = re.findall(r"- alertname: (\w+)\n +eval_time: \S+\n +exp_alerts:",
                       CASES.read_text())
    assert len(alerts) >= 10
    assert set(alerts) == set(fires)


def test_the_rules_ask_for_names_that_the_mapping_gives():
    asked = set(re.findall(r"(?<![:\w])heroku_\w+", RULES.read_text()))
    given = (FOLDER / "statsd_exporter.yml").read_text()
    own = {"heroku_dyno_memory_total_mebibytes",
           "heroku_dyno_memory_quota_mebibytes", "heroku_dyno_memory_percent"}
    missing = {name for name in asked - own
               if not re.search(rf'name: "{name}"', given)}
    assert missing == set()
    assert "heroku_errors_total" in asked
