"""The node of a full stack: namespaces of its own on this machine, in which real pods run."""

from collections.abc import Sequence

from devstack.component import Part
from devstack.context import StackContext
from devstack.node import agents, enforcement, foundation, runtime

__all__ = ["parts"]


def parts(context: StackContext) -> Sequence[Part]:
    """Everything that runs pods and connects them."""
    return [
        *foundation.parts(context),
        *runtime.parts(context),
        *enforcement.parts(context),
        *agents.parts(context),
    ]
