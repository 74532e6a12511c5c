"""bin/demo: a made-up day of two applications, from the drain to the graph."""

import argparse
import calendar
import html
import tempfile

import story
from stack import *

SECRET = "demo-of-logplex-statsd"


def counter(app, code):
    return f"stats.counters.{app}.heroku.errors.{code}.count"


def graph(app, start):
    """The query of a render request: errors by code, stacked, and a line
    down through the graph wherever messages were lost."""
    def shown(code, says, style):
        series = f"summarize({counter(app, code)},'10min','sum')"
        return (f"legendValue(alias({style.format(series)},"
                f"'{code}  {says}'),'total')")
    targets = [
        shown(code, says, f"color(transformNull(removeEmptySeries({{}}),0),"
                          f"'{colour}')")
        for code, (colour, says) in story.CODES.items()]
    targets.append(
        shown(story.LOST, "messages lost, errors among them",
              "color(lineWidth(drawAsInfinite({}),3),'#000000')"))
    return urllib.parse.urlencode({
        "target": targets, "from": start - 60, "until": start + story.DAY - 1,
        "title": f"{app}: platform errors in 10 minutes, by code",
        "areaMode": "stacked", "lineMode": "staircase", "lineWidth": 1,
        "width": 1100, "height": 360, "margin": 14, "tz": "UTC",
        "fontSize": 13, "bgcolor": "ffffff", "fgcolor": "222222",
        "majorGridLineColor": "dddddd", "minorY": 0, "yMin": 0,
        "hideNullFromLegend": "true", "xFormat": "%H:%M",
        "uniqueLegend": "true", "noCache": 1}, doseq=True)


def page(start, seconds):
    graphs = "".join(
        f'<h2>{html.escape(says)}</h2>\n'
        f'<img alt="errors of {app} by code" '
        f'src="/render?{html.escape(graph(app, start))}">\n'
        for app, says in story.APPS.items())
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>logplex-statsd: a day</title>
<style>
body {{ font: 16px sans-serif; color: #222; margin: 1.5em; }}
h2 {{ font-size: 1.1em; font-weight: normal; margin: 1em 0 0; }}
</style>
<h1>A day of platform errors, by logplex-statsd</h1>
<p>Every number has gone its whole way: a batch posted to lighttpd, counted,
sent to one of two statsd, kept by carbon, drawn by
<a href="/composer">Graphite</a>. A second is
{story.DAY / 60 / seconds:.0f} minutes of the day.</p>
{graphs}<script>
setInterval(() => document.querySelectorAll("img").forEach(img => {{
  const next = new Image();
  next.onload = () => img.src = next.src;
  next.src = img.src.replace(/&now=.*/, "") + "&now=" + Date.now();
}}), 2000);
</script>
"""


@contextlib.contextmanager
def uninterrupted():
    """Puts Ctrl-C off: a process that has just started must be kept first."""
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
        """Starts a process that will be stopped at the end."""
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
        self.began = time.time() + 2.5  # the rest is quick
        clock = {"SPEED": str(story.DAY / self.seconds),
                 "START": str(self.start), "BEGAN": str(self.began)}
        statsds = [self.run(Statsd, self.folder, self.carbon,
                            story.STEP // 5, clock) for _ in range(2)]
        self.port = free_port()
        web = self.run(Process, [ROOT / "bin" / "web"], env={
            "PORT": str(self.port), "BIND": "127.0.0.1",
            "METRICS_CLUSTER": ",".join(
                s.uri + "?datagram=1432" for s in statsds),
            "API_SECRET": SECRET})
        web.ready = lambda: connects(self.port)
        start([*statsds, web])

    def stop_all(self):
        for p in reversed(self.processes):
            p.stop()

    def play(self):
        """Posts every batch when its hour has come."""
        messages = errors = 0
        for step, app, body, counts, n in story.day(self.start):
            due = self.began + step * story.STEP * self.seconds / story.DAY
            time.sleep(max(0, due - time.time()))
            answer = request(self.port, path=f"/{app}/logs", body=body,
                             credentials="drain:" + SECRET)
            if answer.status != 201:
                raise AssertionError(f"a batch was refused: {answer.raw}")
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
        """How many errors Graphite has of this day."""
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
