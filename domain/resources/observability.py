"""What measures and keeps logs: where it is, and who the platform is to it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, WrittenBy
from domain.resources.model import Model
from domain.resources.planes import PlaneStatus
from domain.resources.types import Text

_LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
"""A name of a label in Prometheus and Loki."""


class ObservabilityCredentials(Model):
    """Where it is kept who the platform is to what measures. It never stands in a resource."""

    vault_path: Annotated[
        str, Field(max_length=78, pattern=r"^_observability/[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")
    ]
    """Path of a secret of the organization, such as `_observability/metrics`. It has the field
    `token`, or `username` and `password`; `certificateAuthority` (PEM) where the servers are known
    by certificates of their own."""


class LogLabels(Model):
    """How a log store calls where a line comes from."""

    namespace: str = Field("namespace", max_length=64, pattern=_LABEL)
    """Label of the pod's namespace."""
    pod: str = Field("pod", max_length=64, pattern=_LABEL)
    """Label of the pod's name."""
    container: str = Field("container", max_length=64, pattern=_LABEL)
    """Label of the container's name."""
    component: str = Field("", max_length=64, pattern=r"^([a-zA-Z_][a-zA-Z0-9_]*)?$")
    """Label by which the store tells whose lines they are: the value of the pods' label
    `choreo.dev/component`. Empty = it has none, and pods are found by their names."""


class ObservabilityPlaneSpec(Model):
    """Where metrics and logs are asked for."""

    description: Text = ""
    """Which systems these are."""
    prometheus_url: str = Field("", max_length=512, pattern=r"^(https?://[^\s@]+)?$")
    """Address of a Prometheus. Empty = there is none."""
    logs_url: str = Field("", max_length=512, pattern=r"^(https?://[^\s@]+)?$")
    """Address of a log store that answers as Loki does: `pavane logs --since` reads there what pods
    that are gone wrote. Empty = there is none."""
    log_labels: LogLabels = LogLabels()
    """Labels of its streams."""
    credentials: ObservabilityCredentials | None = None
    """Who the platform is to both. Absent = anonymous."""
    tenant: str = Field("", max_length=150, pattern=r"^[A-Za-z0-9!._*'()|-]*$")
    """Whose data both are asked for, as `X-Scope-OrgID`. Empty = it is not said."""


class ObservabilityPlane(Resource):
    """Where metrics and logs are kept."""

    kind: ClassVar[str] = "ObservabilityPlane"
    plural: ClassVar[str] = "observabilityplanes"
    short_names: ClassVar[tuple[str, ...]] = ("op", "ops")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Prometheus", ".spec.prometheusUrl", "Where metrics are asked for"),
        Column("Logs", ".spec.logsUrl", "Where logs are asked for"),
        *READY_COLUMNS,
    )

    spec: ObservabilityPlaneSpec = ObservabilityPlaneSpec()
    status: PlaneStatus = PlaneStatus()
