"""The gates of a promotion: small named rules, facts in, verdict with its reason out.

All of them are judged and shown, whichever is closed. What nobody knows is said to be unknown; the
pipeline decides whether that passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from domain.deliveries.promotions import (
    ArtifactFacts,
    GateOutcome,
    GateRule,
    GateState,
    GateVerdict,
    PromotionFacts,
    PromotionRequest,
)
from domain.policies.promotion.standing import pinned
from domain.policies.promotion.verdicts import is_closed, is_open
from domain.resources.gates import SOAKED, GateCheck, WhenUnknown


class Case(BaseModel):
    """Everything one promotion is judged by at one moment."""

    model_config = ConfigDict(frozen=True)

    request: PromotionRequest
    facts: PromotionFacts
    outcomes: Mapping[str, GateOutcome] = {}
    """What came of gates that had to be asked, by name."""
    now: datetime

    @property
    def artifact(self) -> ArtifactFacts:
        """What is promoted; without a name when there is nothing."""
        return self.facts.artifact or ArtifactFacts(name=self.request.artifact)


def order(case: Case) -> GateVerdict:
    """The artifact runs in an environment that the pipeline names as a source of the target."""
    source, artifact = case.facts.source, case.artifact
    evidence = {"source": source.environment, "runs there": source.artifact}
    if reason := _no_way(case):
        who = "a platform engineer, by changing the pipeline"
        return is_closed("order", reason, evidence=evidence, who=who)
    if not artifact.name:
        return is_closed("order", f"nothing runs in {source.environment}", evidence=evidence)
    if case.facts.artifact is None:
        return is_closed("order", f"DeployableArtifact {artifact.name} does not exist")
    if source.artifact != artifact.name:
        runs = source.artifact or "nothing"
        reason = f"{source.environment} runs {runs}, not {artifact.name}"
        return is_closed("order", reason, evidence=evidence, who="a promotion to the source first")
    if not case.facts.source_passed:
        reason = f"{artifact.name} did not come to {source.environment} through its gates"
        return is_closed("order", reason, evidence=evidence, who="a promotion to the source first")
    return is_open("order", f"{source.environment} runs {artifact.name}", evidence=evidence)


def _no_way(case: Case) -> str:
    """Says why the pipeline does not lead from the source to the target; empty = it does."""
    facts = case.facts
    here = f"{facts.environment} of pipeline {facts.pipeline}"
    if facts.environment == facts.first:
        return f"{here} is the first: what is built goes there by itself"
    if not facts.sources:
        return f"pipeline {facts.pipeline} has no way to {facts.environment}"
    if facts.source.environment in facts.sources:
        return ""
    ways = ", ".join(facts.sources)
    if not facts.source.environment:
        return f"{here} is reached from {ways}: name one of them"
    return f"{here} is reached from {ways}, not from {facts.source.environment}"


def veto(case: Case) -> GateVerdict:
    """No person and no rollback said that the artifact must not come here."""
    for one in case.facts.standing.vetoes:
        image = bool(one.image) and one.image == case.artifact.image
        if image or one.artifact == case.artifact.name:
            return is_closed(
                "veto",
                f"{one.artifact} is vetoed here: {one.reason}",
                since=one.since,
                who=f"whoever may deploy here: pavane veto lift {_place(case)}",
            )
    return is_open(
        "veto", f"nothing vetoes {case.artifact.name}" if case.artifact.name else "no veto"
    )


def hold(case: Case) -> GateVerdict:
    """Nothing keeps automation away from the place; a person who asks knows what they do."""
    held = case.facts.standing.hold
    if held is None or (held.until is not None and held.until <= case.now):
        return is_open("hold", "nothing is held here")
    if not case.request.trigger.is_automatic:
        return is_open("hold", f"held for automation only: {held.reason}", since=held.since)
    return is_closed(
        "hold",
        f"held: {held.reason}",
        state=GateState.WAITING,
        since=held.since,
        until=held.until,
        who=f"whoever may deploy here: pavane hold lift {_place(case)}",
    )


def pin(case: Case) -> GateVerdict:
    """Nobody pinned another artifact to the place; it keeps away people as well as automation."""
    found = pinned(case.facts.standing, case.artifact.name, case.now)
    if found is None:
        return is_open("pin", "no other artifact is pinned here")
    by = f" by {found.by}" if found.by else ""
    return is_closed(
        "pin",
        f"pinned to {found.artifact}{by}: {found.reason}",
        state=GateState.WAITING,
        since=found.since,
        until=found.until,
        who=f"whoever may deploy here: pavane unpin {_place(case)}",
    )


def source_healthy(case: Case) -> GateVerdict:
    """The source environment is ready with the artifact."""
    source = case.facts.source
    evidence = {"environment": source.environment, "reason": source.reason}
    if source.ready and source.artifact:
        reason = f"{source.environment} is ready"
        return is_open("source-healthy", reason, since=source.since, evidence=evidence)
    why = ": ".join(part for part in (source.reason, source.message) if part)
    return is_closed(
        "source-healthy",
        f"{source.environment or 'the source'} is not ready{f' ({why})' if why else ''}",
        since=source.since,
        evidence=evidence,
    )


def source_soaked(case: Case) -> GateVerdict:
    """The source has been ready with the artifact for long enough."""
    source, wanted = case.facts.source, timedelta(seconds=case.facts.rules.soak_seconds)
    if not wanted:
        return is_open(SOAKED, "no time is asked for")
    if not source.ready or source.since is None:
        return is_closed(SOAKED, f"{source.environment} is not ready")
    until = source.since + wanted
    if case.now < until:
        return is_closed(
            SOAKED,
            f"ready in {source.environment} since {_told(source.since)}, {wanted} are asked for",
            state=GateState.WAITING,
            since=source.since,
            until=until,
        )
    return is_open(SOAKED, f"ready in {source.environment} for {wanted}", since=source.since)


def asked(case: Case, rule: GateRule) -> GateVerdict:
    """What came of a gate that is asked: tests, webhook, a person, an expression."""
    outcome = case.outcomes.get(rule.name)
    if outcome is not None and outcome.hash not in {"", case.facts.hash}:
        outcome = None  # it was about something else
    if outcome is None:
        return _not_asked(case, rule)
    evidence = {"by": outcome.by, "report": outcome.report}
    evidence = {key: value for key, value in evidence.items() if value}
    told = GateVerdict(
        name=rule.name,
        check=rule.check,
        state=GateState.OPEN,
        reason=outcome.reason,
        since=outcome.at,
        evidence=evidence,
    )
    if outcome.passed is None:
        unknown = _unknown(rule, outcome.reason)
        return unknown.model_copy(update={"evidence": {**unknown.evidence, **evidence}})
    if outcome.passed:
        return told
    reason = f"{outcome.reason}; {rule.message}" if rule.message else outcome.reason
    return told.model_copy(update={"state": GateState.CLOSED, "reason": reason})


def _not_asked(case: Case, rule: GateRule) -> GateVerdict:
    if rule.check is GateCheck.MANUAL:
        return GateVerdict(
            name=rule.name,
            check=rule.check,
            state=GateState.WAITING,
            reason=rule.message or "a person has to look",
            who=f"whoever may deploy here: pavane promote {_place(case)} --confirm {rule.name}",
        )
    if rule.check in {GateCheck.TESTS, GateCheck.WEBHOOK}:
        return GateVerdict(
            name=rule.name,
            check=rule.check,
            state=GateState.PENDING,
            reason="it is asked once nothing else is closed",
        )
    return _unknown(rule, _NOBODY_KNOWS.get(rule.check, "it was not judged"))


_NOBODY_KNOWS = {
    GateCheck.SCAN: "there is no artifact with a scan",
    GateCheck.CONFIGURATION: "its facts could not be read, so nobody knows what it needs",
    GateCheck.DEPENDENCIES: "there is nothing to promote",
    GateCheck.QUOTA: "it could not be rendered, so nobody knows what it takes up",
}
"""What this version of the platform has no facts about."""


def _unknown(rule: GateRule, why: str) -> GateVerdict:
    passes = rule.when_unknown is WhenUnknown.PASS
    reason = f"unknown: {why}" + ("; the pipeline lets that pass" if passes else "")
    return GateVerdict(
        name=rule.name,
        check=rule.check,
        state=GateState.OPEN if passes else GateState.UNKNOWN,
        reason=reason,
        who="" if passes else "a platform engineer: whenUnknown of the gate",
        evidence={"known": "no"},
    )


ALWAYS: tuple[Callable[[Case], GateVerdict], ...] = (
    order,
    veto,
    hold,
    pin,
    source_healthy,
    source_soaked,
)
"""What is looked at in every step, before the gates of the pipeline."""


def evaluate(case: Case) -> tuple[GateVerdict, ...]:
    """Judges every gate, in order. Never stops at one that is closed."""
    verdicts = [rule(case) for rule in ALWAYS]
    verdicts += [asked(case, rule) for rule in case.facts.rules.gates]
    return tuple(_skipped(case, verdict) for verdict in verdicts)


def _skipped(case: Case, verdict: GateVerdict) -> GateVerdict:
    """A hotfix leaves out what the pipeline names, and nothing else."""
    leaves_out = case.request.hotfix and verdict.name in case.facts.rules.skips
    if not leaves_out or verdict.is_open:
        return verdict
    reason = f"left out by a hotfix ({case.request.reason}); it says: {verdict.reason}"
    return verdict.model_copy(update={"state": GateState.SKIPPED, "reason": reason})


def closed(verdicts: Sequence[GateVerdict]) -> tuple[GateVerdict, ...]:
    """Returns those that will not open by waiting."""
    return _in(verdicts, GateState.CLOSED, GateState.UNKNOWN)


def waiting(verdicts: Sequence[GateVerdict]) -> tuple[GateVerdict, ...]:
    """Returns those that open by themselves or by a person."""
    return _in(verdicts, GateState.WAITING)


def pending(verdicts: Sequence[GateVerdict]) -> tuple[GateVerdict, ...]:
    """Returns those that have to be asked."""
    return _in(verdicts, GateState.PENDING)


def described(verdicts: Sequence[GateVerdict]) -> str:
    """Says in one line which gates are in the way, and why."""
    return "; ".join(f"{one.name}: {one.reason}" for one in verdicts)


def _in(verdicts: Sequence[GateVerdict], *states: GateState) -> tuple[GateVerdict, ...]:
    return tuple(one for one in verdicts if one.state in states)


def _place(case: Case) -> str:
    return f"{case.request.component} {case.request.environment}"


def _told(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
