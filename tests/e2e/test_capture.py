"""CAPTURE: the last body that was refused because of its framing is kept."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from lib.fastcgi import variables
from lib.places import CREDENTIALS, FIXTURES, PATH, PROGRAM, REFERENCE
from lib.processes import wait_until
from lib.web import WebTest

BROKEN = REFERENCE + b"12 <10>1 secret of a customer"


class Capture(WebTest):
    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        self.folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-")
        self.at_end(self.folder.cleanup)
        self.file = Path(self.folder.name) / "refused"

    def start(self, **env):
        self.start_web(**{"CAPTURE": str(self.file), **env})

    def files(self):
        return sorted(os.listdir(self.folder.name))

    def test_nothing_is_kept_unless_told_so(self):
        self.start(CAPTURE=None)
        assert self.post(BROKEN).status == 422
        assert self.files() == []
        assert "captured" not in self.web.log()

    def test_the_last_one_is_kept_for_its_owner_alone(self):
        self.start()
        for body in (BROKEN, b"x" * (1 << 20), BROKEN + b"."):
            assert self.post(body).status == 422
            assert self.file.read_bytes() == body
            assert self.file.stat().st_mode & 0o7777 == 0o600
            assert self.files() == ["refused"]
        log = self.web.log()
        assert log.count("event=captured app=heaven bytes=") == 3
        assert f'bytes={len(BROKEN)} file="{self.file}"' in log
        assert "secret of a customer" not in log

    def test_explain_shows_what_the_answer_said(self):
        self.start()
        answer = self.post(BROKEN)
        explained = subprocess.run(
            [PROGRAM, "--explain", self.file], capture_output=True, text=True,
            env={"PATH": PATH}, timeout=20)
        assert explained.returncode == 1
        fault = json.loads(answer.body)
        assert f"fault\t{fault['offset']}\t{fault['error']}" in \
            explained.stdout

    def test_only_with_the_right_credentials(self):
        self.start()
        assert self.post(BROKEN, credentials="Aladdin:wrong").status == 401
        assert self.post(BROKEN, credentials=None).status == 401
        assert self.files() == []

    def test_nothing_of_what_is_counted_or_refused_otherwise(self):
        self.start()
        assert self.post().status == 201
        assert self.post(BROKEN, content_type="text/plain").status == 415
        assert self.post(BROKEN, path="/heaven").status == 404
        assert self.files() == []

    def test_what_cannot_be_written_changes_no_answer(self):
        self.start(CAPTURE="/nonexistent/refused")
        assert self.post(BROKEN).status == 422
        wait_until(lambda: 'event=capture-failed file="/nonexistent/refused" '
                   'reason="No such file or directory"' in self.web.log(),
                   "the log")
        assert self.post().status == 201

    def test_as_classic_cgi(self):
        body = (FIXTURES / "malformed").glob("*")
        body = next(iter(sorted(body))).read_bytes()
        done = subprocess.run(
            [PROGRAM], input=body, capture_output=True, timeout=20, env={
                **dict(variables(len(body))), "PATH": PATH,
                "GATEWAY_INTERFACE": "CGI/1.1", "CAPTURE": str(self.file),
                "METRICS_CLUSTER": "statsd://127.0.0.1:9",
                "API_CREDENTIALS_HEAVEN": CREDENTIALS})
        assert b"Status: 422" in done.stdout
        assert self.file.read_bytes() == body
