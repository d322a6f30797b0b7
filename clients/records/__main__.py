"""Brings the records database of the settings up to date: ``python -m clients.records``."""

from __future__ import annotations

import asyncio
import sys

from clients.records.sql import SqlRecords
from domain.errors import PlatformError
from settings import load


async def _main() -> None:
    records = SqlRecords.open(load().records.address)
    try:
        changed = await records.migrate()
    finally:
        await records.close()
    done = "brought up to date" if changed else "up to date already"
    sys.stdout.write(f"{records.place}: {done}\n")


if __name__ == "__main__":
    try:
        asyncio.run(_main())
    except PlatformError as error:
        sys.stderr.write(f"{error.message}\n")
        sys.exit(1)
