#!/usr/bin/env python3
"""Writes the fuzz targets' seeds, made of the fixtures, into the folder given;
tests/fuzz/corpus holds what runs have found beyond them."""

import base64
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
BODY = (FIXTURES / "reference.logplex").read_bytes()


def basic(credentials):
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def request(*lines, body=BODY, length=True):
    lines = [*lines]
    if length:
        lines.append(f"CONTENT_LENGTH={len(body)}")
    return "\n".join(lines).encode() + b"\n\n" + body


def post(path="/heaven/logs", credentials="Aladdin:open sesame",
         extra=(), **kwargs):
    return request("REQUEST_METHOD=POST", f"PATH_INFO={path}",
                   "CONTENT_TYPE=application/logplex-1",
                   f"HTTP_AUTHORIZATION={basic(credentials)}", *extra,
                   **kwargs)


def messages():
    for name in sorted(FIXTURES.glob("*.logplex")):
        body = name.read_bytes()
        for _ in range(20):
            length, _, rest = body.lstrip(b"\r\n").partition(b" ")
            if not length.isdigit() or int(length) > 2000:
                break
            yield rest[:int(length)]
            body = rest[int(length):]
    for line in (FIXTURES / "platform-errors.tsv").read_bytes().split(b"\n"):
        text = line.split(b"\t")[0]
        if text:
            yield (b"<158>1 2022-06-13T14:52:23+00:00 host heroku router - "
                   + text)


def requests():
    yield post()
    yield post(extra=["X-CUT"])
    yield post(extra=["X-TOO-LONG"])
    yield post(extra=["HTTP_CONTENT_ENCODING=gzip"])
    yield post(path="/drain/my-app/logs", credentials="me:mine")
    yield post(path="/other/logs", credentials=":hush")
    yield post(body=BODY[:100])
    yield request("REQUEST_METHOD=POST", "SCRIPT_NAME=/heaven",
                  "PATH_INFO=/logs", "CONTENT_TYPE=application/logplex-1; a=b",
                  "AUTH_TYPE=Basic", "REMOTE_USER=Aladdin", "X-REMOTE-USER")
    yield request("REQUEST_METHOD=GET", "PATH_INFO=/_ping", body=b"")
    yield request("REQUEST_METHOD=HEAD", "SCRIPT_NAME=/_ping", body=b"")
    yield request("REQUEST_METHOD=PUT", "PATH_INFO=/heaven/logs")
    yield request("REQUEST_METHOD=POST", "PATH_INFO=/heaven/logs")
    yield request("REQUEST_METHOD=POST", "PATH_INFO=/nowhere")


def credentials():
    cases = [
        ("heaven", "Aladdin:open sesame", ["API_CREDENTIALS_HEAVEN=Aladdin:open sesame"]),
        ("heaven", "Aladdin:old", ["API_CREDENTIALS_HEAVEN=Aladdin:new",
                                   "API_PREVIOUS_CREDENTIALS_HEAVEN=Aladdin:old"]),
        ("my-app", "a:b:c", ["API_CREDENTIALS_MY_APP=a:b:c",
                             "API_CREDENTIALS_MY-APP=d:e"]),
        ("other", ":hush", ["API_SECRET=hush", "API_PREVIOUS_SECRET=old"]),
        ("other", "hush:", ["API_SECRET=hush"]),
        ("other", "x:old", ["API_SECRET=hush", "API_PREVIOUS_SECRET=old"]),
        ("other", "x:wrong", ["API_CREDENTIALS_A=b:c"]),
    ]
    for app, presented, variables in cases:
        yield "\n".join([app, basic(presented), presented.split(":")[0],
                         *variables, ""]).encode()


def collectors():
    for before, key, after in [
            ("", "secret", "127.0.0.1:8126"), ("", "a,b", "host/a/b?datagram=512"),
            ("", "a/b", "[::1]:1"), ("", "8a%2Cb", "h?backdate=2&datagram=300"),
            ("statsd://a,", "a@b", "c,statsd://d"), ("", "12/34,5,6", "h"),
            ("udp://h,", "x", "[fe80::1%25eth0]"), ("", "#?", "h#x")]:
        yield "\n".join([before, key, after]).encode()
    for uri in ["statsd://h:1/a//b/?datagram=500&backdate=60", "statsd://[::1]",
                "STATSD://u:k%40@h.example:65535/%61", "statsd://k@h",
                "statsd://:@h", "statsd:///p", "statsd://h:0"]:
        yield uri.encode()


