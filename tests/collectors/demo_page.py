"""The page that bin/demo shows: four pictures per application, drawn by
Graphite, and the totals of its errors."""

import html
import json
import urllib.parse

import story

# The maximum of the graph of errors, and the distance of its lines.
TOP = {"shop": (500, 100), "billing": (50, 10)}
GREY, BLUE = "#555555", "#b9cfe4"
GREEN, YELLOW, RED = "#6ab187", "#f2c14e", "#e03131"
WITHIN = [  # how fast, in the words of the le counters
    ("500", GREEN, "within 0.5 s"),
    ("2500", YELLOW, "within 2.5 s"),
    ("inf", RED, "longer")]
DYNOS = {"web.1": "#1f5fa8", "web.2": "#e07b00"}


def counter(app, name):
    """A counter, per ten minutes."""
    return (f"summarize(stats.counters.{app}.heroku.{name}.count,"
            "'10min','sum')")


def code(app, name):
    return counter(app, "errors." + name)


def render(start, targets, **options):
    """A render request for the whole day."""
    return "/render?" + urllib.parse.urlencode({
        "target": targets, "from": start - 60, "until": start + story.DAY - 1,
        "lineMode": "staircase", "lineWidth": 2, "margin": 10, "tz": "UTC",
        "bgcolor": "ffffff", "fgcolor": "222222", "fontSize": 13,
        "majorGridLineColor": "dddddd", "minorY": 0, "yMin": 0,
        "hideLegend": "true", "xFormat": "%H:%M", "noCache": 1, **options},
        doseq=True)


def errors(app, start):
    """Errors by code, stacked; above them a lane for each code that is rare
    and bad, so that it is always visible; a line at each release."""
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


def small(start, targets, **options):
    return render(start, targets, width=378, height=210, fontSize=11,
                  **options)


def requests(app, start):
    """Requests, and, on the right axis, the percentage that failed."""
    asked = counter(app, "router.requests")
    failed = (f"sumSeries({code(app, 'H1*')},scale({asked},0))")
    ratio = f"scale(divideSeries({failed},{asked}),100)"
    return small(start, [
        f"color(stacked(transformNull({asked},0)),'{BLUE}')",
        f"color(secondYAxis({ratio}),'{RED}')"],
        yMinRight=0, yMaxRight=100, yStepRight=25)


def latency(app, start):
    """Bands: the percentage of requests answered within each time."""
    def share(le, less=None):
        of = counter(app, "router.service.le." + le)
        if less:
            of = (f"diffSeries({of},"
                  f"{counter(app, 'router.service.le.' + less)})")
        return (f"scale(divideSeries({of},"
                f"{counter(app, 'router.service.le.inf')}),100)")
    below = [None] + [le for le, _, _ in WITHIN]
    return small(start, [
        f"color(stacked(transformNull({share(le, less)},0)),'{colour}')"
        for (le, colour, _), less in zip(WITHIN, below)], yMax=100, yStep=25)


def memory(app, start):
    """The memory of each dyno in percent of its quota, and the quota."""
    def gauge(dyno, name):
        # Aligned to steps first: the two may come from different statsds.
        return (f"summarize(stats.gauges.{app}.heroku.dyno.{dyno}.memory_"
                f"{name},'10min','max')")
    return small(start, [
        *[f"color(keepLastValue(scale(divideSeries({gauge(dyno, 'total')},"
          f"{gauge(dyno, 'quota')}),100),2),'{colour}')"
          for dyno, colour in DYNOS.items()],
        f"color(dashed(constantLine(100)),'{RED}')"],
        yMax=250, yStep=50, lineMode="slope")


def key(items):
    """The legend of colours; the page fills in the totals."""
    return "<ul>" + "".join(
        f'<li><i style="background: {colour}"></i>{html.escape(says)}'
        + (f' <b data-total="{name}"></b>' if name else "") + "</li>"
        for name, colour, says in items) + "</ul>"


def total(app, name):
    """The counter whose total is shown beside a code: for lost messages, how
    many were lost."""
    return f"{app}.heroku." + ("logplex.dropped" if name == story.LOST
                               else "errors." + name)


def section(app, start):
    codes = {**story.LANES, **dict(reversed(story.CODES.items()))}
    pictures = [
        (f"{app}: platform errors in 10 minutes", errors, key([
            *((total(app, name), colour, f"{name} {says}")
              for name, (colour, says) in codes.items()),
            (None, GREY, "release or rollback")])),
        ("Requests in 10 minutes, and % that failed", requests, key([
            (None, BLUE, "requests"), (None, RED, "% that failed (right)")])),
        ("How fast, in % of the requests", latency, key(
            (None, colour, says) for _, colour, says in WITHIN)),
        ("% of the memory quota", memory, key(
            (None, colour, dyno) for dyno, colour in DYNOS.items()))]
    return f"<h2>{html.escape(story.APPS[app])}</h2>\n<div>" + "".join(
        f'<figure><figcaption>{html.escape(title)}</figcaption>'
        f'<img alt="{html.escape(title)}" '
        f'src="{html.escape(draw(app, start))}">{legend}</figure>\n'
        for title, draw, legend in pictures) + "</div>\n"


def page(start, seconds):
    sections = "".join(section(app, start) for app in story.APPS)
    totals = "/render?" + urllib.parse.urlencode({
        "target": "stats.counters.*.heroku.{errors,logplex}.*.count",
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
