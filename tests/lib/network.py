"""What is at the other end of a link, for a test marked `namespaces`."""

import ctypes
import os
import subprocess
import threading

from lib.places import tool
from lib.processes import Process, wait_until

CLONE_NEWNET = 0x40000000


def ip(*words):
    subprocess.run([tool("ip"), *words], check=True)


class Neighbour:
    """Another namespace, at the end of a link; address/prefix of both ends."""

    def __init__(self, here, there):
        self.holder = Process([tool("unshare"), "--net", "sleep", "infinity"])
        ours = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(
            f"/proc/{self.holder.pid}/ns/net") != ours,
            "another namespace", process=self.holder)
        ip("link", "add", "near", "type", "veth", "peer", "name", "far",
           "netns", str(self.holder.pid))
        self.run("ip", "addr", "add", there, "dev", "far")
        self.run("ip", "link", "set", "far", "up")
        ip("link", "set", "near", "up")
        ip("addr", "add", here, "dev", "near")

    def run(self, *command):
        subprocess.run([tool("nsenter"),
                        f"--net=/proc/{self.holder.pid}/ns/net", *command],
                       check=True)

    def call(self, function):
        """What the function returns when a thread calls it over there."""
        result = []

        def over_there():
            with open(f"/proc/{self.holder.pid}/ns/net") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(
                        namespace.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append(function())
        thread = threading.Thread(target=over_there)
        thread.start()
        thread.join()
        return result[0]

    def stop(self):
        self.holder.stop()
