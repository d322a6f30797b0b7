"""Kills a worker at every point of every recorded scenario, on a full stack of its own.

Arguments go to `python -m tests.durability`, for example `--scenario build --lanes 2`.
"""

from __future__ import annotations

import os
import signal
import sys

from scripts.test import StackFailed, execute, stack, stack_environment, stop


def main() -> int:
    """Runs the sweep; returns its exit code."""
    signal.signal(signal.SIGTERM, stop)
    try:
        stack("reset", "--yes")
        stack("up", "--profile", "full")
        connection = stack_environment()
        # Its intake would act on the organizations of the sweep as well.
        stack("stop", "worker")
        command = [sys.executable, "-m", "tests.durability", *sys.argv[1:]]
        return execute(command, {**os.environ, **connection})
    except StackFailed as error:
        print(error)
        return 1
    finally:
        stack("reset", "--yes")


if __name__ == "__main__":
    sys.exit(main())
