"""Evaluates CEL expressions: pure, without any access to the machine.

The library is loaded at the first expression, so that whoever needs none does not pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from domain.errors import InvalidRequest

_LONGEST = 2048
_FAULTS = (KeyError, ValueError, TypeError, RuntimeError, OverflowError, ZeroDivisionError)


def check(expression: str) -> str:
    """Returns why an expression cannot be read, empty when it can."""
    if len(expression) > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    try:
        _compiled(expression)
    except InvalidRequest as error:
        return error.message
    return ""


def evaluate(expression: str, variables: Mapping[str, Any]) -> Any:
    """Returns the value of an expression.

    Raises:
        InvalidRequest: It cannot be read, names what is not there, or mixes types.
    """
    program = _compiled(expression)
    try:
        return program.execute(dict(variables))
    except KeyError as error:
        raise InvalidRequest(f"there is no {error.args[0]!r}") from None
    except _FAULTS as error:
        raise InvalidRequest(_first_sentence(error)) from None


@lru_cache(maxsize=2048)
def _compiled(expression: str) -> Any:
    import cel  # noqa: PLC0415 - a tenth of a second that most callers do not need

    try:
        return cel.compile(expression)
    except _FAULTS as error:
        raise InvalidRequest(_first_sentence(error)) from None


def _first_sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text.partition(". ")[0].partition(" | ")[0].strip()
