"""Conditions that people write in CEL, judged over plain facts. None of them has an effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cel

_LIMIT = 200


def expression_problem(expression: str) -> str:
    """Says what is wrong with an expression as it is written; empty when nothing is."""
    try:
        cel.compile(expression)
    except ValueError as error:
        return f"the expression cannot be read: {_one_line(error)}"
    return ""


def judge(expression: str, facts: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Returns whether an expression is true of the facts, and why not or why nobody knows.

    Args:
        expression: CEL that comes to true or false.
        facts: What the names in it stand for: plain JSON values.
    """
    try:
        value = cel.evaluate(expression, dict(facts))
    except (ValueError, TypeError, RuntimeError) as error:
        return None, f"it cannot be judged: {_one_line(error)}"
    if not isinstance(value, bool):
        return None, f"it comes to {type(value).__name__}, not to true or false"
    return value, "it is true" if value else "it is not true"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:_LIMIT]
