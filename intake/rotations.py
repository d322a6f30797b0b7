"""When a secret is turned over: pure functions of what exists."""

from __future__ import annotations

from dataclasses import dataclass

from domain.resources.rotation import SecretRotation, SecretRotationStatus


@dataclass(frozen=True)
class KeepTimetable:
    """When a secret is turned over may have changed."""

    rotation: SecretRotation


def wanted_timetable(rotation: SecretRotation) -> KeepTimetable:
    """Returns what to ask for: neither a status that is written nor a new version changes it."""
    meta = rotation.metadata.model_copy(update={"resource_version": ""})
    return KeepTimetable(
        rotation.model_copy(update={"metadata": meta, "status": SecretRotationStatus()})
    )


@dataclass(frozen=True)
class ForgetTimetable:
    """A SecretRotation is gone: nothing begins by itself any more."""

    organization: str
    name: str
