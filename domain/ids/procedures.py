"""Ids of workflows, built and taken apart: business key, lock and idempotency key at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from domain.errors import InvalidRequest
from domain.ids.naming import SLUG, content_name, fitted, is_commit, slug

OperationKind = Literal[
    "break-glass",
    "build",
    "build-request",
    "class-upgrade",
    "configuration",
    "deploy",
    "deploy-at",
    "drift",
    "leak",
    "plane-check",
    "promotion",
    "rollback",
    "rotation",
    "set",
    "task-run",
    "teardown",
    "tenant",
]
_PARTS: dict[str, int] = {
    "break-glass": 3,
    "build": 3,
    "build-request": 3,
    "class-upgrade": 3,
    "configuration": 3,
    "deploy": 3,
    "deploy-at": 3,
    "drift": 3,
    "leak": 3,
    "plane-check": 3,
    "promotion": 3,
    "rollback": 3,
    "rotation": 2,
    "set": 3,
    "task-run": 3,
    "teardown": 3,
    "tenant": 1,
}
APPROVAL_PREFIX = "approval/"
_SUBJECT_PARTS = 6


@dataclass(frozen=True)
class OperationId:
    """The id of a procedure taken apart."""

    kind: OperationKind
    organization: str
    component: str
    key: str
    """Commit (12 characters) of a build, environment of a deployment or of a drift, kind of the
    class of an upgrade (whose ``component`` is the class), kind of what a teardown is about (which
    is the ``component``), environment or ``all`` of leaked secrets (whose project is the
    ``component``), environment of rights for a while (whose person is the ``component``),
    ``release`` of a configuration group (which is the ``component``),
    environment and key of a task run."""

    def __str__(self) -> str:
        parts = (self.kind, self.organization, self.component, self.key)
        return "/".join(part for part in parts if part)


def tenant_of(workflow_id: str) -> str:
    """Returns the organization that a procedure works for, by its workflow id; "" = for none."""
    parts = workflow_id.removeprefix(APPROVAL_PREFIX).split("/")
    return parts[1] if len(parts) > 1 else ""


def build_id(organization: str, component: str, commit: str) -> str:
    """Returns the workflow id of the build of one commit of one component.

    Raises:
        InvalidRequest: A name is no DNS label, or the commit is not complete.
    """
    if not is_commit(commit):
        message = f"{commit!r} is not a complete Git commit id"
        raise InvalidRequest(message)
    return (
        f"build/{slug(organization, 'organization')}/{slug(component, 'component')}/{commit[:12]}"
    )


def build_request_id(organization: str, component: str, key: str) -> str:
    """Returns the workflow id of a request whose revision must be resolved first."""
    return (
        f"build-request/{slug(organization, 'organization')}/"
        f"{slug(component, 'component')}/{slug(key, 'request key')}"
    )


def break_glass_id(organization: str, person: str, environment: str) -> str:
    """Returns the workflow id under which a person is given a right in a place for a while."""
    readable = re.sub(r"[^a-z0-9]+", "-", person.lower()).strip("-")[:40].rstrip("-")
    who = content_name(readable or "person", person)
    return _place("break-glass", organization, who, environment)


def deploy_id(organization: str, component: str, environment: str) -> str:
    """Returns the workflow id under which all deployments of a component to a place queue."""
    return (
        f"deploy/{slug(organization, 'organization')}/{slug(component, 'component')}/"
        f"{slug(environment, 'environment')}"
    )


def deploy_at_id(organization: str, component: str, environment: str) -> str:
    """Returns the workflow id under which a deployment to a place waits for its time."""
    return _place("deploy-at", organization, component, environment)


def build_lane_id(organization: str) -> str:
    """Returns the workflow id of the lane in which the builds of an organization queue.

    No operation: nobody asks for it, so ``parse`` does not know it and the API does not show it.
    """
    return f"build-lane/{slug(organization, 'organization')}"


def drift_id(organization: str, component: str, environment: str) -> str:
    """Returns the workflow id under which changes by others in one place are looked at."""
    return (
        f"drift/{slug(organization, 'organization')}/{slug(component, 'component')}/"
        f"{slug(environment, 'environment')}"
    )


def approval_id(subject: str) -> str:
    """Returns the workflow id of the approval that a subject waits for.

    Args:
        subject: The id of an operation, or another name of two to six parts.

    Raises:
        InvalidRequest: It is not.
    """
    parts = subject.split("/")
    fits = 1 < len(parts) <= _SUBJECT_PARTS
    if not fits or not all(SLUG.fullmatch(part) for part in parts):
        message = f"{subject[:100]!r} is not what an approval can be about: name an operation"
        raise InvalidRequest(message)
    return f"{APPROVAL_PREFIX}{subject}"


def promotion_id(organization: str, component: str, environment: str) -> str:
    """Returns the workflow id under which a component is promoted to an environment."""
    return _place("promotion", organization, component, environment)


def rollback_id(organization: str, component: str, environment: str) -> str:
    """Returns the workflow id under which a component is rolled back in an environment."""
    return _place("rollback", organization, component, environment)


def promotion_plan_id(organization: str, component: str, environment: str, key: str) -> str:
    """Returns the workflow id of one look at what a promotion would do. No operation."""
    place = _place("promotion-plan", organization, component, environment)
    return f"{place}/{slug(key, 'request key')}"


def tree_id(organization: str, component: str, environment: str, key: str) -> str:
    """Returns the workflow id of one look at the objects of a component. No operation."""
    return f"{_place('tree', organization, component, environment)}/{slug(key, 'request key')}"


def logs_id(organization: str, component: str, environment: str, look: str) -> str:
    """Returns the workflow id of one look at the logs of a component. No operation."""
    return f"{_place('logs', organization, component, environment)}/{slug(look, 'look')}"


def standing_id(organization: str, component: str, environment: str) -> str:
    """Returns the workflow id of what is remembered of a place. No operation."""
    return _place("standing", organization, component, environment)


def standing_place(workflow_id: str) -> tuple[str, str, str]:
    """Returns organization, component and environment of what ``standing_id`` made."""
    _, organization, component, environment = workflow_id.split("/")
    return organization, component, environment


def set_id(organization: str, name: str, environment: str) -> str:
    """Returns the workflow id under which a set of components is promoted to an environment."""
    return (
        f"set/{slug(organization, 'organization')}/{slug(name, 'set')}/"
        f"{slug(environment, 'environment')}"
    )


def _place(kind: str, organization: str, component: str, environment: str) -> str:
    return (
        f"{kind}/{slug(organization, 'organization')}/{slug(component, 'component')}/"
        f"{slug(environment, 'environment')}"
    )


def class_upgrade_id(organization: str, class_kind: str, class_name: str) -> str:
    """Returns the workflow id under which the components of a class are upgraded."""
    return (
        f"class-upgrade/{slug(organization, 'organization')}/{slug(class_name, 'class')}/"
        f"{slug(class_kind.lower(), 'kind of class')}"
    )


def configuration_id(organization: str, group: str) -> str:
    """Returns the workflow id under which a configuration group is released."""
    return (
        f"configuration/{slug(organization, 'organization')}/"
        f"{slug(group, 'configuration group')}/release"
    )


def task_run_id(organization: str, component: str, environment: str, key: str) -> str:
    """Returns the workflow id of a run of a scheduled task that was asked for with a key."""
    run = fitted(f"{slug(environment, 'environment')}-{slug(key, 'request key')}")
    return f"task-run/{slug(organization, 'organization')}/{slug(component, 'component')}/{run}"


def rotation_id(organization: str, rotation: str) -> str:
    """Returns the workflow id under which a secret is turned over."""
    return f"rotation/{slug(organization, 'organization')}/{slug(rotation, 'rotation')}"


def leak_id(organization: str, project: str, environment: str = "") -> str:
    """Returns the workflow id under which the leaked secrets of a project are turned over."""
    return (
        f"leak/{slug(organization, 'organization')}/{slug(project, 'project')}/"
        f"{slug(environment or 'all', 'environment')}"
    )


def sweep_id(organization: str, environment: str) -> str:
    """Returns the id of the schedule by which the health of an environment is looked at.

    Temporal adds the time to it for the id of each look.
    """
    return f"sweep/{slug(organization, 'organization')}/{slug(environment, 'environment')}"


def schedule_change_id(organization: str, key: str) -> str:
    """Returns the workflow id of a change to a schedule of an organization. No operation."""
    return f"schedule-change/{slug(organization, 'organization')}/{slug(key, 'request key')}"


def plane_check_id(organization: str, plane: str, kind: str) -> str:
    """Returns the workflow id under which a plane of an organization is looked after."""
    return (
        f"plane-check/{slug(organization, 'organization')}/{slug(plane, 'plane')}/"
        f"{slug(kind.lower(), 'kind of plane')}"
    )


def teardown_id(organization: str, kind: str, name: str) -> str:
    """Returns the workflow id under which a resource that is being deleted is taken down."""
    return (
        f"teardown/{slug(organization, 'organization')}/{slug(name, 'name')}/"
        f"{slug(kind.lower(), 'kind')}"
    )


def tenant_id(organization: str) -> str:
    """Returns the workflow id under which an organization is set up."""
    return f"tenant/{slug(organization, 'organization')}"


def parse(operation_id: str) -> OperationId:
    """Takes a workflow id apart.

    Raises:
        InvalidRequest: It is not the id of a procedure.
    """
    kind, *rest = operation_id.split("/")
    if len(rest) != _PARTS.get(kind, -1) or not all(SLUG.fullmatch(part) for part in rest):
        message = f"{operation_id!r} is not the id of an operation"
        raise InvalidRequest(message)
    organization, component, key = (*rest, "", "")[:3]
    return OperationId(cast("OperationKind", kind), organization, component, key)
