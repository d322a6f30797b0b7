"""When people are told that a secret expires: earlier than it does, and more than once. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.deliveries.expiry import ExpiringSecret, ToldExpiry

NOTICES = (30, 7, 1, 0)
"""How many days before they are told; 0 = when it has expired."""
FIRST = timedelta(days=NOTICES[0])


def stage(expires: datetime, now: datetime) -> int | None:
    """Returns which notice is due; None = none yet."""
    left = expires - now
    return next((days for days in reversed(NOTICES) if left <= timedelta(days=days)), None)


def told(secret: ExpiringSecret, days: int) -> ToldExpiry:
    """Returns what is remembered when people were told."""
    return ToldExpiry(
        organization=secret.organization, path=secret.path, expires=secret.expires, days=days
    )


def due(
    found: Iterable[ExpiringSecret], known: Iterable[ToldExpiry], now: datetime
) -> tuple[list[tuple[ExpiringSecret, int]], list[ToldExpiry]]:
    """Returns whom to tell now, with the notice, and what of what was told still counts.

    One that was given another moment is another one: people are told anew.
    """
    before = {(one.organization, one.path, one.expires): one for one in known}
    news, kept = [], []
    for secret in sorted(found, key=lambda one: (one.organization, one.path)):
        days = stage(secret.expires, now)
        last = before.get((secret.organization, secret.path, secret.expires))
        if last is not None:
            kept.append(last)
        if days is not None and (last is None or days < last.days):
            news.append((secret, days))
    return news, kept


def said(secret: ExpiringSecret, now: datetime) -> str:
    """Returns that in words."""
    owner = f", owner {secret.owner}" if secret.owner else ", nobody is named as owner"
    day = secret.expires.date().isoformat()
    if secret.expires <= now:
        return f"{secret.path} expired on {day}{owner}"
    left = max(1, -(-(secret.expires - now) // timedelta(days=1)))
    return f"{secret.path} expires on {day}, in {left} day{'' if left == 1 else 's'}{owner}"
