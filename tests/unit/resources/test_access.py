from __future__ import annotations

from domain.resources import Action, Organization, parse_as
from tests.unit.resources.samples import resource

ACME = parse_as(Organization, resource("Organization", name="acme"))


def _may(action: Action, subject: str = "", email: str = "", group: str = "", **place: str) -> bool:
    return ACME.allows(
        action, subject=subject, email=email, groups=frozenset({group} - {""}), **place
    )


def test_an_admin_may_do_everything_everywhere() -> None:
    assert all(_may(action, group="platform-engineers") for action in Action)
    assert _may(Action.DEPLOY, group="platform-engineers", project="shop", environment="prod")


def test_a_rule_for_a_project_says_nothing_outside_it() -> None:
    person = {"email": "eve@acme.example"}
    assert _may(Action.DEPLOY, project="shop", **person)
    assert not _may(Action.DEPLOY, project="bank", **person)
    assert not _may(Action.DEPLOY, **person)


def test_a_developer_does_not_administer() -> None:
    assert not _may(Action.ADMINISTER, email="eve@acme.example", project="shop")


def test_actions_narrow_a_role() -> None:
    assert _may(Action.LOGS, group="support")
    assert not _may(Action.BUILD, group="support")


def test_someone_without_a_rule_may_nothing() -> None:
    assert not any(_may(action, subject="mallory") for action in Action)


def test_someone_without_an_address_is_not_the_rule_without_a_user() -> None:
    assert not any(_may(action) for action in Action)


def test_actions_cannot_widen_a_role() -> None:
    access = [{"user": "zoe", "role": "viewer", "actions": ["read", "deploy"]}]
    organization = parse_as(Organization, resource("Organization", access=access))
    assert organization.allows(Action.READ, subject="zoe")
    assert not organization.allows(Action.DEPLOY, subject="zoe")
