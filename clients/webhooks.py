"""Asks other systems by signed HTTP requests."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.deliveries.promotion_effects import WebhookCall
from domain.errors import DependencyUnavailable, InvalidRequest

_LARGEST = 65_536
SIGNATURE = "X-Pavane-Signature-256"
DELIVERY = "X-Pavane-Delivery"


class GateAnswer(BaseModel):
    """What the other system said."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    passed: bool
    reason: str = Field("", max_length=1000)


class Webhooks:
    """Sends facts, signed with the key of the organization, and reads the verdict."""

    def __init__(
        self, keys: Path | None, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """``keys`` is a folder with one file an organization; ``transport`` is for tests."""
        self._keys = keys
        self._transport = transport

    async def ask(self, call: WebhookCall) -> GateAnswer:
        """Sends one call and returns the answer.

        Redirects are not followed: the answer counts only from whom was asked.

        Raises:
            InvalidRequest: There is no key, or the answer is no verdict.
            DependencyUnavailable: No answer within the time limit.
        """
        key = await asyncio.to_thread(self._key, call.organization)
        body = call.body.encode()
        signature = hmac.new(key, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: f"sha256={signature}",
            DELIVERY: call.id,
        }
        limit = call.timeout_seconds
        try:
            async with (
                asyncio.timeout(limit),
                httpx.AsyncClient(
                    timeout=limit, transport=self._transport, follow_redirects=False
                ) as http,
                http.stream("POST", call.url, content=body, headers=headers) as answer,
            ):
                content = b""
                async for part in answer.aiter_bytes():
                    content += part
                    if len(content) > _LARGEST:
                        raise InvalidRequest(f"{call.url} answered more than {_LARGEST} bytes")
                status = answer.status_code
        except (httpx.HTTPError, TimeoutError) as error:
            raise DependencyUnavailable(
                f"{call.url} did not answer within {limit} s: {type(error).__name__}"
            ) from error
        if not httpx.codes.is_success(status):
            raise InvalidRequest(f"{call.url} answered {status}, which is no verdict")
        try:
            verdict = GateAnswer.model_validate_json(content)
        except ValidationError:
            raise InvalidRequest(
                f'{call.url} did not answer {{"passed": true or false, "reason": "..."}}'
            ) from None
        told = verdict.reason or ("passed" if verdict.passed else "not passed")
        return verdict.model_copy(update={"reason": told})

    def _key(self, organization: str) -> bytes:
        try:
            if self._keys is None:
                raise FileNotFoundError
            return (self._keys / organization).read_bytes().strip()
        except OSError:
            raise InvalidRequest(
                f"organization {organization} has no key to sign webhooks of gates with: put one "
                "into the folder that PAVANE_WORKER__GATE_KEYS names"
            ) from None
