"""Does at once what does not depend on each other."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def together(*work: Coroutine[Any, Any, object]) -> None:
    """Runs all to their end, then raises the first error there was.

    All are waited for, so that no write is under way any more when the caller goes on, fails or
    is tried again.
    """
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
