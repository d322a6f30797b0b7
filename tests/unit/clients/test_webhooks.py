from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import httpx
import pytest

from clients.webhooks import DELIVERY, SIGNATURE, Webhooks
from domain.deliveries.promotion_effects import WebhookCall
from domain.errors import DependencyUnavailable, InvalidRequest

pytestmark = pytest.mark.unit
KEY = b"a key of acme"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    (tmp_path / "acme").write_bytes(KEY + b"\n")
    return tmp_path


def call(**changes: object) -> WebhookCall:
    given = {
        "gate": "board",
        "id": "one",
        "organization": "acme",
        "url": "https://board.example/gate",
        "body": '{"component": "web"}',
    }
    return WebhookCall.model_validate({**given, **changes})


def answering(keys: Path, status: int, content: str) -> tuple[Webhooks, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, text=content, headers={"Location": "https://evil.example"})

    return Webhooks(keys, transport=httpx.MockTransport(answer)), seen


async def test_a_call_is_signed_with_the_key_of_its_organization(keys: Path) -> None:
    webhooks, seen = answering(keys, 200, '{"passed": true, "reason": "agreed", "more": 1}')

    answer = await webhooks.ask(call())

    assert (answer.passed, answer.reason) == (True, "agreed")
    signature = hmac.new(KEY, seen[0].content, hashlib.sha256).hexdigest()
    assert seen[0].headers[SIGNATURE] == f"sha256={signature}"
    assert seen[0].headers[DELIVERY] == "one"


async def test_a_no_without_a_reason_is_told_as_one(keys: Path) -> None:
    webhooks, _ = answering(keys, 200, '{"passed": false}')
    assert (await webhooks.ask(call())).reason == "not passed"


@pytest.mark.parametrize(
    ("status", "content"),
    [(302, ""), (500, ""), (200, "yes"), (200, '{"reason": "?"}'), (200, "x" * 70_000)],
)
async def test_what_is_no_verdict_is_none(keys: Path, status: int, content: str) -> None:
    webhooks, seen = answering(keys, status, content)
    with pytest.raises(InvalidRequest):
        await webhooks.ask(call())
    assert len(seen) == 1


async def test_an_organization_without_a_key_asks_nobody(keys: Path) -> None:
    webhooks, seen = answering(keys, 200, '{"passed": true}')
    with pytest.raises(InvalidRequest, match="no key"):
        await webhooks.ask(call(organization="other"))
    with pytest.raises(InvalidRequest, match="no key"):
        await Webhooks(None).ask(call())
    assert seen == []


async def test_no_answer_is_a_technical_fault(keys: Path) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    webhooks = Webhooks(keys, transport=httpx.MockTransport(fail))
    with pytest.raises(DependencyUnavailable, match="ConnectError"):
        await webhooks.ask(call())
