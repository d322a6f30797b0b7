"""Notices as e-mail over SMTP."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

from clients.notifications.channels import EVERYTHING, Wanted
from domain.deliveries.notices import Notice
from domain.errors import DependencyUnavailable, Errored

_TIMEOUT_SECONDS = 15


class EmailChannel:
    """Sends notices to fixed addresses, and to the people a notice names by their address."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        recipients: Sequence[str],
        wanted: Wanted = EVERYTHING,
        starttls: bool = True,
        username: str = "",
        password_file: Path | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._sender = sender
        self._recipients = tuple(recipients)
        self._wanted = wanted
        self._starttls = starttls
        self._username = username
        self._password_file = password_file

    @property
    def name(self) -> str:
        """As messages name it."""
        return "email"

    def wants(self, notice: Notice) -> bool:
        """Tells whether it was asked for and somebody is there to get it."""
        return self._wanted.holds(notice) and bool(self._addresses(notice))

    async def send(self, notice: Notice) -> None:
        """Sends one message; the blocking library runs in a thread of its own.

        Raises:
            DependencyUnavailable: The server is away or says to try again.
            Errored: It refuses.
        """
        await asyncio.to_thread(self._deliver, self.message(notice))

    def message(self, notice: Notice) -> EmailMessage:
        """Returns the message; equal notices have equal ids, so that mail readers show one."""
        made = EmailMessage()
        made["Subject"] = _one_line(f"[{notice.organization}] {notice.title}")
        made["From"] = self._sender
        made["To"] = ", ".join(self._addresses(notice))
        made["Date"] = format_datetime(notice.at)
        made["Message-ID"] = make_msgid(idstring=_one_line(notice.key).replace("/", "."))
        made["Auto-Submitted"] = "auto-generated"
        facts = "\n".join(f"{name}: {value}" for name, value in sorted(notice.facts.items()))
        made.set_content("\n\n".join(part for part in (notice.title, notice.text, facts) if part))
        return made

    def _addresses(self, notice: Notice) -> list[str]:
        named = [one for one in notice.people if "@" in one and _one_line(one) == one]
        return list(dict.fromkeys((*self._recipients, *named)))

    def _deliver(self, message: EmailMessage) -> None:
        try:
            with smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_SECONDS) as server:
                if self._starttls:
                    server.starttls(context=ssl.create_default_context())
                if self._username and self._password_file:
                    server.login(self._username, self._password_file.read_text().strip())
                server.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
            raise Errored(f"the mail server refused an address: {type(error).__name__}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise DependencyUnavailable(f"mail server: {type(error).__name__}") from None

    async def close(self) -> None:
        """Nothing is kept open between messages."""


def _one_line(text: str) -> str:
    return " ".join(text.split())
