"""The secrets of a place in the stack's real OpenBao, and who looks at them from outside."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import hvac
from hvac import exceptions

from activities.common.kinds import SECRETS
from clients.vault import SecretStore, VaultSession, VaultTenants
from devstack.core import roles
from devstack.core.openbao import root_token
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir
from domain import ids
from domain.errors import NotFound
from domain.secrets import delivery
from tests.durability.place import ENVIRONMENT, PROJECT, Place

PATH, APP_ROLE = f"{PROJECT}/{ENVIRONMENT}/word", "web"
_PAUSE = 0.05


class Vault:
    """The engine of one organization. All but setting up is blocking."""

    def __init__(self, place: Place) -> None:
        self._address = place.environment["PAVANE_VAULT__ADDRESS"]
        self._state = StateDir(Path(place.environment["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)
        self._organization = place.name
        self._login = f"/v1/auth/org/{place.name}"
        self.store = SecretStore(self._session(ROTATOR))

    def _session(self, role: str) -> VaultSession:
        return VaultSession(self._address, role, roles.secret_id_file(self._state, role))

    async def set_up(self, field: str, value: str) -> None:
        """Makes the engine, an AppRole that takes the value as secret id, and the secret."""
        await asyncio.to_thread(
            VaultTenants(self._session(roles.TENANTS)).ensure_engines, self._organization
        )

        def make() -> None:
            bao = hvac.Client(self._address, root_token(self._state))
            role = f"{self._login}/role/{APP_ROLE}"
            bao.adapter.post(role, json={"token_ttl": "1m"})
            bao.adapter.post(f"{role}/role-id", json={"role_id": self._organization})
            bao.adapter.post(f"{role}/custom-secret-id", json={"secret_id": value})
            self.store.write(self._organization, PATH, {field: value}, expected=0)

        await asyncio.to_thread(make)

    def versions(self) -> list[dict[str, Any]]:
        """What there is of each secret, without its values."""
        found = []
        for path in self.store.names(self._organization):
            entry = self.store.describe(self._organization, path)
            readable = [one.is_readable for one in entry.versions]
            told = {"path": path, "active": entry.active, "readable": readable}
            found.append({**told, "rotates": bool(entry.rotation)})
        return found

    def accepts(self, field: str, value: str) -> bool:
        """Tells whether what a consumer holds works: it signs in, or the value is still kept."""
        if field != "secret_id":
            return value in self._kept(field)
        body = {"role_id": self._organization, "secret_id": value}
        try:
            hvac.Client(self._address).adapter.post(f"{self._login}/login", json=body)
        except exceptions.InvalidRequest:
            return False
        return True

    def _kept(self, field: str) -> list[str]:
        kept = []
        for one in self.store.describe(self._organization, PATH).versions:
            with suppress(NotFound):
                kept.append(self.store.read(self._organization, PATH, one.number)[field])
        return kept


@asynccontextmanager
async def logging_in(place: Place, field: str, failures: list[str]) -> AsyncIterator[None]:
    """Notes each time at which what the consumer holds does not work, and each third version."""
    vault = Vault(place)

    async def held() -> list[str]:
        namespace = ids.namespace(place.name, PROJECT, ENVIRONMENT)
        found = (await place.cluster.list(SECRETS, namespace)).items
        own = [one for one in found if delivery.is_ours(one)]
        return [base64.b64decode(one).decode() for obj in own for one in obj["data"].values()]

    async def refused() -> bool:
        holds = [await asyncio.to_thread(vault.accepts, field, one) for one in await held()]
        return not holds or not all(holds)

    async def look() -> None:
        while True:
            # What was exchanged between two looks is looked at once more.
            if await refused() and await refused():
                failures.append("what the consumer holds does not work")
            (told,) = await asyncio.to_thread(vault.versions)
            if sum(told["readable"]) not in {1, 2}:
                failures.append(f"versions that can be read: {told['readable']}")
            await asyncio.sleep(_PAUSE)

    looking = asyncio.create_task(look())
    try:
        yield
        if looking.done():
            looking.result()
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
