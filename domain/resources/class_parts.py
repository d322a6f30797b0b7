"""Parts that the classes of all types of components share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.model import Model, Rule
from domain.resources.types import Name, Quantity

Expression = Annotated[str, Field(max_length=2048)]
"""An expression of the Common Expression Language (CEL)."""


class GuardRails(Model):
    """Bounds that no workload and no binding of the class gets past."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.minReplicas <= self.maxReplicas",
            "minReplicas must not be greater than maxReplicas",
            lambda rails: rails.min_replicas <= rails.max_replicas,
        ),
    )

    min_replicas: int = Field(0, ge=0, le=1000)
    """Fewest replicas of an active binding."""
    max_replicas: int = Field(20, ge=1, le=1000)
    """Most replicas."""
    max_cpu: Quantity = ""
    """Most processor time a container may ask for. Empty = no bound."""
    max_memory: Quantity = ""
    """Most memory a container may ask for. Empty = no bound."""


class DisruptionBudget(Model):
    """How many replicas a drain of nodes may take at once (PodDisruptionBudget)."""

    enabled: bool = True
    """false = no budget is made; a drain may take all replicas at once."""
    max_unavailable: int = Field(1, ge=1, le=1000)
    """Most replicas that may be away. A single replica never has a budget: it would only keep
    nodes from being drained."""


class Scrape(Model):
    """Where metrics are read from a component's pods."""

    port: int = Field(0, ge=0, le=65535)
    """Port that answers with metrics. 0 = that of the first endpoint."""
    path: str = Field("/metrics", max_length=256, pattern=r"^/\S*$")
    """Path that answers with metrics."""


class Observability(Model):
    """How components of the class are watched."""

    scrape: Scrape | None = None
    """Where metrics are read; becomes the `prometheus.io/...` annotations of the pods.
    Absent = they are not."""
    log_labels: dict[str, Annotated[str, Field(max_length=63)]] = Field(
        default_factory=dict, max_length=16
    )
    """Labels of the pods by which collectors of logs sort their lines, as
    `logs.choreo.dev/<name>`. Empty = those of every component only."""


class Documentation(Model):
    """What a developer reads about the class."""

    guide: str = Field("", max_length=20_000)
    """How to use it, in Markdown; shown by `pavane explain`. Empty = there is none."""
    url: str = Field("", max_length=512, pattern=r"^(https?://\S+)?$")
    """Where more is told. Empty = nowhere."""
    owner: str = Field("", max_length=128)
    """Whom to ask. Empty = nobody is named."""


class UpgradeMode(StrEnum):
    """Who brings a changed class to the components that follow it."""

    MANUAL = "Manual"
    AUTO = "Auto"


class UpgradePolicy(Model):
    """How components come to a new revision of the class."""

    mode: UpgradeMode = UpgradeMode.MANUAL
    """Manual = a person asks for it (`pavane class upgrade`). Auto = each change of the class
    begins an upgrade."""
    waves: tuple[Name, ...] = Field(
        (), max_length=20, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Environments in the order in which they are upgraded, one wave each; all others come last,
    together, production ones after those. Empty = production after all others."""
    max_at_once: int = Field(4, ge=1, le=50)
    """How many bindings of a wave are deployed at the same time."""
    max_failures: int = Field(0, ge=0, le=1000)
    """How many deployments may fail before the upgrade stops. What was upgraded stays so; what
    failed runs what ran before."""


class HealthRule(Model):
    """How it is told whether an object is well, for kinds that have no conditions."""

    api_version: str = Field(min_length=1, max_length=253)
    """apiVersion of the objects."""
    kind: str = Field(min_length=1, max_length=63, pattern=r"^[A-Z][A-Za-z0-9]*$")
    """Kind of the objects."""
    ready: Expression = Field(min_length=1)
    """True when the object is well. `object` is the whole object as the plane has it; a field that
    is missing counts as not well."""
    failed: Expression = ""
    """True when waiting does not mend it: the deployment fails at once. Empty = never."""
    message: Expression = ""
    """A text about how it is. Empty = none."""
