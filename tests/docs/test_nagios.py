"""docs/dashboards/check_platform_errors when Graphite gives odd answers: they
come from a server made for this, as no real one gives them on request.
tests/collectors/test_dashboards.py tests it with correct ones."""

import contextlib
import io
import json
import re
import runpy
import socket
import socketserver
import subprocess
import sys
import threading

from lib.case import Case
from lib.places import ROOT

CHECK = ROOT / "docs" / "dashboards" / "check_platform_errors"
SERIES = [{"target": "shop", "datapoints": [[3, 0], [None, 60], [4.0, 120]]}]


@contextlib.contextmanager
def graphite(answer):
    """The address of a server that answers every request with these bytes."""
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.request.sendall(answer)

    server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def http(body, status="200 OK", length=None):
    length = len(body) if length is None else length
    return (f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n"
            "Connection: close\r\n\r\n").encode() + body


def run(*arguments):
    """Exit status and output, run within this process, which is faster."""
    out, kept = io.StringIO(), sys.argv
    sys.argv = [str(CHECK), *arguments]
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_path(str(CHECK), run_name="__main__")
    except SystemExit as e:
        return e.code, out.getvalue()
    finally:
        sys.argv = kept


class OddAnswers(Case):
    whole = json.dumps(SERIES).encode()
    odd = {
        "cut short": http(whole[:-9], length=len(whole)),
        "cut short, without a length":
            b"HTTP/1.0 200 OK\r\n\r\n" + whole[:-9],
        "nothing": b"",
        "no HTTP": b"SSH-2.0-OpenSSH\r\n",
        "a header without end": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200,
        "an error": http(whole, "500 Internal Server Error"),
        "an error with bars | and\ttabs": http(b"", "500 a | b\tc"),
        "a page": http(b"<html>log in</html>"),
        "chunks that end early": b"HTTP/1.1 200 OK\r\n"
                                 b"Transfer-Encoding: chunked\r\n\r\n9\r\n[{",
        "not UTF-8": http(b"\xff\xfe["),
    }
    odd.update((text, http(text.encode())) for text in (
        "null", "5", '"x"', "{}x", '{"target": "x"}', "[5]", "[null]", "[[]]",
        '[{"target": "shop"}]', '[{"datapoints": []}]',
        '[{"target": "shop", "datapoints": 5}]',
        '[{"target": "shop", "datapoints": [5]}]',
        '[{"target": "shop", "datapoints": [[5]]}]',
        '[{"target": "shop", "datapoints": [["5", 0]]}]',
        '[{"target": "shop", "datapoints": [[[], 0]]}]',
        '[{"target": "shop", "datapoints": [[NaN, 0]]}]',
        '[{"target": "shop", "datapoints": [[Infinity, 0]]}]',
        '[{"target": 5, "datapoints": []}, {"target": "x", "datapoints": []}]',
        "[" * 100000))

    def test_are_unknown(self):
        for why, answer in self.odd.items():
            for more in ([], ["--alive"]):
                with graphite(answer) as url:
                    status, said = run("--url", url, *more)
                    assert status == 3, said
                    assert re.search(r"\AUNKNOWN: [^|\n]+\n\Z", said)

    def test_nobody_answers(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            done = subprocess.run(
                [sys.executable, CHECK, "--url",
                 f"http://127.0.0.1:{closed.getsockname()[1]}"], text=True,
                capture_output=True, timeout=60)
        assert (done.returncode, done.stderr) == (3, "")
        assert re.search(r"\AUNKNOWN: .*refused", done.stdout)

    def test_a_right_one_is_judged(self):
        with graphite(http(self.whole)) as url:
            for thresholds, status in (("7 9", 0), ("6 9", 1), ("5 6", 2)):
                warning, critical = thresholds.split()
                found, said = run("--url", url, "--warning", warning,
                                  "--critical", critical)
                assert found == status
                assert ": shop 7 | 'shop'=7;" in said

    def test_wrong_options_are_unknown(self):
        for wrong in ([], ["--url", "x", "--warning", "many"],
                      ["--url", "no address"], ["--url", "http://[x"]):
            status, said = run(*wrong)
            assert status == 3, wrong
            assert said.startswith("UNKNOWN: "), wrong
