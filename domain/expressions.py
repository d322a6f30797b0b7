"""Expressions that people write in CEL, over plain facts. None of them has an effect.

The library is loaded at the first expression, so that whoever needs none does not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from domain.errors import InvalidRequest

_LIMIT = 200
_FAULTS = (ValueError, TypeError, RuntimeError, KeyError, ArithmeticError)


def expression_problem(expression: str) -> str:
    """Says what is wrong with an expression as it is written; empty when nothing is."""
    try:
        _compiled(expression)
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
        value = _compiled(expression).execute(dict(facts))
    except _FAULTS as error:
        return None, f"it cannot be judged: {_one_line(error)}"
    if not isinstance(value, bool):
        return None, f"it comes to {type(value).__name__}, not to true or false"
    return value, "it is true" if value else "it is not true"


def evaluate(expression: str, facts: Mapping[str, Any]) -> Any:
    """Returns the value of an expression.

    Raises:
        InvalidRequest: It cannot be read, names what is not there, or mixes types.
    """
    try:
        return _compiled(expression).execute(dict(facts))
    except _FAULTS as error:
        raise InvalidRequest(_one_line(error)) from None


@lru_cache(maxsize=2048)
def _compiled(expression: str) -> Any:
    import cel  # noqa: PLC0415 - a tenth of a second that most callers do not need

    return cel.compile(expression)


def _one_line(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]}"
    return " ".join(str(error).split())[:_LIMIT]
