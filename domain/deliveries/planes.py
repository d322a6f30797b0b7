"""What the check of a plane is asked, passes on and answers."""

from __future__ import annotations

from datetime import datetime

from domain.deliveries.observing import AskedAs
from domain.deliveries.wire import Trigger, Wire

CREDENTIALS = "credentials"
"""Among the facts of an error: which credentials of a plane are missing, wrong or refused."""


class PlaneRequest(Wire):
    """Looks after the connection to a plane and what there is on it."""

    organization: str
    plane: str
    plane_kind: str
    """DataPlane or BuildPlane."""
    task_queue: str
    trigger: Trigger = Trigger()
    connected: bool | None = None
    """What was told last; None = nothing. For a run that goes on as a new one."""
    told: str = ""
    """What was told of its credentials, to be waited for until it is otherwise. Empty = nothing."""


class FoundCapabilities(Wire):
    """What there is on a cluster."""

    kubernetes_version: str = ""
    gateway_api: str = ""
    route_kinds: tuple[str, ...] = ()
    gateway_features: tuple[str, ...] = ()
    gateway_controllers: tuple[str, ...] = ()
    gateway_extensions: tuple[str, ...] = ()
    cert_manager: str = ""
    external_secrets: str = ""
    secrets_store_csi: str = ""
    cilium: str = ""
    metrics: bool = False
    autoscaler: bool = False
    argo_workflows: bool = False
    admission_policies: bool = False
    storage_classes: tuple[str, ...] = ()


class PlaneWatch(Wire):
    """Waits until there is something else on a cluster than was found."""

    organization: str
    plane: str
    found: FoundCapabilities


class ObservabilityRequest(Wire):
    """Looks whether the systems of an ObservabilityPlane answer."""

    organization: str
    plane: str
    prometheus_url: str = ""
    """Empty = there is none."""
    logs_url: str = ""
    """Empty = there is none."""
    asked_as: AskedAs | None = None
    """None = as nobody in particular."""
    trigger: Trigger = Trigger()
    connected: bool | None = None
    """What was told last; None = nothing. For a run that goes on as a new one."""


class ObservabilitySeen(Wire):
    """Whether they answer."""

    connected: bool
    message: str = ""
    """Who does not, and why; empty = all do."""


class PlaneReport(Wire):
    """What is told of a plane."""

    organization: str
    plane: str
    plane_kind: str
    connected: bool
    message: str = ""
    found: FoundCapabilities | None = None
    """None = the cluster could not be looked at; what was found before stays."""
    at: datetime
