"""Who read a secret, from the file to which OpenBao's audit device writes. It holds no value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.errors import DependencyUnavailable
from domain.secrets.places import checked, mount

_MOST_BYTES = 512 * 1024 * 1024
"""How much of the end of the file is looked through, whichever time is asked for."""


@dataclass(frozen=True)
class SecretReader:
    """What one role read of one secret from one address."""

    role: str
    """The AppRole, or who signed in with the token of a service account."""
    address: str
    times: int
    refused: int
    """How many of them OpenBao refused, or could not answer."""
    first: datetime
    last: datetime


@dataclass(frozen=True)
class ReadersFound:
    """All who read it."""

    readers: tuple[SecretReader, ...]
    """Who read it last comes first."""
    begins: datetime | None
    """Since when the file tells; None = it is empty."""


class AuditLog:
    """The file of one audit device. Blocking; only lines of the secret asked for are parsed."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def readers(self, organization: str, path: str, since: datetime) -> ReadersFound:
        """Returns who read a secret since then.

        Raises:
            DependencyUnavailable: The file cannot be read.
        """
        wanted = f"{mount(organization)}/data/{checked(path)}"
        found: dict[tuple[str, str], SecretReader] = {}
        begins: datetime | None = None
        try:
            for line in self._lines():
                if begins is None and (first := parsed(line)):
                    begins = _at(first)
                if f'"path":"{wanted}"'.encode() not in line or not (entry := parsed(line)):
                    continue
                if (one := _reader(entry, wanted)) is not None and one.last >= since:
                    known = found.get((one.role, one.address))
                    found[one.role, one.address] = _together(known, one) if known else one
        except OSError as error:
            raise DependencyUnavailable(
                f"the audit log of OpenBao cannot be read: {self._file.name}: {error.strerror}"
            ) from None
        newest = sorted(found.values(), key=lambda one: one.last, reverse=True)
        return ReadersFound(tuple(newest), begins)

    def _lines(self) -> Iterator[bytes]:
        with self._file.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _MOST_BYTES))
            if size > _MOST_BYTES:
                file.readline()  # the rest of one that began before
            yield from file


def parsed(line: bytes) -> dict[str, Any]:
    """Returns an entry of an audit log; empty for a line that is being written."""
    with suppress(ValueError):
        content = json.loads(line)
        if isinstance(content, dict):
            return content
    return {}


def _at(entry: Mapping[str, Any]) -> datetime:
    # Nanoseconds are more than a datetime takes.
    return datetime.fromisoformat(f"{str(entry['time'])[:19]}+00:00")


def _reader(entry: Mapping[str, Any], path: str) -> SecretReader | None:
    """Returns who read it by an answered request; None = it is another request."""
    request, auth = entry.get("request") or {}, entry.get("auth") or {}
    if entry.get("type") != "response" or request.get("operation") != "read":
        return None
    if request.get("path") != path:
        return None
    metadata = auth.get("metadata") or {}
    role = metadata.get("role_name") or metadata.get("role") or auth.get("display_name")
    at = _at(entry)
    return SecretReader(
        role=str(role or "nobody who signed in"),
        address=str(request.get("remote_address", "")),
        times=1,
        refused=int(bool(entry.get("error"))),
        first=at,
        last=at,
    )


def _together(known: SecretReader, one: SecretReader) -> SecretReader:
    return replace(
        known,
        times=known.times + one.times,
        refused=known.refused + one.refused,
        last=max(known.last, one.last),
    )
