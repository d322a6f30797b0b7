"""The secrets of a place in the stack's real OpenBao, and who looks at them from outside."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import hvac
from hvac import exceptions

from activities.common.kinds import SECRETS
from clients.vault import SecretStore, VaultSession, VaultTenants
from clients.vault.kv import EXPIRES, OWNER
from devstack.core import roles as app_roles
from devstack.core.openbao import root_token
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir
from domain import ids
from domain.errors import NotFound
from domain.secrets import delivery
from tests.durability.place import ENVIRONMENT, PROJECT, Place

PATH, APP_ROLE = f"{PROJECT}/{ENVIRONMENT}/word", "web"
Held = dict[str, str]
"""What a consumer has in its Kubernetes Secret."""
_PAUSE = 0.05


class Target(Protocol):
    """Who checks credentials, where that is not the store they are kept in."""

    async def accepts(self, held: Held) -> bool:
        """Tells whether what a consumer holds works."""
        ...

    async def count_valid(self) -> int:
        """How many credentials work."""
        ...


class Vault:
    """The engine of one organization. All but setting up is blocking."""

    def __init__(self, place: Place) -> None:
        self._address = place.environment["PAVANE_VAULT__ADDRESS"]
        self._state = StateDir(Path(place.environment["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)
        self._organization = place.name
        self._login = f"/v1/auth/org/{place.name}"
        self.store = SecretStore(self._session(ROTATOR))

    def _session(self, role: str) -> VaultSession:
        return VaultSession(self._address, role, app_roles.secret_id_file(self._state, role))

    async def set_up(self, values: Held) -> None:
        """Makes the engine, an AppRole that takes a secret id among the values, and the secret."""
        await asyncio.to_thread(
            VaultTenants(self._session(app_roles.TENANTS)).ensure_engines, self._organization
        )

        def make() -> None:
            bao = hvac.Client(self._address, root_token(self._state))
            role = f"{self._login}/role/{APP_ROLE}"
            bao.adapter.post(role, json={"token_ttl": "1m"})
            bao.adapter.post(f"{role}/role-id", json={"role_id": self._organization})
            if "secret_id" in values:
                taken = {"secret_id": values["secret_id"]}
                bao.adapter.post(f"{role}/custom-secret-id", json=taken)
            self.store.write(self._organization, PATH, values, expected=0)

        await asyncio.to_thread(make)

    async def keep(self, path: str, values: Held, *, expected: int = 0) -> int:
        """Writes a secret as a person does; returns its version."""

        def write() -> int:
            version = self.store.write(self._organization, path, values, expected=expected)
            self.store.use(self._organization, path, version)
            return version

        return await asyncio.to_thread(write)

    def newest(self, path: str) -> Held:
        """What somebody reads who knows nothing of versions in use. Blocking."""
        number = self.store.describe(self._organization, path).newest
        return dict(self.store.read(self._organization, path, number))

    def expires(self, moment: str) -> None:
        """Says when the secret works no more, and who must replace it."""
        self.store.note(self._organization, PATH, {EXPIRES: moment, OWNER: "owners"})

    def readable(self) -> int:
        """How many versions of the secret there are."""
        versions = self.store.describe(self._organization, PATH).versions
        return sum(one.is_readable for one in versions)

    def versions(self) -> list[dict[str, Any]]:
        """What there is of each secret, without its values."""
        found = []
        for path in self.store.names(self._organization):
            entry = self.store.describe(self._organization, path)
            readable = [one.is_readable for one in entry.versions]
            told = {"path": path, "active": entry.active, "readable": readable}
            found.append({**told, "rotates": bool(entry.rotation)})
        return found

    def accepts(self, held: Held) -> bool:
        """Tells whether what a consumer holds works: it signs in, or the value is still kept."""
        if "secret_id" not in held:
            return held in self._kept()
        body = {"role_id": self._organization, "secret_id": held["secret_id"]}
        try:
            hvac.Client(self._address).adapter.post(f"{self._login}/login", json=body)
        except exceptions.InvalidRequest:
            return False
        return True

    def _kept(self) -> list[Held]:
        kept = []
        for one in self.store.describe(self._organization, PATH).versions:
            with suppress(NotFound):
                kept.append(dict(self.store.read(self._organization, PATH, one.number)))
        return kept


@asynccontextmanager
async def logging_in(
    place: Place, failures: list[str], target: Target | None = None
) -> AsyncIterator[None]:
    """Notes each time at which what the consumer holds does not work, and each third version."""
    vault = Vault(place)

    async def held() -> list[Held]:
        namespace = ids.namespace(place.name, PROJECT, ENVIRONMENT)
        found = (await place.cluster.list(SECRETS, namespace)).items
        return [
            # The key is the field and a hash of where it comes from.
            {
                key.rpartition("-")[0]: base64.b64decode(one).decode()
                for key, one in obj["data"].items()
            }
            for obj in found
            if delivery.is_ours(obj)
        ]

    async def accepted(one: Held) -> bool:
        return await (target.accepts(one) if target else asyncio.to_thread(vault.accepts, one))

    async def refused() -> bool:
        holds = [await accepted(one) for one in await held()]
        return not holds or not all(holds)

    over = asyncio.Event()

    async def look() -> None:
        while not over.is_set():
            # What was exchanged between two looks is looked at once more.
            if await refused() and await refused():
                failures.append("what the consumer holds does not work")
            valid = await (target.count_valid() if target else asyncio.to_thread(vault.readable))
            if valid not in {1, 2}:
                failures.append(f"credentials that work: {valid}")
            await asyncio.sleep(_PAUSE)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        over.set()
        await looking
