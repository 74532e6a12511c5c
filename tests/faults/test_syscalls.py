"""System calls fail: strace makes each call between the start of main and an
answer fail, with each error that Linux documents for it, at its first, second
and tenth time, counted from the start of main and from the first request.

The sender behaves like Logplex: it repeats a batch that is not answered, or
answered 5xx, with the same Logplex-Frame-Id.  A responder that has ended is
started again, as web servers do.  Nothing crashes or hangs; in the end, every
batch is acknowledged and has been counted once, or the log says how many of
its datagrams were lost.

The table in docs/reliability.md shows the outcome of each error.  This script
writes it: PYTHONPATH=tests python3 tests/faults/test_syscalls.py --write"""

import collections
import concurrent.futures
import contextlib
import fcntl
import functools
import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from lib.collector import Sink
from lib.fastcgi import message, read_reply, variables
from lib.places import PROGRAM, REFERENCE, ROOT, tool
from lib.variant import impatient_program

# strace's names of calls; errors from section 2 of the manual pages, from
# udp(7) and, for calls that send or accept, from ip(7).
NETWORK = "EHOSTDOWN EHOSTUNREACH ENETDOWN ENETUNREACH ENONET ENOPROTOOPT"
FILES = "EAGAIN EBADF EFAULT EINTR EINVAL EIO"
WRITING = "EDESTADDRREQ EDQUOT EFBIG ENOSPC EPERM EPIPE"
ERRNOS = {
    "accept4": "EAGAIN EBADF ECONNABORTED EFAULT EINTR EINVAL EMFILE ENFILE "
               "ENOBUFS ENOMEM ENOSR ENOTSOCK EOPNOTSUPP EPERM EPROTO "
               "EPROTONOSUPPORT ESOCKTNOSUPPORT ETIMEDOUT " + NETWORK,
    "brk": "ENOMEM",
    "clock_nanosleep": "EFAULT EINTR EINVAL",
    "close": "EBADF EDQUOT EINTR EIO ENOSPC",
    "connect": "EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EALREADY "
               "EBADF ECONNREFUSED EFAULT EINPROGRESS EINTR EISCONN "
               "ENETUNREACH ENOTSOCK EPERM EPROTOTYPE ETIMEDOUT",
    "fallocate": "EBADF EFBIG EINTR EINVAL EIO ENODEV ENOSPC ENOSYS "
                 "EOPNOTSUPP EPERM ESPIPE ETXTBSY",
    "fcntl": "EACCES EAGAIN EBADF EBUSY EDEADLK EFAULT EINTR EINVAL EMFILE "
             "ENOLCK EPERM",
    "getrandom": "EAGAIN EFAULT EINTR EINVAL ENOSYS",
    "getsockname": "EBADF EFAULT EINVAL ENOBUFS ENOTSOCK",
    "getsockopt": "EBADF EFAULT EINVAL ENOPROTOOPT ENOTSOCK",
    "mmap": "EACCES EAGAIN EBADF EEXIST EINVAL ENFILE ENODEV ENOMEM "
            "EOVERFLOW EPERM ETXTBSY",
    "munmap": "EINVAL",
    "newfstatat": "EACCES EBADF EFAULT EINVAL ELOOP ENAMETOOLONG ENOENT "
                  "ENOMEM ENOTDIR EOVERFLOW",
    "openat": "EACCES EBADF EBUSY EDQUOT EEXIST EFAULT EFBIG EINTR EINVAL "
              "EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENODEV ENOENT ENOMEM "
              "ENOSPC ENOTDIR ENXIO EOPNOTSUPP EOVERFLOW EPERM EROFS ETXTBSY "
              "EAGAIN",
    "pipe2": "EFAULT EINVAL EMFILE ENFILE ENOPKG",
    "poll": "EFAULT EINTR EINVAL ENOMEM",
    "ppoll": "EFAULT EINTR EINVAL ENOMEM",
    "prctl": "EACCES EFAULT EINVAL EPERM",
    "pread64": FILES + " EISDIR ENXIO EOVERFLOW ESPIPE",
    "prlimit64": "EFAULT EINVAL EPERM ESRCH",
    "pwrite64": f"{FILES} {WRITING} ENXIO EOVERFLOW ESPIPE",
    "read": FILES + " ECONNRESET EISDIR",
    "readv": FILES + " ECONNRESET EISDIR",
    "recvfrom": "EAGAIN EBADF ECONNREFUSED ECONNRESET EFAULT EINTR EINVAL "
                "ENOMEM ENOTCONN ENOTSOCK",
    "rt_sigaction": "EFAULT EINVAL",
    "rt_sigprocmask": "EFAULT EINVAL",
    "sendto": "EACCES EAGAIN EALREADY EBADF ECONNREFUSED ECONNRESET "
              "EDESTADDRREQ EFAULT EINTR EINVAL EISCONN EMSGSIZE ENOBUFS "
              "ENOMEM ENOTCONN ENOTSOCK EOPNOTSUPP EPERM EPIPE " + NETWORK,
    "shutdown": "EBADF EINVAL ENOTCONN ENOTSOCK",
    "socket": "EACCES EAFNOSUPPORT EINVAL EMFILE ENFILE ENOBUFS ENOMEM "
              "EPROTONOSUPPORT",
    "write": f"{FILES} {WRITING} ECONNRESET",
}
NEVER_FAIL = {"exit_group", "geteuid", "getpid", "rt_sigreturn"}
# The kernel returns an address below the one that was asked for.
FAILS_OTHERWISE = {"brk": "retval=0"}
TIMES = 1, 2, 10
SECONDS = 20  # for a whole case; the program waits for 10 at most

