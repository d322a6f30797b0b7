"""ConfigMaps that hold files: which keys they have, and how much goes into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import ids
from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import component_labels, manifest

_LARGEST = 900_000
"""A ConfigMap holds at most 1 MiB."""


def files_map(
    facts: ReleaseFacts, name: str, content: Mapping[str, str], what: str, *, immutable: bool
) -> dict[str, Any]:
    """Returns the ConfigMap of some files (path -> text); ``what`` names them in an error.

    Raises:
        InvalidRequest: They are too large together.
    """
    size = sum(len(text.encode()) for text in content.values())
    if size > _LARGEST:
        raise InvalidRequest(
            f"the {what} of {facts.component.name} in {facts.environment.name} have {size} bytes: "
            f"a ConfigMap holds {_LARGEST}"
        )
    more = {"immutable": True} if immutable else {}
    return manifest(
        "v1",
        "ConfigMap",
        name,
        facts.namespace,
        component_labels(facts),
        **more,
        data={key_of(path): text for path, text in content.items()},
    )


def key_of(path: str) -> str:
    """Keys of a ConfigMap have no slashes: the name for people, a hash to tell paths apart."""
    return f"{path.rpartition('/')[2][-200:]}-{ids.content_hash(path)[:8]}"
