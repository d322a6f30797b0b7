"""What `make check` and `make format` run: format, lint, types and import contracts."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent

CHECKS: dict[str, tuple[str, ...]] = {
    "format": ("ruff", "format", "--check", "--quiet", "."),
    "lint": ("ruff", "check", "--quiet", "."),
    "types": ("mypy", "--no-error-summary", "."),
    "imports": ("lint-imports",),
}
FIXES: dict[str, tuple[str, ...]] = {
    "lint fixes": ("ruff", "check", "--quiet", "--fix", "."),
    "format": ("ruff", "format", "."),
}


def say(text: str) -> None:
    """Prints at once, also into a pipe."""
    print(text, flush=True)


def run(commands: dict[str, tuple[str, ...]], tell: Callable[[str], None] = say) -> list[str]:
    """Runs each command, tells how it went, and returns the names of those that failed.

    A later command runs also after a failure: one run shows everything that is wrong.
    """
    failed = []
    for name, (tool, *arguments) in commands.items():
        start = time.monotonic()
        done = subprocess.run(
            [TOOLS / tool, *arguments],
            cwd=ROOT,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        verdict = "ok" if done.returncode == 0 else "FAILED"
        tell(f"  {name:<12} {verdict:<7} {time.monotonic() - start:5.1f} s")
        if done.returncode != 0:
            tell(done.stdout)
            failed.append(name)
    return failed


def main() -> int:
    """Runs the checks, or the fixes; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.check", description=__doc__)
    parser.add_argument("--fix", action="store_true", help="change files instead of judging them")
    arguments = parser.parse_args()
    return 1 if run(FIXES if arguments.fix else CHECKS) else 0


if __name__ == "__main__":
    sys.exit(main())
