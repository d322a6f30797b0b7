"""What may differ from one environment to the next: size, variables, files and the timetable."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from domain.resources.model import Model, Rule
from domain.resources.types import EnvVar, ResourceNeeds, list_by


class MountedFile(Model):
    """One file that a container finds. Never a secret: its content can be read here."""

    path: str = Field(max_length=256, pattern=r"^(/[A-Za-z0-9._@-]+)+$")
    """Where it lies, from the root."""
    content: str = Field("", max_length=100_000)
    """What is in it. Empty = an empty file."""


class Autoscaling(Model):
    """How the number of replicas follows the load (HorizontalPodAutoscaler)."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.maxReplicas == 0 || self.minReplicas <= self.maxReplicas",
            "autoscaling: minReplicas must not be greater than maxReplicas",
            lambda scaling: (
                scaling.max_replicas == 0 or scaling.min_replicas <= scaling.max_replicas
            ),
        ),
    )

    min_replicas: int = Field(1, ge=1, le=1000)
    """Fewest replicas."""
    max_replicas: int = Field(0, ge=0, le=1000)
    """Most replicas. 0 = nothing scales by itself: replicas are as written down."""
    cpu_utilization: int = Field(80, ge=1, le=1000)
    """Processor time aimed at, in per cent of what the containers request."""
    memory_utilization: int = Field(0, ge=0, le=1000)
    """Memory aimed at, in per cent of what the containers request. 0 = memory does not count."""
    scale_down_stabilization_seconds: int = Field(300, ge=0, le=3600)
    """How long less has to be enough before replicas go."""


class ConcurrencyPolicy(StrEnum):
    """What is done when a run is due while the one before still runs."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class Schedule(Model):
    """When a scheduled task runs."""

    cron: str = Field(
        "", max_length=128, pattern=r"^(@[a-z]+|[-0-9A-Za-z*/,?]+( +[-0-9A-Za-z*/,?#L]+){4})?$"
    )
    """Five fields: minute, hour, day, month, day of week; or @hourly, @daily and the like.
    Empty = as said elsewhere: by the ScheduledTask, else by its class."""
    time_zone: str = Field("", max_length=64, pattern=r"^[A-Za-z0-9_+/-]*$")
    """Time zone of the fields, such as Europe/Berlin. Empty = as said elsewhere, else UTC."""
    concurrency_policy: ConcurrencyPolicy | None = None
    """Allow = runs may overlap. Forbid = a run that is due is left out while another one runs.
    Replace = it takes the place of that one. Absent = as said elsewhere, else Forbid."""
    starting_deadline_seconds: int | None = Field(None, ge=10, le=604800)
    """How late a run may still begin that was missed. Absent = as said elsewhere, else 300."""
    suspended: bool | None = None
    """true = no run begins by itself; runs can still be asked for. Absent = as said elsewhere."""


class WorkloadOverrides(Model):
    """What differs in this environment from the component's workload. Never the image."""

    replicas: int | None = Field(None, ge=0, le=1000)
    """How many run. Absent = what the class says."""
    env: tuple[EnvVar, ...] = Field((), max_length=200, json_schema_extra=list_by("name"))
    """Environment variables of the container `main`, added to those of the workload; equal names
    take this value."""
    resources: ResourceNeeds = ResourceNeeds()
    """What the container `main` is given. Empty = what the workload says."""
    files: tuple[MountedFile, ...] = Field((), max_length=32, json_schema_extra=list_by("path"))
    """Files of the container `main`, added to those of the workload; equal paths take this
    content."""
    autoscaling: Autoscaling | None = None
    """How replicas follow the load here. Absent = what the class says."""
    schedule: Schedule | None = None
    """When it runs here; only for scheduled tasks. Absent = what the ScheduledTask says."""
