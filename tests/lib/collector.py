"""A collector: a UDP sink."""

import socket
import threading
import time


class Collector:
    """A collector: a UDP socket whose datagrams are kept."""

    def __init__(self, host="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind((host, port))
        self.host, self.port = host, self.socket.getsockname()[1]
        self.datagrams = []
        self._lock = threading.Lock()
        self._closed = False
        self.socket.settimeout(0.05)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._closed:
            try:
                datagram = self.socket.recv(65536)
            except socket.timeout:
                continue
            except OSError:
                return
            with self._lock:
                self.datagrams.append(datagram)

    @property
    def uri(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"statsd://{host}:{self.port}"

    def settled(self):
        """All datagrams, once none has come for a moment."""
        while True:
            before = len(self.datagrams)
            time.sleep(0.15)
            with self._lock:
                if len(self.datagrams) == before:
                    return list(self.datagrams)

    def lines(self):
        return [line for d in self.settled() for line in
                d.decode("latin-1").split("\n")]

    def close(self):
        self._closed = True
        self._thread.join()
        self.socket.close()
