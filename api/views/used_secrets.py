"""Which secrets a component uses that expire soon, by what its configuration says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from api.schemas.secrets import ExpiringView
from api.views.components import component_of
from api.views.configuration import effective_view
from api.views.shelves import shelf_of
from clients.kubernetes import Cluster
from clients.vault import SecretEntry, SecretStore
from domain.errors import PlatformError
from domain.resources.families import family_of
from domain.secrets.expiry import FIRST
from domain.secrets.places import key_of


async def expiring_secrets(
    cluster: Cluster,
    store: Callable[[], SecretStore],
    organization: str,
    component: str,
    environment: str,
) -> tuple[ExpiringView, ...]:
    """Returns those of which people are told by now, the first one first.

    None where that cannot be found out: whoever asks wants to know something else besides.
    """
    try:
        found = await component_of(cluster, organization, component)
        shelf = await shelf_of(cluster, organization, (family_of(found),))
        entries = effective_view(shelf, found, environment, running=False).entries
        paths = {key_of(one.vault_key).path for one in entries if one.vault_key}
        if not paths:
            return ()
        secrets = await asyncio.to_thread(_entries, store(), organization, sorted(paths))
    except PlatformError:
        return ()
    return expiring(secrets, datetime.now(UTC))


def expiring(secrets: Iterable[SecretEntry], now: datetime) -> tuple[ExpiringView, ...]:
    """Returns those of which people are told by then, the first one first."""
    last = now + FIRST
    shown = [ExpiringView.of(one) for one in secrets if one.expires and one.expires < last]
    return tuple(sorted(shown, key=lambda one: (one.expires, one.path)))


def _entries(store: SecretStore, organization: str, paths: Iterable[str]) -> list[SecretEntry]:
    found = (store.find(organization, path) for path in paths)
    return [one for one in found if one is not None]
