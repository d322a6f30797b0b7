"""Two users of an OCI registry that take turns.

Who may log in stands in an htpasswd file, which is kept as a secret of its own: it holds bcrypt
hashes, no passwords. Whatever brings secrets to the registry brings it there, and a registry reads
it anew when it changes. So a change is believed when the registry shows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.secrets.engines.contract import PASSWORD, USERNAME, generated, other_of
from clients import registry_users
from clients.vault import SecretStore, SecretValues
from domain.deliveries.rotations import RegistryTarget
from domain.errors import Denied, DependencyUnavailable, InvalidRequest, StaleRevision
from domain.secrets import htpasswd

FIELD = "htpasswd"
_RACES = 10
_PATIENCE = timedelta(seconds=90)
"""How long a registry may take to see a change: files of Kubernetes Secrets are brought up to date
about once a minute."""
_LOOK = timedelta(seconds=1)


class RegistryEngine:
    """The user of a registry that is not in use gets a new password."""

    def __init__(self, organization: str, target: RegistryTarget, store: SecretStore) -> None:
        self._organization = organization
        self._target = target
        self._store = store

    async def check(self, old: SecretValues) -> None:
        """The old credential works; the other user may not log in.

        A registry does not tell who uses it: a password that the other user still has is a
        leftover, and is forgotten.

        Raises:
            InvalidRequest: The secret is not of one of the two users, or the registry asks nobody
                who they are.
            Denied: The registry refuses the old credential.
        """
        other = self._other(old)
        url, user = self._target.url, old[USERNAME]
        if not await self._takes(old):
            raise Denied(f"{url} refuses the credential of {user}")
        if await registry_users.takes(url, user, generated()):
            raise InvalidRequest(f"{url} lets everybody in: there is no credential to turn over")
        await self._changed(lambda text: htpasswd.without(text, other))

    async def fresh(self, old: SecretValues) -> dict[str, str]:
        """The other user and a new password."""
        return {**old, USERNAME: self._other(old), PASSWORD: generated()}

    async def ends(self, new: SecretValues) -> None:
        """A password does not end by itself."""

    async def give(self, new: SecretValues) -> None:
        """Writes the other user into the file."""
        user, password = new[USERNAME], new[PASSWORD]

        def given(text: str) -> str:
            known = htpasswd.hash_of(text, user)
            if known and registry_users.is_hash_of(known, password):
                return text
            return htpasswd.with_user(text, user, registry_users.hashed(password))

        await self._changed(given)

    async def test(self, new: SecretValues) -> None:
        """Logs in, as soon as the registry has the file.

        Raises:
            Denied: It refuses the credential although it had time to read the file.
        """
        clock = Clock()
        begun = clock.now()
        async with heartbeating(lambda: f"{self._target.url} to take {new[USERNAME]}"):
            while not await self._takes(new):
                if clock.now() - begun > _PATIENCE:
                    raise Denied(
                        f"{self._target.url} refuses {new[USERNAME]} after "
                        f"{_PATIENCE.total_seconds():.0f} s: does the field {FIELD} of "
                        f"{self._target.htpasswd_path} reach it?"
                    )
                await asyncio.sleep(_LOOK.total_seconds())

    async def users(self, old: SecretValues) -> tuple[str, ...]:
        """A registry does not tell who pulls."""
        del old
        return ()

    async def lock(self, old: SecretValues) -> None:
        """Takes the old user out of the file; the password is still kept."""
        await self.destroy(old)

    async def cut_off(self, old: SecretValues) -> None:
        """Each request logs in anew: there is nothing to end."""

    async def unlock(self, old: SecretValues) -> None:
        """Writes the old user into the file again, and waits until the registry takes it."""
        await self.give(old)
        await self.test(old)

    async def destroy(self, gone: SecretValues) -> None:
        """The user is in the file no more."""
        await self._changed(lambda text: htpasswd.without(text, gone[USERNAME]))

    def _other(self, old: Mapping[str, str]) -> str:
        return other_of(self._target.users, old)

    async def _takes(self, values: SecretValues) -> bool:
        return await registry_users.takes(self._target.url, values[USERNAME], values[PASSWORD])

    async def _changed(self, change: Callable[[str], str]) -> None:
        """Changes the file, also while rotations of other users do. Equal content writes nothing.

        Raises:
            InvalidRequest: The secret with the file is not there, or has no such field.
        """
        await asyncio.to_thread(self._write, change)

    def _write(self, change: Callable[[str], str]) -> None:
        path = self._target.htpasswd_path
        for _ in range(_RACES):
            entry = self._store.describe(self._organization, path)
            values = self._store.read(self._organization, path, entry.newest)
            if FIELD not in values:
                raise InvalidRequest(f"the secret {path} needs the field `{FIELD}`")
            text = change(values[FIELD])
            if text == values[FIELD]:
                return
            content = {**values, FIELD: text}
            try:
                self._store.write(self._organization, path, content, expected=entry.newest)
            except StaleRevision:
                continue
            return
        raise DependencyUnavailable(f"secret {path}: it changes faster than it can be written")
