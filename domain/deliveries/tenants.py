"""What the set-up of an organization is asked, passes on and answers."""

from __future__ import annotations

from typing import Any

from domain.deliveries.wire import Trigger, Wire


class TenantRequest(Wire):
    """Brings an organization's namespace, rights, admission and bounds to what it says now."""

    organization: str
    wanted: str = ""
    """Hash of what the set-up is made of, as the intake saw it."""
    trigger: Trigger = Trigger()


class TenantPlace(Wire):
    """One project in one environment."""

    project: str
    environment: str
    namespace: str
    cpu: tuple[str, ...] = ()
    """Quotas that bound it: of organization, project, environment, where they are given."""
    memory: tuple[str, ...] = ()


class TenantPlane(Wire):
    """What one data plane is to have of an organization: facts, of which the plane makes objects.

    An organization may have hundreds of places; their objects would not fit into a payload.
    """

    organization: str
    plane: str
    task_queue: str
    access: tuple[dict[str, Any], ...] = ()
    """The access rules, as they stand in the Organization."""
    allowed_registries: tuple[str, ...] = ()
    shared_registries: tuple[str, ...] = ()
    common_folders: tuple[str, ...] = ()
    user_prefix: str = ""
    group_prefix: str = ""
    administrators: tuple[str, ...] = ()
    places: tuple[TenantPlace, ...] = ()
    policies: str = "Kubernetes"
    """Which network policies the plane enforces: Kubernetes or Cilium."""


class TenantLeaving(Wire):
    """Namespaces that an organization has no use for on a plane: their environments left it."""

    organization: str
    plane: str
    task_queue: str
    namespaces: tuple[str, ...] = ()
    look: bool = False
    """Only tell which would go: whoever removes them may die before telling it."""


class TenantLeft(Wire):
    """What became of them, or would."""

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """In words, with what is in them."""


class TenantPlan(Wire):
    """What an organization is to have."""

    organization: str
    generation: int
    repository: str = ""
    control: tuple[dict[str, Any], ...] = ()
    """Objects of the control plane, the namespace first."""
    planes: tuple[TenantPlane, ...] = ()
    leaving: tuple[TenantLeaving, ...] = ()
    """What is to go from planes when all of the above is there."""
    required_labels: tuple[str, ...] = ()
    """What projects and components must carry, as the policy in ``control`` says."""
    inexact: tuple[str, ...] = ()
    """Whom Kubernetes gives less in the organization's namespace than the API does."""
    gone: bool = False
    """The organization does not exist any more, or is being deleted."""


class TenantApplied(Wire):
    """What became of one cluster."""

    objects: int = 0
    admission: bool = True
    """False = the cluster has no ValidatingAdmissionPolicies."""


class TenantCondition(Wire):
    """One thing that is said about the organization."""

    type: str
    holds: bool
    reason: str
    message: str = ""


class TenantRecord(Wire):
    """What is told of a set-up."""

    organization: str
    generation: int
    repository: str = ""
    setup: str = ""
    """What it was made of; empty = it is not complete."""
    conditions: tuple[TenantCondition, ...] = ()


class TenantSetup(Wire):
    """Result of a set-up."""

    organization: str
    namespaces: int = 0
    """On data planes."""
    planes: tuple[str, ...] = ()
    message: str = ""
