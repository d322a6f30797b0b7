"""Runs the real worker with one plugin more, which lets it die where a test says.

It imports everything, then waits until the file that is its argument exists: what a test measures
is how soon another worker takes over, as in an installation with several, not how fast a machine
under load starts Python.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

import worker
from tests.durability.killing import KillPlugin, count_effects
from tests.durability.orders import VARIABLE, Carrier

_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl: a sweep that is ended from outside leaves no worker behind."""

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_WITH_PARENT, signal.SIGKILL)
    count_effects()
    begin = Path(sys.argv[1])
    while not begin.exists():
        time.sleep(0.02)
    worker.main([KillPlugin(Carrier(Path(os.environ[VARIABLE])))])
