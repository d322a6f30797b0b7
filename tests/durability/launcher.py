"""Runs the real worker with one plugin more, which lets it die where a test says.

    python -m tests.durability.launcher
"""

from __future__ import annotations

import os
from pathlib import Path

import worker
from tests.durability.killing import KillPlugin, count_effects
from tests.durability.orders import VARIABLE, Carrier

if __name__ == "__main__":
    count_effects()
    worker.main([KillPlugin(Carrier(Path(os.environ[VARIABLE])))])
