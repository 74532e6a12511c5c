"""Real processes, which are always stopped."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from lib.places import PATH, PROGRAM

# A shell ignores SIGINT for background jobs, and so would all processes
# started here.
signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_until(condition, what, seconds=30, process=None):
    """Polls a condition; on failure, says which."""
    end = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None:
            raise AssertionError(
                f"{what}: the process ended with {process.returncode}\n"
                f"{process.log()}")
        if time.monotonic() > end:
            log = process.log() if process is not None else ""
            raise AssertionError(f"{what}: not within {seconds} s\n{log}")
        time.sleep(0.01)


class Process(subprocess.Popen):
    """A process in a separate session, whose output goes to a file."""

    def __init__(self, command, env=None, log=None, **kwargs):
        self._log = log or tempfile.NamedTemporaryFile(
            prefix="logplex-statsd-log-", delete=False)
        full = {"PATH": PATH, "HOME": "/tmp", "LC_ALL": "C", **(env or {})}
        super().__init__([str(c) for c in command], env=full,
                         stdin=kwargs.pop("stdin", subprocess.DEVNULL),
                         stdout=kwargs.pop("stdout", self._log),
                         stderr=self._log,
                         start_new_session=True, **kwargs)

    def log(self):
        return Path(self._log.name).read_text(errors="replace")

    def stop(self, how=signal.SIGTERM, seconds=10):
        """Ends it and everything it has started."""
        if self.poll() is None:
            self.send_signal(how)
            try:
                self.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        # Only once: later its number may be that of another group.
        if not self._log.closed:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        self._log.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._log.name)


def state_and_parent(stat):
    """From a file /proc/PID/stat."""
    state, parent = stat.read_text().rsplit(")", 1)[1].split()[:2]
    return state, int(parent)


def is_running(pid):
    with contextlib.suppress(OSError):
        return state_and_parent(Path(f"/proc/{pid}/stat"))[0] != "Z"
    return False


def cpu_seconds(pid):
    """The CPU time of a process so far."""
    return sum(int((task / "schedstat").read_text().split()[0])
               for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def children(pid):
    """The pids of a process's children, their children and so on."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = state_and_parent(stat)
            if parent == pid and state != "Z":
                child = int(stat.parent.name)
                found += [child, *children(child)]
    return found


def responders(pid):
    """The pids of the responders below a web server."""
    def is_responder(p):
        # Not /proc/PID/exe: for this program, only root can read it.
        with contextlib.suppress(OSError):
            return Path(f"/proc/{p}/comm").read_text() == f"{PROGRAM.name}\n"
        return False
    return [p for p in children(pid) if is_responder(p)]


def fastcgi_socket(web):
    """The path of the socket at which the responder of bin/web listens."""
    for pid in children(web):
        with contextlib.suppress(OSError):
            folder = re.search(rb"\0SOCKET_DIR=([^\0]+)",
                               Path(f"/proc/{pid}/environ").read_bytes())
            if folder:
                path, = Path(os.fsdecode(folder[1])).glob("*.sock-*")
                return path
