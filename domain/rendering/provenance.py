"""Says how an image was built: an in-toto statement with a SLSA provenance predicate.

The format is that of https://slsa.dev/spec/v1.0/provenance. The statement is made by the worker,
outside the build pod, from what it asked for and what the plane told; pure, so that a build that
is looked at again has the very same one.
"""

from __future__ import annotations

import json
from typing import Any

from domain import ids
from domain.deliveries import BuildOutcome, BuildPlan

PROVENANCE_TYPE = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://slsa.dev/provenance/v1"
_BUILD_TYPE = "https://choreo.dev/builds"


def provenance(plan: BuildPlan, outcome: BuildOutcome, *, started: str, finished: str) -> bytes:
    """Returns the statement as canonical JSON. ``started`` and ``finished`` are RFC 3339 times."""
    statement = {
        "_type": _STATEMENT,
        "subject": [{"name": plan.image, "digest": _digest(outcome.digest)}],
        "predicateType": _PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": f"{_BUILD_TYPE}/{plan.template}/v1",
                "externalParameters": _asked(plan),
                "internalParameters": {"template": plan.template},
                "resolvedDependencies": _dependencies(plan, outcome),
            },
            "runDetails": {
                "builder": {
                    "id": f"{_BUILD_TYPE}/{plan.task_queue}",
                    "version": {plan.template: outcome.template_digest},
                },
                "metadata": {
                    "invocationId": ids.build_id(plan.organization, plan.component, plan.commit),
                    "startedOn": started,
                    "finishedOn": finished,
                },
                "byproducts": [_artifact(outcome.sbom)] if outcome.sbom else [],
            },
        },
    }
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def _asked(plan: BuildPlan) -> dict[str, Any]:
    return {
        "source": {"uri": f"git+{plan.repository}", "commit": plan.commit, "branch": plan.branch},
        "context": plan.context,
        "dockerfile": plan.dockerfile,
        "testCommand": list(plan.test_command),
    }


def _dependencies(plan: BuildPlan, outcome: BuildOutcome) -> list[dict[str, Any]]:
    source = {"uri": f"git+{plan.repository}", "digest": {"gitCommit": plan.commit}}
    return [source, *(_artifact(image) for image in outcome.base_images)]


def _artifact(image: str) -> dict[str, Any]:
    name, _, digest = image.partition("@")
    return {"uri": f"oci://{name}", "digest": _digest(digest)}


def _digest(digest: str) -> dict[str, str]:
    algorithm, _, value = digest.partition(":")
    return {algorithm: value}
