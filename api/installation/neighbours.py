"""Checks of what is asked over HTTP, of clocks, certificates, keys and the records."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from api.installation.findings import Finding, bad, doubtful, good
from api.services import Services, discovery_url
from domain.errors import DependencyUnavailable

_SKEW_SECONDS = 20
"""Tokens are refused from half a minute on."""
_CERTIFICATE_DAYS = 21
_SECONDS = 5
_UNAUTHORIZED = 401


async def records(services: Services) -> Sequence[Finding]:
    """Whether the database answers and has the tables of this version."""
    await services.records().ready()
    return [good("records", "answers, and has the tables of this version")]


async def identity(services: Services) -> Sequence[Finding]:
    """Whether the issuer answers, is who it should be, and has our time."""
    services.identity()
    async with httpx.AsyncClient(timeout=_SECONDS) as http:
        answer = await _ask(http, discovery_url(services.settings))
    document = answer.json()
    expected = services.settings.oidc.issuer
    found = []
    if "jwks_uri" not in document:
        found.append(
            bad(
                "identity provider",
                f"{answer.url} names no keys (jwks_uri)",
                "set PAVANE_OIDC__DISCOVERY_URL to its discovery document",
            )
        )
    if (said := document.get("issuer")) and expected and said != expected:
        found.append(
            doubtful(
                "identity provider",
                f"calls itself {said}, tokens must be of {expected}",
                "where tokens are refused, set PAVANE_OIDC__ISSUER to their `iss`",
            )
        )
    return [*(found or [good("identity provider", f"answers at {answer.url}")]), _clock(answer)]


async def registry(services: Services) -> Sequence[Finding]:
    """Whether the registry answers; that it wants a name and a password is an answer."""
    async with httpx.AsyncClient(timeout=_SECONDS) as http:
        url = f"{services.settings.registry.url.rstrip('/')}/v2/"
        answer = await _ask(http, url, also=_UNAUTHORIZED)
    return [good("registry", f"answers at {answer.url}")]


async def openbao(services: Services) -> Sequence[Finding]:
    """Whether OpenBao is unsealed, where this process knows its address."""
    address = services.settings.vault.address
    if not address:
        return []
    async with httpx.AsyncClient(timeout=_SECONDS) as http:
        status = (await _ask(http, f"{address.rstrip('/')}/v1/sys/seal-status")).json()
    if status.get("sealed"):
        return [
            bad("openbao", f"{address} is sealed", "bao operator unseal, or mend its auto-seal")
        ]
    return [good("openbao", f"{status.get('version', '')} at {address}, unsealed")]


async def approvals(services: Services) -> Sequence[Finding]:
    """Whether decisions of people can be vouched for."""
    try:
        services.signer()
    except DependencyUnavailable as error:
        return [
            doubtful(
                "approvals",
                error.message,
                "make a key pair; PAVANE_APPROVALS__SIGNING_KEY for the API, "
                "PAVANE_APPROVALS__VERIFY_KEYS for workers",
            )
        ]
    return [good("approvals", "the API has a key to vouch for decisions")]


async def certificates(services: Services) -> Sequence[Finding]:
    """How long the certificates of those that are reached by TLS are valid."""
    settings = services.settings
    addresses = {
        "identity provider": discovery_url(settings),
        "registry": settings.registry.url,
        "openbao": settings.vault.address,
        "api": settings.api.url,
    }
    wanted = {name: url for name, url in addresses.items() if url.startswith("https://")}
    return [await _certificate(name, url) for name, url in wanted.items()]


async def _certificate(name: str, url: str) -> Finding:
    parts, check = urlsplit(url), f"certificate of {name}"
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or 443, ssl=ssl.create_default_context()
            )
    except ssl.SSLCertVerificationError as error:
        return bad(
            check,
            f"{parts.netloc}: {error.verify_message}",
            "renew it, or give this process the authority (SSL_CERT_FILE)",
        )
    except (OSError, TimeoutError) as error:
        return bad(check, f"{parts.netloc}: {error}", "see whether it is reachable from the API")
    peer = writer.get_extra_info("peercert")
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(peer["notAfter"]), UTC)
    days = (until - datetime.now(UTC)).days
    if days < _CERTIFICATE_DAYS:
        return doubtful(check, f"ends in {days} days", "renew it, and see why nothing did")
    return good(check, f"valid for {days} days")


async def _ask(http: httpx.AsyncClient, url: str, *, also: int = 0) -> httpx.Response:
    try:
        answer = await http.get(url)
    except httpx.HTTPError as error:
        raise DependencyUnavailable(f"{url}: {type(error).__name__}: {error}") from error
    if answer.is_error and answer.status_code != also:
        raise DependencyUnavailable(f"{url} answers {answer.status_code}")
    return answer


def _clock(answer: httpx.Response) -> Finding:
    date = answer.headers.get("Date", "")
    if not date:
        return doubtful(
            "clock", "the identity provider tells no time", "compare the clocks by hand"
        )
    apart = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if apart > _SKEW_SECONDS:
        return bad(
            "clock",
            f"{apart:.0f} s apart from the identity provider: tokens are refused",
            "synchronise the clocks of both machines (chrony, systemd-timesyncd)",
        )
    return good("clock", "that of the identity provider")
