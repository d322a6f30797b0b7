"""What the API answers about the objects of a component."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from api.schemas.deliveries import View
from domain.deliveries.trees import ComponentTree, NodeHealth


class TreeNodeView(View):
    """One object on the plane."""

    id: str = Field(description="Kind and name.", examples=["Deployment/web"])
    parent: str = Field(description="Id of what owns it. Empty = it is an object of the release.")
    api_version: str
    kind: str
    name: str
    health: NodeHealth
    reason: str
    message: str
    details: dict[str, str] = Field(
        description="Of a CronJob when it runs, of a Job when it ran and how it ended."
    )


class TreeView(View):
    """The objects of a component in an environment, and what came of them."""

    organization: str
    component: str
    environment: str
    plane: str
    namespace: str
    state: str = Field(description="What the binding wants: Active, Suspend or Undeploy.")
    release: str = Field(description="Empty = nothing is deployed there.")
    health: NodeHealth = Field(description="The worst of the objects of the release.")
    reason: str
    message: str
    nodes: tuple[TreeNodeView, ...] = Field(description="Each after its parent.")
    left_out: int = Field(description="How many healthy objects more there are.")

    @classmethod
    def of(cls, tree: ComponentTree) -> Self:
        """Returns a tree as callers get it."""
        return cls.model_validate(tree.model_dump(exclude={"hash"}))
