"""Ways to tell people: one module a channel, each a ``Channel``."""

from __future__ import annotations

from clients.notifications.channels import Channel, Notifier, Wanted
from clients.notifications.configured import channels
from clients.notifications.email import EmailChannel
from clients.notifications.webhook import WebhookChannel, signature

__all__ = [
    "Channel",
    "EmailChannel",
    "Notifier",
    "Wanted",
    "WebhookChannel",
    "channels",
    "signature",
]
