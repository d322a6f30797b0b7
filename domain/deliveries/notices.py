"""What people are told when something waits for them or changed."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from domain.deliveries.wire import Wire


class Notice(Wire):
    """One message for people, whatever way it takes. Never holds a secret."""

    key: str
    """Equal keys are the same notice, so that receivers can leave out what came twice."""
    organization: str
    kind: str
    """``noun.past-participle``, such as ``approval.asked`` or ``health.changed``."""
    title: str
    """One line."""
    text: str = ""
    """Markdown."""
    groups: tuple[str, ...] = ()
    """Whom it is for, as groups of the identity provider. Empty = everyone who wants the kind."""
    people: tuple[str, ...] = ()
    """Whom it is for, by name or email."""
    subject: str = ""
    """What it is about, such as ``promotion/acme/web/production``."""
    project: str = ""
    component: str = ""
    environment: str = ""
    facts: dict[str, str] = Field(default_factory=dict)
    at: datetime


class NoticeReceipt(Wire):
    """Which ways a notice took."""

    sent: tuple[str, ...] = ()
    """Names of the channels; empty = none is set up that wants it."""
