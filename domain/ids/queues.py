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


def own_plane_queue(organization: str, plane_kind: str, plane: str) -> str:
    """Returns the task queue of one plane of one organization, which serves nobody else.

    It is that of planes whose credentials are kept in OpenBao. No name of a plane has a dot.
    """
    return f"plane.{organization}.{plane}{'.builds' if plane_kind == 'BuildPlane' else ''}"


def plane_of_queue(task_queue: str) -> str:
    """Returns the plane whose worker serves a task queue; empty = it is no plane's."""
    prefix, dot, plane = task_queue.partition(".")
    return plane if dot and prefix == "plane" else ""
