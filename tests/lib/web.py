"""Tests through lighttpd."""

from lib.case import Case
from lib.collector import Collector
from lib.http import request
from lib.places import CREDENTIALS, REFERENCE, ROOT
from lib.ports import free_port
from lib.processes import Process, wait_until


class WebTest(Case):
    """bin/web, started as users start it, with two separate collectors."""

    env = {}

    def start_web(self, options="", **env):
        """Starts bin/web; sets self.port, self.web and self.collectors. The
        options are appended to each collector's URI: "?datagram=1432"."""
        self.collectors = [self.keep(Collector()), self.keep(Collector())]
        self.port = free_port()
        full = {
            "PORT": str(self.port), "BIND": "127.0.0.1",
            "METRICS_CLUSTER": ",".join(
                c.uri + options for c in self.collectors),
            "API_CREDENTIALS_HEAVEN": CREDENTIALS, **self.env, **env}
        self.web = self.keep(Process(
            [ROOT / "bin" / "web"],
            env={k: v for k, v in full.items() if v is not None}))
        self.wait_for_web()

    def wait_for_web(self):
        def answers():
            try:
                return request(self.port, method="GET", path="/_ping",
                               credentials=None).status == 200
            except OSError:
                return False
        wait_until(answers, "bin/web answers", process=self.web)

    def post(self, body=REFERENCE, **kwargs):
        return request(self.port, body=body, **kwargs)

    def counters(self):
        """The lines of all collectors, sorted."""
        return sorted(l for c in self.collectors for l in c.lines())

    def assert_nothing_counted(self):
        assert self.counters() == []
