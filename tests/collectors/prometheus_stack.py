"""netdata's statsd and Prometheus, started on loopback in separate folders,
with the configurations of the documents."""

import getpass
import json
import socket
import urllib.parse
import urllib.request

from lib.places import ROOT, tool
from lib.ports import free_port
from lib.processes import Process
from stack import connects, documented

PROMETHEUS = ROOT / "docs" / "dashboards" / "prometheus"
# Parts of netdata that the test does not need.
QUIET = """
[global]
  run as user = {2}
[db]
  mode = alloc
[directories]
  config = {0}/etc
  cache = {0}/cache
  lib = {0}/lib
  log = {0}/log
[web]
  bind to = 127.0.0.1:{1}
[plugins]
  proc = no
  diskspace = no
  cgroups = no
  tc = no
  idlejitter = no
  timex = no
  enable running new plugins = no
[health]
  enabled = no
[ml]
  enabled = no
"""


class Netdata(Process):
    def __init__(self, folder):
        self.port, self.page = free_port(socket.SOCK_DGRAM), free_port()
        for name in ("etc", "cache", "lib", "log"):
            (folder / name).mkdir()
        config = folder / "netdata.conf"
        config.write_text(
            QUIET.format(folder, self.page, getpass.getuser()) +
            documented("netdata into Prometheus", "ini")
            .replace("127.0.0.1:8125", f"127.0.0.1:{self.port}"))
        super().__init__([tool("netdata"), "-D", "-c", config,
                          "-P", folder / "pid"])

    @property
    def uri(self):
        return f"statsd://127.0.0.1:{self.port}"

    def ready(self):
        return connects(self.page)


class Prometheus(Process):
    """Prometheus, which scrapes netdata once a second."""

    def __init__(self, folder, netdata):
        self.port = free_port()
        config = folder / "prometheus.yml"
        config.write_text(
            (PROMETHEUS / "prometheus-netdata.yml").read_text()
            .replace("127.0.0.1:19999", f"127.0.0.1:{netdata.page}")
            .replace(": 15s", ": 1s")
            .replace("[rules.yml]", f"[{PROMETHEUS}/rules.yml]"))
        super().__init__([
            tool("prometheus"), f"--config.file={config}",
            f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{self.port}"])

    def ready(self):
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/-/ready", timeout=10):
                return True
        except OSError:
            return False

    def query(self, expression):
        """The current series of a query, as (labels, value); an error of the
        query fails the test."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + \
            urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(url, timeout=10) as answer:
            data = json.load(answer)
        assert data["status"] == "success", data
        return [(s["metric"], float(s["value"][1]))
                for s in data["data"]["result"]]
