"""All checks of an installation, made side by side."""

from __future__ import annotations

import asyncio

from api.installation import kubernetes, neighbours, temporal
from api.installation.findings import Check, Finding, Findings, Level, settled
from api.services import Services

_REACH_TEMPORAL = (
    "see that Temporal runs, that TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE are right for the API, "
    "and that the namespace exists: temporal operator namespace create --retention 168h"
)
_REACH_KUBERNETES = (
    "see that the API server runs and that PAVANE_KUBERNETES__KUBECONFIG, or the service account "
    "of the pod, is right"
)
_CHECKS: tuple[tuple[str, Check, str], ...] = (
    ("temporal", temporal.server, _REACH_TEMPORAL),
    ("kubernetes", kubernetes.version, _REACH_KUBERNETES),
    ("kinds", kubernetes.kinds, _REACH_KUBERNETES),
    ("permissions", kubernetes.permissions, _REACH_KUBERNETES),
    (
        "records",
        neighbours.records,
        "see PAVANE_RECORDS__URL and PGPASSWORD; `pavane records migrate` makes the tables",
    ),
    (
        "identity provider",
        neighbours.identity,
        "see PAVANE_OIDC__ISSUER and its discovery document",
    ),
    ("task queues", temporal.queues, "mend Temporal and Kubernetes first"),
    ("registry", neighbours.registry, "see PAVANE_REGISTRY__URL, as the API reaches it"),
    ("openbao", neighbours.openbao, "see PAVANE_VAULT__ADDRESS, as the API reaches it"),
    ("approvals", neighbours.approvals, "see PAVANE_APPROVALS__SIGNING_KEY"),
    ("certificates", neighbours.certificates, "see the addresses in the settings"),
)
_ORDER = {Level.ERROR: 0, Level.WARNING: 1, Level.OK: 2}


async def examine(services: Services) -> Findings:
    """Returns what every check found: what does not work first, and within that by its order."""
    found = await asyncio.gather(
        *(settled(name, check, services, remedy) for name, check, remedy in _CHECKS)
    )
    every: list[Finding] = [finding for some in found for finding in some]
    return Findings(items=tuple(sorted(every, key=lambda finding: _ORDER[finding.level])))
