"""A raw HTTP client, which sends whatever a test wants."""

import base64
import socket

from lib.places import CREDENTIALS, LOGPLEX


class Answer:
    """An HTTP answer, not interpreted."""

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if lines[0] else None
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()


def basic(credentials):
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def build_request(method="POST", path="/heaven/logs", body=b"",
                  credentials=CREDENTIALS, content_type=LOGPLEX, headers=(),
                  length=True, close=True):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if credentials is not None:
        lines.append("Authorization: " + basic(credentials))
    if content_type is not None:
        lines.append("Content-Type: " + content_type)
    if length:
        lines.append(f"Content-Length: {len(body)}")
    if close:
        lines.append("Connection: close")
    lines += headers
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def connect(port, timeout=20):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def read_answer(s):
    """Reads to the end of one answer (by its length) or of the stream."""
    raw = b""
    while True:
        head, end, body = raw.partition(b"\r\n\r\n")
        if end:
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    if len(body) >= int(line.split(b":")[1]):
                        return Answer(raw)
        try:
            chunk = s.recv(65536)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            return Answer(raw)
        raw += chunk


def request(port, **kwargs):
    """One request on a separate connection."""
    head_only = kwargs.get("method") == "HEAD"
    with connect(port) as s:
        s.sendall(build_request(**kwargs))
        if not head_only:
            return read_answer(s)
        raw = b""
        while chunk := s.recv(65536):
            raw += chunk
        return Answer(raw)


def chunked(body, size=1000):
    out = b""
    for i in range(0, len(body), size):
        piece = body[i:i + size]
        out += b"%x\r\n%s\r\n" % (len(piece), piece)
    return out + b"0\r\n\r\n"