def environments():
    yield b"API_CREDENTIALS_HEAVEN=Aladdin:Tr0ub4dor\nAPI_SECRET=Tr0ub4dor\n"
    yield (b"METRICS_CLUSTER=statsd://a:b@127.0.0.1,statsd://[::1]:1/x?datagram=500"
           b"\nLEVELS=error, info\nPLATFORM_ONLY=1\nLOG_LEVEL=debug\n"
           b"BASE_PATH=/drain/\nAUTH=remote-user\n")
    yield (b"METRICS_CLUSTER=,\nLEVELS=\nPLATFORM_ONLY=2\nLOG_LEVEL=x\n"
           b"BASE_PATH=x\nAUTH=none\nAPI_CREDENTIALS_=a:b\nAPI_SECRET=\n"
           b"API_CREDENTIALS_A=Tr0ub4dor\nAPI_PREVIOUS_CREDENTIALS_A-B=:\n"
           b"API_PREVIOUS_SECRET=Tr0ub4dor\nPATH=/bin\n")


def datagrams():
    for head in ["0\n\n\nheaven\n", "0\nu:secret@\n/pre/fix\nmy-app\n",
                 "2\n\n?datagram=512\nu:k@\n?datagram=1023&backdate=3\n\n/a\nx\n",
                 "1\nu:k@\n/p\n\n/q?datagram=65507\nheaven\n"]:
        yield head.encode() + bytes(range(60))


def metrics():
    """A writer by its number in fuzz_metrics.c, then what it says."""
    writers = {b"heroku router": b"2", b"heroku logplex": b"5",
               b"app api": b"6", b"app heroku-postgres": b"7",
               b"app heroku-redis": b"8", b"app heroku-pgbouncer": b"9"}
    lines = (FIXTURES / "metric-lines.tsv").read_bytes().split(b"\n")[1:]
    table = (FIXTURES / "metric-lines.expected.tsv").read_bytes()
    for line, row in zip(lines, table.split(b"\n")[1:]):
        if row:
            _, app_name, procid = row.split(b"\t")[:3]
            writer = writers.get(app_name + b" " + procid,
                                 b"3" if app_name == b"heroku" else b"0")
            yield b"a" + writer + line.split(b"\t")[2]


def fastcgi():
    """Records by hand: FastCGI 1.0, section 3.3."""
    def record(kind, content=b"", request=1, padding=0):
        return struct.pack(">BBHHBx", 1, kind, request, len(content),
                           padding) + content + bytes(padding)
    begin = record(1, b"\0\1\0\0\0\0\0\0")
    one = b"\x0e\x04REQUEST_METHODPOST"
    long = b"\x80\0\0\x09\x80\0\0\xc8PATH_INFO" + b"x" * 200
    opening = begin + record(4, one + long) + record(4)
    body = record(5, b"17 <1>1 t h a p - hi") + record(5)
    yield opening + body
    yield begin + record(4, one[:9]) + record(4, one[9:], padding=3) + record(4)
    yield opening + record(5, b"abc", padding=5) + record(5, b"d") + body
    yield opening + body + record(2)
    yield opening + record(2)
    yield opening + record(5, b"x", request=2) + body
    yield opening + record(9, b"\x0f\0FCGI_MPXS_CONNS", request=0) + body
    yield record(9, b"\x0e\0FCGI_MAX_CONNS" * 4, request=0) + opening
    yield begin + record(4, b"\xff\xff\xff\xfe" * 2) + record(4)
    yield begin + begin + opening + body


def exchanges():
    for head in ["\n\n", "u:secret-secret-secret@\n/a/b?datagram=400\n"]:
        for credentials in "Aladdin:Tr0ub4dor", ":Tr0ub4dor2", "no:no":
            for extra in [], ["X-BROKEN"], ["CONTENT_LENGTH=99999"]:
                yield head.encode() + post(credentials=credentials, extra=extra,
                                           length=not extra)
        yield head.encode() + post(
            credentials="Aladdin:Tr0ub4dor",
            body=b"6 <0>1 x" + BODY + b"3 \n\x00\xff")
        yield head.encode() + request("REQUEST_METHOD=GET", "PATH_INFO=/_ping")


SEEDS = {"message": messages, "request": requests, "credentials": credentials,
         "collector": collectors, "environment": environments,
         "datagram": datagrams, "exchange": exchanges,
         "metrics": metrics, "fastcgi": fastcgi,
         "body": lambda: [b"9 <0>1 a b\r\n", b"35 <1>1 - - heroku web.1 - Error R14 (x)"]}

for target, seeds in SEEDS.items():
    folder = Path(sys.argv[1]) / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (folder / f"seed-{number:03}").write_bytes(seed)