BATCHES = 12
BODY = REFERENCE + b"\n" * 12000  # more than arrives with the parameters
COUNTERS = 4  # of the reference example


class Case:
    """A program in which one system call fails, and the outcome."""

    def __init__(self, strace, program=PROGRAM, debug=False):
        self.strace, self.program = list(strace), str(program)
        self.tries = 0  # not counting the first of each batch
        self.ended = False
        self.logs = []
        self.sinks = [Sink(), Sink(key="u:key@")]
        self.end = time.monotonic() + SECONDS
        self.env = {
            "METRICS_CLUSTER": ",".join(s.uri for s in self.sinks),
            "API_SECRET": "0123456789abcdef",
            "LOG_LEVEL": "debug" if debug else "info"}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-")
        self.path = os.path.join(self.folder.name, "socket")
        self.trace = Path(self.folder.name, "trace")
        self.env["FRAMES_FILE"] = os.path.join(self.folder.name, "frames")
        return self

    def __exit__(self, *_):
        for sink in self.sinks:
            sink.close()
        self.folder.cleanup()

    def command(self):
        """The command that starts the program, the first time with strace."""
        options, self.strace = self.strace, []
        return [*([tool("strace"), "-D", "-f", "-qq", "--seccomp-bpf", "-o",
                   str(self.trace), *options] if options else ()),
                self.program]

    def new_log(self):
        self.logs.append(open(Path(self.folder.name, f"log{len(self.logs)}"),
                              "w+"))
        return self.logs[-1]

    def log(self):
        text = ""
        for log in self.logs:
            log.seek(0)
            text += log.read()
        return text

    def headers(self, batch):
        return dict(path=f"/b{batch}/logs", credentials=":0123456789abcdef",
                    HTTP_LOGPLEX_FRAME_ID=f"frame-{batch}")

    def deliver(self, batch):
        """Sends a batch until it is acknowledged, at most three times."""
        for again in range(3):
            status = self.attempt(batch)
            if status == 201:
                return
            assert status is None or status >= 500, (status, self.log())
            self.tries += 1
        raise AssertionError("never acknowledged: " + self.log())

    def send(self, batches):
        for batch in range(batches):
            self.deliver(batch)

    def judge(self, batches):
        """Each datagram was counted once, or the log reports that it was
        lost."""
        counted = collections.Counter(
            line for sink in self.sinks for line in sink.lines())
        names = {line.split(".")[0] for line in counted}
        assert names <= {f"b{n}" for n in range(batches)}, names
        assert set(counted.values()) == {1}, (counted, self.log())
        lost = batches * COUNTERS - len(counted)
        logged = sum(map(int, re.findall(
            r"event=send-failed \S+ datagrams=(\d+) ", self.log())))
        assert lost <= logged, (lost, self.log())
        last = sum(line.startswith(f"b{batches - 1}.") for line in counted)
        assert last == COUNTERS, "the next batch counts whole"
        return (ENDED if self.ended else LOST if lost else
                AGAIN if self.tries else NOTHING)


