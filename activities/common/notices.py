"""Tells people, by the channels that are set up."""

from __future__ import annotations

from temporalio import activity

from clients.notifications import Notifier
from domain.deliveries.notices import Notice, NoticeReceipt


class NoticeActivities:
    """The one effect of telling."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    @activity.defn
    async def send_notice(self, notice: Notice) -> NoticeReceipt:
        """Sends a notice through every channel that wants it.

        Idempotent as far as receivers are: a notice that is sent again has the same key. Cancel:
        not heeded, it is short.

        Raises:
            DependencyUnavailable: A channel did not take it; it is tried again.
        """
        return NoticeReceipt(sent=await self._notifier.send(notice))
