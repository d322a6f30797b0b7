"""What the numbers depend on besides the code."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine, and how busy it was before the first measurement."""

    cores: int
    """Those this process may use."""
    memory_gib: float
    kernel: str
    python: str
    load: tuple[float, float, float]
    """Processes that ran or wanted to, mean of 1, 5 and 15 minutes. Above ``cores`` = the
    numbers tell more of the others than of the platform."""

    def __str__(self) -> str:
        load = " ".join(f"{value:.2f}" for value in self.load)
        return (
            f"{self.cores} cores, {self.memory_gib} GiB, Linux {self.kernel}, "
            f"Python {self.python}, load {load}"
        )


def this_machine() -> Machine:
    """Looks at the machine now."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        load=os.getloadavg(),
    )
