"""Where values that are kept in Vault are found on the plane: names only, never a value.

A component in an environment has one Secret, in its own namespace, with one key for each vault key
its configuration refers to. Rendering refers to them by ``secretKeyRef`` (variables) and by a
volume (files); whoever delivers secrets fills it, before the workload is applied.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.deliveries.secrets import SecretVolume
from domain.errors import InvalidRequest
from domain.rendering.configuration.effective import effective
from domain.rendering.facts import ReleaseFacts
from domain.secrets import delivery

_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 100
_SPOKEN = "v1"
"""Version that is spoken of the API of External Secrets, and of that of the CSI driver."""


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
    return delivery.sources(needed.name, keys, store_of(facts), volume_of(facts))


def store_of(facts: ReleaseFacts) -> str:
    """Returns the store from which External Secrets fills Secrets; empty = Pavane fills them.

    Raises:
        InvalidRequest: The plane was looked at and has no External Secrets.
    """
    plane = facts.data_plane
    if plane.spec.secrets.store:
        found = plane.status.capabilities.external_secrets
        _check_has(facts, "External Secrets", found)
    return plane.spec.secrets.store


def volume_of(facts: ReleaseFacts) -> SecretVolume | None:
    """Returns what the Secrets Store CSI driver mounts; None = secrets are no volume of it.

    Raises:
        InvalidRequest: The plane was looked at and has no such driver, or a secret is wanted as a
            variable and the plane takes files alone.
    """
    plane = facts.data_plane
    asked = plane.spec.secrets
    if asked.delivery != "SecretsStoreCSI":
        return None
    entries = [one for one in effective(facts).entries if one.vault_key]
    if not entries:
        return None
    _check_has(facts, "the Secrets Store CSI driver", plane.status.capabilities.secrets_store_csi)
    variables = {one.env: one.vault_key for one in entries if one.env}
    if variables and asked.variables == "Refuse":
        raise InvalidRequest(
            f"component {facts.component.name}: {', '.join(sorted(variables))} would be filled "
            f"from a secret, and data plane {plane.name} brings secrets as files alone: ask for "
            "files, or set spec.secrets.variables of the plane to KubernetesSecret"
        )
    files = {secret_key(one.vault_key) for one in entries if one.file}
    if not files:
        return None
    return SecretVolume(
        provider=asked.provider,
        sign_in=asked.sign_in,
        files=tuple(sorted(files)),
        variables=tuple(sorted(secret_key(one) for one in variables.values())),
    )


def _check_has(facts: ReleaseFacts, what: str, found: str) -> None:
    plane = facts.data_plane
    if plane.status.checked is not None and found != _SPOKEN:
        raise InvalidRequest(
            f"data plane {plane.name} has {what} in version {found or 'none'} of its API "
            f"and needs {_SPOKEN}: install it, or set spec.secrets.delivery to Platform"
        )
