"""The hash chain of an organization: each row holds the hash of the row before. Pure.

A row is found to be *changed* when its hash is not that of its content, *missing* when its number
is not there, and *reordered* when it is whole but does not hold the hash of the row before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import ValidationError

from domain.deliveries.wire import Wire
from domain.records.facts import AuditFact

GENESIS = "0" * 64
"""What the first row holds as the hash of the row before."""
_TOLD = 100
"""How many faults are named: one lost row must not make an answer of any length."""


class FaultKind(StrEnum):
    """What is wrong with a row."""

    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"


class Fault(Wire):
    """One row that is not as it was written."""

    sequence: int
    kind: FaultKind
    detail: str

    def __str__(self) -> str:
        return f"row {self.sequence} is {self.kind}: {self.detail}"


class ChainHead(Wire):
    """The last row of a chain; 0 = it has none."""

    organization: str
    sequence: int = 0
    hash: str = GENESIS


class Verification(Wire):
    """What looking at a whole chain found."""

    head: ChainHead
    rows: int = 0
    faults: tuple[Fault, ...] = ()
    """The first hundred, in order."""

    @property
    def holds(self) -> bool:
        """Tells whether nothing was changed, removed or moved."""
        return not self.faults


@dataclass(frozen=True)
class ChainedFact:
    """A fact as it stands in its chain."""

    organization: str
    sequence: int
    """From 1, without gaps."""
    key: str
    previous: str
    """Hash of the row before."""
    hash: str
    body: str
    """The canonical JSON of the fact; exactly this text is hashed."""

    @property
    def fact(self) -> AuditFact:
        """The fact itself."""
        return AuditFact.model_validate_json(self.body)


def canonical(fact: AuditFact) -> str:
    """Returns the one JSON text of a fact: sorted keys, no blanks, nothing that has its default."""
    content = fact.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def row_hash(organization: str, previous: str, body: str) -> str:
    """Returns the hash of a row: over the row before, which gives it its place, and its text."""
    content = f"{organization}\n{previous}\n{body}"
    return hashlib.sha256(content.encode()).hexdigest()


def chained(head: ChainHead, facts: Iterable[AuditFact]) -> tuple[list[ChainedFact], ChainHead]:
    """Returns the rows that put the facts behind the head, and the head they make."""
    rows = []
    sequence, previous = head.sequence, head.hash
    for fact in facts:
        sequence += 1
        body = canonical(fact)
        digest = row_hash(head.organization, previous, body)
        rows.append(
            ChainedFact(
                organization=head.organization,
                sequence=sequence,
                key=fact.key,
                previous=previous,
                hash=digest,
                body=body,
            )
        )
        previous = digest
    return rows, ChainHead(organization=head.organization, sequence=sequence, hash=previous)


class ChainVerifier:
    """Looks at the rows of one chain as they come, in the order of their numbers."""

    def __init__(self, organization: str) -> None:
        self._organization = organization
        self._sequence = 0
        self._hash = GENESIS
        self._rows = 0
        self._faults: list[Fault] = []

    def feed(self, row: ChainedFact) -> None:
        """Looks at the next row."""
        expected = self._sequence + 1
        if row.sequence > expected:
            gap = f"{expected} to {row.sequence - 1}" if row.sequence - expected > 1 else expected
            self.blame(expected, FaultKind.MISSING, f"there is no row {gap}")
        computed = row_hash(self._organization, row.previous, row.body)
        if computed != row.hash or not _is_its_own(row, self._organization):
            detail = f"its content does not have the hash {row.hash[:12]} it was written with"
            self.blame(row.sequence, FaultKind.CHANGED, detail)
        elif row.sequence == expected and row.previous != self._hash:
            detail = f"it follows {row.previous[:12]}, but the row before is {self._hash[:12]}"
            self.blame(row.sequence, FaultKind.REORDERED, detail)
        # Going on with what the row says of itself names the bad row alone, not all behind it.
        self._sequence, self._hash = row.sequence, row.hash
        self._rows += 1

    def blame(self, sequence: int, kind: FaultKind, detail: str) -> None:
        """Adds a fault."""
        if len(self._faults) < _TOLD:
            self._faults.append(Fault(sequence=sequence, kind=kind, detail=detail))

    def finish(self, head: ChainHead | None) -> Verification:
        """Returns what was found; ``head`` is where the chain is known to end."""
        if head is not None and head.sequence > self._sequence:
            detail = f"the chain was written up to row {head.sequence}"
            self.blame(self._sequence + 1, FaultKind.MISSING, detail)
        elif head is not None and (head.sequence, head.hash) != (self._sequence, self._hash):
            detail = f"the head is row {head.sequence} with {head.hash[:12]}"
            self.blame(self._sequence, FaultKind.CHANGED, detail)
        last = ChainHead(organization=self._organization, sequence=self._sequence, hash=self._hash)
        ordered = sorted(self._faults, key=lambda fault: fault.sequence)
        return Verification(head=last, rows=self._rows, faults=tuple(ordered))


def _is_its_own(row: ChainedFact, organization: str) -> bool:
    """Tells whether what stands beside the text says the same as the text."""
    try:
        fact = row.fact
    except ValidationError:
        return False
    return fact.organization == row.organization == organization and fact.key == row.key
