"""How the tests run; the registered markers are in .pytest.ini.

bin/test runs the tests without the markers servers, collectors, dyno and slow;
bin/test --all runs all."""

import concurrent.futures
import contextlib
import fcntl
import inspect
import os
import subprocess
import sys

import pytest

pytest.register_assert_rewrite("lib")  # shows the values of its asserts too

from lib.case import Case
from lib.places import ROOT, tool

# The markers of every test in a folder.
FOLDERS = {
    "bench": ["slow"],
    "collectors": ["collectors"],
    "docs": ["slow"],
    "dyno": ["dyno"],
    "faults": ["slow"],
    "properties": ["slow"],
    "servers": ["servers"],
    "timing": ["slow", "alone"],
}
INSIDE = "LOGPLEX_STATSD_NAMESPACE"
ENTER = """
ip link set lo up && exec "$@"
"""


def pytest_sessionstart(session):
    """Builds once, before the workers start, unless NO_BUILD is set."""
    if not hasattr(session.config, "workerinput") and \
            "NO_BUILD" not in os.environ:
        done = subprocess.run(["make", "-s", "-j2", "test-programs"], cwd=ROOT)
        if done.returncode != 0:
            pytest.exit("the programs cannot be built", done.returncode)


def keep():
    """Stops or closes what it is given, at the end."""
    with contextlib.ExitStack() as ends:
        def keep(started):
            ends.callback(getattr(started, "stop", None) or started.close)
            return started
        yield keep


class_keep = pytest.fixture(keep, scope="class")
module_keep = pytest.fixture(keep, scope="module")


def pytest_pycollect_makeitem(collector, name, obj):
    """A Case is collected whatever its name."""
    if inspect.isclass(obj) and issubclass(obj, Case):
        return pytest.Class.from_parent(collector, name=name, obj=obj)
    return None


def group_of(item):
    """One worker runs the tests that share a set-up, and another group of those
    that wait: the name of the group."""
    if item.get_closest_marker("waits"):
        return "waits"
    scopes = {of[-1].scope for of in
              item._fixtureinfo.name2fixturedefs.values()}
    if "module" in scopes:
        return item.module.__name__
    return item.cls.__name__ if "class" in scopes else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        for name in FOLDERS.get(folder, ()):
            item.add_marker(name)
        group = group_of(item)
        if group and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))
    # Groups, which take long, come first; tests that must run alone come last.
    items.sort(key=lambda item: (
        item.get_closest_marker("alone") is not None,
        item.get_closest_marker("xdist_group") is None))


# A test that runs alone takes the lock exclusively, all others share it. So do
# the suites that bin/test runs beside pytest.
LOCK = ROOT / "build" / "quiet"


@contextlib.contextmanager
def locked(how):
    with open(LOCK, "a") as lock:
        fcntl.flock(lock, how)
        yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    with locked(fcntl.LOCK_EX if item.get_closest_marker("alone")
                else fcntl.LOCK_SH):
        yield


def run_in_namespaces(item):
    nodeid = item.nodeid.partition("@")[0]
    command = [tool("unshare"), "--net", "--mount"]
    if os.geteuid() != 0:
        command.append("--map-root-user")
    done = subprocess.run(
        [*command, "sh", "-c", ENTER, "sh", sys.executable, "-m", "pytest",
         "-q", "-o", "cache_dir=build/pytest-inside", nodeid], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, INSIDE: "1", "NO_BUILD": "1",
             "TMPDIR": "/var/tmp"})
    if done.returncode != 0:
        raise AssertionError(done.stdout)


class Namespaces:
    """Tests with the marker `namespaces` run in a separate pytest inside new
    namespaces, whose outcome becomes that of the test."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        if item.get_closest_marker("namespaces") is None or \
                INSIDE in os.environ:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid,
                                           location=item.location)
        run = waits.result if Waits.has(item) else run_in_namespaces
        call = pytest.CallInfo.from_call(lambda: run(item), "call")
        item.ihook.pytest_runtest_logreport(
            report=item.ihook.pytest_runtest_makereport(item=item, call=call))
        item.session._setupstate.teardown_exact(nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid,
                                            location=item.location)
        return True


class Waits:
    """Tests with the marker `waits` all start, in threads, when the first one
    runs. They are methods of a Case, and have no fixtures unless they run in
    namespaces."""

    def __init__(self):
        self.running = {}

    @staticmethod
    def has(item):
        return item.get_closest_marker("waits") is not None and \
            INSIDE not in os.environ

    @staticmethod
    def run(item):
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        with locked(fcntl.LOCK_SH), item.cls.alone() as case:
            if item.get_closest_marker("namespaces") is not None:
                run_in_namespaces(item)
            else:
                getattr(case, item.originalname)(**parameters)

    def result(self, item):
        if not self.running:
            items = [*filter(self.has, item.session.items)]
            threads = concurrent.futures.ThreadPoolExecutor(len(items))
            self.running = {i: threads.submit(self.run, i) for i in items}
        return self.running[item].result()

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        if not self.has(pyfuncitem):
            return None
        self.result(pyfuncitem)
        return True


waits = Waits()


def pytest_configure(config):
    config.pluginmanager.register(Namespaces(), "namespaces")
    config.pluginmanager.register(waits, "waits")


def fail_if_skipped(report):
    """A test that cannot run has failed: none may be skipped."""
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped: {report.longrepr}"


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    fail_if_skipped((yield).get_result())


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_make_collect_report():
    fail_if_skipped((yield).get_result())
