"""Host names that organizations choose: whose a name is, and why one is refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from domain.resources.interfaces import Endpoint
from domain.resources.organization import Organization


class HostRights(BaseModel):
    """What decides about host names of one organization."""

    model_config = ConfigDict(frozen=True)

    domains: tuple[str, ...] = ()
    """In which it may have names."""
    of_others: tuple[tuple[str, str], ...] = ()
    """Domain and organization, of all that have one for longer."""
    is_known: bool = True
    """False = only files are at hand: whether it may is told when it is deployed."""
    claims: tuple[tuple[str, str], ...] = ()
    """Host name and the Endpoint that asks for it, of the whole organization."""


def rights_of(
    name: str, organizations: Iterable[Organization], endpoints: Iterable[Endpoint]
) -> HostRights:
    """Returns what decides about the host names of an organization.

    ``endpoints`` are those of this organization.
    """
    known = sorted(organizations, key=_age)
    names = [one.name for one in known]
    place = names.index(name) if name in names else len(names)
    own = [one for one in known if one.name == name]
    return HostRights(
        domains=own[0].spec.host_domains if own else (),
        of_others=tuple(
            (domain, one.name) for one in known[:place] for domain in one.spec.host_domains
        ),
        claims=tuple(
            sorted((claim.host, one.name) for one in endpoints for claim in one.spec.hosts)
        ),
    )


def refusal(host: str, rights: HostRights, organization: str, plane_domain: str) -> str:
    """Says why an endpoint may not answer under a host name; empty = it may."""
    if rights.is_known and not any(_lies_in(host, domain) for domain in rights.domains):
        told = ", ".join(rights.domains) or "none"
        return (
            f"it is in no domain of organization {organization}, which has {told} "
            "(spec.hostDomains): whoever administers the installation gives it one"
        )
    for domain, owner in rights.of_others:
        if _lies_in(host, domain):
            return f"{domain} is a domain of organization {owner}, which has it for longer"
    if _lies_in(host, plane_domain):
        return f"names in {plane_domain} are made by Pavane"
    if len(claims := [endpoint for claimed, endpoint in rights.claims if claimed == host]) > 1:
        return f"Endpoints {' and '.join(claims)} ask for it: only one can have it"
    return ""


def _lies_in(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _age(organization: Organization) -> tuple[str, str]:
    """The older one first; one that is not known to the server yet is the youngest."""
    born = organization.metadata.creation_timestamp
    return (born.isoformat() if born else "~", organization.name)
