"""What an installation has, not a server for development: PostgreSQL, Temporal as services."""

from collections.abc import Sequence

from devstack.component import Part
from devstack.context import StackContext
from devstack.ha import postgresql, temporal

__all__ = ["environment", "parts"]


def parts(context: StackContext) -> Sequence[Part]:
    """The database, and the four services of Temporal that keep everything in it."""
    return [*postgresql.parts(context), *temporal.parts(context)]


def environment(context: StackContext) -> dict[str, str]:
    """What connects a process on this machine to both."""
    return {**postgresql.environment(context), **temporal.environment(context)}
