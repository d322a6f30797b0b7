"""What is said of a plane that does not answer. Pure."""

from __future__ import annotations


def silence(plane: str, what: str, why: str) -> str:
    """Returns the sentence: which plane, what was to be done there, how it is known."""
    return (
        f"plane {plane} does not answer: {what} ({why}); look whether its worker runs and reaches "
        f"its API server: pavane describe dataplane {plane}"
    )


def unserved(plane: str, queue: str) -> str:
    """Returns what is said of work that no worker takes."""
    if not plane:
        return f"no worker has taken it yet from task queue {queue}"
    return f"plane {plane} is away: no worker of it has taken it yet (task queue {queue})"
