"""A fault of the records database: another process holds the lock of the one who may write."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

from devstack.errors import DevstackError
from devstack.faults.model import Fault, World

_held: dict[Path, sqlite3.Connection] = {}
"""The connections whose transactions are open."""


def faults() -> list[Fault]:
    """Every fault of the family."""
    return [
        Fault(
            name="records-locked",
            family="database",
            breaks="another process holds the lock of the records database: nobody else can write",
            undone="it lets go, having written nothing",
            begin=_lock,
            end=_let_go,
        )
    ]


def _file(world: World) -> Path:
    return world.context.state.data / "records" / "records.db"


async def _lock(world: World, _: str) -> None:
    file = _file(world)
    if file in _held:
        return
    if not file.exists():
        message = "there is no records database on this stack yet: start its worker first"
        raise DevstackError(message)
    connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    await asyncio.to_thread(connection.execute, "BEGIN IMMEDIATE")
    _held[file] = connection


async def _let_go(world: World, _: str) -> None:
    connection = _held.pop(_file(world), None)
    if connection is not None:
        with contextlib.closing(connection):
            connection.rollback()
