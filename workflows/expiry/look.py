"""Looks which secrets expire soon and tells their owners; begun by the clock.

What people were told is the result of one look, with which the next begins. A look that fails
leaves that as it was; people who could not be told are told by the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.common.notices import NoticeActivities
from activities.secrets.expiry import ExpiryActivities, ExpiryPlanActivities
from domain import ids
from domain.deliveries import Trigger, TriggerKind
from domain.deliveries.expiry import ExpiringSecret, ExpiryLook, ExpiryRequest, FindExpiring
from domain.deliveries.notices import Notice
from domain.errors import PlatformError
from domain.records import FactResult
from domain.secrets import expiry
from domain.secrets.places import scope_of
from workflows.common.calls import QUICK, Options, call, stop_if_cancelled, watch
from workflows.common.facts import Facts

_AT_ONCE = 50
"""Organizations in one activity."""
_SOON: Options = {**QUICK, "schedule_to_close_timeout": timedelta(minutes=10)}
"""The next look comes by itself: this one does not wait long for anything."""
_LOOK: Options = {
    **watch(timedelta(minutes=30)),
    "schedule_to_close_timeout": timedelta(hours=1),
}
_News = Sequence[tuple[ExpiringSecret, int]]


@workflow.defn
class ExpiryLookWorkflow:
    """One look at all secrets that have a moment at which they expire.

    Nothing to undo: it reads, and tells what it read.
    """

    @workflow.run
    async def run(self, request: ExpiryRequest) -> ExpiryLook:
        """Returns what people know now; the next look begins with it."""
        known = workflow.get_last_completion_result(ExpiryLook) or ExpiryLook()
        news, told = expiry.due(await self._found(request), known.told, workflow.now())
        memory = {(one.organization, one.path): one for one in told}
        sent, unsent = 0, []
        for organization, group in groupby(news, key=lambda one: one[0].organization):
            some = list(group)
            if not await self._told(organization, some):
                unsent.append(organization)
                continue
            sent += 1
            memory |= {(one.organization, one.path): expiry.told(one, days) for one, days in some}
        return ExpiryLook(told=tuple(memory.values()), sent=sent, unsent=tuple(unsent))

    async def _found(self, request: ExpiryRequest) -> list[ExpiringSecret]:
        organizations = await call(
            ExpiryPlanActivities.list_organizations,
            request,
            "which organizations there are",
            queue=ids.CONTROL_QUEUE,
            options=_SOON,
        )
        before, found = workflow.now() + expiry.FIRST, list[ExpiringSecret]()
        for first in range(0, len(organizations.names), _AT_ONCE):
            names = organizations.names[first : first + _AT_ONCE]
            seen = await call(
                ExpiryActivities.find_expiring,
                FindExpiring(organizations=names, before=before),
                f"which secrets of {names[0]} to {names[-1]} expire",
                queue=ids.SECRETS_QUEUE,
                options=_LOOK,
            )
            found += seen.items
        return found

    async def _told(self, organization: str, news: _News) -> bool:
        """Tells the owners of one organization, each once; False = they could not be told."""
        try:
            owners = sorted({one.owner for one, _ in news})
            for owner in owners:
                own = [one for one, _ in news if one.owner == owner]
                await self._notify(organization, owner, own)
            await self._record(organization, news)
        except (FailureError, PlatformError) as failure:
            stop_if_cancelled()
            if is_cancelled_exception(failure):
                raise
            return False
        return True

    async def _notify(
        self, organization: str, owner: str, secrets: Sequence[ExpiringSecret]
    ) -> None:
        now, info = workflow.now(), workflow.info()
        lines = [expiry.said(one, now) for one in secrets]
        many = f"{lines[0]}, and {len(lines) - 1} more" if len(lines) > 1 else lines[0]
        person = "@" in owner
        notice = Notice(
            key=f"{info.workflow_id}/{info.run_id}/{organization}/{owner}",
            organization=organization,
            kind="secret.expiring",
            title=f"{organization}: {many}"[:300],
            text="\n".join(f"- {line}" for line in lines),
            groups=() if person or not owner else (owner,),
            people=(owner,) if person else (),
            subject=f"secret {secrets[0].path}",
            at=now,
        )
        await call(
            NoticeActivities.send_notice,
            notice,
            f"tell {owner or 'people'}: {many}"[:200],
            queue=ids.CONTROL_QUEUE,
            options=_SOON,
        )

    async def _record(self, organization: str, news: _News) -> None:
        now = workflow.now()
        facts = Facts(organization, "secrets", Trigger(kind=TriggerKind.AUTOMATIC))
        for secret, days in news:
            scope = scope_of(secret.path)
            facts.add(
                "secret.expiring" if days else "secret.expired",
                step=f"expiry:{secret.path}:{days}",
                result=FactResult.DONE if days else FactResult.FAILED,
                subject=f"secret {secret.path}",
                project=scope.project,
                environment=scope.environment,
                message=expiry.said(secret, now),
            )
        await facts.write()
