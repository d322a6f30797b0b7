"""Deliveries that must arrive: kept in files until the platform took them."""

import asyncio
import hashlib
import hmac
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from devstack.files import write_atomically

_LOG = logging.getLogger(__name__)
_FIRST_DELAY, _LONGEST_DELAY = 0.25, 10.0
_TIMEOUT = 10.0
# Not these mean "never": the platform may be starting, or the organization's secret be new to it.
_FINAL = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One push to be told to the platform."""

    identity: str
    organization: str
    payload: Mapping[str, Any]


class Outbox:
    """Tells the platform about pushes, each as often as it takes, across restarts of both sides."""

    def __init__(self, folder: Path, secrets: Path, api: str, client: httpx.AsyncClient) -> None:
        """Keeps deliveries in `folder`; `secrets` has one file an organization."""
        self._folder = folder
        self._secrets = secrets
        self._api = api
        self._client = client
        self._sending: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Goes on with the deliveries that an earlier process did not finish."""
        for file in sorted(self._folder.glob("*.json")):
            self._begin(Delivery(**json.loads(file.read_text())))

    def add(self, organization: str, payload: Mapping[str, Any]) -> None:
        """Takes a delivery; from now on it is not lost."""
        delivery = Delivery(str(uuid.uuid4()), organization, payload)
        write_atomically(self._file(delivery), json.dumps(asdict(delivery)))
        self._begin(delivery)

    async def close(self) -> None:
        """Stops sending; what did not arrive is kept."""
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._send(delivery))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, delivery: Delivery) -> None:
        delay = _FIRST_DELAY
        while (problem := await self._attempt(delivery)) is not None:
            _LOG.warning("delivery %s did not arrive: %s", delivery.identity, problem)
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)
        self._file(delivery).unlink(missing_ok=True)

    async def _attempt(self, delivery: Delivery) -> str | None:
        """Delivers once; None when nothing is left to do, else why it must be tried again."""
        try:
            secret = (self._secrets / delivery.organization).read_bytes().strip()
        except OSError:
            return f"there is no webhook secret for {delivery.organization}"
        body = json.dumps(delivery.payload).encode()
        url = f"{self._api}/v1/webhooks/{delivery.organization}/gitea"
        try:
            answer = await self._client.post(
                url, content=body, headers=_headers(delivery, body, secret), timeout=_TIMEOUT
            )
        except httpx.TransportError as error:
            return f"{url} does not answer: {error}"
        if answer.is_success:
            _LOG.info("delivery %s arrived", delivery.identity)
            return None
        if answer.status_code in _FINAL:
            _LOG.error("delivery %s was refused: %s", delivery.identity, answer.status_code)
            return None
        return f"{url} answered {answer.status_code}"

    def _file(self, delivery: Delivery) -> Path:
        return self._folder / f"{delivery.identity}.json"


def _headers(delivery: Delivery, body: bytes, secret: bytes) -> Mapping[str, str]:
    signature = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Gitea-Delivery": delivery.identity,
        "X-Gitea-Event": "push",
        "X-Gitea-Signature": signature,
        "X-Hub-Signature-256": f"sha256={signature}",
    }
