"""Every family of metrics, through lighttpd and UDP: the lines of the fixture,
plain and with tags."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.collector import Collector
from lib.frames import frame
from lib.http import request
from lib.places import FIXTURES
from lib.web import WebTest

SECRET = "open-sesame"
STREAM = "errors,loss,router,latency,timings,dynos,releases,addons,custom"


def rows():
    """(number, body, lines, lines with tags) of each row of the fixture."""
    texts = (FIXTURES / "metric-lines.tsv").read_bytes().splitlines()[1:]
    wanted = (FIXTURES / "metric-lines.expected.tsv").read_text()
    for text, row in zip(texts, wanted.splitlines()[1:], strict=True):
        number, app_name, procid, plain, tagged = row.split("\t")
        header = f"<134>1 2024-01-01T00:00:00+00:00 host {app_name} {procid} - "
        body = frame(header.encode() + text.split(b"\t")[2] + b"\n")
        yield number, body, plain, tagged


class Rows(WebTest):
    maxDiff = None
    env = {"API_CREDENTIALS_HEAVEN": None, "API_SECRET": SECRET,
           "METRICS": STREAM}

    def check(self, options, wanted_of, app_of, named):
        """Posts each row as an application of its own, and compares what has
        arrived of it."""
        collector = Collector()
        self.addCleanup(collector.close)
        self.start_web(METRICS_CLUSTER=collector.uri + options)
        wanted = {}
        for number, body, *lines in rows():
            answer = request(self.port, path=f"/row{number}/logs", body=body,
                             credentials="x:" + SECRET)
            self.assertEqual(answer.status, 201, number)
            wanted["row" + number] = [
                named(line, "row" + number) for line in
                wanted_of(lines).split(" ") if line != "-"]
        got = {app: [] for app in wanted}
        for line in collector.lines():
            got[app_of(line)].append(line)
        for app, lines in wanted.items():
            self.assertEqual(sorted(got[app]), sorted(lines), app)

    def test_plain(self):
        self.check("?datagram=1432", lambda lines: lines[0],
                   lambda line: line.split(".")[0],
                   lambda line, app: line.replace("shop", app, 1))

    def test_tagged(self):
        self.check("?datagram=1432&tags=dogstatsd", lambda lines: lines[1],
                   lambda line: line.split("#app:")[1].split(",")[0],
                   lambda line, app: line.replace("#app:shop", "#app:" + app))
