"""Writes facts and history down for good."""

from __future__ import annotations

from temporalio import activity

from clients.records import Records
from domain.records import FactBatch, Recorded


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
