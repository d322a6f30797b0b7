"""Lines of logs on their way from pods to a reader: where each comes from and what is new of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from domain.errors import InvalidRequest

_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$")
_NO_TIME = b"-"
LONGEST_LINE = 128 * 1024
"""More bytes than any line of a copy has: those of pods come in pieces of 64 KiB."""
_FIELDS = 4


@dataclass(frozen=True)
class LogLine:
    """One line of one container, or a note about it."""

    time: str
    """When it was written (RFC 3339), as the plane says. Empty = it is a note of Pavane."""
    source: str
    """Uid of the pod and name of the container: the same after a restart."""
    label: str
    """How people call it."""
    text: bytes

    @classmethod
    def of(cls, line: bytes, source: str, label: str) -> Self:
        """Returns a line that the plane sent with its time before it."""
        time, _, text = line.partition(b" ")
        said = time.decode(errors="replace")
        if not _TIME.match(said):
            return cls("", source, label, line)
        return cls(said, source, label, text)

    @classmethod
    def note(cls, source: str, label: str, text: str) -> Self:
        """Returns what Pavane has to say of a log."""
        return cls("", source, label, f"-- {text}".encode())

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Returns what ``copied`` made.

        Raises:
            InvalidRequest: It made no such line.
        """
        parts = line.split(b" ", _FIELDS - 1)
        if len(parts) != _FIELDS:
            raise InvalidRequest("a copy of a log has a line that is none")
        time, source, label, text = parts
        said = "" if time == _NO_TIME else time.decode()
        return cls(said, source.decode(), label.decode(), text)

    def copied(self) -> bytes:
        """Returns the line as it lies in a copy."""
        head = f"{self.time or _NO_TIME.decode()} {self.source} {self.label} "
        return head.encode() + self.text + b"\n"

    def shown(self) -> bytes:
        """Returns the line as a person reads it."""
        return b"[" + self.label.encode() + b"] " + self.text + b"\n"


def is_newer(time: str, known: str) -> bool:
    """Tells whether a line was written after the one that is known last.

    Fractions are compared as they stand: a plane writes them with nine digits, datetimes have six.
    A line without a time is new.
    """
    if not time or not known:
        return True
    return _moment(time) > _moment(known)


def second_of(time: str) -> str:
    """Returns the second of a time: what an API server takes as ``sinceTime``."""
    found = _TIME.match(time)
    return f"{found[1]}{found[3]}" if found else ""


def later(known: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """Returns of each container the later of two times."""
    merged = dict(known)
    for source, time in told.items():
        if is_newer(time, merged.get(source, "")):
            merged[source] = time
    return merged


def _moment(time: str) -> tuple[datetime, str]:
    found = _TIME.match(time)
    if found is None:
        return datetime.min.replace(tzinfo=UTC), ""
    second = datetime.fromisoformat(f"{found[1]}{found[3]}")
    return second.astimezone(UTC), (found[2] or "").ljust(9, "0")
