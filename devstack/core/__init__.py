"""The core profile: a Kubernetes control plane, Temporal and OpenBao; needs no root.

The profile `ha` has the same with Temporal as an installation runs it.
"""

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from devstack.component import Part
from devstack.context import StackContext
from devstack.core import kubernetes, openbao, temporal

__all__ = ["environment", "parts"]


def parts(context: StackContext) -> Sequence[Part]:
    """The parts every stack has."""
    flows = _flows(context).parts(context)
    return [*kubernetes.parts(context), *flows, *openbao.parts(context)]


def environment(context: StackContext) -> dict[str, str]:
    """What connects a process on this machine to the core."""
    return {
        **kubernetes.environment(context),
        **_flows(context).environment(context),
        **openbao.environment(context),
    }


def _flows(context: StackContext) -> ModuleType:
    """What runs Temporal; imported only when wanted."""
    return import_module("devstack.ha") if context.is_ha else temporal
