"""Brings one promotion through its gates: looks, waits, asks. Changes nothing outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from temporalio import workflow

from activities.promotions.standing import PromotionActivities
from domain import ids
from domain.deliveries.freezes import FreezeVerdict
from domain.deliveries.promotions import (
    Confirmation,
    GateOutcome,
    GateVerdict,
    PromotionFacts,
    PromotionRequest,
)
from domain.errors import Conflict, Denied
from domain.policies.promotion.gates import Case, closed, described, evaluate, pending, waiting
from domain.policies.promotion.plan import runs_already
from domain.records import FactResult, LeadTime
from domain.resources.gates import SOAKED, GateCheck
from workflows.common.calls import QUICK, call
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.guards.thaw import Thaw
from workflows.promotions.approval import ApprovalDesk
from workflows.promotions.questions import ask_gate

_LONGEST_WAIT = timedelta(days=30)
"""How long a gate may stay closed for the time being before the promotion gives up."""
_LONGEST_FREEZE = timedelta(days=90)
"""How long a freeze may last before the promotion gives up."""
_REPORT = 3800
"""Last characters of a report that a fact keeps: the end says how it went."""
_LOOKS_AGAIN = timedelta(hours=6)
"""A changed window is told; looking now and then makes it sure, and costs little for months."""


class Passage:
    """What is known of one promotion on its way through the gates."""

    def __init__(self, request: PromotionRequest, progress: Progress) -> None:
        self.request = request
        self.facts: PromotionFacts | None = None
        self.verdicts: tuple[GateVerdict, ...] = ()
        self.approvals = ApprovalDesk(request, progress)
        self._progress = progress
        self.facts_log = Facts(
            request.organization,
            f"{request.component} in {request.environment}",
            request.trigger,
            component=request.component,
            environment=request.environment,
            scope=request.request_id,
        )
        asked = FactResult.ASKED
        self.facts_log.add("promotion.requested", result=asked, after=request.artifact,
                           reason=request.reason)  # fmt: skip
        self._outcomes: dict[str, GateOutcome] = {}
        self._began = workflow.now()
        self._is_stirred = False
        self._voices = 0
        self._asked = 0
        self.attempts = 0
        """How often it was tried to deploy: the effects of each try have keys of their own."""
        self._thaw = Thaw(progress)
        self.waited = LeadTime()
        """Where the time went so far; what is waited for again is added."""

    @property
    def artifact(self) -> str:
        """What is promoted; empty while that is not known."""
        return self.facts.artifact.name if self.facts and self.facts.artifact else ""

    def stir(self) -> None:
        """Something may be different now: look again."""
        self._is_stirred = True
        self.approvals.stir()

    def check(self, confirmation: Confirmation) -> None:
        """Returns when a person's word is waited for at that gate.

        Raises:
            Conflict: It is not.
        """
        rules = self.facts.rules.gates if self.facts else ()
        manual = {one.name for one in rules if one.check is GateCheck.MANUAL}
        if confirmation.gate not in manual:
            known = ", ".join(sorted(manual)) or "none"
            raise Conflict(f"{confirmation.gate} is no gate that a person opens here: {known}")

    def confirm(self, confirmation: Confirmation) -> None:
        """A person looked, and says what they saw."""
        self._voices += 1
        self.facts_log.add(
            "gate.passed" if confirmation.passes else "gate.refused",
            step=f"voice-{self._voices}",
            result=FactResult.DONE if confirmation.passes else FactResult.REFUSED,
            actor=confirmation.by,
            reason=confirmation.note,
            after=self.artifact,
            after_hash=self.facts.hash if self.facts else "",
            message=f"gate {confirmation.gate}",
        )
        self._outcomes[confirmation.gate] = GateOutcome(
            name=confirmation.gate,
            passed=confirmation.passes,
            reason=confirmation.note or ("looked at" if confirmation.passes else "refused"),
            by=confirmation.by,
            at=workflow.now(),
            hash=self.facts.hash if self.facts else "",
        )
        self.stir()

    async def through(self) -> PromotionFacts:
        """Returns the facts with which everything is open at the same time.

        Raises:
            Denied: A gate is closed, or people said no.
        """
        while True:
            facts = await self.look()
            if runs_already(facts):
                return facts
            if facts.problem:
                raise Denied(f"it cannot be rendered for {facts.environment}: {facts.problem}")
            if shut := closed(self.verdicts):
                raise Denied(described(shut), facts={"gates": ", ".join(x.name for x in shut)})
            if waits := waiting(self.verdicts):
                await self._wait(waits)
            elif open_questions := pending(self.verdicts):
                await self._ask(facts, open_questions)
            elif facts.freeze is not None and not facts.freeze.is_open:
                await self._frozen(facts.freeze)
            elif await self._agreed(facts) and not await self._too_early():
                self._tell_override(facts)
                return facts

    async def _too_early(self) -> bool:
        """Waits until it may be let through; True = it waited, so all is looked at anew."""
        earliest = self.request.not_before
        if earliest is None or workflow.now() >= earliest:
            return False
        last = self._began + _LONGEST_FREEZE
        if earliest > last:
            raise Denied(
                f"{earliest:%Y-%m-%d %H:%M} UTC is more than {_LONGEST_FREEZE.days} days away"
            )
        what = f"{earliest:%Y-%m-%d %H:%M} UTC"
        with self._progress.step("time", awaiting=what, until=earliest, who="a newer request"):
            await self._stirred(earliest, f"wait until {what}")
        return True

    async def _agreed(self, facts: PromotionFacts) -> bool:
        """Asks people, where the step wants that; what is known by then is written down first."""
        if facts.rules.approval is not None:
            await self.facts_log.write()
        with self._counted("" if facts.rules.approval is None else "approval"):
            return await self.approvals.is_approved(facts)

    async def look(self) -> PromotionFacts:
        """Reads the facts and judges all gates anew."""
        self._is_stirred = False
        request = self.request
        with self._progress.step("gates"):
            facts = await call(
                PromotionActivities.read_promotion,
                request,
                f"look at {request.component} and the gates of {request.environment}",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
            self.facts = facts
            outcomes = {one.name: one for one in facts.judged} | self._outcomes
            case = Case(request=request, facts=facts, outcomes=outcomes, now=workflow.now())
            self.verdicts = evaluate(case)
        still = [one for one in self.verdicts if not one.is_open]
        self._progress.note("gates", described(still) or f"{len(self.verdicts)} gates are open")
        return facts

    async def _wait(self, waits: Sequence[GateVerdict]) -> None:
        """Waits until a gate opens by itself, or something is told."""
        last = self._began + _LONGEST_WAIT
        if workflow.now() >= last:
            raise Denied(f"not open within {_LONGEST_WAIT.days} days: {described(waits)}")
        until = min((one.until for one in waits if one.until is not None), default=last)
        who = ", ".join(sorted({one.who for one in waits if one.who}))
        soaks = any(one.name == SOAKED for one in waits)
        with (
            self._progress.step("gates", awaiting=described(waits), until=until, who=who),
            self._counted("soak" if soaks else ""),
        ):
            await self._stirred(min(until, last), described(waits))

    async def _frozen(self, verdict: FreezeVerdict) -> None:
        """Waits while the target is frozen; everything is looked at anew afterwards."""
        last = self._began + _LONGEST_FREEZE
        if workflow.now() >= last:
            raise Denied(f"not open within {_LONGEST_FREEZE.days} days: {verdict.message}")
        longest = min(_LOOKS_AGAIN, last - workflow.now())
        with self._counted("freeze"):
            await self._thaw.wait(verdict, lambda: self._is_stirred, longest)

    @contextmanager
    def _counted(self, part: str) -> Iterator[None]:
        """Adds the time of the block to a part of the lead time; empty = to none."""
        began = workflow.now()
        yield
        if part:
            seconds = (workflow.now() - began).total_seconds() + (getattr(self.waited, part) or 0)
            self.waited = self.waited.model_copy(update={part: round(seconds, 3)})

    def frozen(self, why: str) -> None:
        """A freeze began, and what was under way was undone for it."""
        before = self.facts.release if self.facts else ""
        after = self.facts.target.release if self.facts else ""
        self.facts_log.add(
            "freeze.reverted",
            step=f"reverted-{self.attempts}",
            result=FactResult.UNDONE,
            reason=why,
            before=before,
            after=after,
        )

    def _tell_override(self, facts: PromotionFacts) -> None:
        for one in facts.freeze.lifted if facts.freeze else ():
            self.facts_log.add(
                "freeze.overridden",
                step=f"freeze.overridden-{one.window}",
                actor=one.by,
                reason=one.reason,
                before=one.window,
            )

    async def _stirred(self, until: datetime, why: str) -> None:
        pause = max(until - workflow.now(), timedelta(seconds=1))
        try:
            await workflow.wait_condition(
                lambda: self._is_stirred, timeout=pause, timeout_summary=why[:200]
            )
        except TimeoutError:
            return

    async def _ask(self, facts: PromotionFacts, gates: Sequence[GateVerdict]) -> None:
        """Asks those gates that cost something, one after the other; all are asked."""
        rules = {rule.name: rule for rule in facts.rules.gates}
        for gate in gates:
            rule = rules[gate.name]
            with self._progress.step("gates", awaiting=f"gate {rule.name}"):
                outcome = await ask_gate(facts, rule, self._key)
            self._tell_asked(outcome)
            self._outcomes[rule.name] = outcome.model_copy(
                update={"hash": facts.hash, "at": workflow.now()}
            )

    def _tell_asked(self, outcome: GateOutcome) -> None:
        """Keeps what a gate said, with the report of its tests, where no retention reaches it."""
        results = {True: FactResult.DONE, False: FactResult.REFUSED, None: FactResult.FAILED}
        told = {True: "passed", False: "refused", None: "unknown"}
        self._asked += 1
        said = ": ".join(one for one in (f"gate {outcome.name}", outcome.report[-_REPORT:]) if one)
        self.facts_log.add(
            f"gate.{told[outcome.passed]}",
            step=f"asked-{self._asked}",
            result=results[outcome.passed],
            authority=f"gate {outcome.name}",
            reason=outcome.reason,
            after=self.artifact,
            after_hash=self.facts.hash if self.facts else "",
            message=said,
        )

    @property
    def _key(self) -> str:
        return f"{workflow.info().run_id}:{self.request.request_id}"


def title(request: PromotionRequest) -> str:
    """Says in a few words what is promoted where."""
    what = request.artifact or request.component
    return f"promote {what} to {request.environment}"
