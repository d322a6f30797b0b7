"""Who may do what, decided by the domain's access policy on the Organization as it is now.

An organization that does not exist and one that a person has no part in are told apart by nobody
outside: both are ``NotFound``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends

from api.dependencies import PersonDep, ServicesDep
from api.kinds import kind_of
from api.services import Services
from clients.identity import Person
from domain import ids
from domain.errors import Denied, NotFound
from domain.policies.access import Caller, decide, roles_of
from domain.resources import Action, Organization, parse_as


class Access:
    """What one person may do. Made anew for each request, so a changed rule holds at once."""

    def __init__(self, services: Services, person: Person) -> None:
        self._services = services
        self._caller = Caller(
            subject=person.subject, email=person.email, groups=frozenset(person.groups)
        )
        self._administrators = (services.settings.api.admin_group,)
        self.person = person

    @property
    def is_admin(self) -> bool:
        """Tells whether the person administers the whole installation."""
        return bool(self._caller.groups & set(self._administrators))

    @property
    def actor(self) -> str:
        """How the person is written down."""
        return self.person.email or self.person.name or self.person.subject

    async def organization(self, name: str) -> Organization:
        """Returns an organization in which the person has any part at all.

        Raises:
            NotFound: There is none, or the person has no part in it.
        """
        ids.slug(name, "organization")
        cluster = await self._services.cluster()
        found = await cluster.find(kind_of(Organization), name)
        if found is not None:
            organization = parse_as(Organization, found)
            if self.knows(organization):
                return organization
        raise NotFound(f"there is no organization {name}")

    async def organizations(self) -> list[Organization]:
        """Returns all organizations in which the person has any part, in one request."""
        cluster = await self._services.cluster()
        listing = await cluster.list(kind_of(Organization))
        everything = [parse_as(Organization, item) for item in listing.items]
        return [one for one in everything if self.knows(one)]

    async def require(
        self, organization: str, action: Action, *, project: str = "", environment: str = ""
    ) -> Organization:
        """Returns the organization if the person may do that there.

        Raises:
            NotFound: There is no such organization for this person.
            Denied: The person may not; says why.
        """
        found = await self.organization(organization)
        self.permit(found, action, project=project, environment=environment)
        return found

    def may(
        self,
        organization: Organization,
        action: Action,
        *,
        project: str = "",
        environment: str = "",
    ) -> bool:
        """Tells whether the person may do that there."""
        try:
            self.permit(organization, action, project=project, environment=environment)
        except Denied:
            return False
        return True

    def permit(
        self,
        organization: Organization | None,
        action: Action,
        *,
        project: str = "",
        environment: str = "",
    ) -> None:
        """Returns when the person may do that; None = what belongs to no organization.

        Raises:
            Denied: They may not; says why.
        """
        decision = decide(
            organization,
            self._caller,
            action,
            project=project,
            environment=environment,
            administrators=self._administrators,
            at=datetime.now(UTC),
        )
        if not decision.allowed:
            raise Denied(decision.reason, facts={"advice": _advice(organization, environment)})

    @property
    def principal(self) -> str:
        """How rights name the person."""
        return self.person.email or self.person.subject

    def is_own_right(self, operation: str) -> bool:
        """Tells whether an operation is the role for a while that the person has or asked for."""
        if not operation.startswith("break-glass/"):
            return False
        _, organization, _, environment = operation.split("/")
        return operation == ids.break_glass_id(organization, self.principal, environment)

    def knows(self, organization: Organization) -> bool:
        """Tells whether the person has any part in the organization at all."""
        return self.is_admin or bool(roles_of(organization, self._caller))

    def sees(self, organization: Organization, project: str, environment: str = "") -> bool:
        """Tells whether the person may read there; for a whole project, in some environment."""
        places = {environment}
        if not environment:
            places |= {rule.environment for rule in organization.spec.access}
            places |= {grant.environment for grant in organization.status.grants}
        return any(
            decide(
                organization,
                self._caller,
                Action.READ,
                project=project,
                environment=place,
                administrators=self._administrators,
                at=datetime.now(UTC),
            ).allowed
            for place in places
        )


_ROLE = "Ask an administrator of the organization for the role."


def _advice(organization: Organization | None, environment: str) -> str:
    """Says what a person can do about a no; in an emergency also that."""
    policy = organization.spec.break_glass if organization else None
    if (
        policy is None
        or not environment
        or environment not in (policy.environments or [environment])
    ):
        return _ROLE
    return f"{_ROLE} In an emergency: `pavane break-glass {environment} --reason WHY`."


async def access_of(services: ServicesDep, person: PersonDep) -> Access:
    """Returns what the caller may do."""
    return Access(services, person)


AccessDep = Annotated[Access, Depends(access_of)]
