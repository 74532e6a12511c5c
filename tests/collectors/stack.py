"""Real collectors, each started on loopback in a separate folder: statsd
(npm), carbon-cache, graphite-web and collectd (Debian's packages)."""

import fcntl
import json
import re
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from lib.http import connect
from lib.places import ROOT, tool
from lib.ports import free_port
from lib.processes import Process, wait_until

HERE = Path(__file__).resolve().parent

STATSD_VERSION = "0.9.0"
STATSD = ROOT / "build" / "statsd"
# Debian's Graphite is installed for Debian's Python, which is not always the
# first in the PATH.
PYTHON = "/usr/bin/python3"


def install_statsd():
    """statsd's folder, into which npm installs it at the first call; other
    workers wait."""
    package = STATSD / "node_modules" / "statsd"
    STATSD.mkdir(parents=True, exist_ok=True)
    with open(STATSD / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (STATSD / "installed").exists():
            return package
        done = subprocess.run(
            [tool("npm"), "install", "--omit=optional", "--no-audit",
             "--no-fund", "--no-package-lock", "--no-update-notifier",
             "--prefix", str(STATSD), f"statsd@{STATSD_VERSION}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=300)
        if done.returncode != 0:
            raise AssertionError(f"npm cannot install statsd:\n{done.stdout}")
        (STATSD / "installed").touch()
    return package


def documented(heading, language):
    """The configuration below a heading of docs/collectors.md."""
    text = (ROOT / "docs" / "collectors.md").read_text()
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text,
                        re.M | re.S)[1]
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", section, re.M | re.S)
    if not blocks:
        raise AssertionError(f"docs/collectors.md has no {language} below "
                             f"{heading}")
    return "".join(blocks)


def compatible():
    """The environment that Debian's Python needs for carbon."""
    has_imp = subprocess.run([PYTHON, "-W", "ignore", "-c", "import imp"],
                             stderr=subprocess.DEVNULL).returncode == 0
    return {} if has_imp else {"PYTHONPATH": str(HERE / "compat")}


def connects(port):
    try:
        connect(port, timeout=1).close()
        return True
    except OSError:
        return False


class Carbon(Process):
    """carbon-cache; its whisper files are below self.whisper."""

    def __init__(self, folder, retentions="1s:10m"):
        self.port, self.query_port = free_port(), free_port()
        self.whisper = folder / "whisper"
        conf = folder / "carbon"
        conf.mkdir(parents=True)
        self.whisper.mkdir()
        (conf / "carbon.conf").write_text(f"""[cache]
STORAGE_DIR = {folder}
CONF_DIR = {conf}
LOCAL_DATA_DIR = {self.whisper}
LOG_DIR = {folder}
PID_DIR = {folder}
USER =
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {self.port}
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {self.query_port}
ENABLE_UDP_LISTENER = False
CARBON_METRIC_INTERVAL = 0
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = inf
WHISPER_AUTOFLUSH = True
""")
        documents = documented("Its place in Graphite", "ini")
        schemas, counts = re.split(r"(?=^\[counts\])", documents, flags=re.M)
        (conf / "storage-schemas.conf").write_text(
            re.sub("(?m)^retentions = .*", f"retentions = {retentions}",
                   schemas) +
            f"[all]\npattern = .*\nretentions = {retentions}\n")
        (conf / "storage-aggregation.conf").write_text(counts)
        super().__init__([
            tool("carbon-cache"), f"--config={conf}/carbon.conf",
            f"--logdir={folder}", f"--pidfile={folder}/carbon.pid",
            "--nodaemon", "start"], env=compatible())

    def ready(self):
        return connects(self.port)

    def sum(self, metric):
        """The sum of a whisper file's points, or None without any."""
        path = self.whisper / (metric.replace(".", "/") + ".wsp")
        if not path.exists():
            return None
        done = subprocess.run(
            [tool("whisper-fetch"), "--json", str(path)],
            capture_output=True, text=True, check=True)
        values = [v for v in json.loads(done.stdout)["values"]
                  if v is not None]
        return sum(values) if values else None

    def metrics(self):
        """The names of all whisper files."""
        return sorted(str(p.relative_to(self.whisper))[:-4].replace("/", ".")
                      for p in self.whisper.rglob("*.wsp"))


class Statsd(Process):
    """statsd, which flushes to carbon-cache once a second, or once a minute of
    a faster clock."""

    def __init__(self, folder, carbon, flush=1, env=None):
        package = install_statsd()
        self.port, self.management = free_port(socket.SOCK_DGRAM), free_port()
        config = folder / f"statsd-{self.port}.js"
        config.write_text(
            documented("statsd (npm, 0.9.0)", "js")
            .replace("port: 8125", f"port: {self.port}")
            .replace("2003", str(carbon.port))
            .replace("10000", str(flush * 1000))
            .replace("{", f"{{ mgmt_port: {self.management},\n"
                          "  automaticConfigReload: false,\n", 1))
        super().__init__(
            [tool("node"), "-r", HERE / "clock.js", package / "stats.js",
             config], env=env)

    @property
    def uri(self):
        return f"statsd://127.0.0.1:{self.port}"

    def ready(self):
        return connects(self.management)

    def ask(self, command):
        """An answer of the management port, without its END."""
        with connect(self.management, timeout=5) as s:
            s.sendall(command.encode() + b"\n")
            answer = b""
            while b"END" not in answer:
                chunk = s.recv(65536)
                if not chunk:
                    break
                answer += chunk
        return answer.decode().partition("END")[0]


class Graphite(Process):
    """graphite-web, with Python's own web server."""

    def __init__(self, folder, carbon, pages=None):
        self.port = free_port()
        storage = folder / "graphite-web"
        storage.mkdir()
        super().__init__(
            [PYTHON, HERE / "graphite_web.py", storage, carbon.whisper,
             carbon.query_port, self.port, *([pages] if pages else [])])

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def ready(self):
        return connects(self.port)

    def fetch(self, path, **parameters):
        """The body of an answer; parameters may be lists."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        try:
            with urllib.request.urlopen(
                    f"{self.url}{path}?{query}", timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as e:
            raise AssertionError(
                f"{path}?{query}: {e.code}\n{e.read().decode()[-2000:]}")

    def render(self, *targets, **parameters):
        """The JSON that a render request returns."""
        return json.loads(self.fetch(
            "/render", target=targets, format="json",
            **{"from": "-5min", "noCache": "1", **parameters}))


class Collectd(Process):
    """collectd with the statsd plugin, writing to carbon-cache."""

    def __init__(self, folder, carbon):
        self.port = free_port(socket.SOCK_DGRAM)
        (folder / "collectd").mkdir()
        config = folder / "collectd.conf"
        config.write_text(
            f'Hostname "test"\nFQDNLookup false\nInterval 1\n'
            f'BaseDir "{folder}/collectd"\nPIDFile "{folder}/collectd/pid"\n' +
            documented("collectd (5.12)", "apache")
            .replace("8125", str(self.port))
            .replace("2003", str(carbon.port)))
        super().__init__([tool("collectd"), "-f", "-C", config])

    @property
    def uri(self):
        return f"statsd://127.0.0.1:{self.port}"

    def ready(self):
        """Whether its UDP port is taken."""
        wanted = f":{self.port:04X} "
        return wanted in Path("/proc/net/udp").read_text()


def start(processes, seconds=20):
    """Waits until all of them are ready."""
    for p in processes:
        wait_until(p.ready, f"{type(p).__name__} starts", seconds, p)
