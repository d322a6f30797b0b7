"""The channels that the settings name."""

from __future__ import annotations

from clients.notifications.channels import Channel, Wanted
from clients.notifications.email import EmailChannel
from clients.notifications.webhook import WebhookChannel
from domain.errors import DependencyUnavailable
from settings import NotificationSettings


def channels(settings: NotificationSettings) -> tuple[Channel, ...]:
    """Returns the channels that are set up.

    Raises:
        DependencyUnavailable: The secret of a webhook cannot be read.
    """
    made: list[Channel] = []
    for name, one in settings.webhooks.items():
        try:
            secret = one.secret_file.read_bytes().strip()
        except OSError as error:
            message = f"webhook {name}: its secret cannot be read: {error.strerror}"
            raise DependencyUnavailable(message) from None
        wanted = Wanted(kinds=one.kinds, organizations=one.organizations)
        made.append(WebhookChannel(name, one.url, secret, wanted=wanted))
    email = settings.email
    if email.host:
        made.append(
            EmailChannel(
                email.host,
                email.port,
                sender=email.sender,
                recipients=email.recipients,
                wanted=Wanted(kinds=email.kinds, organizations=email.organizations),
                starttls=email.starttls,
                tls=email.tls,
                ca_file=email.ca_file,
                username=email.username,
                password_file=email.password_file,
            )
        )
    return tuple(made)
