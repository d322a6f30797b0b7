"""Gets tokens from issuers: OpenBao with a password, others by the OAuth device flow (RFC 8628)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from cli.errors import ExitCode, Problem

_TIMEOUT = httpx.Timeout(15, connect=5)
_OPENBAO_PATH = "/v1/identity/oidc"
_SLOWER_SECONDS = 5


@dataclass(frozen=True)
class Token:
    """An identity token; never shown."""

    value: str
    expires: float


def discovery(url: str) -> dict[str, Any]:
    """Reads the issuer's discovery document.

    Raises:
        Problem: The issuer does not answer.
    """
    document: dict[str, Any] = _request("GET", url, "the identity provider does not answer")
    return document


class OpenBao:
    """An OpenBao or Vault as issuer: userpass first, then an identity token."""

    def __init__(self, discovery_url: str) -> None:
        base, found, _ = discovery_url.partition(_OPENBAO_PATH)
        if not found:
            raise Problem(
                "the identity provider offers neither the device flow nor passwords",
                title="Cannot log in",
                advice="Get a token from it and set PAVANE_TOKEN.",
                code=ExitCode.USAGE,
            )
        self._base = base

    def login(self, username: str, password: str, role: str) -> Token:
        """Proves who the person is by password and returns the token of the role."""
        proof = _request(
            "POST",
            f"{self._base}/v1/auth/userpass/login/{username}",
            "wrong user or password",
            json={"password": password},
        )
        headers = {"X-Vault-Token": proof["auth"]["client_token"]}
        token = _request(
            "GET",
            f"{self._base}{_OPENBAO_PATH}/token/{role}",
            f"the role {role} gives {username} no token",
            headers=headers,
        )
        return Token(token["data"]["token"], time.time() + float(token["data"]["ttl"]))


class DeviceFlow:
    """An issuer that asks the person in a browser, on whatever device has one."""

    def __init__(self, document: Mapping[str, Any], client_id: str) -> None:
        self._document = document
        self._client_id = client_id

    def login(self, show: Callable[[str, str], None]) -> Token:
        """Shows address and code, waits for the person and returns the identity token."""
        asked = _request(
            "POST",
            self._document["device_authorization_endpoint"],
            "the identity provider refuses the device flow",
            data={"client_id": self._client_id, "scope": "openid profile email groups"},
        )
        address = asked.get("verification_uri_complete") or asked["verification_uri"]
        show(address, asked["user_code"])
        pause = float(asked.get("interval", _SLOWER_SECONDS))
        until = time.monotonic() + float(asked["expires_in"])
        while time.monotonic() < until:
            time.sleep(pause)
            answer = self._poll(asked["device_code"])
            if "id_token" in answer:
                return Token(answer["id_token"], _expiry(answer["id_token"]))
            if answer.get("error") == "slow_down":
                pause += _SLOWER_SECONDS
            elif answer.get("error") != "authorization_pending":
                break
        raise Problem(
            "nobody confirmed the code in time, or it was refused",
            title="Not logged in",
            advice="Run `pavane login` again.",
            code=ExitCode.DENIED,
        )

    def _poll(self, device_code: str) -> dict[str, Any]:
        content = {
            "client_id": self._client_id,
            "device_code": device_code,
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        }
        try:
            answer = httpx.post(self._document["token_endpoint"], data=content, timeout=_TIMEOUT)
            document: dict[str, Any] = answer.json()
        except (httpx.TransportError, ValueError):
            return {"error": "slow_down"}
        return document


def _expiry(token: str) -> float:
    """Reads the expiry out of a token; whether it is genuine is for the API to say."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return float(claims["exp"])


def _request(method: str, url: str, refusal: str, **rest: Any) -> Any:
    """Sends a request; a refusal is told in our words, since issuers may echo what was sent."""
    try:
        answer = httpx.request(method, url, timeout=_TIMEOUT, **rest)
    except httpx.TransportError as error:
        raise Problem(
            f"the identity provider does not answer: {str(error) or type(error).__name__}",
            title="Identity provider unreachable",
            where=url,
            code=ExitCode.UNAVAILABLE,
        ) from error
    if answer.is_success:
        return answer.json()
    code = ExitCode.UNAVAILABLE if answer.is_server_error else ExitCode.DENIED
    raise Problem(
        f"{refusal} (status {answer.status_code})", title="Not logged in", where=url, code=code
    )
