"""Who used which version of a secret, from the file to which OpenBao's audit device writes.

The file is followed: each line is looked at once, whoever asks and however often. It holds no
value; what a sign-in was made with is there as a hash by a key that only OpenBao has.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from clients.vault.audit import parsed
from domain.errors import DependencyUnavailable
from domain.secrets.places import mount

_MOST_BYTES = 64 * 1024 * 1024
"""How much of the end of the file is looked through at first."""
_REMEMBERED = 20_000
"""Of how many secrets and sign-ins it is known who used them; the oldest are forgotten."""
_VERSIONS = 4
"""Of how many versions of a secret it is known when somebody read them."""
_PAVANE = "approle"
"""How OpenBao shows who signed in at ``auth/approle``, where only Pavane's own roles are."""
_ACCOUNT = re.compile(r"[^:]*system:serviceaccount:([^:]+):([^:]+)")
_READ, _LOGIN = re.compile(r"org/[^/]+/data/.+"), re.compile(r"auth/(org/[^/]+)/login")


@dataclass(frozen=True)
class Reader:
    """Who read something."""

    name: str
    """An AppRole, a service account, or how else OpenBao shows it."""
    namespace: str = ""
    """Of a service account; empty = it is none."""

    @property
    def shown(self) -> str:
        """For people."""
        return f"service account {self.name} in {self.namespace}" if self.namespace else self.name


Reads: TypeAlias = dict[Reader, dict[int, int]]
"""Who -> version -> position of the last time it was read."""


class SecretUses:
    """What the file of one audit device tells of uses. Blocking; for many threads at once.

    Times are positions: how many uses were seen before. So no two clocks are compared.
    """

    def __init__(self, file: Path, own_roles: Collection[str] = ()) -> None:
        """``own_roles`` are Pavane's AppRoles, whose reading is no use by anybody else."""
        self._file = file
        self._own = frozenset(own_roles)
        self._guard = threading.Lock()
        self._offset = -1
        self._position = 0
        self._reads: OrderedDict[str, Reads] = OrderedDict()
        self._sign_ins: OrderedDict[tuple[str, str], dict[str, int]] = OrderedDict()

    def position(self) -> int:
        """Returns where the file ends now.

        Raises:
            DependencyUnavailable: It cannot be read.
        """
        with self._guard:
            self._catch_up()
            return self._position

    def readers(self, organization: str, path: str, version: int, after: int) -> tuple[str, ...]:
        """Returns who read a version after a position, sorted; Pavane itself is not told.

        Raises:
            DependencyUnavailable: The file cannot be read.
        """
        with self._guard:
            self._catch_up()
            known = self._reads.get(f"{mount(organization)}/data/{path}", {})
            found = (who.shown for who, at in known.items() if at.get(version, -1) > after)
            return tuple(sorted(found))

    def holders(self, organization: str, path: str, version: int) -> tuple[str, ...]:
        """Returns the service accounts that read a version and none since, as ``NAMESPACE/NAME``.

        Raises:
            DependencyUnavailable: The file cannot be read.
        """
        with self._guard:
            self._catch_up()
            known = self._reads.get(f"{mount(organization)}/data/{path}", {})
            last = {who: max(at, key=at.__getitem__) for who, at in known.items() if who.namespace}
            found = (who for who, number in last.items() if number == version)
            return tuple(sorted(f"{who.namespace}/{who.name}" for who in found))

    def sign_ins(self, organization: str, secret_hash: str, after: int) -> tuple[str, ...]:
        """Returns from which addresses somebody signed in with a secret id after a position.

        Raises:
            DependencyUnavailable: The file cannot be read.
        """
        with self._guard:
            self._catch_up()
            known = self._sign_ins.get((mount(organization), secret_hash), {})
            return tuple(sorted(address for address, at in known.items() if at > after))

    def _catch_up(self) -> None:
        try:
            with self._file.open("rb") as file:
                size = file.seek(0, 2)
                if self._offset < 0 or size < self._offset:  # the first time, or another file
                    self._offset = max(0, size - _MOST_BYTES)
                file.seek(self._offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # it is being written
                    self._offset += len(line)
                    self._look_at(line)
        except OSError as error:
            raise DependencyUnavailable(
                f"the audit log of OpenBao cannot be read: {self._file.name}: {error.strerror}"
            ) from None

    def _look_at(self, line: bytes) -> None:
        if b'"type":"response"' not in line or not (b"/data/" in line or b'/login"' in line):
            return
        entry = parsed(line)
        request = entry.get("request") or {}
        path = str(request.get("path", ""))
        if entry.get("error"):
            return
        if request.get("operation") == "read" and _READ.fullmatch(path):
            self._read(entry, path)
        elif login := _LOGIN.fullmatch(path):
            secret = str((request.get("data") or {}).get("secret_id", ""))
            self._position += 1
            used = _kept(self._sign_ins, (login[1], secret))
            used[str(request.get("remote_address", ""))] = self._position

    def _read(self, entry: Mapping[str, Any], path: str) -> None:
        who = self._who(entry.get("auth") or {})
        data = (entry.get("response") or {}).get("data") or {}
        version = (data.get("metadata") or {}).get("version")
        if who is None or not isinstance(version, int):
            return
        self._position += 1
        at = _kept(self._reads, path).setdefault(who, {})
        at[version] = self._position
        for older in sorted(at)[:-_VERSIONS]:
            del at[older]

    def _who(self, auth: Mapping[str, Any]) -> Reader | None:
        """Returns who read; None = Pavane, or nobody who is known."""
        name = str(auth.get("display_name", ""))
        role = str((auth.get("metadata") or {}).get("role_name", ""))
        if not name or (name == _PAVANE and role in self._own):
            return None
        if account := _ACCOUNT.fullmatch(name):
            return Reader(account[2], account[1])
        return Reader(f"AppRole {role}" if role else name)


def _kept(known: OrderedDict[Any, dict[Any, Any]], key: Any) -> dict[Any, Any]:
    found = known.setdefault(key, {})
    known.move_to_end(key)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
    return found
