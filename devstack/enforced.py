"""What a running stack tells about the enforcement of network policies."""

import contextlib
import json

from devstack.state import StateDir

ENFORCER = "policy-enforcer"
"""The part of a stack that enforces them."""

STATUS = "policies.json"
"""The file in which it tells, among the files of the node."""


def enforcement(state: StateDir) -> str:
    """Returns in a sentence what is enforced; empty while nothing is known."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((state.data / "node" / STATUS).read_text())
        if found["enforced"]:
            return f"enforced ({found['policies']} policies, {found['pods']} pods)"
        return f"NOT enforced: {found['detail']}"
    return ""
