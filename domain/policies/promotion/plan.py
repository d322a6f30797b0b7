"""What a promotion would do, wait for and ask of people, in words."""

from __future__ import annotations

from collections.abc import Iterable

from domain.deliveries.promotions import (
    GateState,
    GateVerdict,
    PromotionFacts,
    PromotionPlan,
    PromotionRequest,
)
from domain.resources.gates import APPROVAL

_SHOWN = 20


def runs_already(facts: PromotionFacts) -> bool:
    """Tells whether the target runs exactly what the promotion would bring."""
    return bool(facts.release) and facts.target.release == facts.release and facts.target.ready


def plan(
    request: PromotionRequest, facts: PromotionFacts, verdicts: tuple[GateVerdict, ...]
) -> PromotionPlan:
    """Puts together what a promotion would be, from what it would be judged by."""
    return PromotionPlan(
        facts=facts,
        gates=verdicts,
        hash=facts.agreed,
        nothing_to_do=runs_already(facts),
        approvals=tuple(_approvals(request, facts)),
        waits=tuple(_waits(request, facts, verdicts)),
    )


def described_plan(facts: PromotionFacts) -> str:
    """Returns in Markdown what would change, for those who are asked to agree."""
    lines = [f"- {one.change} {one.name}" for one in facts.changes[:_SHOWN]]
    more = len(facts.changes) - _SHOWN
    lines += [f"- and {more} more objects"] if more > 0 else []
    parts = {
        "Configuration": facts.configuration,
        "Who may talk": facts.pairs,
        "Ways": facts.network,
    }
    for title, told in parts.items():
        shown = [f"    {one}" for one in told[:_SHOWN]]
        shown += [f"    and {len(told) - _SHOWN} more"] if len(told) > _SHOWN else []
        lines += ["", f"{title}:", "", *shown] if shown else []
    artifact = facts.artifact
    head = [
        f"Image {artifact.image}" if artifact and artifact.image else "",
        f"Commit {artifact.commit} ({artifact.branch})" if artifact and artifact.commit else "",
        f"Release {facts.release}",
    ]
    return "\n".join([*(line for line in head if line), "", *(lines or ["- nothing changes"])])


def _approvals(request: PromotionRequest, facts: PromotionFacts) -> Iterable[str]:
    rule = facts.rules.approval
    if rule is None:
        return
    if request.hotfix and APPROVAL in facts.rules.skips:
        yield "nobody: a hotfix leaves it out"
        return
    groups = " or ".join(rule.groups) or f"anyone who may approve in {facts.environment}"
    people = "1 person" if rule.quorum == 1 else f"{rule.quorum} people"
    yield f"{people} of {groups}"
    for group in rule.required_groups:
        yield f"1 person of {group}"
    if not rule.allow_requester and request.trigger.actor:
        yield f"not {request.trigger.actor}, who asks"
    authors = facts.artifact.authors if facts.artifact else ()
    if not rule.allow_authors and authors:
        yield f"not {', '.join(authors)}, who wrote it"


def _waits(
    request: PromotionRequest, facts: PromotionFacts, verdicts: Iterable[GateVerdict]
) -> Iterable[str]:
    if request.not_before is not None and facts.at < request.not_before:
        yield f"its time: {request.not_before:%Y-%m-%d %H:%M} UTC"
    for one in verdicts:
        if one.state is GateState.WAITING:
            until = one.until.strftime("until %Y-%m-%d %H:%M UTC") if one.until else "until lifted"
            yield f"{one.name}: {until}"
        elif one.state is GateState.PENDING:
            yield f"{one.name}: asked on the way"
    if facts.freeze is not None and not facts.freeze.is_open:
        opens = facts.freeze.until
        until = opens.strftime("until %Y-%m-%d %H:%M UTC") if opens else "until overridden"
        yield f"{facts.freeze.message}: {until}"
    if facts.rules.watch_seconds:
        yield f"watched for {facts.rules.watch_seconds} s after it is ready"
