"""Rights in Kubernetes are those of the API's access policy, rule by rule."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from domain.policies.access import Caller, decide
from domain.rendering.tenants.access import Names, action_for, control_access, project_access
from domain.rendering.tenants.namespaces import owned
from domain.resources import KINDS, Component, Environment, Metadata, Organization, Project
from domain.resources.organization import OrganizationSpec
from domain.resources.rights.rules import AccessRule, Action, Role

pytestmark = pytest.mark.unit

NAMES = Names(administrators=("platform-engineers",))
PLACES = [("", ""), ("shop", ""), ("", "dev"), ("shop", "dev"), ("other", "prod")]


def organization(*rules: AccessRule) -> Organization:
    return Organization(metadata=Metadata(name="acme"), spec=OrganizationSpec(access=rules))


def verbs_of(objects: list[dict[str, Any]], user: str, kind: str) -> set[str]:
    """What the roles that are bound to a user allow with a resource."""
    bound = {
        one["metadata"]["name"]
        for one in objects
        if one["kind"] == "RoleBinding" and user in {each["name"] for each in one["subjects"]}
    }
    return {
        verb
        for one in objects
        if one["kind"] == "Role" and one["metadata"]["name"] in bound
        for rule in one["rules"]
        if kind in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "actions", [(), (Action.READ,), (Action.READ, Action.BUILD), (Action.WRITE, Action.ADMINISTER)]
)
def test_in_the_namespace_kubectl_may_do_exactly_what_the_api_lets_the_person_do(
    role: Role, actions: tuple[Action, ...]
) -> None:
    acme = organization(AccessRule(user="ann", role=role, actions=actions))
    objects = control_access(acme, NAMES)

    for model in KINDS.values():
        if model.scope != "Namespaced":
            continue
        verbs = verbs_of(objects, "ann", model.plural)
        reads = decide(acme, Caller(subject="ann"), Action.READ).allowed
        writes = decide(acme, Caller(subject="ann"), action_for(model)).allowed
        assert ("get" in verbs) == reads, model.kind
        deploys = decide(acme, Caller(subject="ann"), Action.DEPLOY).allowed
        removes = writes and (deploys or model not in {Component, Project, Environment})
        assert ("create" in verbs) == writes, model.kind
        assert bool(verbs & {"create", "update", "patch"}) == writes, model.kind
        assert ("delete" in verbs) == removes, model.kind


@pytest.mark.parametrize(("limit", "place"), [*product(PLACES[1:], PLACES)])
def test_a_limited_rule_gives_rights_in_the_namespaces_it_names_and_nowhere_else(
    limit: tuple[str, str], place: tuple[str, str]
) -> None:
    project, environment = limit
    rule = AccessRule(user="ann", role=Role.ADMIN, project=project, environment=environment)
    acme = organization(rule)

    assert verbs_of(control_access(acme, NAMES), "ann", "components") == set()
    if all(place):
        logs = project_access(acme, place[0], place[1], "namespace", NAMES)
        allowed = rule.grants(Action.LOGS, project=place[0], environment=place[1])
        assert ("get" in verbs_of(logs, "ann", "pods/log")) == allowed


def test_whom_nobody_names_any_more_is_bound_to_nothing() -> None:
    before = control_access(organization(AccessRule(user="ann", role=Role.ADMIN)), NAMES)
    after = control_access(organization(), NAMES)

    assert [(one["kind"], one["metadata"]["name"]) for one in before] == [
        (one["kind"], one["metadata"]["name"]) for one in after
    ]
    assert "ann" not in str(after)


def test_rights_in_the_namespace_go_with_the_organization() -> None:
    acme = organization(AccessRule(user="ann", role=Role.ADMIN))
    acme = acme.model_copy(update={"metadata": Metadata(name="acme", uid="1-2")})

    for one in owned(acme, control_access(acme, NAMES)):
        (owner,) = one["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"], owner["uid"]) == ("Organization", "acme", "1-2")


def test_no_right_reaches_secrets_status_or_names_that_belong_to_kubernetes() -> None:
    acme = organization(AccessRule(group="system:masters", role=Role.ADMIN))
    objects = [*control_access(acme, NAMES), *project_access(acme, "shop", "dev", "n", NAMES)]
    resources = {
        name for one in objects for rule in one.get("rules", ()) for name in rule["resources"]
    }

    assert "secrets" not in resources
    assert not {name for name in resources if name.endswith("/status")}
    assert "system:" not in str([one for one in objects if "subjects" in one])
