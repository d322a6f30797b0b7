"""Notices as signed HTTP requests.

The receiver proves them as it would those of Stripe or GitHub: the header ``Pavane-Signature`` is
``t=UNIX,v1=HEX``, the HMAC-SHA256 of ``UNIX.BODY`` with the shared secret; a time older than some
minutes is a replay.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from http import HTTPStatus

import httpx

from clients.notifications.channels import EVERYTHING, Wanted
from domain.deliveries.notices import Notice
from domain.errors import DependencyUnavailable, Errored

SIGNATURE_HEADER = "Pavane-Signature"
KEY_HEADER = "Pavane-Notice"
_TIMEOUT = httpx.Timeout(10, connect=5)
_TRY_AGAIN = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


def signature(secret: bytes, at: int, body: bytes) -> str:
    """Returns the value of the signature header."""
    mac = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


class WebhookChannel:
    """Sends notices to one URL."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: bytes,
        *,
        wanted: Wanted = EVERYTHING,
        clock: Callable[[], float] = time.time,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._name = name
        self._url = url
        self._secret = secret
        self._wanted = wanted
        self._clock = clock
        self._http = httpx.AsyncClient(
            timeout=_TIMEOUT, transport=transport, follow_redirects=False
        )

    @property
    def name(self) -> str:
        """As settings name it."""
        return self._name

    def wants(self, notice: Notice) -> bool:
        """Tells whether it is among those that were asked for."""
        return self._wanted.holds(notice)

    async def send(self, notice: Notice) -> None:
        """Posts it, signed for this moment.

        Raises:
            DependencyUnavailable: No answer, or one that says to try again.
            Errored: Another answer than success.
        """
        body = json.dumps(
            notice.model_dump(mode="json"), sort_keys=True, separators=(",", ":")
        ).encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "pavane",
            KEY_HEADER: notice.key,
            SIGNATURE_HEADER: signature(self._secret, int(self._clock()), body),
        }
        try:
            answer = await self._http.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            # The address may hold a secret path, so it is not told.
            raise DependencyUnavailable(f"webhook: {type(error).__name__}") from None
        if answer.is_server_error or answer.status_code in _TRY_AGAIN:
            raise DependencyUnavailable(f"webhook answered {answer.status_code}")
        if not answer.is_success:
            raise Errored(f"webhook refused it with {answer.status_code}")

    async def close(self) -> None:
        """Closes connections."""
        await self._http.aclose()