class FastCgi(Case):
    def __enter__(self):
        super().__enter__()
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(self.path)
        self.listening.listen(64)
        self.start()
        return self

    def start(self):
        log = self.new_log()
        self.process = subprocess.Popen(
            self.command(), stdin=self.listening, stdout=log, stderr=log,
            env=self.env)

    def revive(self):
        """Starts it again if it has ended, as a web server does; it must have
        said why."""
        status = self.process.poll()
        if status is None:
            return
        assert status > 0, (status, self.log())
        assert self.log(), "ended without a word"
        self.ended = True
        self.start()

    def attempt(self, batch):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(0.05)
            s.connect(self.path)
            with contextlib.suppress(BrokenPipeError):
                s.sendall(message(BODY, **self.headers(batch)))
            while True:
                self.revive()
                assert time.monotonic() < self.end, "hang: " + self.log()
                try:
                    first = s.recv(1, socket.MSG_PEEK)
                except socket.timeout:
                    continue
                except ConnectionResetError:
                    return None
                s.settimeout(SECONDS)
                answer = read_reply(s) if first else None
                return answer.status if answer is not None else None

    def finish(self):
        self.process.terminate()
        status = self.process.wait(SECONDS)
        assert status == 0, (status, self.log())

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.listening.close()
        super().__exit__(*exception)


class Cgi(Case):
    def start(self, batch, **kwargs):
        return subprocess.Popen(
            self.command(), stdin=subprocess.PIPE, stderr=self.new_log(),
            env={**self.env, "GATEWAY_INTERFACE": "CGI/1.1",
                 **dict(variables(len(REFERENCE), **self.headers(batch)))},
            **kwargs)

    def attempt(self, batch):
        with self.start(batch, stdout=subprocess.PIPE) as process:
            try:
                out, _ = process.communicate(REFERENCE, SECONDS)
            finally:
                process.kill()
        assert process.returncode >= 0, (process.returncode, out, self.log())
        status = re.match(rb"Status: (\d+) ", out)
        if status is None:
            assert process.returncode == 0 or self.log()
        return int(status.group(1)) if status else None

    def finish(self):
        pass


MODES = {"FastCGI": FastCgi, "CGI": Cgi}
# Calls that, after the start, only a change of the machine's address causes.
REFRESHING = {"close", "connect", "getsockname", "socket"}


def variants(mode, name):
    """Programs, and whether to log at debug: a log line takes poll and
    write."""
    yield PROGRAM, False
    if name in ("poll", "write"):
        yield PROGRAM, True
    if name in REFRESHING and mode == "FastCGI":
        yield impatient_program(), False


@functools.lru_cache(maxsize=None)
def calls(mode, program, debug):
    """The system calls since main began, in order: (name, how many of this
    name so far, how many batches had begun)."""
    with MODES[mode](["-e", "trace=all"], program, debug) as case:
        case.send(BATCHES if mode == "FastCGI" else 1)
        case.finish()
        trace = case.trace.read_text()
    count, found, batch, begun = collections.Counter(), [], 0, False
    for line in trace.splitlines():
        call = re.match(r"\d+ +(\w+)\(", line)
        if call is None:
            continue
        name = call.group(1)
        begun |= '"/dev/null"' in line  # the first of main
        count[name] += 1
        batch += mode == "FastCGI" and name == "accept4"
        if begun:
            found.append((name, count[name], batch))
    return found


def names(mode):
    """The names of the calls that can fail."""
    return {name for name in ERRNOS for variant in variants(mode, name)
            if name in {called for called, _, _ in calls(mode, *variant)}}


def times(mode, variant, name):
    """When a system call fails: (its how many-th time, how many batches it
    takes to get there and one further)."""
    mine = [(n, batch) for called, n, batch in calls(mode, *variant)
            if called == name]
    serving = [pair for pair in mine if pair[1] > 0]
    found = {part[k - 1] for part in (mine, serving) for k in TIMES
             if k <= len(part)}
    return sorted((n, max(1, batch) + 1) for n, batch in found)


def outcome(mode, variant, name, errno, when, batches):
    how = FAILS_OTHERWISE.get(name, f"error={errno}")
    with MODES[mode](["-e", f"trace={name}", "-e",
                      f"inject={name}:{how}:when={when}"], *variant) as case:
        case.send(batches)
        case.finish()
        assert "(INJECTED)" in case.trace.read_text()
        return case.judge(batches)


# From good to bad.
NOTHING, AGAIN, LOST, ENDED = OUTCOMES = (
    "goes on", "sent again", "lost, logged", "ends, and says why")


def outcomes(mode, name):
    """The errors, by the worst outcome of each."""
    found = collections.defaultdict(list)
    for errno in ERRNOS[name].split():
        seen = {NOTHING}
        for variant in variants(mode, name):
            for when, batches in times(mode, variant, name):
                try:
                    seen.add(
                        outcome(mode, variant, name, errno, when, batches))
                except Exception as e:
                    raise AssertionError(
                        f"{mode}, debug={variant[1]}: {name} fails with "
                        f"{errno} at its time {when}: {e}") from e
        found[max(seen, key=OUTCOMES.index)].append(errno)
    return found


