"""What is read from the tables."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, or_, select

from clients.records.filters import FactFilter, HistoryFilter
from clients.records.records import NumberedEntry
from clients.records.tables import FACTS, HISTORY
from domain.records import DeploymentEntry


def facts(wanted: FactFilter, limit: int) -> Select[Any]:
    """Selects facts, newest first."""
    columns = FACTS.c
    conditions = _equal(FACTS, wanted, "project", "component", "environment", "actor")
    if wanted.action.endswith("."):
        conditions.append(columns.action.startswith(wanted.action, autoescape=True))
    elif wanted.action:
        conditions.append(columns.action == wanted.action)
    if wanted.since is not None:
        conditions.append(columns.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(columns.at < wanted.until)
    if wanted.before:
        conditions.append(columns.sequence < wanted.before)
    return select(FACTS).where(*conditions).order_by(columns.sequence.desc()).limit(limit)


def history(wanted: HistoryFilter, limit: int) -> Select[Any]:
    """Selects deployments, newest first."""
    columns = HISTORY.c
    conditions = _equal(HISTORY, wanted, "project", "component", "environment")
    if wanted.before:
        conditions.append(columns.number < wanted.before)
    return select(HISTORY).where(*conditions).order_by(columns.number.desc()).limit(limit)


def named(organization: str, name: str) -> Select[Any]:
    """Selects the last deployment with that number, resource name or release."""
    columns = HISTORY.c
    is_it: ColumnElement[bool] = or_(columns.deployment == name, columns.release == name)
    if name.isascii() and name.isdigit():
        is_it = or_(is_it, columns.number == int(name[:18]))
    found = select(HISTORY).where(columns.organization == organization, is_it)
    return found.order_by(columns.number.desc()).limit(1)


def entry(row: Row[Any]) -> NumberedEntry:
    """Returns what a row of the history says."""
    return NumberedEntry(row.number, DeploymentEntry.model_validate_json(row.body))


def _equal(
    table: Table, wanted: FactFilter | HistoryFilter, *names: str
) -> list[ColumnElement[bool]]:
    """Compares the organization, and each named column that something was asked of."""
    given = {"organization": wanted.organization, **{name: getattr(wanted, name) for name in names}}
    return [
        table.c[name] == value for name, value in given.items() if value or name == "organization"
    ]
