"""A made-up day of two applications, as Logplex sends it."""

import math
import random
import time

STEP = 600  # seconds of the day: one batch for each application
DAY = 24 * 3600

# Code, its colour in the graphs, and its description; from the bottom up.
CODES = {
    "H27": ("#c3d3df", "client left"),
    "H18": ("#1b9e9e", "answer cut off"),
    "R12": ("#8a9a2b", "slow to stop"),
    "R14": ("#f2b134", "out of memory, swapping"),
    "H13": ("#3d5a98", "no answer"),
    "H10": ("#6a3d9a", "crashed"),
    "H12": ("#e03131", "request timeout"),
}
# Rare and bad events: each has a separate lane above the others.
LANES = {
    "L10": ("#000000", "messages lost"),
    "R15": ("#8c0d3f", "killed for its memory"),
}
LOST = "L10"
FAMILIES = "errors,loss,router,latency,dynos,releases,drain"

APPS = {
    "shop": "shop leaks memory after its deploy at 10:30",
    "billing": "billing crashes at 18:00",
}

EVENTS = {  # hour of the day: what happens
    0: "a quiet night",
    3: "billing's night jobs are slow to stop (R12)",
    4: "a quiet night",
    9: "customers wake up",
    10.5: "shop deploys v214, and it leaks memory (R14)",
    14: "shop's dynos swap: requests time out (H12), dynos are killed (R15)",
    14.5: "the drain overflows: messages are lost (L10)",
    15.5: "shop rolls back to v213",
    18: "billing crashes after a change of its config (H10)",
    19: "billing is repaired",
    23: "a quiet evening",
}

ROUTER = {
    "H10": 'at=error code=H10 desc="App crashed" method=GET path="/invoices"'
           ' host=billing.example.com fwd="203.0.113.7" dyno= connect='
           ' service= status=503 bytes=',
    "H12": 'at=error code=H12 desc="Request timeout" method=GET path="/cart"'
           ' host=shop.example.com fwd="203.0.113.9" dyno=web.2 connect=1ms'
           ' service=30001ms status=503 bytes=0',
    "H13": 'at=error code=H13 desc="Connection closed without response"'
           ' method=POST path="/pay" host=shop.example.com'
           ' fwd="203.0.113.9" dyno=web.2 connect=1ms service=9767ms'
           ' status=503 bytes=0',
    "H18": 'sock=backend at=error code=H18 desc="Server Request Interrupted"'
           ' method=GET path="/feed" host=shop.example.com'
           ' fwd="203.0.113.9" dyno=web.1 connect=1ms service=812ms'
           ' status=503 bytes=0',
    "H27": 'sock=client at=warning code=H27 desc="Client Request Interrupted"'
           ' method=GET path="/search?q=at=error" host=shop.example.com'
           ' fwd="198.51.100.3" dyno=web.1 connect=1ms service=2417ms'
           ' status=499 bytes=0',
}
DYNO = {
    "R12": "Error R12 (Exit timeout) -> At least one process failed to exit"
           " within 30 seconds of SIGTERM",
    "R14": "Error R14 (Memory quota exceeded)",
    "R15": "Error R15 (Memory quota vastly exceeded)",
}
REQUEST = ('at=info method=GET path="/" host={app}.example.com'
           ' fwd="203.0.113.9" dyno=web.1 connect=0ms service={service}ms'
           ' status={status} bytes=6979 protocol=https')
MEMORY = ('source={dyno} dyno=heroku.1.{app} sample#memory_total={used:.2f}MB'
          ' sample#memory_rss={used:.2f}MB sample#memory_quota={quota:.2f}MB')
QUOTA = 512  # MB
RELEASES = {  # application, hour
    ("shop", 10.5): "Release v214 created by user dev@example.com",
    ("shop", 15.5): "Rollback to v213 by user dev@example.com",
    ("billing", 18): "Release v88 created by user dev@example.com",
    ("billing", 19): "Release v89 created by user dev@example.com",
}


def between(hour, first, last):
    """The position of an hour between two others, 0 to 1; outside, None."""
    return (hour - first) / (last - first) if first <= hour < last else None


def awake_at(hour):
    """The share of customers who are awake."""
    return max(0.0, math.sin((hour - 6) / 18 * math.pi)) if hour > 6 else 0


def down(app, hour):
    return app == "billing" and between(hour, 18, 19) is not None


