"""Another network and links to it, for a test marked `namespaces`."""

import ctypes
import os
import subprocess
import threading

from lib.places import tool
from lib.processes import Process, wait_until

CLONE_NEWNET = 0x40000000


def ip(command):
    subprocess.run([tool("ip"), *command.split()], check=True)


class Neighbour:
    """Another network namespace."""

    def __init__(self):
        self.holder = Process([tool("unshare"), "--net", "sleep", "infinity"])
        ours = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(
            f"/proc/{self.holder.pid}/ns/net") != ours,
            "another namespace", process=self.holder)

    def link(self, name, here, there):
        """Makes a link of this name, with these addresses (ADDRESS/PREFIX) at
        its ends."""
        far = f"{name}-end"
        ip(f"link add {name} type veth peer name {far} netns "
           f"{self.holder.pid}")
        self.run("ip", "link", "set", far, "up")
        for address in there:
            self.run("ip", "addr", "add", address, "dev", far)
        ip(f"link set {name} up")
        for address in here:
            ip(f"addr add {address} dev {name}")

    def run(self, *command):
        subprocess.run([tool("nsenter"),
                        f"--net=/proc/{self.holder.pid}/ns/net", *command],
                       check=True)

    def call(self, function):
        """Calls the function in a thread over there; returns its result."""
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
