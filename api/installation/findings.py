"""What a check found, and what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum

from api.schemas.deliveries import View
from api.services import Services
from domain.errors import PlatformError

_LONGEST = 10
"""Seconds a check may take: what does not answer until then does not answer people either."""


class Level(StrEnum):
    """How bad it is."""

    OK = "Ok"
    WARNING = "Warning"
    ERROR = "Error"


class Finding(View):
    """One fact about the installation."""

    check: str
    level: Level
    found: str
    """The fact: which versions, who does not answer, what is missing."""
    remedy: str = ""
    """What to do; empty when all is well."""


class Findings(View):
    """All that was found, in the order in which it is to be mended."""

    items: tuple[Finding, ...]


Check = Callable[[Services], Awaitable[Sequence[Finding]]]


def good(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check=check, level=Level.OK, found=found)


def bad(check: str, found: str, remedy: str) -> Finding:
    """Something does not work until it is mended."""
    return Finding(check=check, level=Level.ERROR, found=found, remedy=remedy)


def doubtful(check: str, found: str, remedy: str) -> Finding:
    """Something works, and will not, or less than people may expect."""
    return Finding(check=check, level=Level.WARNING, found=found, remedy=remedy)


async def settled(name: str, check: Check, services: Services, remedy: str) -> Sequence[Finding]:
    """Returns what a check finds; that it could not be made is a finding too."""
    try:
        async with asyncio.timeout(_LONGEST):
            return await check(services)
    except TimeoutError:
        return (bad(name, f"no answer within {_LONGEST} s", remedy),)
    except PlatformError as error:
        return (bad(name, error.message, remedy),)
    except (OSError, RuntimeError, ValueError) as error:
        return (bad(name, f"{type(error).__name__}: {error}"[:300], remedy),)
