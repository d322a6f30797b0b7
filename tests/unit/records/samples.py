"""Facts and entries to write down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.phases import Phase
from domain.records import AuditFact, DeploymentEntry, fact_key

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_fact(step: str = "applied", organization: str = "acme", **changes: Any) -> AuditFact:
    content = {
        "organization": organization,
        "key": fact_key("deploy/acme/web/production", "run-1", step),
        "actor": "ada@example.com",
        "authority": "role platform-engineer",
        "action": f"deployment.{step}",
        "subject": "web in production",
        "component": "web",
        "environment": "production",
        "before": "web-one",
        "after": "web-two",
        "reason": "a fix",
        "at": MOMENT,
        "evidence": ("deploy/acme/web/production",),
    }
    return AuditFact(**{**content, **changes})


def an_entry(key: str = "one", **changes: Any) -> DeploymentEntry:
    content = {
        "key": key,
        "organization": "acme",
        "project": "shop",
        "component": "web",
        "environment": "production",
        "deployment": f"web-production-{key}",
        "actor": "ada@example.com",
        "release": "web-two",
        "from_release": "web-one",
        "phase": Phase.SUCCEEDED,
        "started": MOMENT,
        "finished": MOMENT + timedelta(seconds=9),
    }
    return DeploymentEntry(**{**content, **changes})
