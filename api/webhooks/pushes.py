"""Reads what was pushed out of a delivery, whatever the Git server calls things."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from api.webhooks.signatures import Provider
from domain import ids
from domain.errors import InvalidRequest

_BRANCH = "refs/heads/"
_PORTS = {"http": "80", "https": "443", "ssh": "22", "git": "9418"}


@dataclass(frozen=True)
class Push:
    """A branch that points to another commit now."""

    branch: str
    commit: str
    repositories: frozenset[str]
    """All addresses of the repository that the delivery names, normalised."""
    actor: str = ""
    delivery: str = ""
    """The Git server's name for this delivery."""


@dataclass(frozen=True)
class Ignored:
    """A delivery that is understood and starts nothing."""

    why: str


def read(provider: Provider, headers: Mapping[str, str], body: bytes) -> Push | Ignored:
    """Returns the push of a delivery, or why there is none.

    Raises:
        InvalidRequest: It is not what the Git server's documentation describes.
    """
    event = _event(provider, headers)
    if event in {"ping", "test"}:
        return Ignored("ping")
    if event not in {"push", "push hook"}:
        return Ignored(f"event {event or 'without name'} starts nothing")
    payload = _payload(headers, body)
    reference = str(payload.get("ref", ""))
    if not reference.startswith(_BRANCH):
        return Ignored(f"{reference or 'no ref'} is not a branch")
    commit = str(payload.get("after") or "")
    if payload.get("deleted") is True or not commit.strip("0"):
        return Ignored("the branch was deleted")
    if not ids.is_commit(commit):
        raise InvalidRequest("field after is not a complete commit id")
    return Push(
        branch=reference.removeprefix(_BRANCH),
        commit=commit,
        repositories=_repositories(payload),
        actor=_actor(payload),
        delivery=_delivery(provider, headers),
    )


def _event(provider: Provider, headers: Mapping[str, str]) -> str:
    own = headers.get(f"x-{provider.value}-event", "")
    return (own or headers.get("x-gitea-event", "")).lower()


def _delivery(provider: Provider, headers: Mapping[str, str]) -> str:
    names = {
        Provider.GITLAB: ("x-gitlab-event-uuid", "idempotency-key"),
        Provider.FORGEJO: ("x-forgejo-delivery", "x-gitea-delivery"),
    }
    for name in names.get(provider, (f"x-{provider.value}-delivery",)):
        if value := headers.get(name, ""):
            return value[:128]
    return ""


def _payload(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """GitHub's default is a form with the JSON in a field; everything else is plain JSON."""
    try:
        text = body.decode()
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            text = parse_qs(text, strict_parsing=True)["payload"][0]
        payload = json.loads(text)
    except (ValueError, KeyError, RecursionError) as error:
        raise InvalidRequest("the delivery is not JSON") from error
    if not isinstance(payload, dict):
        raise InvalidRequest("the delivery is not a JSON object")
    return payload


def _repositories(payload: Mapping[str, Any]) -> frozenset[str]:
    """GitLab describes the repository under ``project``, the others under ``repository``."""
    fields = ("clone_url", "ssh_url", "html_url", "git_url", "git_http_url", "git_ssh_url")
    addresses: set[str] = set()
    for part in (payload.get("repository"), payload.get("project")):
        if isinstance(part, Mapping):
            addresses |= {
                normalised(str(part[field])) for field in (*fields, "web_url") if part.get(field)
            }
    if not addresses:
        raise InvalidRequest("the delivery does not say which repository it is about")
    return frozenset(addresses)


def _actor(payload: Mapping[str, Any]) -> str:
    for part, field in (("pusher", "login"), ("pusher", "username"), ("sender", "login"),
                        ("pusher", "name")):  # fmt: skip
        person = payload.get(part)
        if isinstance(person, Mapping) and person.get(field):
            return str(person[field])[:128]
    return str(payload.get("user_username") or "")[:128]


def normalised(url: str) -> str:
    """Returns an address without what does not tell repositories apart.

    Scheme, user, default port, ``.git`` and letter case of the host are dropped, and
    ``git@host:path`` is read as ``ssh://git@host/path``.
    """
    if "://" not in url:
        host, separator, path = url.partition(":")
        if not separator:
            return url.strip("/").removesuffix(".git")
        url = f"ssh://{host}/{path}"
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").lower()
    try:
        port = str(parts.port or "")
    except ValueError:
        port = ""
    place = host if port in {"", _PORTS.get(parts.scheme.lower(), "")} else f"{host}:{port}"
    return f"{place}/{parts.path.strip('/').removesuffix('.git').rstrip('/')}"
