"""FRAMES_FILE: the processes that share it, and how it can fail."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from lib.fastcgi import ResponderTest, message, read_reply, variables
from lib.logplex import CODES, error_line
from lib.places import PROGRAM, REFERENCE, REFERENCE_COUNTERS, tool
from lib.web import WebTest

ID = {"HTTP_LOGPLEX_FRAME_ID": "one"}


class FramesTest(ResponderTest):
    @pytest.fixture(autouse=True)
    def set_up(self, ends):
        folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-frames-")
        self.at_end(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "frames"

    def start(self, **kwargs):
        self.start_responder(FRAMES_FILE=str(self.file), **kwargs)

    def is_duplicate(self, **more):
        answer = self.ask(**{**ID, **more})
        assert answer.status == 201
        return json.loads(answer.body).get("duplicate", False)

    def assert_memory_serves(self, reason):
        """The log says why, once, and this process remembers what it
        counted."""
        assert not self.is_duplicate()
        assert self.is_duplicate()
        self.assert_reference_counted()
        lines = [line for line in self.responder.log().splitlines()
                 if "event=frames-file" in line]
        assert len(lines) == 1, self.responder.log()
        assert reason in lines[0]


class Shared(FramesTest):
    def test_siblings_count_a_batch_once_that_all_get_at_once(self):
        self.start(processes=4)
        counted = []

        def send(n):
            for i in range(25):
                counted.append(not self.is_duplicate(
                    HTTP_LOGPLEX_FRAME_ID=f"id {i}"))
        threads = [threading.Thread(target=send, args=(n,)) for n in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert (len(counted), sum(counted)) == (200, 25)
        self.assert_reference_counted(25)

    def cgi(self):
        """Whether a CGI process answers that the batch is a duplicate."""
        env = {"GATEWAY_INTERFACE": "CGI/1.1", **dict(variables(
            len(REFERENCE), **ID)), **self.responder_env}
        done = subprocess.run([PROGRAM], input=REFERENCE, env=env,
                              capture_output=True, timeout=20)
        assert done.stderr.count(b"event=frames-file") == 0
        assert b"Status: 201" in done.stdout
        return b'"duplicate":true' in done.stdout

    def test_cgi_processes_know_it_and_responders_with_them(self):
        self.start()
        self.responder_env = {
            "API_CREDENTIALS_HEAVEN": "Aladdin:open sesame",
            "METRICS_CLUSTER": ",".join(c.uri for c in self.collectors),
            "FRAMES_FILE": str(self.file)}
        assert not self.cgi()
        assert self.cgi()
        assert self.is_duplicate()
        self.assert_reference_counted()

    def test_a_batch_is_refused_while_one_has_it_and_gone_on_with_if_it_dies(
            self):
        """A responder is stopped between two of the 3,299 datagrams of a
        batch."""
        codes = set(CODES)
        body = b"".join(error_line(code) for code in CODES)
        self.start(processes=2)
        for tries in range(100):
            first, second = self.responders
            second.send_signal(signal.SIGSTOP)
            more = {"HTTP_LOGPLEX_FRAME_ID": f"try {tries}"}
            with contextlib.closing(self.connect()) as s:
                s.sendall(message(body, **more))
                time.sleep(0.0002 * tries)
                first.send_signal(signal.SIGSTOP)
                second.send_signal(signal.SIGCONT)
                before = time.monotonic()
                status = self.status(body, **more)
                if status == 503:
                    assert time.monotonic() - before > 0.9
                    break
                first.send_signal(signal.SIGCONT)
                read_reply(s)
        assert status == 503, "it was never stopped in time"
        assert 'reason="another process' in second.log()
        self.counters()
        for c in self.collectors:
            c.datagrams.clear()
        more = {"HTTP_LOGPLEX_FRAME_ID": f"try {tries}"}
        first.kill()
        first.wait()
        assert self.status(body, **more) == 201
        gone_on = {line.split(".")[-1].split(":")[0]
                   for line in self.counters()}
        assert len(gone_on) < len(codes)
        assert len(gone_on) == len(self.counters())
        assert gone_on < codes


class Unusable(FramesTest):
    @pytest.mark.root
    def test_of_another_owner(self):
        self.start()
        assert not self.is_duplicate()
        self.responder.stop()
        os.chown(self.file, 65534, 65534)
        self.start()
        self.assert_memory_serves("it belongs to another user")

    @pytest.mark.root
    def test_not_to_be_written(self):
        self.file.touch(0o400)
        os.chown(self.file, 65534, 65534)
        self.folder.chmod(0o755)
        self.start(command=[tool("setpriv"), "--reuid=65534",
                            "--clear-groups", PROGRAM])
        self.assert_memory_serves("Permission denied")

    def test_full_of_random_bytes(self):
        self.file.write_bytes(os.urandom(4096 + (1 << 20)))
        self.file.chmod(0o600)
        self.start()
        self.assert_memory_serves("it was not written by this version")

    def test_with_random_bytes_in_its_table(self):
        """Only its owner could write them; they cause a wrong answer at
        most."""
        self.start(processes=2)
        assert not self.is_duplicate()
        with open(self.file, "r+b") as f:
            f.seek(4096)
            f.write(os.urandom(1 << 20))
        for n in range(50):
            id_ = {"HTTP_LOGPLEX_FRAME_ID": f"id {n}"}
            assert not self.is_duplicate(**id_)
            assert self.is_duplicate(**id_)
        self.assert_reference_counted(51)

    def test_truncated_while_in_use(self):
        self.start()
        for n in range(50):
            assert not self.is_duplicate(HTTP_LOGPLEX_FRAME_ID=f"id {n}")
        os.truncate(self.file, 0)
        for c in self.collectors:
            c.lines()
            c.datagrams.clear()
        self.assert_memory_serves("its bytes are gone")
        assert self.responder.poll() is None

    def test_too_large_for_a_limit(self):
        self.start(command=["sh", "-c", 'ulimit -f 100 && exec "$0"',
                            PROGRAM])
        self.assert_memory_serves("File too large")


@pytest.mark.namespaces
class Disk(FramesTest):
    def mount(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs",
                        self.folder], check=True)
        self.at_end(subprocess.run, ["umount", "-l", self.folder])

    def test_read_only(self):
        self.mount("ro")
        self.start()
        self.assert_memory_serves("Read-only file system")

    def test_full(self):
        self.mount("size=500k")
        self.start()
        self.assert_memory_serves("No space left on device")


class Web(WebTest):
    def send(self):
        answer = self.post(headers=["Logplex-Frame-Id: one"])
        assert answer.status == 201
        return json.loads(answer.body).get("duplicate", False)

    def test_outlives_bin_web_where_it_is_told_to(self):
        folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-frames-")
        self.at_end(folder.cleanup)
        self.start_web(FRAMES_FILE=f"{folder.name}/frames")
        assert not self.send()
        assert self.counters() == sorted(REFERENCE_COUNTERS)
        self.web.stop()
        self.start_web(FRAMES_FILE=f"{folder.name}/frames")
        assert self.send()
        self.assert_nothing_counted()
