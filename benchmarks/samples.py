"""Measured times and what is told of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, TypeAlias


def percentile(values: Sequence[float], percent: float) -> float:
    """Returns the smallest value that at least ``percent`` of all do not exceed (nearest rank).

    It is always a measured value, never one between two. Of few values a high percentile is the
    greatest.

    Raises:
        ValueError: There are no values, or ``percent`` is not in (0, 100].
    """
    if not values or not 0 < percent <= 100:  # noqa: PLR2004 - percent
        raise ValueError(f"no {percent} percentile of {len(values)} values")
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def ratio(now: float, then: float) -> float | None:
    """Returns how many times as long it takes now; None when nothing was measured then."""
    return now / then if then > 0 else None


@dataclass(frozen=True, slots=True)
class Budget:
    """What the design allows, in seconds. None = it says nothing."""

    p50: float | None = None
    p95: float | None = None


@dataclass(frozen=True, slots=True)
class Samples:
    """The times of all runs of one measurement, in seconds and in their order."""

    name: str
    seconds: tuple[float, ...]
    budget: Budget = Budget()

    @property
    def p50(self) -> float:
        """The time that half of the runs did not exceed."""
        return percentile(self.seconds, 50)

    @property
    def p95(self) -> float:
        """The time that 95 of 100 runs did not exceed; of fewer than 20 runs the longest."""
        return percentile(self.seconds, 95)

    @property
    def p99(self) -> float:
        """The time that 99 of 100 runs did not exceed; of fewer than 100 runs the longest."""
        return percentile(self.seconds, 99)

    @property
    def is_over(self) -> bool:
        """Whether a budget is exceeded."""
        pairs = ((self.p50, self.budget.p50), (self.p95, self.budget.p95))
        return any(allowed is not None and seen > allowed for seen, allowed in pairs)

    def to_json(self) -> dict[str, Any]:
        """Every measured time, and the percentiles for people who only read."""
        return {
            "name": self.name,
            "p50": self.p50,
            "p95": self.p95,
            "p99": self.p99,
            "budget": {"p50": self.budget.p50, "p95": self.budget.p95},
            "seconds": list(self.seconds),
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """Reads what ``to_json`` wrote; percentiles are calculated again.

        Raises:
            KeyError: It is not such a thing.
        """
        return cls(raw["name"], tuple(raw["seconds"]), Budget(**raw["budget"]))


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that is no time of a run."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    """Budget. None = the design says nothing, or names a least value instead."""
    at_least: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the budget is not kept."""
        too_much = self.at_most is not None and self.value > self.at_most
        return too_much or (self.at_least is not None and self.value < self.at_least)

    def to_json(self) -> dict[str, Any]:
        """The number with what it means."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        """Reads what ``to_json`` wrote.

        Raises:
            TypeError: It is not such a thing.
        """
        return cls(**raw)


Measurement: TypeAlias = Samples | Figure


def measurement_from_json(raw: dict[str, Any]) -> Measurement:
    """Reads either of them.

    Raises:
        KeyError: It is neither.
        TypeError: It is neither.
    """
    return Samples.from_json(raw) if "seconds" in raw else Figure.from_json(raw)
