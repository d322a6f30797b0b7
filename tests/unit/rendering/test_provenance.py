"""The statement of how an image was built."""

from __future__ import annotations

import json

import pytest

from domain.deliveries import BuildOutcome
from domain.rendering.provenance import provenance
from tests.unit.rendering.samples import COMMIT, plan

pytestmark = pytest.mark.unit

DIGEST = "sha256:" + "a" * 64
BASE = "sha256:" + "b" * 64
SBOM = "sha256:" + "c" * 64
OUTCOME = BuildOutcome(
    digest=DIGEST,
    image=f"registry/acme/web@{DIGEST}",
    base_images=(f"registry/base/python:3.11@{BASE}",),
    template_digest="sha256:" + "d" * 64,
    sbom=f"registry/acme/web@{SBOM}",
)
TIMES = {"started": "2026-01-01T00:00:00Z", "finished": "2026-01-01T00:01:00Z"}


def test_statement_binds_the_digest_to_the_commit_the_bases_and_the_template() -> None:
    statement = json.loads(provenance(plan(), OUTCOME, **TIMES))
    definition = statement["predicate"]["buildDefinition"]
    details = statement["predicate"]["runDetails"]

    assert statement["subject"][0]["digest"] == {"sha256": "a" * 64}
    source, base = definition["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": COMMIT}
    assert base == {"uri": "oci://registry/base/python:3.11", "digest": {"sha256": "b" * 64}}
    assert details["builder"]["version"] == {"docker-build": OUTCOME.template_digest}
    assert details["byproducts"][0]["digest"] == {"sha256": "c" * 64}
    assert details["metadata"]["invocationId"].endswith(COMMIT[:12])
    assert details["metadata"]["startedOn"] == TIMES["started"]


def test_build_looked_at_again_has_the_very_same_statement() -> None:
    assert provenance(plan(), OUTCOME, **TIMES) == provenance(plan(), OUTCOME, **TIMES)


def test_image_without_an_sbom_has_a_statement_without_one() -> None:
    outcome = OUTCOME.model_copy(update={"sbom": ""})
    statement = json.loads(provenance(plan(), outcome, **TIMES))
    assert statement["predicate"]["runDetails"]["byproducts"] == []
