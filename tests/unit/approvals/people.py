"""People, requests and decisions that the tests of approvals share."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.deliveries.approval_votes import (
    Act,
    ApprovalDecision,
    ApprovalPerson,
    PeopleFacts,
)
from domain.deliveries.approvals import ApprovalRequest, ApprovalRule, BoundFacts
from domain.policies import approvals

START = datetime(2026, 1, 1, tzinfo=UTC)
FACTS = BoundFacts(artifact="sha256:a", configuration="c1", policies="p1", plan="n1")
_NUMBERS = itertools.count()


def person(name: str, *groups: str) -> ApprovalPerson:
    return ApprovalPerson(subject=f"id-{name}", email=f"{name}@acme.example", groups=groups)


ANN = person("ann", "leads")
BOB = person("bob", "leads")
CAT = person("cat", "security")
DAN = person("dan")
EVERYONE = (ANN, BOB, CAT, DAN)


def asked(rule: ApprovalRule | None = None, **changes: Any) -> ApprovalRequest:
    request = ApprovalRequest(
        **{
            "subject": "promotion/acme/web/production",
            "organization": "acme",
            "asked": "promote web to production",
            "facts": FACTS,
            "rule": rule or ApprovalRule(),
            "requester": "rob@acme.example",
            **changes,
        }
    )
    return approvals.opened(request, START)


def proven(
    who: ApprovalPerson, permitted: tuple[ApprovalPerson, ...] = EVERYONE, *, number: str = ""
) -> PeopleFacts:
    return PeopleFacts(
        person=who,
        assertion_id=number or f"assertion-{next(_NUMBERS)}",
        assertion_until=START + timedelta(days=400),
        permitted=tuple(one.subject for one in permitted),
    )


def decision(request: ApprovalRequest, act: Act = Act.APPROVE, **changes: Any) -> ApprovalDecision:
    return ApprovalDecision(
        **{
            "act": act,
            "hash": request.hash,
            "round": request.state.round,
            "text": "seen",
            "assertion": "signed",
            **changes,
        }
    )


def approved_by(
    request: ApprovalRequest,
    *people: ApprovalPerson,
    permitted: tuple[ApprovalPerson, ...] = EVERYONE,
    minutes: int = 1,
) -> ApprovalRequest:
    for who in people:
        at = START + timedelta(minutes=minutes)
        request = approvals.decide(request, decision(request), proven(who, permitted), at)
    return request
