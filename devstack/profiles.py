"""The profiles a stack can have, and the parts each is made of."""

from collections.abc import Sequence
from importlib import import_module

from devstack import core, platform_environment
from devstack.component import Part
from devstack.context import StackContext

PROFILES = ("core", "ha", "full")
_FULL = ("devstack.node", "devstack.services")
"""Imported only when wanted: a core stack starts without reading a module of them."""


def parts(context: StackContext) -> Sequence[Part]:
    """Every part of the stack, in no particular order."""
    found = [*core.parts(context)]
    if context.is_full:
        for name in _FULL:
            found += import_module(name).parts(context)
    if context.platform:
        needs = [part.name for part in found]
        platform = import_module("devstack.platform")
        found += platform.parts(context, environment(context), needs)
    return found


def environment(context: StackContext) -> dict[str, str]:
    """The variables that connect a person, the tests and the platform to the stack; no secrets."""
    full = import_module("devstack.services").environment(context) if context.is_full else {}
    return {**platform_environment.environment(context), **core.environment(context), **full}
