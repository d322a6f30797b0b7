"""What Endpoints and Connections say, as the intake sees the world."""

from __future__ import annotations

from collections.abc import Sequence

from domain import ids
from domain.dependencies import Interfaces, interfaces_of
from domain.resources import Component, Workload
from domain.resources.binding import Binding, BindingState
from domain.resources.conditions import Reason
from domain.resources.families import family_of
from domain.resources.interfaces import Connection, Endpoint
from intake.promotions import pipeline_of
from intake.world import World


class WorldCatalogue:
    """The resources of one organization as connections look them up."""

    def __init__(self, world: World, organization: str) -> None:
        self._world = world
        self._organization = organization

    def component(self, name: str) -> Component | None:
        """Returns a component, None when there is none."""
        return self._world.find(Component, self._organization, name)

    def workload(self, component: Component) -> Workload | None:
        """Returns the Workload that a component runs, None when there is none."""
        model = family_of(component).instance
        instance = self._world.find(model, self._organization, component.name)
        name = instance.workload if instance else component.name
        return self._world.find(Workload, self._organization, name)

    def endpoints(self, component: str) -> Sequence[Endpoint]:
        """Returns the Endpoints of a component."""
        return self._world.opened(self._organization, component)

    def connections(self, component: str) -> Sequence[Connection]:
        """Returns the Connections by which a component calls others."""
        return self._world.calls(self._organization, component)


def interfaces_in(world: World, organization: str, component: str) -> Interfaces:
    """Returns what is declared of a component now."""
    return interfaces_of(component, WorldCatalogue(world, organization))


def outdated_interfaces(binding: Binding, world: World) -> str:
    """Returns the hash of what is declared now when something else runs; empty = nothing to do.

    Only in the first environment of the pipeline: elsewhere a promotion brings it along. What was
    rolled back stays so, and what is not resolved is waited for.
    """
    ready = binding.status.condition("Ready")
    rolled_back = ready is not None and ready.reason == Reason.ROLLED_BACK
    runs = bool(binding.status.release_ref) and binding.wanted_state is BindingState.ACTIVE
    if not runs or rolled_back:
        return ""
    found = interfaces_in(world, binding.organization, binding.component)
    if found.hash == binding.status.interfaces or found.unresolved:
        return ""
    pipeline = pipeline_of(binding, world)
    if pipeline is None or pipeline.first_environment != binding.environment:
        return ""
    return found.state


def interfaces_seen(binding: Binding, world: World) -> str:
    """Returns a short hash of which resources are behind what is declared.

    The same state that comes about once more is another reason to look.
    """
    where = binding.organization
    calls = world.calls(where, binding.component)
    called = [one.spec.target.component_ref for one in calls]
    workloads = [world.find(Workload, where, name) for name in called if name]
    behind = [*calls, *world.opened(where, binding.component), *workloads]
    seen = [(one.metadata.uid, one.metadata.generation) for one in behind if one]
    return ids.content_hash([seen, binding.status.interfaces])[:8]
