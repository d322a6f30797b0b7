"""What the service says."""

from __future__ import annotations

from collections.abc import Mapping


def greeting(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the answer: a greeting, and the commit it comes from."""
    return {
        "greeting": environment.get("GREETING", "Hello"),
        "commit": environment.get("PAVANE_COMMIT", "unknown"),
    }
