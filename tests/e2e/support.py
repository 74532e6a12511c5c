"""The shared modules of tests/lib under the name they had before."""

import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.collector import *
from lib.http import *
from lib.places import *
from lib.ports import *
from lib.processes import *
from lib.web import *


def main(_name):
    sys.exit(subprocess.call(["pytest-3", "-v", sys.argv[0]]))
