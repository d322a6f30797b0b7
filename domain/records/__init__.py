"""What is written down for good: audit facts in a hash chain, and the history of deployments.

These models stand in a database and in Temporal histories: fields are only ever added, with
defaults. What was hashed is the text that was written, so older rows stay valid.
"""

from __future__ import annotations

from domain.records.batches import FactBatch, Recorded
from domain.records.chain import (
    GENESIS,
    ChainedFact,
    ChainHead,
    ChainVerifier,
    Fault,
    FaultKind,
    Verification,
    canonical,
    chained,
)
from domain.records.facts import (
    PLATFORM,
    AuditFact,
    FactResult,
    fact_key,
)
from domain.records.history import DeploymentEntry, LeadTime
from domain.records.signatures import (
    HeadSignature,
    HeadsSigned,
    SignedChainVerifier,
    SignedHeads,
    SigningRequest,
    UnsignedHeads,
    signed_text,
)

__all__ = [
    "GENESIS",
    "PLATFORM",
    "AuditFact",
    "ChainHead",
    "ChainVerifier",
    "ChainedFact",
    "DeploymentEntry",
    "FactBatch",
    "FactResult",
    "Fault",
    "FaultKind",
    "HeadSignature",
    "HeadsSigned",
    "LeadTime",
    "Recorded",
    "SignedChainVerifier",
    "SignedHeads",
    "SigningRequest",
    "UnsignedHeads",
    "Verification",
    "canonical",
    "chained",
    "fact_key",
    "signed_text",
]
