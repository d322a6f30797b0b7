"""Rights of people who use Kubernetes directly: what the access rules permit, and nothing else.

Kubernetes knows rights by kind and namespace, not by the project or the environment a resource
names. So in the organization's namespace only rules for the whole organization give rights; a rule
that is limited to a project or an environment gives them in the namespaces on data planes, where
the limit is a namespace, and through the API everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.ids import FIELD_MANAGER
from domain.rendering.labels import MANAGED_BY, ORGANIZATION, manifest
from domain.resources.base import GROUP, Resource
from domain.resources.build import Build
from domain.resources.component import Component, Project
from domain.resources.environment import Environment
from domain.resources.families import BINDINGS
from domain.resources.organization import Organization
from domain.resources.registry import KINDS
from domain.resources.rights.rules import AccessRule, Action

RBAC = "rbac.authorization.k8s.io"
_VERSION = f"{RBAC}/v1"
_READ = ("get", "list", "watch")
_CHANGE = ("create", "update", "patch")
_WRITE = (*_CHANGE, "delete")
_RESERVED = "system:"
"""Names that Kubernetes gives its own parts: no rule of an organization speaks of them."""
_BY_KIND: dict[type[Resource], Action] = {
    Build: Action.BUILD,
    **dict.fromkeys(BINDINGS, Action.DEPLOY),
}

_TAKES_DOWN: tuple[type[Resource], ...] = (Component, Project, Environment)
"""Kinds that take what runs along when they are deleted: that is to deploy as well."""


class Names(BaseModel):
    """How the API server's own sign-in calls people: what it puts before their names."""

    model_config = ConfigDict(frozen=True)

    user_prefix: str = ""
    group_prefix: str = ""
    administrators: tuple[str, ...] = ()
    """Groups that administer the installation."""


def action_for(model: type[Resource]) -> Action:
    """Returns what a person must be allowed to do to write a resource of that kind."""
    by_writer = Action.WRITE if model.written_by == "developer" else Action.ADMINISTER
    return _BY_KIND.get(model, by_writer)


def control_access(organization: Organization, names: Names) -> list[dict[str, Any]]:
    """Returns roles and bindings in the namespace of an organization, in order of name.

    Every role is always there; one that nobody has is bound to nobody, so that taking away the
    last member takes effect by the same apply.
    """
    where, labels = organization.name, _labels(organization.name)
    objects: list[dict[str, Any]] = []
    for (name, actions), rules in sorted(_control_rules().items()):
        members = [_subjects(organization, action, names) for action in actions]
        objects += [
            manifest(_VERSION, "Role", name, where, labels, rules=rules),
            _binding(name, where, labels, [one for one in members[0] if one in members[-1]]),
        ]
    return [*objects, *_own_organization(organization, names)]


def project_access(
    organization: Organization, project: str, environment: str, namespace: str, names: Names
) -> list[dict[str, Any]]:
    """Returns roles and bindings in the namespace of a project on a data plane: pods and logs."""
    labels = _labels(organization.name)
    rules = [
        _rule("", ["pods"], _READ),
        _rule("", ["pods/log"], ("get",)),
    ]
    subjects = _subjects(organization, Action.LOGS, names, project=project, environment=environment)
    return [
        manifest(_VERSION, "Role", "pavane-logs", namespace, labels, rules=rules),
        _binding("pavane-logs", namespace, labels, subjects),
    ]


def inexact_rules(organization: Organization) -> tuple[str, ...]:
    """Returns whom Kubernetes gives less than the API does in the organization's namespace."""
    limited = [one for one in organization.spec.access if one.project or one.environment]
    return tuple(sorted({one.group or one.user for one in limited}))


def _control_rules() -> dict[tuple[str, tuple[Action, ...]], list[dict[str, Any]]]:
    """Returns rules by the name of their role and the actions that a member must be allowed."""
    kinds = [model for model in KINDS.values() if model.scope == "Namespaced"]
    reading = _rule(GROUP, sorted(model.plural for model in kinds), _READ)
    rules: dict[tuple[str, tuple[Action, ...]], list[dict[str, Any]]] = {}
    rules[f"pavane-{Action.READ}", (Action.READ,)] = [reading]
    for action in sorted({action_for(model) for model in kinds}):
        written = [model for model in kinds if action_for(model) is action]
        heavy = sorted(model.plural for model in written if model in _TAKES_DOWN)
        light = sorted(model.plural for model in written if model not in _TAKES_DOWN)
        own = rules[f"pavane-{action}", (action,)] = [_rule(GROUP, light, _WRITE)]
        if heavy:
            own.append(_rule(GROUP, heavy, _CHANGE))
            both = (f"pavane-{action}-and-take-down", (action, Action.DEPLOY))
            rules[both] = [_rule(GROUP, heavy, ("delete",))]
    return rules


def _own_organization(organization: Organization, names: Names) -> list[dict[str, Any]]:
    """Every member may read the Organization itself, which is of the whole cluster."""
    name, labels = f"pavane-member-{organization.name}", _labels(organization.name)
    rule = _rule(GROUP, ["organizations"], ("get",)) | {"resourceNames": [organization.name]}
    members = _unique(_subject(one, names) for one in organization.spec.access)
    return [
        manifest(_VERSION, "ClusterRole", name, "", labels, rules=[rule]),
        manifest(
            _VERSION,
            "ClusterRoleBinding",
            name,
            "",
            labels,
            roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
            subjects=members,
        ),
    ]


def _binding(
    role: str, namespace: str, labels: dict[str, str], subjects: list[dict[str, str]]
) -> dict[str, Any]:
    return manifest(
        _VERSION,
        "RoleBinding",
        role,
        namespace,
        labels,
        roleRef={"apiGroup": RBAC, "kind": "Role", "name": role},
        subjects=subjects,
    )


def _subjects(
    organization: Organization,
    action: Action,
    names: Names,
    *,
    project: str = "",
    environment: str = "",
) -> list[dict[str, str]]:
    granted = [
        _subject(rule, names)
        for rule in organization.spec.access
        if rule.grants(action, project=project, environment=environment)
    ]
    admins = [_of("Group", f"{names.group_prefix}{one}") for one in names.administrators]
    return _unique([*granted, *admins])


def _subject(rule: AccessRule, names: Names) -> dict[str, str] | None:
    if rule.group:
        return _of("Group", f"{names.group_prefix}{rule.group}")
    return _of("User", f"{names.user_prefix}{rule.user}")


def _of(kind: str, name: str) -> dict[str, str] | None:
    if name.startswith(_RESERVED):
        return None
    return {"apiGroup": RBAC, "kind": kind, "name": name}


def _unique(subjects: Iterable[dict[str, str] | None]) -> list[dict[str, str]]:
    found = {(one["kind"], one["name"]): one for one in subjects if one is not None}
    return [found[key] for key in sorted(found)]


def _rule(group: str, resources: list[str], verbs: tuple[str, ...]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}


def _labels(organization: str) -> dict[str, str]:
    return {MANAGED_BY: FIELD_MANAGER, ORGANIZATION: organization}
