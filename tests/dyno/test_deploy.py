"""Parts of a deployment that need no clean root: app.json, heroku.yml,
Procfile, bin/add-app, and several instances with the same list of
collectors."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from lib.case import Case
from lib.collector import Collector
from lib.http import basic, request
from lib.places import PATH, PROGRAM, REFERENCE, ROOT
from lib.web import WebTest

# Heroku's schema of app.json, as published: nothing else is allowed.
TOP_LEVEL = {"name", "description", "keywords", "website", "repository", "logo",
             "success_url", "scripts", "env", "formation", "addons",
             "buildpacks", "environments", "stack", "image"}
ENV_KEYS = {"description", "value", "required", "generator"}
STACKS = {"heroku-22", "heroku-24"}
SIZES = {"eco", "basic", "standard-1x", "standard-2x", "performance-m",
         "performance-l", "private-s", "private-m", "private-l"}


def app_json_faults(text):
    """The faults of an app.json."""
    try:
        app = json.loads(text)
    except ValueError as e:
        return [f"not JSON: {e}"]
    faults = [f"unknown key {k}" for k in app.keys() - TOP_LEVEL]
    for key in ("name", "description"):
        if not isinstance(app.get(key), str) or not app[key]:
            faults.append(f"{key} is no text")
    if not 3 <= len(app.get("name") or "xxx") <= 30:
        faults.append("name must have 3 to 30 characters")
    if app.get("stack") not in STACKS:
        faults.append(f"stack {app.get('stack')}")
    if not all(isinstance(k, str) for k in app.get("keywords", [])):
        faults.append("keywords are not all text")
    for b in app.get("buildpacks", []):
        if set(b) != {"url"} or not isinstance(b["url"], str):
            faults.append(f"buildpack {b}")
    for kind, of in app.get("formation", {}).items():
        if set(of) - {"quantity", "size"}:
            faults.append(f"formation of {kind}")
        if not isinstance(of.get("quantity"), int) or of["quantity"] < 0:
            faults.append(f"quantity of {kind}")
        if of.get("size") not in SIZES:
            faults.append(f"size of {kind}")
    for name, of in app.get("env", {}).items():
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            faults.append(f"config var {name}")
        if set(of) - ENV_KEYS:
            faults.append(f"keys of {name}")
        if not isinstance(of.get("description"), str) or not of["description"]:
            faults.append(f"{name} is not described")
        if not isinstance(of.get("required", True), bool):
            faults.append(f"required of {name}")
        if of.get("generator", "secret") != "secret":
            faults.append(f"generator of {name}")
        if "generator" in of and "value" in of:
            faults.append(f"{name} has a value and a generator")
    return faults


class AppJson(Case):
    text = (ROOT / "app.json").read_text()
    app = json.loads(text)

    def test_app_json_is_valid(self):
        assert app_json_faults(self.text) == []

    def test_every_rule_finds_its_fault(self):
        def without(key):
            return {k: v for k, v in self.app.items() if k != key}

        def env(**of):
            return {**self.app, "env": {"X": {"description": "x", **of}}}

        for why, broken in {
            "unknown key": {**self.app, "scrips": {}},
            "no name": without("name"),
            "short name": {**self.app, "name": "ab"},
            "no description": without("description"),
            "no stack": without("stack"),
            "old stack": {**self.app, "stack": "heroku-20"},
            "keyword": {**self.app, "keywords": [1]},
            "buildpack as text": {**self.app, "buildpacks": ["x"]},
            "formation key": {**self.app, "formation": {"web": {
                "quantity": 1, "size": "basic", "type": "web"}}},
            "quantity": {**self.app, "formation": {"web": {
                "quantity": "1", "size": "basic"}}},
            "size": {**self.app, "formation": {"web": {
                "quantity": 1, "size": "hobby"}}},
            "name of a config var": {**self.app, "env": {
                "API-X": {"description": "x"}}},
            "key of a config var": env(default="x"),
            "description of a config var": env(description=""),
            "required": env(required="true"),
            "generator": env(generator="password"),
            "two values": env(generator="secret", value="x"),
        }.items():
            assert len(app_json_faults(json.dumps(broken))) == 1, why
        assert len(app_json_faults('{"a": {"b"}}')) == 1

    def test_config_vars_are_those_of_the_program(self):
        usage = subprocess.run([PROGRAM, "--help"], stdout=subprocess.PIPE,
                               text=True, check=True).stdout
        for name in self.app["env"]:
            assert name in usage
        assert self.app["env"]["METRICS_CLUSTER"]["required"] is True
        assert self.app["env"]["API_SECRET"]["generator"] == "secret"

    def test_buildpack_is_the_repository_itself(self):
        assert self.app["buildpacks"] == [{"url": "heroku-community/inline"}]
        for name in ("detect", "compile", "release", "web", "responder"):
            assert os.access(ROOT / "bin" / name, os.X_OK), name

    def test_procfile_release_and_heroku_yml_start_the_same(self):
        assert (ROOT / "Procfile").read_text() == "web: bin/web\n"
        release = subprocess.run([ROOT / "bin" / "release", ROOT], text=True,
                                 check=True, stdout=subprocess.PIPE).stdout
        assert release == "---\ndefault_process_types:\n  web: bin/web\n"
        lines = [l for l in (ROOT / "heroku.yml").read_text().splitlines()
                 if not l.startswith("#")]
        assert lines == ["build:", "  docker:", "    web: Dockerfile",
                         "run:", "  web: bin/web"]

    def test_generated_secret_is_accepted(self):
        # Heroku's generator makes 64 hexadecimal digits.
        secret = "0123456789abcdef" * 4
        ran = subprocess.run(
            [PROGRAM, "--check"], text=True, stdout=subprocess.PIPE,
            env={"API_SECRET": secret,
                 "METRICS_CLUSTER": "statsd://127.0.0.1:8125"})
        assert ran.returncode == 0
        assert secret not in ran.stdout


def add_app(*arguments):
    return subprocess.run([ROOT / "bin" / "add-app", *arguments], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


# Replaces the heroku command: config vars are files, drains are lines of a
# file.
HEROKU = r"""
heroku() {
  local command=$1 app= words=()
  shift
  while [ $# -gt 0 ]; do
    case "$1" in
      --app) app=$2; shift ;;
      *) words+=("$1") ;;
    esac
    shift
  done
  mkdir -p "$STATE/$app/config"; touch "$STATE/$app/drains"
  case "$command" in
    config:set)
      for word in "${words[@]}"; do
        # Heroku takes no hyphen in the name of a config var.
        [[ ${word%%=*} =~ ^[A-Z][A-Z0-9_]*$ ]] || return 2
        printf %s "${word#*=}" >"$STATE/$app/config/${word%%=*}"
      done ;;
    config:get) cat "$STATE/$app/config/${words[0]}" 2>/dev/null; echo ;;
    config:unset) rm "$STATE/$app/config/${words[0]}" ;;
    drains:add) printf '%s\n' "${words[0]}" >>"$STATE/$app/drains" ;;
    drains:remove)
      grep -Fxq "${words[0]}" "$STATE/$app/drains" || return 1
      grep -Fxv "${words[0]}" "$STATE/$app/drains" >"$STATE/rest"
      mv "$STATE/rest" "$STATE/$app/drains" ;;
    *) return 2 ;;
  esac
}
"""


def logplex_token(url):
    """The Basic token that Logplex makes from a drain's URL: user and password
    split at the colons, without decoding."""
    userinfo = urlsplit(url).netloc.rpartition("@")[0]
    user, password = [part for part in userinfo.split(":") if part]
    return basic(f"{user}:{password}")


class AddApp(WebTest):
    HOST, RECEIVER = "drain-1234.example.com", "my-drain"

    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.state = Path(tempfile.mkdtemp(prefix="logplex-statsd-add-app-"))
        self.at_end(shutil.rmtree, self.state)

    def lines(self, *arguments):
        ran = add_app("--host", self.HOST, "--receiver", self.RECEIVER,
                      *arguments)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.splitlines()

    def paste(self, *lines, status=0):
        # One line each, so that it runs however a paste is split.
        ran = subprocess.run(
            ["bash", "-c", HEROKU + "\n".join(lines)], text=True,
            env={"STATE": str(self.state), "PATH": PATH},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert ran.returncode == status, ran.stdout

    def config(self):
        folder = self.state / self.RECEIVER / "config"
        return {f.name: f.read_text() for f in folder.iterdir()}

    def drains(self, name):
        return (self.state / name / "drains").read_text().splitlines()

    def deliver(self, url):
        """Sends a batch to this drain as Logplex does; returns the status."""
        parts = urlsplit(url)
        assert parts.scheme == "https"
        assert parts.hostname == self.HOST
        return request(self.port, path=parts.path, body=REFERENCE,
                       credentials=None,
                       headers=["Authorization: " + logplex_token(url)]).status

    def with_config(self, deliveries):
        """The statuses of batches to these drains with the current config."""
        self.start_web(**{"API_CREDENTIALS_HEAVEN": None, **self.config()})
        statuses = [self.deliver(url) for url in deliveries]
        self.counted = self.counters()
        self.web.stop()
        for collector in self.collectors:
            collector.close()
        return statuses

    @pytest.mark.parametrize("name", [
        "heaven", "my-app", "My_App-2", "a", "x" * 64])
    def test_pasted_lines_make_a_drain_that_is_accepted(self, name):
        self.paste(*self.lines(name))
        assert self.with_config(self.drains(name)) == [201]
        assert len(self.counted) == 4
        for line in self.counted:
            assert line.startswith(f"{name}.heroku.errors.")

    def test_another_password_is_refused(self):
        self.paste(*self.lines("heaven"))
        (drain,) = self.drains("heaven")
        password = urlsplit(drain).password
        other = drain.replace(password, password[::-1])
        assert other != drain
        assert self.with_config([other]) == [401]

    def test_passwords_survive_in_a_drains_url(self):
        seen = set()
        for _ in range(50):
            (drain,) = [l for l in self.lines("my-app") if "drains:add" in l]
            url = re.search(r"'(https://[^']*)'", drain)[1]
            user, password = urlsplit(url).username, urlsplit(url).password
            assert re.search(r"\A[A-Za-z0-9._~-]{32,}\Z", password)
            assert unquote(user + password) == user + password
            assert logplex_token(url) == basic(f"my-app:{password}")
            seen.add(password)
        assert len(seen) == 50

    def test_rotation_never_refuses_a_batch(self):
        self.paste(*self.lines("my-app"))
        (old,) = self.drains("my-app")
        accept_both, add, remove, forget = self.lines("--rotate", "my-app")
        self.paste(accept_both)
        assert self.with_config([old]) == [201]
        self.paste(add)
        _, new = self.drains("my-app")
        assert old != new
        assert self.with_config([old, new]) == [201, 201]
        self.paste(remove)
        assert self.drains("my-app") == [new]
        assert self.with_config([old, new]) == [201, 201]
        self.paste(forget)
        assert self.with_config([new, old]) == [201, 401]

    def test_rotation_can_be_repeated(self):
        self.paste(*self.lines("heaven"))
        for _ in range(2):
            (old,) = self.drains("heaven")
            self.paste(*self.lines("--rotate", "heaven"))
            (new,) = self.drains("heaven")
            assert old != new
            assert self.with_config([new, old]) == [201, 401]

    def test_rotation_without_credentials_sets_nothing(self):
        accept_both, *_ = self.lines("--rotate", "heaven")
        self.paste("heroku config:set A=b --app " + self.RECEIVER)
        self.paste(accept_both, status=1)
        assert self.config() == {"A": "b"}

    def test_without_options_the_lines_have_placeholders(self):
        ran = add_app("heaven")
        assert ran.returncode == 0
        config, drain = ran.stdout.splitlines()
        assert " --app YOUR-DRAIN-APP" in config
        assert "@YOUR-DRAIN-HOST/heaven/logs'" in drain
        assert "--host" in ran.stderr

    def test_comments_stay_out_of_what_is_pasted(self):
        for arguments in (["heaven"], ["--rotate", "heaven"]):
            ran = add_app(*arguments)
            for line in ran.stdout.splitlines():
                assert re.search(r"\A(heroku|old=\$\(heroku) ", line)
            for line in ran.stderr.splitlines():
                assert line.startswith("#"), line
            assert not re.search("[0-9a-f]{48}", ran.stderr)

    @pytest.mark.parametrize("arguments", [
        [], [""], ["a b"], ["a/b"], ["a;b"], ["x" * 65],
        ["é"], ["a\nb"], ["a", "b"], ["--host"],
        ["--host", "https://x", "a"],
        ["--host", "x/y", "a"], ["--host", "x'y", "a"],
        ["--host", "", "a"], ["--receiver", "a b", "a"],
        ["--receiver", "$(x)", "a"], ["--what", "a"]])
    def test_what_would_not_survive_is_refused(self, arguments):
        ran = add_app(*arguments)
        assert ran.returncode == 2
        assert ran.stdout == ""
        assert "usage:" in ran.stderr


class Instances(WebTest):
    """Several dynos, all of which find the same owner independently."""

    CODES = [f"{kind}{n}" for kind in "HRL" for n in range(10, 30)]

    def test_three_instances_agree_on_one_owner_of_three_collectors(self):
        collectors = [Collector() for _ in range(3)]
        for collector in collectors:
            self.keep(collector)
        cluster = ",".join(c.uri for c in collectors)
        ports = []
        for _ in range(3):
            self.start_web(METRICS_CLUSTER=cluster)
            ports.append(self.port)
        lines = [f"<45>1 2026-11-23T12:00:00+00:00 host heroku web.1 - "
                 f"Error {code} (something)" for code in self.CODES]
        body = "".join(f"{len(l)} {l}" for l in lines).encode()
        for port in ports:
            assert request(port, body=body).status == 201
        expected = [[] for _ in collectors]
        for code in self.CODES:
            bucket = f"heaven.heroku.errors.{code}"
            owner = zlib.crc32(bucket.encode()) % len(collectors)
            expected[owner] += [bucket + ":1|c"] * len(ports)
        assert all(expected), "each collector owns some"
        for collector, want in zip(collectors, expected):
            assert sorted(collector.lines()) == sorted(want)
