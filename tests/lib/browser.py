"""A page in headless Chromium, through the DevTools protocol on two pipes."""

import base64
import json
import os
import select
import tempfile
import time

from lib.places import tool
from lib.processes import Process

# Levels and types of messages that count as complaints.
BAD = {"error", "warning", "assert"}


class Browser:
    """Chromium with one empty page; its complaints are in self.complaints."""

    def __init__(self, width, height):
        self.complaints = []
        self.number = 0
        self.buffered = b""
        self.folder = tempfile.TemporaryDirectory(prefix="logplex-statsd-")
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()
        # Chromium reads descriptor 3 and writes descriptor 4.
        self.process = Process(
            ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash",
             tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--hide-scrollbars",
             f"--user-data-dir={self.folder.name}",
             "--remote-debugging-pipe", "about:blank"],
            env={"HOME": self.folder.name},
            pass_fds=(theirs_in, theirs_out))
        os.close(theirs_in)
        os.close(theirs_out)
        target = next(t for t in self.call("Target.getTargets")["targetInfos"]
                      if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=target["targetId"])["sessionId"]
        for domain in "Page", "Runtime", "Log", "Network":
            self.ask(domain + ".enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=width,
                 height=height, deviceScaleFactor=1, mobile=False)

    def close(self):
        self.process.stop()
        os.close(self.to)
        os.close(self.back)
        self.folder.cleanup()

    def read(self, seconds=30):
        """The next message."""
        end = time.monotonic() + seconds
        while b"\0" not in self.buffered:
            ready, _, _ = select.select([self.back], [], [],
                                        end - time.monotonic())
            piece = os.read(self.back, 1 << 20) if ready else b""
            if not piece:
                raise AssertionError(
                    f"Chromium does not answer:\n{self.process.log()}")
            self.buffered += piece
        message, _, self.buffered = self.buffered.partition(b"\0")
        message = json.loads(message)
        self.note(message.get("method"), message.get("params"))
        return message

    def note(self, event, said):
        """Keeps what a console would show in red or yellow."""
        if event == "Runtime.exceptionThrown" or \
                event == "Runtime.consoleAPICalled" and said["type"] in BAD or \
                event == "Log.entryAdded" and said["entry"]["level"] in BAD or \
                event == "Network.loadingFailed" and not said.get("canceled"):
            self.complaints.append(said)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def ask(self, method, **parameters):
        return self.call(method, self.session, **parameters)

    def open(self, url):
        self.ask("Page.navigate", url=url)

    def evaluate(self, expression):
        """The value of an expression, or of its promise."""
        done = self.ask("Runtime.evaluate", expression=expression,
                        awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise AssertionError(f"{expression}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def screenshot(self):
        """The top of the page, as PNG."""
        shot = self.ask("Page.captureScreenshot", format="png")
        return base64.b64decode(shot["data"])
