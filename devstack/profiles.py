"""The profiles a stack can have, and the parts each is made of."""

from collections.abc import Sequence

from devstack import core
from devstack.component import Part
from devstack.context import StackContext

PROFILES = ("core", "full")


def parts(context: StackContext) -> Sequence[Part]:
    """Every part of the stack, in no particular order."""
    return [*core.parts(context)]


def environment(context: StackContext) -> dict[str, str]:
    """The variables that connect a person, the tests and the platform to the stack; no secrets."""
    return core.environment(context)
