"""Who Pavane is to a web server that it asks."""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.errors import InvalidRequest

TENANT = "X-Scope-OrgID"
"""Header by which Loki, Mimir and their like are told whose data is asked for."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_SHORTEST_HIDDEN = 4
"""Shorter values are no secrets, and would be found in any text."""


@dataclass(frozen=True)
class Asker:
    """Who asks. It shows no value by accident: not in a repr, not in an error."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    authority: str = ""
    """Certificates (PEM) by which the server is known. Empty = those the machine trusts."""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def hidden(self, text: str) -> str:
        """Returns what a server said without the values it was told."""
        for value in self.secrets:
            text = text.replace(value, "***")
        return text


ANONYMOUS = Asker()


def asker_of(fields: Mapping[str, str], tenant: str = "") -> Asker:
    """Returns who asks with these fields of a secret.

    Args:
        fields: ``token``, or ``username`` and ``password``; ``certificateAuthority`` (PEM) beside
            them or alone. Empty = nobody in particular.
        tenant: Whose data is asked for. Empty = it is not said.

    Raises:
        InvalidRequest: They do not fit together; names fields, never values.
    """
    headers = {TENANT: tenant} if tenant else {}
    said = {name: value.strip("\r\n") for name, value in fields.items()}
    token, user, password = (said.get(name, "") for name in ("token", "username", "password"))
    if fields and not (token or user or password or said.get("certificateAuthority")):
        raise InvalidRequest(
            "it has neither `token` nor `username` and `password` nor `certificateAuthority`"
        )
    if token and (user or password):
        raise InvalidRequest("it has `token` as well as `username` or `password`: keep one of them")
    if bool(user) != bool(password):
        raise InvalidRequest("`username` and `password` belong together, and one is not there")
    if token and not _TOKEN.fullmatch(token):
        raise InvalidRequest("`token` is no token: it has blanks or other than ASCII letters")
    if ":" in user:
        raise InvalidRequest("`username` has a colon, which ends it")
    authority = said.get("certificateAuthority", "")
    if authority:
        trusting(authority)
    secrets = [token, password]
    if token:
        headers["Authorization"] = f"Bearer {token}"
    elif user:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
        secrets.append(pair)
    return Asker(
        headers,
        authority,
        tuple(one for one in secrets if len(one) >= _SHORTEST_HIDDEN),
    )


def trusting(authority: str) -> ssl.SSLContext:
    """Returns what knows servers by these certificates (PEM) and no others.

    Raises:
        InvalidRequest: There are none.
    """
    try:
        return ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError):
        raise InvalidRequest("`certificateAuthority` has no certificates (PEM)") from None
