"""Checks of the control plane's cluster: version, kinds, and what the API may do there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from api.installation.findings import Finding, bad, good
from api.services import Services
from domain.errors import NotFound
from domain.resources import KINDS
from domain.resources.base import API_VERSION, GROUP

_OLDEST = (1, 29)
_NEEDS = (
    *(
        (GROUP, "components", verb)
        for verb in ("get", "list", "watch", "create", "patch", "delete")
    ),
    *(("", "namespaces", verb) for verb in ("get", "create", "patch")),
)
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def version(services: Services) -> Sequence[Finding]:
    """Whether the API server is new enough."""
    cluster = await services.cluster()
    told = await cluster.session.json("GET", "/version", what="version of Kubernetes")
    said = str(told.get("gitVersion", ""))
    numbers = tuple(int(part) for part in re.findall(r"\d+", said)[:2])
    if numbers < _OLDEST:
        wanted = ".".join(str(part) for part in _OLDEST)
        return [bad("kubernetes", f"is {said}", f"use Kubernetes {wanted} or newer")]
    return [good("kubernetes", said)]


async def kinds(services: Services) -> Sequence[Finding]:
    """Whether the API server knows every kind of Pavane."""
    cluster = await services.cluster()
    missing = []
    for name in KINDS:
        try:
            await cluster.kind_of(API_VERSION, name)
        except NotFound:
            missing.append(name)
    if missing:
        return [
            bad(
                "kinds",
                f"{API_VERSION} has no {', '.join(missing)}",
                "kubectl apply --server-side -f crds, of this version",
            )
        ]
    return [good("kinds", f"{len(KINDS)} of {API_VERSION}")]


async def permissions(services: Services) -> Sequence[Finding]:
    """Whether the API may do what it must, asked of Kubernetes itself."""
    cluster = await services.cluster()
    denied = []
    for group, resource, verb in _NEEDS:
        resource_name, _, part = resource.partition("/")
        wanted = {"group": group, "resource": resource_name, "subresource": part, "verb": verb}
        answer = await cluster.session.json(
            "POST",
            _REVIEW,
            what="review of the API's own rights",
            body={
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": wanted},
            },
        )
        if not answer.get("status", {}).get("allowed"):
            denied.append(f"{verb} {resource}{f'.{group}' if group else ''}")
    if denied:
        return [
            bad(
                "permissions",
                f"the API may not {', '.join(denied)}",
                "give its service account the rules of charts/pavane/templates/access.yaml",
            )
        ]
    return [good("permissions", "the API may do all that it must")]
