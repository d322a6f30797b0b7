"""What a test of a fault promises, told beside the test: `docs/guarantees.md` is made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Awaitable[None]])


@dataclass(frozen=True)
class Promise:
    """One row of the guarantees."""

    fault: str
    """What breaks, in words."""
    causes: tuple[str, ...]
    """The faults of `pavane stack fault` by which it is broken; empty: the test does it itself."""
    sees: str
    """What the user sees meanwhile."""
    retried: str
    """What is tried again by itself; empty: nothing."""
    ends: str
    """What holds when it is over."""
    person: str
    """What waits for a person; empty: nothing."""
    test: str
    place: str
    cheap: bool


PROMISES: list[Promise] = []


def promise(
    fault: str,
    *causes: str,
    sees: str,
    retried: str = "",
    ends: str,
    person: str = "",
    cheap: bool = False,
    limit: int = 180,
) -> Callable[[Test], Test]:
    """Marks a test of the suite and notes what it promises.

    ``cheap`` ones are the fixed core that every `make test` runs.
    """

    def mark(test: Test) -> Test:
        noted: Any = test
        PROMISES.append(
            Promise(
                fault=fault,
                causes=causes,
                sees=sees,
                retried=retried,
                ends=ends,
                person=person,
                test=noted.__name__,
                place=noted.__module__.rpartition(".")[2],
                cheap=cheap,
            )
        )
        marks = [pytest.mark.faults, pytest.mark.timeout(limit)]
        marks += [pytest.mark.cheap] if cheap else []
        for one in marks:
            noted = one(noted)
        marked: Test = noted
        return marked

    return mark
