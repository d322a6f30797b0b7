"""What the audit of an organization says: that its chain holds, and which facts were told."""

from __future__ import annotations

from clients.records import SqlRecords
from domain.records.chain import ChainVerifier
from domain.resources import ObservabilityPlane
from tests.durability.state import State

_ASKED = ObservabilityPlane.kind
"""No worker stands for it: whether it answers is asked."""


async def audit_of(url: str, organization: str) -> State:
    """Every fact once for each time it stands there: one that is told twice is a difference."""
    records = SqlRecords.open(url)
    try:
        verifier = ChainVerifier(organization)
        facts = []
        async for row in records.chain(organization):
            verifier.feed(row)
            fact = row.fact
            told = {"key": fact.key, "action": fact.action, "result": fact.result.value}
            if fact.action.startswith("plane.") and not fact.subject.startswith(_ASKED):
                continue  # a worker that is killed is a plane that is silent for a moment
            if fact.action.startswith("tenant."):
                # As often as resources came one after the other: that differs, not what was done.
                told["key"] = "tenant"
                if told in facts:
                    continue
            facts.append(told)
        found = verifier.finish(await records.head(organization))
    finally:
        await records.close()
    audit = {"holds": found.holds, "faults": [str(one) for one in found.faults]}
    return {"fact": facts, "audit": [audit]}
