"""When a process that ended by itself is started again, and when that is given up. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Back-off that grows with each early end, and a limit on how many are taken."""

    first: timedelta = timedelta(milliseconds=200)
    longest: timedelta = timedelta(seconds=5)
    limit: int = 6
    """Ends within `window` after which the component counts as crash-looping."""
    window: timedelta = timedelta(seconds=60)

    def delay(self, ends: Sequence[float], now: float) -> timedelta | None:
        """How long to wait before the next start; None to give up.

        Args:
            ends: when the process ended by itself, in seconds of a monotonic clock.
            now: the same clock.
        """
        recent = [end for end in ends if now - end <= self.window.total_seconds()]
        if len(recent) >= self.limit:
            return None
        return min(self.first * (1 << max(0, len(recent) - 1)), self.longest)
