"""Errors of the local stack.

DevstackError               what, why, and what to do about it
  PreflightFailed           the machine cannot carry the stack; nothing was started
  AlreadyRunning            another command is working on the same stack
  NotRunning                the stack is down
  PartFailed                a component or step did not become ready
"""

from collections.abc import Sequence


class DevstackError(Exception):
    """Says what went wrong, why, and what to do, in words for the person at the terminal."""


class PreflightFailed(DevstackError):
    """The machine lacks something the stack needs; nothing was started."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Joins the problems found, one a line."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class AlreadyRunning(DevstackError):
    """Another command is working on the same stack."""


class NotRunning(DevstackError):
    """The stack is down."""


class PartFailed(DevstackError):
    """A component or step did not become ready."""