def requests_of(app, hour, rng):
    """(status, ms) of each request answered by a dyno within ten minutes."""
    if down(app, hour):
        return []
    most = {"shop": 450, "billing": 110}[app]
    median = 130
    leak = between(hour, 10.5, 15.5) if app == "shop" else None
    if leak is not None:  # a dyno that swaps is slow
        median += 2600 * leak ** 3
    n = int(most * (0.15 + 0.85 * awake_at(hour))) + rng.randint(0, 20)
    return [(rng.choices([200, 304, 404, 500], [930, 40, 27, 3])[0],
             min(29000, int(rng.lognormvariate(math.log(median), 0.7))))
            for _ in range(n)]


def memory_of(app, hour, rng):
    """The memory of each dyno in MB."""
    if down(app, hour):
        return {}
    usual = 0.58 + 0.08 * awake_at(hour)
    used = {}
    for n, dyno in enumerate(["web.1", "web.2"]):
        part = usual - 0.2 * (app == "billing") - 0.09 * n
        part += rng.random() * 0.03
        if app == "shop" and between(hour, 10.5, 14) is not None:
            part += 1.3 * between(hour, 10.5, 14)
        if app == "shop" and between(hour, 14, 15.5) is not None:
            # It is killed at twice its quota, again and again.
            part = 1.2 + 0.85 * ((hour - 14) * 1.7 + 0.85 - 0.4 * n) % 0.85
        used[dyno] = part * QUOTA
    return used


def errors_of(app, hour, rng):
    """The number of lines of each code within ten minutes."""
    awake = awake_at(hour)
    few = {"H27": rng.randint(0, 2 + int(10 * awake)),
           "H18": int(rng.random() < 0.08)}
    if app == "billing":
        few["H27"] //= 3
        if between(hour, 3, 3.6) is not None:
            few["R12"] = rng.randint(3, 6)
        if down(app, hour):
            return {"H10": rng.randint(22, 38)}
        return few
    leak = between(hour, 10.5, 15.5)
    if leak is not None:  # a line every 20 s for each dyno above its quota
        few["R14"] = int(leak * 90) + rng.randint(0, 9)
    burst = between(hour, 14, 15.5)
    if burst is not None:
        height = math.sin(burst * math.pi)
        few["H12"] = int(230 * height) + rng.randint(10, 40)
        few["H13"] = int(35 * height) + rng.randint(0, 6)
        few["R15"] = rng.randint(2, 7)
    if between(hour, 14.5, 15) is not None:
        few[LOST] = 1
    return few


def line(second, source, process, text):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(second))
    return f"<158>1 {stamp} host {source} {process} - {text}\n"


def batch(app, start, step, rng):
    """The body of one POST, and how often it contains each code."""
    second = start + step * STEP
    hour = step * STEP / 3600
    errors = {c: n for c, n in errors_of(app, hour, rng).items() if n}
    lines = []
    for code, n in errors.items():
        for _ in range(n):
            if code in ROUTER:
                lines.append(line(second, "heroku", "router", ROUTER[code]))
            elif code in DYNO:
                lines.append(line(second, "heroku", "web.2", DYNO[code]))
    for status, service in requests_of(app, hour, rng):
        lines.append(line(second, "heroku", "router", REQUEST.format(
            app=app, status=status, service=service)))
    for _ in range(rng.randint(20, 60)):
        lines.append(line(second, "app", "web.1",
                          'level=info msg="Error R14 is not one here"'))
    for dyno, used in memory_of(app, hour, rng).items():
        lines.append(line(second, "heroku", dyno, MEMORY.format(
            app=app, dyno=dyno, used=used, quota=QUOTA)))
    if (app, hour) in RELEASES:
        lines.append(line(second, "app", "api", RELEASES[app, hour]))
    rng.shuffle(lines)
    if LOST in errors:  # always the first, and without a newline
        lines.insert(0, line(
            second, "heroku", "logplex",
            f"Error L10 (output buffer overflow): {rng.randint(80, 900)}"
            " messages dropped since 2026-01-01T00:00:00+00:00.")[:-1])
    body = "".join(f"{len(l.encode())} {l}" for l in lines)
    return body.encode(), errors, len(lines)


def day(start):
    """Yields (step, application, body, errors, number of messages)."""
    rng = random.Random(214)
    for step in range(DAY // STEP):
        for app in APPS:
            yield (step, app, *batch(app, start, step, rng))
