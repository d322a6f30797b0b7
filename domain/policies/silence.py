"""What is said of work that nobody answers: where it was to be done. Pure."""

from __future__ import annotations

from domain import ids


def silence(queue: str, what: str, why: str) -> str:
    """Returns the sentence: who does not answer, what was to be done there, how it is known."""
    return (
        f"{_where(queue)} does not answer: {what} ({why}); look whether its worker runs and "
        "reaches its API server"
    )


def unserved(queue: str) -> str:
    """Returns what is said of work that no worker takes."""
    return f"{_where(queue)} is away: no worker has taken it yet (task queue {queue})"


def _where(queue: str) -> str:
    if plane := ids.plane_of_queue(queue):
        return f"plane {plane}"
    known = {
        ids.CONTROL_QUEUE: "the control plane",
        ids.GATES_QUEUE: "the worker that calls gates",
        ids.SECRETS_QUEUE: "the worker of OpenBao",
    }
    return known.get(queue, "whoever serves it")
