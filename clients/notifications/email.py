"""Notices as e-mail over SMTP."""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from clients.notifications.channels import EVERYTHING, Wanted
from domain.deliveries.notices import Notice
from domain.errors import DependencyUnavailable, Errored

_TIMEOUT_SECONDS = 15
_HERE = ("localhost", "127.0.0.1", "::1")


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
        tls: bool = False,
        ca_file: Path | None = None,
        username: str = "",
        password_file: Path | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._sender = sender
        self._recipients = tuple(recipients)
        self._wanted = wanted
        self._starttls = starttls and not tls
        self._tls = tls
        self._ca_file = ca_file
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
        made["Message-ID"] = f"<{hashlib.sha256(notice.key.encode()).hexdigest()[:32]}@pavane>"
        made["Auto-Submitted"] = "auto-generated"
        facts = "\n".join(f"{name}: {value}" for name, value in sorted(notice.facts.items()))
        made.set_content("\n\n".join(part for part in (notice.title, notice.text, facts) if part))
        return made

    def _addresses(self, notice: Notice) -> list[str]:
        named = [one for one in notice.people if "@" in one and _one_line(one) == one]
        return list(dict.fromkeys((*self._recipients, *named)))

    def _deliver(self, message: EmailMessage) -> None:
        try:
            with self._connected() as server:
                if self._username and self._password_file:
                    server.login(self._username, self._password_file.read_text().strip())
                server.send_message(message)
        except smtplib.SMTPAuthenticationError:
            raise Errored("the mail server refused the name or the password") from None
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
            raise Errored(f"the mail server refused an address: {type(error).__name__}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise DependencyUnavailable(f"mail server: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        """Opens a connection, encrypted as the settings say.

        Raises:
            Errored: A password would go over the network for all to read.
        """
        encrypts = self._tls or self._starttls
        if self._username and not encrypts and self._host not in _HERE:
            raise Errored(f"mail server {self._host}: no password is sent without encryption")
        context = ssl.create_default_context(cafile=self._ca_file) if encrypts else None
        if self._tls:
            return smtplib.SMTP_SSL(
                self._host, self._port, timeout=_TIMEOUT_SECONDS, context=context
            )
        server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        if self._starttls:
            try:
                server.starttls(context=context)
            except (OSError, smtplib.SMTPException):
                server.close()
                raise
        return server

    async def close(self) -> None:
        """Nothing is kept open between messages."""


def _one_line(text: str) -> str:
    return " ".join(text.split())
