"""When the intake has a configuration group released."""

from __future__ import annotations

from dataclasses import dataclass

from domain.deliveries import ConfigurationRequest, Trigger
from domain.resources.configuration import ConfigurationGroup


@dataclass(frozen=True)
class ReleaseConfiguration:
    """A configuration group says something that was not released."""

    request: ConfigurationRequest
    revision: str
    """What it says now: something else is another decision."""


def wanted_release(group: ConfigurationGroup, trigger: Trigger) -> ReleaseConfiguration | None:
    """Returns what to ask for: each content is released once, what failed when a person asks."""
    if group.is_deleted or group.status.revision == group.revision:
        return None
    where = group.organization
    request = ConfigurationRequest(organization=where, group=group.name, trigger=trigger)
    return ReleaseConfiguration(request, group.revision)
