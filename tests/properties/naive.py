"""A second implementation of what a body counts, written from the rules
without regard for speed.  It uses regular expressions where the program goes
through bytes, so that the two are unlikely to share a mistake."""

import re

SPACE = rb"[ \t\n\x0b\x0c\r]"
NOT_SPACE = rb"[^ \t\n\x0b\x0c\r]"
BOM = b"\xef\xbb\xbf"

# RFC 6587: MSG-LEN SP; no leading zero.
MSG_LEN = re.compile(rb"([1-9][0-9]*) ")

# RFC 5424: <PRI>VERSION SP, then five fields.  A message without text may end
# with its MSGID.
HEADER = re.compile(
    rb"<[0-9]{1,3}>[1-9][0-9]{0,2} "
    rb"[^ ]+ "        # TIMESTAMP
    rb"[^ ]+ "        # HOSTNAME
    rb"([^ ]+) "      # APP-NAME
    rb"([^ ]+) "      # PROCID
    rb"[^ ]+"         # MSGID
    rb"(?: (.*))?\Z",
    re.DOTALL)

# RFC 5424: - or SD-ELEMENTs, and a space.  "]" may be unescaped in a value.
SD_NAME = rb"[!#-<>-\\^-~]{1,32}"
SD_VALUE = rb'"(?:[^"\\]|\\.)*"'
STRUCTURED_DATA = re.compile(
    rb"(?:-|(?:\[" + SD_NAME + rb"(?: " + SD_NAME + rb"=" + SD_VALUE +
    rb")*\])+) (.*)\Z", re.DOTALL)

ERROR_LINE = re.compile(rb"Error ([RLH][0-9]{2,3})(?:\Z|:|" + SPACE + rb")")
ROUTER_CODE = re.compile(rb"H[0-9]{2,3}\Z")

# A pair, and the end of it.
PAIR = re.compile(
    SPACE + rb'*([^= \t\n\x0b\x0c\r"]+)='
    rb'(?:"((?:[^"\\]|\\.)*)"|((?!")' + NOT_SPACE + rb"*))"
    rb"(?=" + SPACE + rb"|\Z)", re.DOTALL)

LEVELS = {b"error": 1, b"warning": 2, b"info": 4}


class Fault(Exception):
    """A framing fault: the batch counts nothing."""


def frames(body):
    """(offset, SYSLOG-MSG) of each frame; raises Fault(offset, number)."""
    at, number = 0, 0
    while True:
        while body[at:at + 1] in (b"\r", b"\n"):
            at += 1
        if at == len(body):
            return
        number += 1
        length = MSG_LEN.match(body, at)
        if length is None:
            raise Fault(at, number)
        end = length.end() + int(length[1])
        if end > len(body):
            raise Fault(at, number)
        yield at, body[length.end():end]
        at = end


def router_code(text, levels):
    found = {}
    at = 0
    while not {b"at", b"code"} <= found.keys():
        pair = PAIR.match(text, at)
        if pair is None:
            return None
        at = pair.end()
        key, quoted, bare = pair.groups()
        value = bare if quoted is None else re.sub(
            rb"\\(.)", rb"\1", quoted, flags=re.DOTALL)
        found.setdefault(key, value)
    counted = LEVELS.get(found[b"at"], 0) & levels
    return found[b"code"] if counted and ROUTER_CODE.match(
        found[b"code"]) else None


def plain_code(text, levels):
    error = ERROR_LINE.match(text)
    return error[1] if error else router_code(text, levels)


def text_code(text, levels):
    return plain_code(text.removeprefix(BOM), levels)


def parsed(message):
    """APP-NAME, PROCID and MSG, or None."""
    header = HEADER.match(message)
    return header and (header[1], header[2], header[3] or b"")


def judge(message, levels, platform_only):
    """A code, b"-" or b"skipped"."""
    header = parsed(message)
    if header is None:
        return b"skipped"
    app_name, procid, text = header
    code = text_code(text, levels)
    if code is None:
        behind = STRUCTURED_DATA.match(text)
        if behind:
            code = text_code(behind[1], levels)
    if code is None:
        return b"-"
    if platform_only and app_name != b"heroku" and not (
            procid == b"log-shuttle" and code in (b"L12", b"L13")):
        return b"-"
    return code


def count(body, levels=3, platform_only=False):
    """The outcome; messages, skipped, errors; errors by code; verdicts."""
    verdicts, outcome = [], "ok"
    try:
        for offset, message in frames(body):
            verdicts.append((offset, judge(message, levels, platform_only)))
    except Fault as fault:
        outcome = "fault %d %d" % fault.args
    counts = {}
    for _, verdict in verdicts:
        if verdict not in (b"-", b"skipped"):
            counts[verdict.decode()] = counts.get(verdict.decode(), 0) + 1
    skipped = sum(verdict == b"skipped" for _, verdict in verdicts)
    return "\t".join([
        outcome,
        f"{len(verdicts)} {skipped} {sum(counts.values())}",
        " ".join(f"{code}={n}" for code, n in counts.items()),
        " ".join(f"{offset}:{v.decode()}" for offset, v in verdicts)])
