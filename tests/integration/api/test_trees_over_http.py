from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from api.looks import trees
from domain.deliveries.trees import ComponentTree, NodeHealth, TreeNode, TreeRequest
from domain.errors import DependencyUnavailable

SERVICE = TreeNode(
    id="Service/web",
    api_version="v1",
    kind="Service",
    name="web",
    health=NodeHealth.MISSING,
    message="Service web is not on the plane",
)


async def test_a_tree_is_told_to_who_may_read_there_and_to_nobody_else(
    acme: str, sign_in: Callable[[str], httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def seen(_client: object, request: TreeRequest, _bound: str) -> ComponentTree:
        place = request.model_dump(include={"organization", "component", "environment"})
        return ComponentTree(**place, release="web-1", nodes=(SERVICE,), hash="one")

    monkeypatch.setattr(trees, "look_at_tree", seen)
    path = f"/v1/components/{acme}/web/tree?environment=development"
    async with sign_in("viewer") as viewer, sign_in("stranger") as stranger:
        told, refused = await viewer.get(path), await stranger.get(path)
        followed = await stranger.get(path.replace("/tree?", "/tree/events?"))
        unknown = await viewer.get(f"/v1/components/{acme}/nobody/tree?environment=development")

    assert told.json()["nodes"][0]["apiVersion"] == "v1"
    assert told.json()["nodes"][0]["health"] == "Missing"
    assert (refused.status_code, followed.status_code, unknown.status_code) == (404, 404, 404)


async def test_a_plane_that_does_not_answer_is_said_before_anything_is_streamed(
    acme: str, dev: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> ComponentTree:
        raise DependencyUnavailable("nobody works on queue plane.west")

    monkeypatch.setattr(trees, "look_at_tree", away)
    path = f"/v1/components/{acme}/web/tree"

    for one in (path, f"{path}/events"):
        answer = await dev.get(f"{one}?environment=development")
        assert answer.status_code == 503
        assert "plane.west" in answer.json()["detail"]
