"""How many things are told in a line."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 5


def few(names: Sequence[str]) -> str:
    """Returns the first five in words, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
