"""Every fault there is, by name."""

from devstack.errors import DevstackError
from devstack.faults import disks, objects, plane, processes, secret_store
from devstack.faults.model import Fault

_FAMILIES = (processes, plane, objects, disks, secret_store)


def catalogue() -> dict[str, Fault]:
    """All faults, by family as they are told."""
    return {fault.name: fault for family in _FAMILIES for fault in family.faults()}


LEFT_OUT = {
    "clock jumping": (
        "Linux gives no process a wall clock of its own; moving the machine's would break all else "
        "on it. Procedures take time from Temporal alone (`workflow.now`), never from a worker."
    ),
    "database locked": (
        "there is no database of records yet. Temporal's own, when another process held it locked "
        "for five seconds, left it unable to work for at least two minutes: its "
        "server for development holds a SQLite file, which a production server never does."
    ),
}
"""Faults that are not made, and why."""


def find(name: str, target: str, profile: str) -> Fault:
    """The fault of that name.

    Raises:
        DevstackError: there is none, the stack is too small, or the target is missing or too much.
    """
    known = catalogue()
    if name not in known:
        message = f"there is no fault {name!r}; `pavane stack fault list` shows all"
        raise DevstackError(message)
    fault = known[name]
    if fault.profile == "full" and profile != "full":
        message = f"{name} needs a stack with a node: pavane stack up --profile full"
        raise DevstackError(message)
    if fault.target and not target:
        message = f"{name} needs --on: {fault.target}"
        raise DevstackError(message)
    if target and not fault.target:
        message = f"{name} takes no --on: it breaks the whole stack"
        raise DevstackError(message)
    return fault
