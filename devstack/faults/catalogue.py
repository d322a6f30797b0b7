"""Every fault there is, by name."""

from devstack.errors import DevstackError
from devstack.faults import clock, database, disks, objects, plane, processes, secret_store
from devstack.faults.model import Fault

_FAMILIES = (processes, plane, objects, disks, secret_store, database, clock)


def catalogue() -> dict[str, Fault]:
    """All faults, by family as they are told."""
    return {fault.name: fault for family in _FAMILIES for fault in family.faults()}


LEFT_OUT = {
    "Temporal's database locked": (
        "when another process held its file locked for five seconds, its server for development "
        "was unable to work for at least two minutes: a production server has no file."
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
