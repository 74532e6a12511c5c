"""Real processes, always stopped again."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from lib.places import PATH, PROGRAM

# In a shell's background SIGINT is ignored, here and by all that is started.
signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_until(condition, what, seconds=10, process=None):
    """Polls a condition; says what did not come about."""
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
    """A process in a session of its own, whose output goes to a file."""

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
        """Ends it and whatever it started."""
        if self.poll() is None:
            self.send_signal(how)
            try:
                self.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        self._log.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._log.name)


def children(pid):
    """The pids of a process's children, their children and so on."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                child = int(stat.parent.name)
                found += [child, *children(child)]
    return found


def responders(pid):
    """The pids of the responders below a web server."""
    def is_responder(p):
        with contextlib.suppress(OSError):
            return os.readlink(f"/proc/{p}/exe") == str(PROGRAM)
        return False
    return [p for p in children(pid) if is_responder(p)]


def fastcgi_socket(responder):
    """The path of the socket at which a responder listens."""
    inode = os.readlink(f"/proc/{responder}/fd/0")[len("socket:["):-1]
    for line in Path("/proc/net/unix").read_text().splitlines():
        fields = line.split()
        if fields[6] == inode:
            return Path(fields[7])
