"""Where values that are kept in Vault are found on the plane: names only, never a value.

A component in an environment has one Secret, in its own namespace, with one key for each vault key
its configuration refers to. Rendering refers to them by ``secretKeyRef`` (variables) and by a
volume (files); whoever delivers secrets fills it, before the workload is applied.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.errors import InvalidRequest
from domain.rendering.configuration.effective import effective
from domain.rendering.facts import ReleaseFacts
from domain.secrets import delivery

_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 100
_EXTERNAL = "v1"
"""Version of External Secrets' API that is spoken."""


class SecretEntry(BaseModel):
    """One value that must be in the Secret."""

    model_config = ConfigDict(frozen=True)

    key: str
    """Key of the Secret."""
    vault_key: str
    """Path in Vault where the value is kept, as it was written down."""


class NeededSecret(BaseModel):
    """The Secret that must be there before the pods of a release start."""

    model_config = ConfigDict(frozen=True)

    namespace: str
    name: str
    entries: tuple[SecretEntry, ...]
    """By key; never empty."""


def secret_name(component: str) -> str:
    """Returns the name of the Secret of a component, in the namespace of project and place."""
    return ids.content_name(f"{component}-secrets", ["vault", component])


def secret_key(vault_key: str) -> str:
    """Returns the key in the Secret under which the value of a vault key stands.

    The end of the path for people, a hash to tell paths apart.
    """
    plain = _NOT_IN_KEYS.sub("-", vault_key.rpartition("/")[2])[-_LONGEST:]
    return f"{plain}-{ids.content_hash(vault_key)[:8]}"


def needed_secret(facts: ReleaseFacts) -> NeededSecret | None:
    """Returns the Secret that a component needs, None when nothing is kept in Vault.

    Raises:
        InvalidRequest: The configuration cannot be used.
    """
    paths = {one.vault_key for one in effective(facts).entries if one.vault_key}
    if not paths:
        return None
    entries = [SecretEntry(key=secret_key(one), vault_key=one) for one in paths]
    return NeededSecret(
        namespace=facts.namespace,
        name=secret_name(facts.component.name),
        entries=tuple(sorted(entries, key=lambda one: one.key)),
    )


def sources_annotation(facts: ReleaseFacts) -> dict[str, str]:
    """Returns the annotation by which a workload says where its Secret is filled from.

    Empty when nothing is kept in Vault.

    Raises:
        InvalidRequest: The configuration cannot be used.
    """
    needed = needed_secret(facts)
    if needed is None:
        return {}
    keys = {one.key: one.vault_key for one in needed.entries}
    return delivery.sources(needed.name, keys, store_of(facts))


def store_of(facts: ReleaseFacts) -> str:
    """Returns the store from which External Secrets fills Secrets; empty = Pavane fills them.

    Raises:
        InvalidRequest: The plane was looked at and has no External Secrets.
    """
    plane = facts.data_plane
    found = plane.status.capabilities.external_secrets
    if plane.spec.secrets.store and plane.status.checked is not None and found != _EXTERNAL:
        raise InvalidRequest(
            f"data plane {plane.name} has External Secrets in version {found or 'none'} of its API "
            f"and needs {_EXTERNAL}: install it, or set spec.secrets.delivery to Platform"
        )
    return plane.spec.secrets.store
