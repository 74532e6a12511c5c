"""Ports that no other process takes between the moment they are chosen and the
moment a server binds them.

The system assigns ports from 32768 on; these are below, in blocks. A process
owns a block while it holds the abstract unix socket with the block's name:
like ports, such sockets belong to a network namespace."""

import itertools
import socket

SIZE, FIRST, END = 256, 10240, 32768
_held = []


def _take_block():
    """Takes a free block; returns its socket and an endless cycle of its
    ports."""
    for start in range(FIRST, END, SIZE):
        holder = socket.socket(socket.AF_UNIX)
        try:
            holder.bind(f"\0logplex-statsd-ports-{start}")
        except OSError:
            holder.close()
            continue
        return holder, itertools.cycle(range(start, start + SIZE))
    raise AssertionError("no block of ports is free")


def free_port(kind=socket.SOCK_STREAM):
    """A port of loopback that nothing listens on."""
    if not _held:
        _held.append(_take_block())
    for _, port in zip(range(SIZE), _held[0][1]):
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
