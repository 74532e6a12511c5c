"""Programs that find a terminal at their standard output."""

import contextlib
import os
import pty
import subprocess


def shown_by(command, errors=False, **kwargs):
    """What a command, which must succeed, shows on a terminal; with errors,
    its standard error is part of it."""
    ours, theirs = pty.openpty()
    subprocess.run(command, stdout=theirs,
                   stderr=theirs if errors else subprocess.DEVNULL,
                   timeout=20, check=True, **kwargs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # EIO: everything has been read
        while chunk := os.read(ours, 65536):
            shown += chunk
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")
