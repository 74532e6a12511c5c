"""Web servers that lie, stall and leave: FastCGI spoken by hand to the
responder's socket.  What is answered 201 is counted, nothing else is, and
whoever comes next is served."""

import time

from fastcgi import *


class Stalls(ResponderTest):
    """Nobody holds a process for longer than a request may take, 10 s."""

    stalls = {
        "says nothing": b"",
        "stops inside the first record": begin()[:5],
        "stops inside the parameters": message()[:60],
        "stops inside the body": message()[:-100],
        "never ends the body": message(length=None, end=False),
        "promises more than it sends": message(length=1 << 20, end=False),
    }

    def start_responder(self, **env):
        super().start_responder(**env)
        wait_until(lambda: self.status() == 201, "the responder answers")
        self.assert_reference_counted()
        for c in self.collectors:
            c.datagrams.clear()
        return self.path, self.collectors

    def assert_served_in_time(self, path, collectors, why):
        with self.subTest(why), socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(path)
            started = time.monotonic()
            s.sendall(message())
            answer = read_reply(s)
            self.assertEqual(answer.status, 201)
            self.assertLess(time.monotonic() - started, 12)
            self.collectors = collectors
            self.assert_reference_counted()

    def test_next_is_served(self):
        started = []
        for why, stalled in self.stalls.items():
            path, collectors = self.start_responder()
            self.connect().sendall(stalled)
            started.append((path, collectors, why))
        time.sleep(0.1)
        for path, collectors, why in started:
            self.assert_served_in_time(path, collectors, why)

    def test_next_is_served_after_one_that_keeps_its_connection(self):
        path, collectors = self.start_responder()
        s = self.connect()
        s.sendall(message(b"", flags=KEEP_CONNECTION))
        self.assertEqual(read_reply(s).status, 201)
        self.assert_served_in_time(path, collectors, "keeps")

    def test_next_is_served_while_a_body_drips(self):
        path, collectors = self.start_responder()
        s = self.connect()
        s.sendall(message(b"", length=1000, end=False))
        stop = threading.Event()

        def drip():
            with contextlib.suppress(OSError):
                while not stop.wait(0.2):
                    s.sendall(record(STDIN, b"1"))
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            time.sleep(0.3)
            self.assert_served_in_time(path, collectors, "drips")
        finally:
            stop.set()
            dripping.join()


class Logs(ResponderTest):
    def test_log_that_nobody_reads_stops_nothing(self):
        fifo = os.path.join(tempfile.mkdtemp(), "fifo")
        os.mkfifo(fifo)
        self.addCleanup(os.rmdir, os.path.dirname(fifo))
        unread = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, unread)
        log = open(fifo, "wb", buffering=0)
        os.set_blocking(log.fileno(), False)
        while log.write(b"x" * 4096) is not None:
            pass
        os.set_blocking(log.fileno(), True)
        self.start_responder(log=log)
        started = time.monotonic()
        for _ in range(10):
            self.assertEqual(self.status(credentials="x:y"), 401)
            self.assertEqual(self.status(), 201)
        self.assertLess(time.monotonic() - started, 5)
        self.assert_reference_counted(10)


if __name__ == "__main__":
    main("faults-fastcgi")
