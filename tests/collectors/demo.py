"""bin/demo: a made-up day of two applications, from the drain to the graph."""

import argparse
import calendar
import html
import json
import tempfile

import story
from stack import *

SECRET = "demo-of-logplex-statsd"


FLUSH = story.STEP // 5  # statsd's interval, in seconds of the day
# The highest number of the errors' graph, and what lies between two lines.
TOP = {"shop": (500, 100), "billing": (50, 10)}
GREY = "#555555"


def counter(app, name):
    """What ten minutes bring of a counter."""
    return (f"summarize(stats.counters.{app}.heroku.{name}.count,"
            "'10min','sum')")


def code(app, name):
    return counter(app, "errors." + name)


def render(start, targets, **options):
    """A render request of the whole day."""
    return "/render?" + urllib.parse.urlencode({
        "target": targets, "from": start - 60, "until": start + story.DAY - 1,
        "lineMode": "staircase", "lineWidth": 2, "margin": 10, "tz": "UTC",
        "bgcolor": "ffffff", "fgcolor": "222222", "fontSize": 13,
        "majorGridLineColor": "dddddd", "minorY": 0, "yMin": 0,
        "hideLegend": "true", "xFormat": "%H:%M", "noCache": 1, **options},
        doseq=True)


def errors(app, start):
    """Errors by code, stacked; above them a lane for each code that is rare
    and bad, so that it is seen whatever else comes; a line at each release."""
    top, step = TOP[app]
    stack = [f"color(stacked(transformNull({code(app, name)},0)),'{colour}')"
             for name, (colour, _) in story.CODES.items()]
    lanes = [f"color(lineWidth(offset(scale({code(app, name)},0),"
             f"{top * (0.97 - 0.07 * n)}),11),'{colour}')"
             for n, (name, (colour, _)) in enumerate(story.LANES.items())]
    releases = (f"color(lineWidth(drawAsInfinite("
                f"{counter(app, '{release,rollback}')}),1),'{GREY}')")
    return render(start, [*stack, *lanes, releases], yMax=top, yStep=step,
                  width=1150, height=300)


def key(items):
    """What the colours mean; the page fills in the totals."""
    return "<ul>" + "".join(
        f'<li><i style="background: {colour}"></i>{html.escape(says)}'
        + (f' <b data-total="{name}"></b>' if name else "") + "</li>"
        for name, colour, says in items) + "</ul>"


def section(app, start):
    codes = {**story.LANES, **dict(reversed(story.CODES.items()))}
    pictures = [
        (f"{app}: platform errors in 10 minutes", errors, key([
            *((f"{app}.heroku.errors.{name}", colour, f"{name} {says}")
              for name, (colour, says) in codes.items())]))]
    return f"<h2>{html.escape(story.APPS[app])}</h2>\n<div>" + "".join(
        f'<figure><figcaption>{html.escape(title)}</figcaption>'
        f'<img alt="{html.escape(title)}" '
        f'src="{html.escape(draw(app, start))}">{legend}</figure>\n'
        for title, draw, legend in pictures) + "</div>\n"


def page(start, seconds):
    sections = "".join(section(app, start) for app in story.APPS)
    totals = "/render?" + urllib.parse.urlencode({
        "target": "stats.counters.*.heroku.errors.*.count",
        "from": start - 3600, "until": start + story.DAY + 3600,
        "format": "json", "noCache": 1})
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>logplex-statsd: a day</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 16px sans-serif; color: #222; margin: 20px; width: 1160px; }}
h1 {{ font-size: 1.6em; margin: 0 0 0.4em; }}
h2 {{ font-size: 1.15em; margin: 1.2em 0 0.4em; }}
div {{ display: flex; flex-wrap: wrap; gap: 6px 8px; }}
figure {{ margin: 0; }}
figcaption {{ font-weight: bold; font-size: 0.9em; }}
img {{ display: block; }}
ul {{ display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 0 8px;
     padding: 0; list-style: none; font-size: 0.9em; }}
i {{ display: inline-block; width: 13px; height: 13px; margin-right: 5px;
    vertical-align: -1px; }}
</style>
<h1>A day of two applications, by logplex-statsd</h1>
<p>Every number has gone its whole way: a batch posted to lighttpd, counted,
sent to one of two statsd, kept by carbon, drawn by
<a href="/composer">Graphite</a>. A second is
{story.DAY / 60 / seconds:.0f} minutes of the day.</p>
{sections}<script>
async function total() {{
  const sums = {{}};
  for (const series of await (await fetch({json.dumps(totals)})).json()) {{
    const name = series.target.replace(/^stats\\.counters\\.|\\.count$/g, "");
    sums[name] = series.datapoints.reduce((sum, [n]) => sum + (n || 0), 0);
  }}
  for (const b of document.querySelectorAll("[data-total]")) {{
    const sum = sums[b.dataset.total];
    b.textContent = sum ? sum.toLocaleString("en") : "";
    b.parentNode.hidden = !sum;
  }}
}}
async function redraw(img) {{
  const next = new Image();
  next.src = img.src.replace(/&again=.*/, "") + "&again=" + Date.now();
  await next.decode();
  img.src = next.src;
}}
async function follow() {{
  for (;;) {{
    try {{
      await total();
      for (const img of document.images) await redraw(img);
    }} catch (gone) {{
      // The demo has ended, or Graphite is busy: the next round will tell.
    }}
    await new Promise(later => setTimeout(later, 1000));
  }}
}}
follow();
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
            "API_SECRET": SECRET})
        web.ready = lambda: connects(self.port)
        start([*statsds, web])

    def stop_all(self):
        for p in reversed(self.processes):
            p.stop()

    def set_clock(self, step):
        """Says to statsd when a step of the day begins."""
        new = self.clock.with_suffix(".new")
        new.write_text(str(self.start + step * story.STEP))
        new.replace(self.clock)

    def wait_for(self, step):
        """Until a step is due, and what was sent before is flushed."""
        speed = story.DAY / self.seconds
        due = max(self.began + step * story.STEP / speed,
                  self.sent + 2 * FLUSH / speed)
        time.sleep(max(0, due - time.monotonic()))
        self.set_clock(step)

    def play(self):
        """Posts every batch when its hour has come."""
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
