"""Finds and compares what was deployed, and looks at chains."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from api.access import Access
from api.kinds import kind_of
from api.services import Services
from clients.head_keys import HeadKeys
from clients.records import NumberedEntry, Records
from domain.errors import NotFound
from domain.records import SignedChainVerifier, Verification
from domain.records.compare import Difference, differences
from domain.resources import Organization, Release, parse_as


@dataclass(frozen=True)
class Compared:
    """What differs, and what a person should know about the answer."""

    differences: tuple[Difference, ...]
    note: str = ""


async def find(services: Services, access: Access, owner: Organization, name: str) -> NumberedEntry:
    """Returns the deployment with that number, resource name or release.

    Raises:
        NotFound: There is none, or the person may not read there.
    """
    found = await services.records().deployment(owner.name, name)
    if found is None or not access.sees(owner, found.entry.project, found.entry.environment):
        raise NotFound(
            f"the history of {owner.name} has no deployment {name}: use a number, a Deployment or "
            "a Release of `pavane history`"
        )
    return found


async def compare(
    services: Services, organization: str, older: NumberedEntry, newer: NumberedEntry
) -> Compared:
    """Compares the objects of two deployments, as far as their releases are kept."""
    if older.entry.release == newer.entry.release:
        return Compared((), "both deployments have the same release: nothing differs")
    objects = []
    for one in (older, newer):
        release = one.entry.release
        found = await _objects(services, organization, release) if release else ()
        if found is None:
            note = f"the objects of {release} are not kept any more: only the last ten releases are"
            return Compared((), note)
        objects.append(found)
    return Compared(differences(objects[0], objects[1]))


async def _objects(
    services: Services, organization: str, name: str
) -> tuple[dict[str, Any], ...] | None:
    cluster = await services.cluster()
    found = await cluster.find(kind_of(Release), name, organization)
    if found is None:
        return None
    release = parse_as(Release, found)
    if not release.stored:
        return release.spec.objects
    return tuple(json.loads(await services.objects().get(release.stored)))


async def verified(records: Records, organization: str, keys: HeadKeys) -> Verification:
    """Reads a whole chain with its signatures and returns what is wrong with it.

    First the signatures and the head are read: what is appended meanwhile belongs to the chain,
    and is no fault.
    """
    signatures = await records.signatures(organization)
    head = await records.head(organization)
    verifier = SignedChainVerifier(organization, signatures, keys.refuted)
    async for row in records.chain(organization):
        if row.sequence > head.sequence > 0:
            break
        verifier.feed(row)
    return verifier.finish(head, keys_known=keys.known)
