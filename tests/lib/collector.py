"""UDP sinks in place of collectors."""

import contextlib
import select
import socket
import threading
import time

from lib.ports import free_port

SO_RCVBUFFORCE = 33
SIGNATURE = 44  # bytes before the text of a signed datagram


def udp_socket(host="127.0.0.1", port=0):
    """A socket with the largest buffer possible, for slow moments. On
    loopback, no program of another test still sends to its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    for option in (SO_RCVBUFFORCE, socket.SO_RCVBUF):
        with contextlib.suppress(PermissionError):
            s.setsockopt(socket.SOL_SOCKET, option, 1 << 24)
            break
    if port == 0 and host in ("127.0.0.1", "::1"):
        port = free_port(socket.SOCK_DGRAM)
    s.bind((host, port))
    return s


class Sink:
    """A collector that is read on demand: on loopback, a datagram has arrived
    when the system call that sent it returns."""

    def __init__(self, host="127.0.0.1", port=0, key=""):
        self.socket = udp_socket(host, port)
        self.socket.setblocking(False)
        self.host, self.port = self.socket.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.uri = f"statsd://{key}{shown}:{self.port}"
        self._signature = SIGNATURE if key else 0

    def take(self):
        """The datagrams that have arrived since the last call."""
        taken = []
        with contextlib.suppress(BlockingIOError):
            while True:
                taken.append(self.socket.recv(65536))
        return taken

    def lines(self):
        """The lines that have arrived since the last call."""
        return [line for d in self.take() for line in
                d[self._signature:].decode("latin-1").split("\n")]

    def close(self):
        self.socket.close()


class Collector(Sink):
    """A collector that reads all the time and keeps what arrives."""

    def __init__(self, host="127.0.0.1", port=0):
        super().__init__(host, port)
        self.datagrams = []
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _keep(self):
        with self._lock:
            if self.socket.fileno() >= 0:  # not closed
                self.datagrams += self.take()

    def _read(self):
        ready = select.poll()
        ready.register(self.socket, select.POLLIN)
        while not self._closed:
            if ready.poll(50):
                self._keep()

    def settled(self):
        """All datagrams, once no more arrive. The thread may lag behind what
        the kernel has."""
        while True:
            before = len(self.datagrams)
            time.sleep(0.15)
            self._keep()
            if len(self.datagrams) == before:
                return list(self.datagrams)

    def lines(self):
        """The lines of all datagrams."""
        return [line for d in self.settled() for line in
                d.decode("latin-1").split("\n")]

    def close(self):
        self._closed = True
        self._thread.join()
        super().close()
