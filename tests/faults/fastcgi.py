"""The shared module lib/fastcgi.py under the name it had before."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from support import *
from lib.fastcgi import *
