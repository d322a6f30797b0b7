"""Amounts as Kubernetes writes them (``250m``, ``1.5``, ``256Mi``), to be compared."""

from __future__ import annotations

import re
from decimal import Decimal

from domain.errors import InvalidRequest

_PATTERN = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+)(?P<unit>[a-zA-Z]*)")
_UNITS = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}


def amount(quantity: str | float, where: str) -> Decimal:
    """Returns the amount in its base unit: cores or bytes.

    Raises:
        InvalidRequest: It is no quantity; ``where`` says which field.
    """
    match = _PATTERN.fullmatch(str(quantity))
    if match is None or match["unit"] not in _UNITS:
        raise InvalidRequest(f"{where}: {quantity!r} is not a quantity such as 250m or 256Mi")
    return Decimal(match["number"]) * _UNITS[match["unit"]]
