"""Keeps organizations that a worker is not meant for off what it serves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from domain.errors import Denied
from runtime.errors import as_failure


class OnlyOrganizations(Interceptor):
    """Refuses activities for other organizations: whoever names a task queue reaches its worker.

    A DataPlane or BuildPlane names the queue of its worker, and its writer could name that of
    somebody else's cluster.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Wraps the execution of every activity."""
        return _Refusing(next, self._allowed)


class _Refusing(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, allowed: frozenset[str]) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._allowed = allowed

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        for organization in sorted(organizations_of(input.args)):
            if organization not in self._allowed:
                error = Denied(
                    f"this plane does not serve organization {organization}: its worker is set "
                    "to others (PAVANE_WORKER__ORGANIZATIONS)",
                    facts={"reason": "PlaneRefused"},
                )
                raise as_failure(error)
        return await super().execute_activity(input)


def organizations_of(arguments: Collection[Any]) -> set[str]:
    """Returns the organizations that the arguments of an activity are about."""
    found = set()
    for one in arguments:
        parts = [one, *(getattr(one, name, None) for name in ("plan", "handle", "request"))]
        found |= {str(name) for part in parts if (name := getattr(part, "organization", ""))}
    return found
