"""The records database: audit facts in a hash chain, and the history of deployments."""

from __future__ import annotations

from clients.records.filters import FactFilter, HistoryFilter
from clients.records.records import NumberedEntry, Records
from clients.records.sql import SqlRecords

__all__ = ["FactFilter", "HistoryFilter", "NumberedEntry", "Records", "SqlRecords"]
