"""What people and the platform do to a gated place, in an order that a seed decides."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError

from domain import ids
from domain.deliveries import DeployRequest, Trigger, TriggerKind
from domain.deliveries.approval_votes import Act, ApprovalDecision, ApprovalPerson
from domain.deliveries.approvals import ApprovalStanding
from domain.deliveries.rollbacks import RollbackRequest
from domain.deliveries.standings import StandingChange
from tests.workflows.approving import ANN, BOB, CAT, DAN, EVE
from tests.workflows.promotion_model import (
    ARTIFACTS,
    QUORUM,
    REQUESTER,
    Content,
    GatedPlace,
    Workers,
    bounded,
)
from workflows.promotions.standings import TemporalStandings
from workflows.promotions.starting import start_rollback, stir_promotion
from workflows.starting import signal_deployment

ROB = ApprovalPerson(subject="id-rob", email=REQUESTER)
PERMITTED = (ANN, BOB, CAT, DAN)
_REFUSALS = (WorkflowUpdateFailedError, WorkflowFailureError, RPCError, TimeoutError)
"""What any of these moves may be answered with: refused, over, or nobody there just now."""
_PATIENCE = 2.0
"""Seconds for which somebody looks for an approval that is not there; too short only does less."""
Move = Callable[[], Coroutine[Any, Any, object]]


class Seen:
    """An approval as somebody looked at it; it may be another one by the time they decide."""

    def __init__(self, run: str, standing: ApprovalStanding, content: Content) -> None:
        self.run = run
        self.round = standing.request.state.round
        self.hash = standing.hash
        self.content = content


class Moves:
    """Makes one move after the other, most of them without waiting for what comes of it."""

    def __init__(self, place: GatedPlace, workers: Workers, dice: random.Random) -> None:
        self._place = place
        self._workers = workers
        self._dice = dice
        self._number = 0
        self._looked: list[Seen] = []
        self._open: set[asyncio.Task[None]] = set()
        self.done: list[str] = []
        self._moves: dict[str, tuple[Move, int]] = {
            "build": (self._build, 1),
            "edit": (self._edit, 2),
            "rule": (self._rule, 1),
            "promote": (self._promote, 4),
            "stir": (self._stir, 1),
            "approve": (self._approve, 16),
            "approve late": (self._approve_late, 3),
            "approve wrongly": (self._approve_wrongly, 3),
            "reject": (self._reject, 1),
            "freeze": (self._freeze, 2),
            "sneak": (self._sneak, 4),
            "roll back": (self._roll_back, 2),
            "lift": (self._lift, 2),
            "cancel": (self._cancel, 1),
        }

    async def begin(self) -> None:
        """Somebody asks for a promotion, so that there is something to decide about."""
        await self._promote()

    async def one(self) -> None:
        """Makes the next move; now and then all workers are killed while moves are in flight."""
        if self._dice.random() < 0.06:
            self.done.append("kill")
            await self._workers.replaced()
            return
        names = list(self._moves)
        weights = [self._moves[name][1] for name in names]
        (name,) = self._dice.choices(names, weights)
        self.done.append(name)
        task = asyncio.create_task(self._tried(self._moves[name][0]))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        if self._dice.random() < 0.7:
            await asyncio.wait({task}, timeout=30)
        # Time for what was begun to come to different points; nothing hangs on how much it is.
        await asyncio.sleep(self._dice.random() * 0.3)

    async def settle(self) -> None:
        """Lets everything that is on its way end."""
        while self._open:
            await asyncio.wait(set(self._open), timeout=60)
        self._place.frozen = False
        with suppress(*_REFUSALS):
            await self._cancel()
            await bounded(self._promotion().result())

    async def until_something_comes(self) -> None:
        """People agree to what is there now, so that no sequence ends with nothing said.

        What was on its way may be in the way still, so it is asked for until it is there.
        """
        configuration = self._place.wanted.configuration + 1
        self._place.wanted = self._place.wanted._replace(configuration=configuration)
        self._place.quorum = QUORUM
        wanted = self._place.content("")
        while self._place.runs != wanted:
            await self._lift()
            handle = await self._promote()
            ended = asyncio.ensure_future(handle.result())
            looking = asyncio.ensure_future(self._look_until_open(wanted))
            await asyncio.wait({ended, looking}, return_when=asyncio.FIRST_COMPLETED)
            with suppress(*_REFUSALS):
                if looking.done():
                    for person in (ANN, BOB):
                        await self._says(person, looking.result(), Act.APPROVE)
                await ended
            looking.cancel()

    async def _tried(self, move: Move) -> None:
        with suppress(*_REFUSALS):
            await bounded(move(), 30)

    def _key(self, what: str) -> str:
        self._number += 1
        return f"{what}-{self._number}"

    async def _build(self) -> None:
        artifact = self._dice.choice(ARTIFACTS)
        self._place.wanted = self._place.wanted._replace(artifact=artifact)
        await self._stir()

    async def _edit(self) -> None:
        configuration = self._dice.randint(1, 3)
        self._place.wanted = self._place.wanted._replace(configuration=configuration)
        await self._stir()

    async def _rule(self) -> None:
        self._place.quorum = self._dice.choice((QUORUM, QUORUM + 1))
        await self._stir()

    async def _promote(self) -> WorkflowHandle[Any, Any]:
        trigger = Trigger(kind=TriggerKind.API, actor=REQUESTER)
        return await self._place.promote(self._key("promote"), trigger=trigger)

    async def _stir(self) -> None:
        await stir_promotion(self._place.client, self._place.organization, "web", "staging")

    async def _freeze(self) -> None:
        self._place.frozen = not self._place.frozen
        await self._stir()

    async def _cancel(self) -> None:
        await self._promotion().cancel(reason="ann: enough")

    def _promotion(self) -> WorkflowHandle[Any, Any]:
        return self._place.client.get_workflow_handle(
            ids.promotion_id(self._place.organization, "web", "staging")
        )

    def _approval(self) -> WorkflowHandle[Any, Any]:
        subject = ids.promotion_id(self._place.organization, "web", "staging")
        return self._place.client.get_workflow_handle(ids.approval_id(subject))

    async def _look(self) -> Seen:
        """Somebody opens the approval, soon after it is asked for; what they see they remember."""
        handle = self._approval()
        async with asyncio.timeout(_PATIENCE):
            while True:
                with suppress(RPCError):
                    run = (await handle.describe()).run_id
                    standing: ApprovalStanding = await handle.query(
                        "approval", result_type=ApprovalStanding
                    )
                    if standing.outcome is None:
                        break
                await asyncio.sleep(0.05)
        facts = standing.request.facts
        (content,) = [
            one
            for one in self._place.contents()
            if (one.image, one.hash) == (facts.artifact, facts.configuration)
        ]
        seen = Seen(run, standing, content)
        self._looked.append(seen)
        return seen

    async def _look_until_open(self, wanted: Content) -> Seen:
        while True:
            with suppress(*_REFUSALS):
                seen = await self._look()
                if seen.content == wanted:
                    return seen
            await asyncio.sleep(0.05)

    async def _says(self, person: ApprovalPerson, seen: Seen, act: Act) -> None:
        if act is Act.APPROVE and person in PERMITTED:
            self._place.oracle.agrees(seen.run, seen.round, seen.content, person.email)
        await self._sends(self._signed(person, seen, act))

    def _signed(self, person: ApprovalPerson, seen: Seen, act: Act) -> ApprovalDecision:
        decision = ApprovalDecision(act=act, hash=seen.hash, round=seen.round, text="seen")
        return self._place.approvals.signer.sign(self._approval().id, decision, person)

    async def _sends(self, decision: ApprovalDecision) -> None:
        """By update as the API does, or by signal as the Temporal CLI does."""
        if self._dice.random() < 0.8:
            await self._approval().execute_update("decide", decision, id=self._key("vote"))
        else:
            await self._approval().signal("decide", decision)

    async def _approve(self) -> None:
        await self._says(self._dice.choice(PERMITTED), await self._look(), Act.APPROVE)

    async def _approve_late(self) -> None:
        """Somebody decides about what they looked at some time ago."""
        if self._looked:
            seen = self._dice.choice(self._looked)
            await self._says(self._dice.choice(PERMITTED), seen, Act.APPROVE)

    async def _approve_wrongly(self) -> None:
        """None of these may count, whatever they are about."""
        seen = await self._look()
        signed = self._signed(self._dice.choice(PERMITTED), seen, Act.COMMENT)
        wrong: list[ApprovalDecision] = [
            self._signed(ROB, seen, Act.APPROVE),
            self._signed(EVE, seen, Act.APPROVE),
            signed.model_copy(update={"act": Act.APPROVE}),
            self._signed(ANN, seen, Act.APPROVE).model_copy(update={"assertion": ""}),
        ]
        if self._looked:
            old = self._dice.choice(self._looked)
            if old.hash != seen.hash:
                moved = {"hash": seen.hash, "round": seen.round}
                wrong.append(self._signed(BOB, old, Act.APPROVE).model_copy(update=moved))
        await self._sends(self._dice.choice(wrong))

    async def _reject(self) -> None:
        await self._says(self._dice.choice(PERMITTED), await self._look(), Act.REJECT)

    async def _sneak(self) -> None:
        """An edit of the binding, or an order past the promotion."""
        kind = self._dice.choice((TriggerKind.API, TriggerKind.RESOURCE, TriggerKind.AUTOMATIC))
        request = DeployRequest(
            organization=self._place.organization,
            component="web",
            environment="staging",
            request_id=self._key("sneak"),
            artifact=self._dice.choice(ARTIFACTS),
            trigger=Trigger(kind=kind, actor="eve"),
        )
        await signal_deployment(self._place.client, request)

    async def _roll_back(self) -> None:
        request = RollbackRequest(
            organization=self._place.organization,
            component="web",
            environment="staging",
            request_id=self._key("back"),
            reason="errors",
            trigger=Trigger(kind=TriggerKind.API, actor="ann"),
        )
        await (await start_rollback(self._place.client, request)).result()

    async def _lift(self) -> None:
        """A person lifts hold and vetoes, so that more can come."""
        for artifact in ARTIFACTS:
            change = StandingChange(
                organization=self._place.organization,
                component="web",
                environment="staging",
                key=self._key("lift"),
                lift_hold=True,
                lift_veto=artifact,
                at=self._place.now(),
            )
            await TemporalStandings(self._place.client).change(change)
