"""A clean root with systemd as process 1, in separate namespaces: the machine
of a developer, or one in production, on which something already runs."""

import os
import subprocess
import time
from pathlib import Path

import roots
from lib.places import tool

# What systemd expects of a container manager (systemd.io,
# CONTAINER_INTERFACE), with the kernel's settings read-only.
BOOT = r"""
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
pivot_root . mnt
umount -l /mnt
exec env -i container=chroot PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set=-sys_module,-sys_time,-sys_boot,-sys_rawio /sbin/init
"""
PACKAGES = ["systemd-sysv", "sudo", "nginx-light", "iproute2"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def root(suite):
    """A system with systemd and nginx, enabled, as apt leaves them."""
    made = roots.made(suite, "machine", PACKAGES)
    policy = made.path / "usr/sbin/policy-rc.d"
    if policy.exists():
        policy.unlink()
        (made.path / "etc/sudoers.d/heroku").write_text(
            "heroku ALL=(ALL) NOPASSWD: ALL\n")
        with open(made.path / "etc/hosts", "a") as hosts:
            hosts.write(f"127.0.0.1 localhost {os.uname().nodename}\n")
        # A user who pastes answers yes.
        (made.path / "etc/apt/apt.conf.d/yes").write_text(
            'APT::Get::Assume-Yes "true";\n')
        (made.path / "app").mkdir(exist_ok=True)
        os.chown(made.path / "app", roots.UID, roots.UID)
    return made


class Machine:
    """A running machine, until stop()."""

    script = BOOT

    def __init__(self, root):
        self.root = root
        self.boot()

    def boot(self):
        self.unshare = subprocess.Popen(
            [tool("unshare"), "--mount", "--pid", "--fork", "--kill-child",
             "--uts", "--ipc", "--net", "--cgroup", "bash", "-c", self.script,
             "boot", self.root.path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise

    def wait(self):
        """Waits until systemd has started everything."""
        end = time.monotonic() + 60
        task = Path(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}")
        while time.monotonic() < end:
            if self.unshare.poll() is not None:
                raise AssertionError(
                    f"systemd does not run here: {self.unshare.stdout.read()}")
            pids = (task / "children").read_text().split()
            if pids:
                self.init = pids[0]
                said = self.try_run("systemctl is-system-running --wait").stdout
                if said.strip() in ("running", "degraded"):
                    return
            time.sleep(0.05)
        raise AssertionError(f"systemd did not start: {said}")

    def stop(self):
        self.unshare.kill()
        self.unshare.wait()
        self.unshare.stdout.close()

    def command(self, command, uid=0, network=False, cwd="/"):
        """The command line that runs this one in the machine, on its own
        network, or on the outer one, from which packages can be installed."""
        return [tool("nsenter"), "--target", self.init, "--mount", "--pid",
                "--uts", "--ipc", *([] if network else ["--net"]), "setpriv",
                f"--reuid={uid}", f"--regid={uid}", "--clear-groups",
                "env", "-i", f"--chdir={cwd}", f"PATH={PATH}", "LC_ALL=C.UTF-8",
                f"HOME={'/app' if uid else '/root'}", *command]

    def try_run(self, script, **kwargs):
        """Like run, but any exit status will do."""
        return subprocess.run(
            [str(c) for c in self.command(["bash", "-c", script], **kwargs)],
            text=True, errors="replace", stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, script, **kwargs):
        """The output of a bash script, which must succeed."""
        return self.run_command(["bash", "-c", script], **kwargs)

    def run_command(self, command, **kwargs):
        return roots.run(self.command(command, **kwargs))
