"""Credentials of a cluster that are kept in a secret store, and are written by its tenants.

Only what stands in the secret itself is used. A kubeconfig may also name programs to run, files to
read and proxies to use: whoever may write the secret would reach this process by them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import yaml
from kubernetes.aio.client.configuration import Configuration

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.session import Session
from clients.kubernetes.sources import Withdrawn
from domain.errors import (
    DependencyUnavailable,
    InvalidRequest,
    NotFound,
    PlatformError,
    RateLimited,
)

_MOST_CHARACTERS = 65_536
_OF_CLUSTER = {"server", "certificate-authority-data", "tls-server-name", "extensions"}
_OF_USER = {"token", "client-certificate-data", "client-key-data", "extensions"}


@dataclass(frozen=True)
class Given:
    """One version of credentials."""

    version: str
    fields: Mapping[str, str] = field(repr=False)
    """``kubeconfig``, or ``server``, ``token`` and ``certificateAuthority``."""


Ask = Callable[[str], Awaitable[Given | None]]
"""Returns the credentials in use; None = still those of the version it is asked with. Raises
``DependencyUnavailable`` or ``RateLimited`` when that cannot be told now, any other error of the
domain when there are none."""


class GivenConfiguration(Configuration):
    """A configuration whose certificates lie in no file."""

    context: ssl.SSLContext


class GivenSource:
    """Asks who keeps the credentials."""

    def __init__(self, ask: Ask, what: str) -> None:
        self.what = what
        self._ask = ask
        self._version = ""

    async def read(self, known: Configuration | None) -> Configuration:
        """Returns the known configuration while the credentials are those it was made of."""
        try:
            given = await self._ask(self._version if known is not None else "")
            if given is None and known is not None:
                return known
            if given is None:
                raise NotFound("there are none")
            made = await asyncio.to_thread(configuration_of, given.fields)
        except (DependencyUnavailable, RateLimited) as error:
            raise DependencyUnavailable(f"{self.what}: {error.message}") from None
        except PlatformError as error:
            raise Withdrawn(f"{self.what}: {error.message}") from None
        self._version = given.version
        return made


class GivenCluster(Cluster):
    """A cluster whose credentials somebody else keeps.

    All requests raise ``DependencyUnavailable`` while there are none.
    """

    @classmethod
    def by(cls, ask: Ask, what: str, user_agent: str = "pavane") -> Self:
        """Prepares a connection; the first request asks for the credentials and opens it.

        ``what`` = what the credentials are called in messages.
        """
        return cls(Session(GivenSource(ask, what), user_agent))

    async def renew(self) -> None:
        """Asks for the credentials again; connections are closed when they are others, or gone.

        Raises:
            DependencyUnavailable: There are none, or whoever keeps them does not answer.
        """
        await self.session.renew()


def configuration_of(fields: Mapping[str, str]) -> GivenConfiguration:
    """Returns the configuration that credentials stand for. Blocking: it makes a TLS context.

    Raises:
        InvalidRequest: They are not credentials of a cluster; says which part, no value.
    """
    kubeconfig = fields.get("kubeconfig", "")
    parts = _of_kubeconfig(kubeconfig) if kubeconfig else _of_fields(fields)
    address = urlsplit(parts["server"])
    if address.scheme != "https" or not address.hostname or address.username:
        raise InvalidRequest("the server is no https:// address")
    made = GivenConfiguration(host=parts["server"].rstrip("/"))
    made.tls_server_name = parts["name"] or None
    made.context = _context(parts)
    if parts["token"]:
        made.api_key = {"BearerToken": f"Bearer {parts['token']}"}
    elif not parts["certificate"]:
        raise InvalidRequest("there is neither a token nor a client certificate")
    return made


def _of_fields(fields: Mapping[str, str]) -> dict[str, str]:
    if missing := [name for name in ("server", "token") if not fields.get(name)]:
        raise InvalidRequest(
            f"there is no field {missing[0]}: it has the field kubeconfig, or server, token and "
            "certificateAuthority"
        )
    given = {"server": fields["server"], "token": fields["token"].strip()}
    return _parts(given | {"authority": fields.get("certificateAuthority", "")})


def _of_kubeconfig(text: str) -> dict[str, str]:
    if len(text) > _MOST_CHARACTERS:
        raise InvalidRequest(f"the kubeconfig is over {_MOST_CHARACTERS} characters long")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        raise InvalidRequest("the kubeconfig is no YAML") from None
    try:
        context = _named(content["contexts"], content["current-context"])["context"]
        cluster = _named(content["clusters"], context["cluster"])["cluster"]
        user = _named(content["users"], context["user"])["user"]
        _allow("cluster", cluster, _OF_CLUSTER)
        _allow("user", user, _OF_USER)
    except (KeyError, TypeError, StopIteration):
        raise InvalidRequest(
            "the kubeconfig has no current context with a cluster and a user"
        ) from None
    return _parts(
        {
            "server": str(cluster.get("server", "")),
            "name": str(cluster.get("tls-server-name", "")),
            "authority": _decoded(cluster, "certificate-authority-data"),
            "token": str(user.get("token", "")),
            "certificate": _decoded(user, "client-certificate-data"),
            "key": _decoded(user, "client-key-data"),
        }
    )


def _parts(given: Mapping[str, str]) -> dict[str, str]:
    return {"authority": "", "name": "", "token": "", "certificate": "", "key": "", **given}


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in entries if one["name"] == name)


def _allow(what: str, given: Mapping[str, Any], known: set[str]) -> None:
    """Refuses what would reach out of the secret, and what turns a check off."""
    if refused := sorted(name for name in given if name not in known and given[name]):
        raise InvalidRequest(
            f"the {what} of the kubeconfig has {refused[0]}, which is not allowed here: only "
            f"{', '.join(sorted(known - {'extensions'}))}"
        )


def _decoded(given: Mapping[str, Any], name: str) -> str:
    try:
        return base64.b64decode(str(given.get(name, "")), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidRequest(f"{name} of the kubeconfig is no base64") from None


def _context(parts: Mapping[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cadata=parts["authority"] or None)
    except (ssl.SSLError, ValueError):
        raise InvalidRequest("the certificate authority is no PEM certificate") from None
    if not parts["certificate"]:
        return context
    # The library takes certificates of clients from files alone.
    with tempfile.TemporaryDirectory(prefix="pavane-") as folder:
        certificate, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        certificate.write_text(parts["certificate"])
        key.touch(mode=0o600)
        key.write_text(parts["key"])
        try:
            context.load_cert_chain(certificate, key)
        except (ssl.SSLError, ValueError):
            raise InvalidRequest("client certificate and key do not belong together") from None
    return context
