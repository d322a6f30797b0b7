"""Faults of Temporal's database: another process holds it locked."""

import sqlite3
from dataclasses import dataclass, field

from devstack.errors import DevstackError
from devstack.faults.model import Fault, World


def faults() -> list[Fault]:
    """Every fault of the family."""
    lock = _Lock()
    return [
        Fault(
            name="temporal-database-locked",
            family="database",
            breaks="another connection holds Temporal's database locked: nothing can be written",
            undone="the lock is let go",
            begin=lock.take,
            end=lock.release,
        )
    ]


@dataclass
class _Lock:
    held: list[sqlite3.Connection] = field(default_factory=list)

    async def take(self, world: World, _: str) -> None:
        if self.held:
            return
        file = world.context.state.data / "temporal" / "temporal.sqlite"
        connection = sqlite3.connect(f"file:{file}?mode=rw", uri=True, timeout=5)
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            connection.close()
            message = f"Temporal's database cannot be locked: {error}"
            raise DevstackError(message) from error
        self.held.append(connection)

    async def release(self, _world: World, _: str) -> None:
        while self.held:
            connection = self.held.pop()
            connection.rollback()
            connection.close()
