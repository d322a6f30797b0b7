"""What a channel is, and all that are set up as one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from domain.deliveries.notices import Notice
from domain.errors import DependencyUnavailable, PlatformError

_LOG = logging.getLogger(__name__)


class Channel(Protocol):
    """One way to tell people: a webhook, e-mail, a chat."""

    @property
    def name(self) -> str:
        """As settings and messages name it."""
        ...

    def wants(self, notice: Notice) -> bool:
        """Tells whether such notices go this way."""
        ...

    async def send(self, notice: Notice) -> None:
        """Sends it.

        Raises:
            DependencyUnavailable: It was not taken, and may be if tried again.
            Errored: It was refused for good.
        """
        ...

    async def close(self) -> None:
        """Ends connections."""
        ...


@dataclass(frozen=True)
class Wanted:
    """Which notices go a way."""

    kinds: tuple[str, ...] = ("*",)
    """Patterns such as ``approval.*``."""
    organizations: tuple[str, ...] = ()
    """Empty = of all."""

    def holds(self, notice: Notice) -> bool:
        """Tells whether a notice is among them."""
        here = not self.organizations or notice.organization in self.organizations
        return here and any(fnmatchcase(notice.kind, pattern) for pattern in self.kinds)


EVERYTHING = Wanted()


class Notifier:
    """All channels as one. Ended by ``close``."""

    def __init__(self, channels: Sequence[Channel] = ()) -> None:
        self._channels = tuple(channels)

    async def send(self, notice: Notice) -> tuple[str, ...]:
        """Sends through every channel that wants it; returns the names of those that took it.

        A channel that refuses for good is only logged: the others must not suffer for it.

        Raises:
            DependencyUnavailable: A channel may take it later. Others may have it already; they
                know it again by its key.
        """
        wanted = [one for one in self._channels if one.wants(notice)]
        done = await asyncio.gather(*(one.send(notice) for one in wanted), return_exceptions=True)
        sent, later = [], []
        for channel, outcome in zip(wanted, done, strict=True):
            if outcome is None:
                sent.append(channel.name)
            elif isinstance(outcome, PlatformError) and outcome.retryable:
                later.append(f"{channel.name}: {outcome.message}")
            elif isinstance(outcome, PlatformError):
                _LOG.error("notice %s: %s: %s", notice.key, channel.name, outcome.message)
            else:
                raise outcome
        if later:
            raise DependencyUnavailable(f"notice {notice.kind} not sent: {'; '.join(later)}")
        return tuple(sent)

    async def close(self) -> None:
        """Ends the connections of all channels."""
        await asyncio.gather(*(one.close() for one in self._channels))
