"""Names that must be the same everywhere: workflow ids, namespaces, task queues, content names.

The only module that builds or takes apart such a name. A workflow id is at once the business key,
the lock and the idempotency key of its procedure.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Literal, cast

from domain.errors import InvalidRequest

OperationKind = Literal[
    "build",
    "build-request",
    "class-upgrade",
    "configuration",
    "deploy",
    "drift",
    "plane-check",
    "promotion",
    "rollback",
    "rotation",
    "set",
    "task-run",
    "tenant",
]

_SLUG = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LABEL_LIMIT = 63
_HASH_LENGTH = 16
_HASH = re.compile(rf"[0-9a-f]{{{_HASH_LENGTH}}}")
_PARTS: dict[str, int] = {
    "build": 3,
    "build-request": 3,
    "class-upgrade": 3,
    "configuration": 3,
    "deploy": 3,
    "drift": 3,
    "plane-check": 3,
    "promotion": 3,
    "rollback": 3,
    "rotation": 2,
    "set": 3,
    "task-run": 3,
    "tenant": 1,
}

ORCHESTRATION_QUEUE = "orchestration"
CONTROL_QUEUE = "control"
SECRETS_QUEUE = "secrets"
LANES_QUEUE = "lanes"
"""Workflows that outlive a release of Pavane, apart because their versions are apart."""
FIELD_MANAGER = "pavane"
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
    class of an upgrade (whose ``component`` is the class), ``release`` of a configuration group
    (which is the ``component``), environment and key of a task run."""

    def __str__(self) -> str:
        parts = (self.kind, self.organization, self.component, self.key)
        return "/".join(part for part in parts if part)


def slug(value: str, what: str) -> str:
    """Returns ``value`` if it is a DNS label of at most 63 characters (RFC 1123).

    Raises:
        InvalidRequest: It is not; the message says what was named so.
    """
    if len(value) > _LABEL_LIMIT or not _SLUG.fullmatch(value):
        message = (
            f"{what} {value!r} is not a name: use lower-case letters, digits and hyphens, "
            f"starting and ending with a letter or digit, {_LABEL_LIMIT} characters at most"
        )
        raise InvalidRequest(message)
    return value


def is_commit(revision: str) -> bool:
    """Tells whether a Git revision is a complete commit id and so needs no resolving."""
    return _COMMIT.fullmatch(revision) is not None


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


def deploy_id(organization: str, component: str, environment: str) -> str:
    """Returns the workflow id under which all deployments of a component to a place queue."""
    return (
        f"deploy/{slug(organization, 'organization')}/{slug(component, 'component')}/"
        f"{slug(environment, 'environment')}"
    )


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
    if not fits or not all(_SLUG.fullmatch(part) for part in parts):
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


def plane_check_id(organization: str, plane: str, kind: str) -> str:
    """Returns the workflow id under which a plane of an organization is looked after."""
    return (
        f"plane-check/{slug(organization, 'organization')}/{slug(plane, 'plane')}/"
        f"{slug(kind.lower(), 'kind of plane')}"
    )


def plane_of_queue(task_queue: str) -> str:
    """Returns the plane whose worker serves a task queue; empty = it is no plane's."""
    prefix, dot, plane = task_queue.partition(".")
    return plane if dot and prefix == "plane" else ""


def tenant_id(organization: str) -> str:
    """Returns the workflow id under which an organization is set up."""
    return f"tenant/{slug(organization, 'organization')}"


def parse(operation_id: str) -> OperationId:
    """Takes a workflow id apart.

    Raises:
        InvalidRequest: It is not the id of a procedure.
    """
    kind, *rest = operation_id.split("/")
    if len(rest) != _PARTS.get(kind, -1) or not all(_SLUG.fullmatch(part) for part in rest):
        message = f"{operation_id!r} is not the id of an operation"
        raise InvalidRequest(message)
    organization, component, key = (*rest, "", "")[:3]
    return OperationId(cast("OperationKind", kind), organization, component, key)


def fitted(name: str, limit: int = _LABEL_LIMIT) -> str:
    """Returns ``name`` when it fits, else its beginning and a hash of the whole.

    Equal names give equal results and different names different ones.
    """
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{name[: limit - 11].rstrip('-')}-{digest}"


def joined(*parts: str) -> str:
    """Returns the parts joined by hyphens, with a hash where the joint could be read two ways.

    ``("a-b", "c")`` and ``("a", "b-c")`` must not meet in one namespace: parts without hyphens
    are joined as they are, all others get a hash of the parts, so no two can be equal
    (docs/decisions/0001). A last part that looks like such a hash gets one too.
    """
    plain = "-".join(parts)
    unclear = any("-" in part for part in parts) or _HASH.fullmatch(parts[-1])
    if len(plain) <= _LABEL_LIMIT and not unclear:
        return plain
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:_HASH_LENGTH]
    return f"{plain[: _LABEL_LIMIT - _HASH_LENGTH - 1].rstrip('-')}-{digest}"


def namespace(organization: str, project: str, environment: str) -> str:
    """Returns the data-plane namespace of a project in an environment."""
    return joined(organization, project, environment)


def build_namespace(organization: str) -> str:
    """Returns the build-plane namespace in which the builds of an organization run."""
    return fitted(f"builds-{organization}")


def binding_name(component: str, environment: str) -> str:
    """Returns the name of the binding of a component to an environment."""
    return joined(component, environment)


def build_name(component: str, commit: str) -> str:
    """Returns the name of the Build resource and of the Argo Workflow of a build."""
    return fitted(f"{component}-{commit[:12]}")


def plane_queue(plane: str) -> str:
    """Returns the default task queue of the plane worker that serves a plane."""
    return f"plane.{plane}"


def content_hash(content: object) -> str:
    """Returns the SHA-256 in hex of the canonical JSON of ``content``."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def bundle_key(organization: str, namespace: str, release: str) -> str:
    """Returns where a release's objects lie in the object store, when they are large."""
    return f"bundles/{organization}/{namespace}/{release}.json"


def content_name(base: str, content: object) -> str:
    """Returns ``base`` with a hash of the content: equal content has equal names."""
    return fitted(f"{base}-{content_hash(content)[:10]}")
