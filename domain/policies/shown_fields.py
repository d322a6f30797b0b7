"""How a field and its value are written for people, without what may be secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.policies.managed_fields import Path

HIDDEN = "(not shown)"
_LONGEST = 80


def display(path: Path) -> str:
    """Returns a path as people write it: ``spec.template.spec.containers[main].image``."""
    text = ""
    for step in path:
        if isinstance(step, tuple):
            text += f"[{'/'.join(str(value) for _, value in step)}]"
        elif isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = "." not in step and "/" not in step
            text += (f".{step}" if text else step) if plain else f"[{step}]"
    return text


def shown(path: Path, value: Any, *, secret: bool) -> str:
    """Returns a value as it may be shown.

    Nothing of a Secret, no value of an environment variable, as people put passwords there against
    all advice, and nothing of lists, where commands and their arguments stand.
    """
    if secret or ("env" in path and path[-1] == "value") or "args" in path or "command" in path:
        return HIDDEN
    if isinstance(value, Mapping):
        return f"an object with {', '.join(sorted(value))}" if value else "an empty object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
