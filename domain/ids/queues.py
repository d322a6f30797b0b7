"""Names of task queues."""

from __future__ import annotations

ORCHESTRATION_QUEUE = "orchestration"
CONTROL_QUEUE = "control"
GATES_QUEUE = "gates"
"""Calls to systems that nobody here answers for: apart, so that slow ones hold up nothing else."""
SECRETS_QUEUE = "secrets"
LANES_QUEUE = "lanes"
"""Workflows that outlive a release of Pavane, apart because their versions are apart."""


def plane_queue(plane: str) -> str:
    """Returns the default task queue of the plane worker that serves a plane."""
    return f"plane.{plane}"


def plane_of_queue(task_queue: str) -> str:
    """Returns the plane whose worker serves a task queue; empty = it is no plane's."""
    prefix, dot, plane = task_queue.partition(".")
    return plane if dot and prefix == "plane" else ""
