"""What is done by the clock: secrets turned over, environments looked at. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from domain.resources.environment import Environment, EnvironmentStatus
from domain.resources.rotation import SecretRotation, SecretRotationStatus


@dataclass(frozen=True)
class KeepTimetable:
    """When a secret is turned over may have changed."""

    rotation: SecretRotation


@dataclass(frozen=True)
class KeepSweeps:
    """How often an environment is looked at may have changed."""

    environment: Environment


def wanted_sweeps(environment: Environment) -> KeepSweeps:
    """Returns what to ask for: neither a status that is written nor a new version changes it."""
    meta = environment.metadata.model_copy(update={"resource_version": ""})
    return KeepSweeps(
        environment.model_copy(update={"metadata": meta, "status": EnvironmentStatus()})
    )


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
