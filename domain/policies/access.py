"""Who may do what: the access rules of an organization, and the reason for the answer."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.resources.organization import Organization
from domain.resources.rights.rules import AccessRule, Action, Role


class Caller(BaseModel):
    """A person as the identity provider vouches for them."""

    model_config = ConfigDict(frozen=True)

    subject: str
    email: str = ""
    groups: frozenset[str] = frozenset()


class Decision(BaseModel):
    """Whether something is allowed, and why or why not. Safe to show to the person."""

    model_config = ConfigDict(frozen=True)

    allowed: bool
    reason: str


def decide(
    organization: Organization | None,
    caller: Caller,
    action: Action,
    *,
    project: str = "",
    environment: str = "",
    administrators: Collection[str] = (),
    at: datetime | None = None,
) -> Decision:
    """Decides whether a person may do something in a place.

    Args:
        organization: None for what belongs to no organization, such as creating one.
        caller: The person.
        action: What they want to do.
        project: Where; empty = in no project in particular, which takes a rule for all projects.
        environment: Where; empty likewise.
        administrators: Groups that administer the whole installation and may do everything.
        at: When; None = rights that were given for a while do not count.
    """
    for group in sorted(caller.groups & set(administrators)):
        return Decision(allowed=True, reason=f"group {group} administers the installation")
    if organization is None:
        return Decision(
            allowed=False, reason=f"only administrators of the installation may {action}"
        )
    for rule in organization.spec.access:
        if _is_about(rule, caller) and rule.grants(
            action, project=project, environment=environment
        ):
            return Decision(allowed=True, reason=f"{_who(rule)} has the role {rule.role}")
    for grant in organization.status.grants:
        who = {"subject": caller.subject, "email": caller.email}
        where = {"project": project, "environment": environment}
        if at is not None and grant.permits(action, at, **who, **where):
            reason = f"{grant.user} has the role {grant.role} by break-glass {grant.id}"
            return Decision(allowed=True, reason=reason)
    place = _place(organization.name, project, environment)
    held = " and ".join(roles_of(organization, caller))
    if not held:
        return Decision(allowed=False, reason=f"{_name(caller)} has no role in {place}")
    return Decision(
        allowed=False,
        reason=f"the role {held} of {_name(caller)} does not permit {action} in {place}",
    )


def roles_of(organization: Organization, caller: Caller) -> tuple[Role, ...]:
    """Returns the roles a person has somewhere in the organization, the most powerful first."""
    held = {rule.role for rule in organization.spec.access if _is_about(rule, caller)}
    return tuple(role for role in Role if role in held)


def holders(
    organization: Organization, action: Action, *, project: str = "", environment: str = ""
) -> tuple[str, ...]:
    """Returns the groups and people whom the access rules let do something in a place, in order.

    Not told: administrators of the installation, who may do everything, and rights for a while.
    """
    found = [
        f"group {rule.group}" if rule.group else rule.user
        for rule in organization.spec.access
        if rule.grants(action, project=project, environment=environment)
    ]
    return tuple(dict.fromkeys(found))


def _is_about(rule: AccessRule, caller: Caller) -> bool:
    return rule.names(subject=caller.subject, email=caller.email, groups=caller.groups)


def _who(rule: AccessRule) -> str:
    return f"group {rule.group}" if rule.group else rule.user


def _name(caller: Caller) -> str:
    return caller.email or caller.subject


def _place(organization: str, project: str, environment: str) -> str:
    parts = [f"organization {organization}"]
    parts += [f"project {project}"] if project else []
    parts += [f"environment {environment}"] if environment else []
    return ", ".join(parts)
