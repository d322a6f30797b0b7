"""Writes facts and history down for good."""

from __future__ import annotations

from temporalio import activity

from clients.records import Records
from domain.records import (
    FactBatch,
    HeadsSigned,
    Recorded,
    SignedHeads,
    SigningRequest,
    UnsignedHeads,
)


class RecordActivities:
    """Effects on the records database."""

    def __init__(self, records: Records) -> None:
        self._records = records

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        """Appends facts to their chains and deployments to the history, in one transaction.

        Idempotent: each has the key of the workflow, run and step it was derived from; what an
        earlier try wrote stays as it is. Cancel: not heeded, it is short.

        Raises:
            DependencyUnavailable: The database does not answer.
        """
        return await self._records.append(batch)

    @activity.defn
    async def read_unsigned_heads(self, request: SigningRequest) -> UnsignedHeads:
        """Returns the heads of chains that grew since they were signed. Idempotent: a reading."""
        return UnsignedHeads(heads=tuple(await self._records.unsigned(request.limit)))

    @activity.defn
    async def write_signatures(self, signed: SignedHeads) -> HeadsSigned:
        """Writes signatures beside the chains.

        Idempotent by organization and row: the first signature under a row stays. Cancel: not
        heeded, it is short. No undo: a signature is only ever added.
        """
        return HeadsSigned(signed=await self._records.add_signatures(signed.signatures))
