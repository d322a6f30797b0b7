"""What Pavane writes for Envoy Gateway, judged by the schemas that Envoy Gateway publishes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from clients.kubernetes import Cluster
from domain.errors import InvalidRequest
from tests.integration.resources.conftest import established
from tests.unit.rendering.test_extensions import ENVOY, LIMIT, TOKENS
from tests.unit.rendering.test_routes import GRPC, HTTP, plane, policy, routed

pytestmark = pytest.mark.integration

DEFINITIONS = Path(__file__).parent / "envoy_gateway.yaml"


async def test_envoy_gateway_s_schemas_take_what_is_written_for_it(
    cluster: Cluster, organization: str
) -> None:
    for definition in yaml.safe_load_all(DEFINITIONS.read_text()):
        await cluster.apply(definition, force=True)
        await established(cluster, definition["metadata"]["name"])
    tokens = TOKENS["gateway"] | {"jwt": {**TOKENS["gateway"]["jwt"], "audiences": ["shop"]}}
    release = routed(
        HTTP,
        GRPC,
        interfaces=policy(**LIMIT),
        data_plane=plane(**ENVOY),
        environment={"gateway": tokens},
    )
    written = [one for one in release.objects if one["kind"].endswith("Policy")]
    written = [one for one in written if one["apiVersion"].startswith("gateway.envoyproxy.io/")]
    assert {one["kind"] for one in written} == {"BackendTrafficPolicy", "SecurityPolicy"}

    for one in written:
        placed = {**one, "metadata": {**one["metadata"], "namespace": organization}}
        found = await cluster.apply(placed, dry_run=True)
        assert found["spec"]["targetRefs"] == one["spec"]["targetRefs"]
        with pytest.raises(InvalidRequest):
            await cluster.apply({**placed, "spec": {**one["spec"], "limits": 1}}, dry_run=True)
