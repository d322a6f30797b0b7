"""The core profile: a Kubernetes control plane, Temporal and OpenBao; needs no root."""

from collections.abc import Sequence

from devstack.component import Part
from devstack.context import StackContext
from devstack.core import kubernetes, openbao, temporal

__all__ = ["environment", "parts"]


def parts(context: StackContext) -> Sequence[Part]:
    """The parts every stack has."""
    return [*kubernetes.parts(context), *temporal.parts(context), *openbao.parts(context)]


def environment(context: StackContext) -> dict[str, str]:
    """What connects a process on this machine to the core."""
    return {
        **kubernetes.environment(context),
        **temporal.environment(context),
        **openbao.environment(context),
    }
