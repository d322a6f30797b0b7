"""How a route says which certificate it needs, and the names that follow from its place. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

CERTIFICATE = "choreo.dev/certificate"
"""Annotation of a route: ``{"gateway": NAME, "gatewayNamespace": NAMESPACE, "hostname": WILDCARD,
"names": [NAME]}``."""


def listener_name(namespace: str) -> str:
    """Returns the name of the listener of a place; no two places can have the same."""
    return f"pavane-{namespace}"


def annotation(
    gateway: Mapping[str, str], hostname: str, names: Iterable[str] = ()
) -> dict[str, str]:
    """Returns the annotation of a route; ``gateway`` has ``name`` and ``namespace``.

    ``names`` are those that the wildcard of the host name does not cover.
    """
    content = {
        "gateway": gateway["name"],
        "gatewayNamespace": gateway["namespace"],
        "hostname": hostname,
        "names": sorted({hostname, *names}),
    }
    return {CERTIFICATE: json.dumps(content, sort_keys=True)}
