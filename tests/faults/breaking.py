"""A fault that lasts as long as a block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devstack import faults
from devstack.state import StateDir
from tests.faults.people import PATIENCE


@asynccontextmanager
async def fault(state: StateDir, name: str, on: str = "") -> AsyncIterator[None]:
    """Lasts as long as the block; by itself it would end a while after the test's patience."""
    await faults.begin(state, name, on, 2 * PATIENCE)
    try:
        yield
    finally:
        await faults.end(state, name, on)
