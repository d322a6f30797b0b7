"""The order of parts: what must be ready before what. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from devstack.component import Part
from devstack.errors import DevstackError


def ordered(parts: Iterable[Part]) -> list[Part]:
    """The parts in an order in which each comes after everything it needs.

    Raises:
        DevstackError: two parts share a name, a part needs one that is not there, or parts need
            each other.
    """
    by_name = _by_name(parts)
    for part in by_name.values():
        if missing := [name for name in part.needs if name not in by_name]:
            message = f"{part.name} needs {', '.join(missing)}, which the stack does not have"
            raise DevstackError(message)
    try:
        names = TopologicalSorter({part.name: part.needs for part in by_name.values()})
        return [by_name[name] for name in names.static_order()]
    except CycleError as error:
        message = f"parts need each other: {' -> '.join(error.args[1])}"
        raise DevstackError(message) from None


def dependents(parts: Sequence[Part]) -> Mapping[str, frozenset[str]]:
    """For each part, the parts that need it directly: what must stop before it."""
    return {
        part.name: frozenset(other.name for other in parts if part.name in other.needs)
        for part in parts
    }


def _by_name(parts: Iterable[Part]) -> dict[str, Part]:
    by_name: dict[str, Part] = {}
    for part in parts:
        if part.name in by_name:
            message = f"two parts are named {part.name}"
            raise DevstackError(message)
        by_name[part.name] = part
    return by_name
