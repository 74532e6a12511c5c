"""bin/demo: a made-up day of two applications, from the drain to the graph."""

import argparse
import calendar
import contextlib
import signal
import sys
import tempfile
import time
from pathlib import Path

import story
from demo_page import page
from lib.http import request
from lib.places import ROOT
from lib.ports import free_port
from lib.processes import Process, wait_until
from stack import Carbon, Graphite, Statsd, connects, install_statsd, start

SECRET = "demo-of-logplex-statsd"
FLUSH = story.STEP // 5  # statsd's interval, in seconds of the day


@contextlib.contextmanager
def uninterrupted():
    """Delays Ctrl-C: a process that has just started must be kept first."""
    caught = []
    before = signal.signal(signal.SIGINT, lambda *_: caught.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if caught:
        raise KeyboardInterrupt


class Demo:
    def __init__(self, folder, seconds):
        self.folder, self.seconds = folder, seconds
        now = time.gmtime()
        today = calendar.timegm((now.tm_year, now.tm_mon, now.tm_mday,
                                 0, 0, 0))
        self.start = today - story.DAY
        self.processes = []

    def run(self, kind, *args, **kwargs):
        """Starts a process, and stops it at the end."""
        with uninterrupted():
            self.processes.append(kind(*args, **kwargs))
        return self.processes[-1]

    def start_all(self):
        pages = self.folder / "pages"
        pages.mkdir()
        (pages / "index.html").write_text(page(self.start, self.seconds))
        install_statsd()
        self.carbon = self.run(Carbon, self.folder, "30s:3d")
        self.graphite = self.run(Graphite, self.folder, self.carbon, pages)
        start([self.carbon, self.graphite])
        self.clock = self.folder / "clock"
        self.set_clock(0)
        clock = {"SPEED": str(story.DAY / self.seconds),
                 "STEP": str(story.STEP), "CLOCK": str(self.clock)}
        statsds = [self.run(Statsd, self.folder, self.carbon, FLUSH, clock)
                   for _ in range(2)]
        self.port = free_port()
        web = self.run(Process, [ROOT / "bin" / "web"], env={
            "PORT": str(self.port), "BIND": "127.0.0.1",
            "METRICS_CLUSTER": ",".join(
                s.uri + "?datagram=1432" for s in statsds),
            "METRICS": story.FAMILIES, "API_SECRET": SECRET})
        web.ready = lambda: connects(self.port)
        start([*statsds, web])

    def stop_all(self):
        for p in reversed(self.processes):
            p.stop()

    def set_clock(self, step):
        """Tells statsd when a step of the day begins."""
        new = self.clock.with_suffix(".new")
        new.write_text(str(self.start + step * story.STEP))
        new.replace(self.clock)

    def wait_for(self, step):
        """Waits until a step is due and everything sent before is flushed."""
        speed = story.DAY / self.seconds
        due = max(self.began + step * story.STEP / speed,
                  self.sent + 2 * FLUSH / speed)
        time.sleep(max(0, due - time.monotonic()))
        self.set_clock(step)

    def play(self):
        """Posts every batch at its time."""
        messages = errors = 0
        self.began = self.sent = time.monotonic()
        for step, app, body, counts, n in story.day(self.start):
            if app == list(story.APPS)[0]:
                self.wait_for(step)
            answer = request(self.port, path=f"/{app}/logs", body=body,
                             credentials="drain:" + SECRET)
            if answer.status != 201:
                raise AssertionError(f"a batch was refused: {answer.raw}")
            self.sent = time.monotonic()
            messages += n
            errors += sum(counts.values())
            if app == list(story.APPS)[-1]:
                self.show(step, messages, errors)
        return errors

    def show(self, step, messages, errors):
        hour = step * story.STEP / 3600
        event = [e for h, e in story.EVENTS.items() if h <= hour][-1]
        done = int(30 * (step + 1) * story.STEP / story.DAY)
        text = (f"{int(hour):02}:{int(hour * 60) % 60:02} "
                f"[{'#' * done}{' ' * (30 - done)}] {messages:6} messages, "
                f"{errors:5} errors: {event}")
        if sys.stdout.isatty():
            print(f"\r\033[K{text[:100]}", end="", flush=True)
        elif step * story.STEP % 7200 == 0:
            print(text, flush=True)

    def graphed(self):
        """The number of errors of this day in Graphite."""
        series = self.graphite.render(
            "sumSeries(stats.counters.*.heroku.errors.*.count)",
            **{"from": self.start - 3600,
               "until": self.start + story.DAY + 3600})
        return int(sum(v or 0 for s in series for v, _ in s["datapoints"]))


def main():
    parser = argparse.ArgumentParser(
        prog="bin/demo", description="Plays a made-up day of two applications"
        " through logplex-statsd, statsd, carbon and Graphite.")
    parser.add_argument("--seconds", type=float, default=60,
                        help="how long the day takes (60)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("Starting lighttpd, logplex-statsd, statsd, carbon and Graphite ...",
          flush=True)
    with tempfile.TemporaryDirectory(prefix="logplex-statsd-demo-") as folder:
        demo = Demo(Path(folder), options.seconds)
        try:
            demo.start_all()
            print(f"\n  Open {demo.graphite.url}/\n", flush=True)
            sent = demo.play()
            wait_until(lambda: demo.graphed() >= sent, "Graphite has them all",
                       seconds=10)
            print(f"\nThe day is over: {sent} errors were sent, and Graphite "
                  f"has {demo.graphed()}. Ctrl-C ends the demo.", flush=True)
            signal.pause()
        except KeyboardInterrupt:
            print("\nStopping.", flush=True)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            demo.stop_all()


if __name__ == "__main__":
    try:
        main()
    except AssertionError as e:
        sys.exit(f"bin/demo: {e}")
