"""Frames: MSG-LEN, a space, and a message (RFC 6587)."""


def frame(message):
    return b"%d %s" % (len(message), message)


def frames(*messages):
    return b"".join(map(frame, messages))


def logplex_frame(text, app_name="heroku", procid="router"):
    """The frame of a message as Logplex writes it."""
    return frame(f"<158>1 2024-01-01T00:00:00+00:00 host {app_name} "
                 f"{procid} - {text}".encode())
