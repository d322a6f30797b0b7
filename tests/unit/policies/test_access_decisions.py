from __future__ import annotations

from typing import Any

import pytest

from domain.policies.access import Caller, decide, holders, roles_of
from domain.resources.organization import Organization
from domain.resources.rights.rules import Action, Role

pytestmark = pytest.mark.unit

ANN = Caller(subject="ann-1", email="ann@acme.example", groups=frozenset({"shop-developers"}))
RULES: list[dict[str, Any]] = [
    {"group": "shop-developers", "role": "developer", "project": "shop"},
    {"user": "ann@acme.example", "role": "viewer"},
    {"group": "operators", "role": "admin"},
]


def organization(rules: list[dict[str, Any]]) -> Organization:
    return Organization.model_validate({"metadata": {"name": "acme"}, "spec": {"access": rules}})


ACME = organization(RULES)


def test_group_rule_allows_in_its_project_and_says_why() -> None:
    decision = decide(ACME, ANN, Action.DEPLOY, project="shop", environment="development")
    assert (decision.allowed, decision.reason) == (
        True,
        "group shop-developers has the role developer",
    )


def test_person_s_own_rule_is_named() -> None:
    assert decide(ACME, ANN, Action.READ).reason == "ann@acme.example has the role viewer"


def test_refusal_names_roles_action_and_place() -> None:
    decision = decide(ACME, ANN, Action.DEPLOY, project="bank", environment="production")
    assert not decision.allowed
    assert decision.reason == (
        "the role developer and viewer of ann@acme.example does not permit deploy in "
        "organization acme, project bank, environment production"
    )


def test_stranger_has_no_role() -> None:
    stranger = Caller(subject="eve-1")
    decision = decide(ACME, stranger, Action.READ)
    assert (decision.allowed, decision.reason) == (
        False,
        "eve-1 has no role in organization acme",
    )
    assert not decide(organization([]), ANN, Action.READ).allowed


def test_administrators_of_the_installation_may_do_everything() -> None:
    admin = Caller(subject="root-1", groups=frozenset({"platform-engineers"}))
    decision = decide(ACME, admin, Action.ADMINISTER, administrators=["platform-engineers"])
    assert (decision.allowed, decision.reason) == (
        True,
        "group platform-engineers administers the installation",
    )
    assert decide(None, admin, Action.WRITE, administrators=["platform-engineers"]).allowed


def test_outside_organizations_only_administrators_may_act() -> None:
    assert decide(None, ANN, Action.WRITE).reason == (
        "only administrators of the installation may write"
    )


def test_roles_are_listed_most_powerful_first() -> None:
    both = Caller(subject="x", email="ann@acme.example", groups=frozenset({"operators"}))
    assert roles_of(ACME, both) == (Role.ADMIN, Role.VIEWER)


def test_who_may_approve_in_a_place_is_told_by_the_rules_that_hold_there() -> None:
    assert holders(ACME, Action.APPROVE, project="shop", environment="production") == (
        "group shop-developers",
        "group operators",
    )
    assert holders(ACME, Action.APPROVE, project="bank") == ("group operators",)
    twice = [{"user": "ann", "role": "admin"}, {"user": "ann", "role": "developer"}]
    assert holders(organization(twice), Action.READ) == ("ann",)
