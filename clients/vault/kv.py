"""Secrets of organizations: KV v2, every version a thing of its own, one of them in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import hvac

from clients.vault.session import VaultSession
from domain.errors import NotFound
from domain.secrets.places import checked, mount

ACTIVE = "active"
"""Custom metadata: the version in use; without it the newest is."""
ROTATION = "rotation"
"""Custom metadata: the rotation that runs; and field of a version that a rotation wrote."""
EXPIRES = "expires"
"""Custom metadata: when its value works no more, ISO 8601 in UTC."""
OWNER = "owner"
"""Custom metadata: the group or person who must replace it then."""
_MARK = "_rotation"
_MERGE = {"Content-Type": "application/merge-patch+json"}


class SecretValues(Mapping[str, str]):
    """The fields of one version. It shows no value by accident: not in a repr, not in a log."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"SecretValues({', '.join(sorted(self._values))})"


@dataclass(frozen=True)
class SecretVersion:
    """What is known of one version, besides its values."""

    number: int
    created: datetime
    destroyed: bool = False
    deleted: bool = False

    @property
    def is_readable(self) -> bool:
        """Tells whether its values are there."""
        return not (self.destroyed or self.deleted)


@dataclass(frozen=True)
class SecretEntry:
    """What is known of a secret without its values."""

    path: str
    newest: int
    """Number of the newest version; 0 = there is none."""
    active: int
    """Number of the version in use."""
    versions: tuple[SecretVersion, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    """Custom metadata."""

    @property
    def rotation(self) -> str:
        """Id of the rotation that runs; empty = none."""
        return self.notes.get(ROTATION, "")

    @property
    def expires(self) -> datetime | None:
        """When its value works no more; None = nobody said so."""
        with suppress(ValueError):
            return datetime.fromisoformat(self.notes.get(EXPIRES, "")).astimezone(UTC)
        return None

    @property
    def owner(self) -> str:
        """Group or person who must replace it; empty = nobody was named."""
        return self.notes.get(OWNER, "")

    def version(self, number: int) -> SecretVersion | None:
        """Returns one version, None when there is none of that number."""
        return next((one for one in self.versions if one.number == number), None)


class SecretStore:
    """Reads and writes secrets. Blocking. Errors are those of ``VaultSession.ask``."""

    def __init__(self, session: VaultSession) -> None:
        self._session = session

    def find(self, organization: str, path: str) -> SecretEntry | None:
        """Returns what is known of a secret, None when there is none."""
        try:
            data = self._ask(
                organization,
                path,
                lambda client: client.secrets.kv.v2.read_secret_metadata(
                    checked(path), mount_point=mount(organization)
                )["data"],
            )
        except NotFound:
            return None
        return _entry(path, data)

    def describe(self, organization: str, path: str) -> SecretEntry:
        """Returns what is known of a secret.

        Raises:
            NotFound: There is none.
        """
        found = self.find(organization, path)
        if found is None:
            raise NotFound(f"there is no secret {path} in {organization}")
        return found

    def names(self, organization: str, folder: str = "") -> list[str]:
        """Returns the paths of all secrets below a folder; empty = of the organization."""
        try:
            keys = self._session.ask(
                f"secrets of {organization}",
                lambda client: client.secrets.kv.v2.list_secrets(
                    folder, mount_point=mount(organization)
                )["data"]["keys"],
            )
        except NotFound:
            return []
        found = []
        for key in keys:
            inner = f"{folder}/{key}" if folder else str(key)
            if key.endswith("/"):
                found += self.names(organization, inner.rstrip("/"))
            else:
                found.append(inner)
        return sorted(found)

    def expiring(self, organization: str, before: datetime) -> list[SecretEntry]:
        """Returns the secrets that expire before a moment, the first one first."""
        found = [
            (entry.expires, entry)
            for path in self.names(organization)
            if (entry := self.find(organization, path)) is not None
            if entry.expires is not None and entry.expires < before
        ]
        return [entry for _, entry in sorted(found, key=lambda one: (one[0], one[1].path))]

    def read(self, organization: str, path: str, version: int) -> SecretValues:
        """Returns the values of one version.

        Raises:
            NotFound: There is none, or it was destroyed.
        """
        data = self._read(organization, path, version)
        return SecretValues({key: item for key, item in data.items() if not key.startswith("_")})

    def fields(self, organization: str, path: str, version: int) -> frozenset[str]:
        """Returns the names of the fields of one version; its values stay where they are.

        Raises:
            NotFound: There is none, or it was destroyed.
        """
        url = f"/v1/{mount(organization)}/subkeys/{checked(path)}?version={int(version)}&depth=1"
        data = self._ask(organization, path, lambda client: client.adapter.get(url))["data"]
        names = data["subkeys"] or {}
        return frozenset(str(name) for name in names if not str(name).startswith("_"))

    def written_by(self, organization: str, path: str, version: int) -> str:
        """Returns the rotation that wrote a version; empty when none did or it is not there."""
        try:
            return self._read(organization, path, version).get(_MARK, "")
        except NotFound:
            return ""

    def write(
        self,
        organization: str,
        path: str,
        values: Mapping[str, str],
        *,
        expected: int,
        rotation: str = "",
    ) -> int:
        """Writes the next version if the newest is the expected one (0 = there is none yet).

        Returns its number.

        Raises:
            StaleRevision: Somebody else wrote one.
        """
        content = {**values, **({_MARK: rotation} if rotation else {})}
        data = self._ask(
            organization,
            path,
            lambda client: client.secrets.kv.v2.create_or_update_secret(
                checked(path), content, cas=expected, mount_point=mount(organization)
            )["data"],
        )
        return int(data["version"])

    def note(self, organization: str, path: str, notes: Mapping[str, str | None]) -> None:
        """Changes some custom metadata; None removes one. Idempotent."""
        url = f"/v1/{mount(organization)}/metadata/{checked(path)}"

        def change(client: hvac.Client) -> None:
            client.adapter.request(
                "patch", url, headers=_MERGE, json={"custom_metadata": dict(notes)}
            )

        self._ask(organization, path, change)

    def use(self, organization: str, path: str, version: int) -> None:
        """Makes one version the one in use. Idempotent."""
        self.note(organization, path, {ACTIVE: str(version)})

    def destroy(self, organization: str, path: str, version: int) -> None:
        """Destroys the values of one version, for good. Idempotent."""
        self._ask(
            organization,
            path,
            lambda client: client.secrets.kv.v2.destroy_secret_versions(
                checked(path), [version], mount_point=mount(organization)
            ),
        )

    def _read(self, organization: str, path: str, version: int) -> dict[str, str]:
        data = self._ask(
            organization,
            path,
            lambda client: client.secrets.kv.v2.read_secret_version(
                checked(path),
                version=version,
                mount_point=mount(organization),
                raise_on_deleted_version=True,
            )["data"]["data"],
        )
        return {str(key): str(value) for key, value in (data or {}).items()}

    def _ask(self, organization: str, path: str, question: Any) -> Any:
        return self._session.ask(f"secret {path} of {organization}", question)


def _entry(path: str, data: Mapping[str, Any]) -> SecretEntry:
    notes = {str(key): str(value) for key, value in (data.get("custom_metadata") or {}).items()}
    newest = int(data["current_version"])
    versions = tuple(
        SecretVersion(
            int(number),
            datetime.fromisoformat(one["created_time"]),
            destroyed=bool(one["destroyed"]),
            deleted=bool(one["deletion_time"]),
        )
        for number, one in sorted(data["versions"].items(), key=lambda each: int(each[0]))
    )
    return SecretEntry(path, newest, int(notes.get(ACTIVE) or newest), versions, notes)
