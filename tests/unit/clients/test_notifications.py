from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.notifications import EmailChannel, Notifier, Wanted, WebhookChannel, channels
from domain.deliveries.notices import Notice
from domain.errors import DependencyUnavailable, Errored
from settings import EmailNotices, NotificationSettings, WebhookNotices

pytestmark = pytest.mark.unit
SECRET = b"shared"
NOTICE = Notice(
    key="approval/promotion/acme/web/production/1/asked",
    organization="acme",
    kind="approval.asked",
    title="approval is needed: promote web",
    text="0 of 1 approvals",
    people=("ann@acme.example", "not an address"),
    at=datetime(2026, 1, 1, tzinfo=UTC),
)


def webhook(answers: list[int], seen: list[httpx.Request], **options: Any) -> WebhookChannel:
    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(answers.pop(0))

    return WebhookChannel(
        "ops",
        "https://hooks.example/secret-path",
        SECRET,
        clock=lambda: 1767225600.7,
        transport=httpx.MockTransport(handle),
        **options,
    )


async def test_receiver_can_prove_a_webhook_and_its_age() -> None:
    seen: list[httpx.Request] = []
    assert await Notifier([webhook([204], seen)]).send(NOTICE) == ("ops",)
    (request,) = seen
    at, mac = request.headers["Pavane-Signature"].split(",")
    signed = at.removeprefix("t=").encode() + b"." + request.content
    assert mac == "v1=" + hmac.new(SECRET, signed, hashlib.sha256).hexdigest()
    assert at == "t=1767225600"
    assert request.headers["Pavane-Notice"] == NOTICE.key
    assert json.loads(request.content)["title"] == NOTICE.title


@pytest.mark.parametrize("status", [500, 503, 429, 408])
async def test_webhook_that_may_work_later_is_tried_again(status: int) -> None:
    with pytest.raises(DependencyUnavailable, match=f"ops: webhook answered {status}") as error:
        await Notifier([webhook([status], [])]).send(NOTICE)
    assert "secret-path" not in str(error.value)


async def test_webhook_that_refuses_is_not_tried_again_and_keeps_nobody_else_from_it() -> None:
    seen: list[httpx.Request] = []
    refusing, other = webhook([400], []), webhook([200], seen)
    assert await Notifier([refusing, other]).send(NOTICE) == ("ops",)
    with pytest.raises(Errored):
        await webhook([302], []).send(NOTICE)


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (Wanted(), True),
        (Wanted(kinds=("approval.*",)), True),
        (Wanted(kinds=("health.*",)), False),
        (Wanted(organizations=("acme",)), True),
        (Wanted(organizations=("other",)), False),
    ],
)
async def test_only_what_is_wanted_is_sent(wanted: Wanted, sent: bool) -> None:
    seen: list[httpx.Request] = []
    await Notifier([webhook([200], seen, wanted=wanted)]).send(NOTICE)
    assert bool(seen) is sent


class _Mailbox(socketserver.StreamRequestHandler):
    """The little of SMTP that a client needs to hand over one message."""

    def handle(self) -> None:
        server: Any = self.server
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "DATA":
                self._say("354 go on")
                lines = []
                while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    lines.append(text)
                server.mail.append("\n".join(lines))
                self._say("250 taken")
            elif verb == "RCPT" and server.refuses:
                self._say("550 unknown")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mailbox(*, refuses: bool = False) -> Iterator[tuple[int, list[str]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailbox) as server:
        made: Any = server
        made.mail, made.refuses = [], refuses
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], made.mail
        server.shutdown()
        thread.join()


def email(port: int) -> EmailChannel:
    return EmailChannel(
        "127.0.0.1",
        port,
        sender="pavane@acme.example",
        recipients=("ops@acme.example",),
        starttls=False,
    )


async def test_email_goes_to_fixed_recipients_and_to_those_named_by_address() -> None:
    with mailbox() as (port, mail):
        assert await Notifier([email(port)]).send(NOTICE) == ("email",)
    (message,) = mail
    assert "To: ops@acme.example, ann@acme.example" in message
    assert "Subject: [acme] approval is needed: promote web" in message
    assert "0 of 1 approvals" in message


async def test_title_cannot_add_headers() -> None:
    sly = NOTICE.model_copy(update={"title": "hello\r\nBcc: eve@evil.example"})
    message = email(1).message(sly)
    assert message["Bcc"] is None
    assert message["Subject"] == "[acme] hello Bcc: eve@evil.example"


async def test_mail_server_that_is_away_is_tried_again_and_one_that_refuses_is_not() -> None:
    with pytest.raises(DependencyUnavailable):
        await email(1).send(NOTICE)
    with mailbox(refuses=True) as (port, _), pytest.raises(Errored):
        await email(port).send(NOTICE)
    assert issubclass(smtplib.SMTPRecipientsRefused, smtplib.SMTPException)


def test_settings_name_the_channels(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("shared\n")
    one = WebhookNotices(url="https://hooks.example", secret_file=secret)
    settings = NotificationSettings(webhooks={"ops": one}, email=EmailNotices(host="mail"))
    assert [channel.name for channel in channels(settings)] == ["ops", "email"]
    assert channels(NotificationSettings()) == ()
    missing = WebhookNotices(url="https://hooks.example", secret_file=tmp_path / "nothing")
    with pytest.raises(DependencyUnavailable, match="webhook ops: its secret cannot be read"):
        channels(NotificationSettings(webhooks={"ops": missing}))