def row(mode, name):
    """The line of the table; errors are named where they are few."""
    found = outcomes(mode, name)
    most = max(OUTCOMES, key=lambda o: len(found[o]))
    cells = [" ".join(sorted(found[o])) for o in OUTCOMES]
    if len(found[most]) > 5:
        cells[OUTCOMES.index(most)] = "{} {}".format(
            "all" if found[most] == ERRNOS[name].split() else "the other",
            len(found[most]))
    return f"| `{name}`, {mode} | {' | '.join(cells)} |"


PAGE = ROOT / "docs" / "reliability.md"
BEGIN = "<!-- made by tests/faults/test_syscalls.py --write -->\n"
END = "<!-- end -->\n"
HEAD = f"| call | {' | '.join(OUTCOMES)} |\n|{'---|' * 5}\n"


def table():
    """The table's rows on the page, by call and mode."""
    made = PAGE.read_text().split(BEGIN)[1].split(END)[0]
    return {(m.group(2), m.group(1)): m.group()
            for m in re.finditer(r"^\| `(\w+)`, (\w+) \|.*", made, re.M)}


# Threads that look up names.
CLONE3 = ("EAGAIN EBUSY EEXIST EINVAL ENOMEM ENOSPC EOPNOTSUPP EPERM "
          "EUSERS").split()


class Named(FastCgi):
    """A responder one of whose collectors has a name."""

    def __init__(self, *args):
        super().__init__(*args)
        self.env["METRICS_CLUSTER"] = self.env["METRICS_CLUSTER"].replace(
            "key@127.0.0.1", "key@localhost")

    def headers(self, batch):
        return {**super().headers(batch), "path": "/heaven/logs"}


@pytest.mark.parametrize("errno", CLONE3)
def test_no_look_up_can_be_started(errno):
    """The other collector is served meanwhile; the look-up is tried again."""
    with Named(["-e", "trace=clone3", "-e",
                f"inject=clone3:error={errno}:when=1"],
               impatient_program()) as case:
        for batch in itertools.count():
            case.deliver(batch)
            first, second = (set(sink.lines()) for sink in case.sinks)
            assert first == {"heaven.heroku.errors.R89:1|c"}
            if len(second) == 3:
                break
            assert time.monotonic() < case.end, case.log()
            time.sleep(0.05)
        case.finish()
        assert batch > 0 and "(INJECTED)" in case.trace.read_text()
        assert re.search(r"event=lookup-failed collector=statsd://localhost:"
                         r'\d+ reason=".* now" using=none', case.log())


def test_short_reads():
    """A request that arrives byte by byte."""
    with FastCgi([]) as case:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(case.path)
            for byte in message(**case.headers(0)):
                s.sendall(bytes([byte]))
                time.sleep(0.0005)
            assert read_reply(s).status == 201
        case.finish()
        assert case.judge(1) == NOTHING
    with Cgi([]) as case:
        process = case.start(0, stdout=subprocess.PIPE)
        for byte in REFERENCE:
            os.write(process.stdin.fileno(), bytes([byte]))
            time.sleep(0.0005)
        assert b"Status: 201 " in process.communicate()[0]
        assert case.judge(1) == NOTHING


def test_full_pipe():
    """An answer goes to a non-blocking pipe that is full at first."""
    with Cgi([]) as case:
        out, end = os.pipe()
        os.set_blocking(end, False)
        full = fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 4096)
        os.write(end, bytes(full))
        process = case.start(0, stdout=end)
        os.close(end)
        process.stdin.write(REFERENCE)
        process.stdin.close()
        time.sleep(0.2)
        answer = b""
        while chunk := os.read(out, 65536):
            answer += chunk
        os.close(out)
        assert answer[full:].startswith(b"Status: 201 ")
        assert process.wait(SECONDS) == 0
        assert case.judge(1) == NOTHING


@pytest.mark.parametrize("mode", MODES)
def test_every_system_call_is_known(mode):
    for variant in {v for name in ERRNOS for v in variants(mode, name)}:
        made = {called for called, _, _ in calls(mode, *variant)}
        assert made <= ERRNOS.keys() | NEVER_FAIL
    assert {name for m, name in table() if m == mode} == names(mode)


@pytest.mark.parametrize("mode, name", table())
def test_fails(mode, name):
    assert row(mode, name) == table()[mode, name]


def write():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        rows = pool.map(lambda key: row(*key), sorted(
            ((mode, name) for mode in MODES for name in names(mode)),
            key=lambda key: (key[1], key[0] != "FastCGI")))
        made = HEAD + "".join(f"{row}\n" for row in rows)
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + made + END + rest.split(END)[1])


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
