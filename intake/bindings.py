"""Which deployment or promotion a binding asks for, if any: pure functions of what exists."""

from __future__ import annotations

from dataclasses import dataclass

from domain import ids
from domain.deliveries import DeployRequest, Trigger, TriggerKind
from domain.deliveries.promotions import PromotionRequest
from domain.resources import Binding, Resource
from intake.interfaces import interfaces_in, interfaces_seen, outdated_interfaces
from intake.near import obstacles, plane_to_move_to, surroundings
from intake.promotions import automatic_promotions
from intake.world import World, is_held_up

_UID_LENGTH = 8


@dataclass(frozen=True)
class Deploy:
    """A deployment of what a binding wants."""

    request: DeployRequest


@dataclass(frozen=True)
class Promote:
    """Promotions to the environments that come next and ask for none."""

    requests: tuple[PromotionRequest, ...]


def wanted_deployment(binding: Binding, world: World) -> Deploy | Promote | None:
    """Returns what the present state of a binding asks for."""
    if not binding.component:
        return None
    generation = binding.metadata.generation
    request_id = f"binding-{binding.metadata.uid[:_UID_LENGTH]}-{generation}"
    interfaces = interfaces_in(world, binding.organization, binding.component).state
    if binding.is_observed:
        if not is_held_up(binding):
            return _of_running(binding, world)
        # The world is another one than when it was looked at, so this is another request.
        request_id, generation = f"{request_id}-{surroundings(binding, world)}", 0
    if not binding.is_deleted and obstacles(binding, world):
        return None
    return Deploy(
        DeployRequest(
            organization=binding.organization,
            component=binding.component,
            environment=binding.environment,
            request_id=request_id,
            binding=binding.name,
            binding_kind=binding.kind,
            first=not binding.status.release_ref,
            generation=generation,
            interfaces=interfaces,
            trigger=trigger_of(binding),
        )
    )


def _of_running(binding: Binding, world: World) -> Deploy | Promote | None:
    """What was looked at runs: with what is declared now, and then it may go on."""
    if plane := plane_to_move_to(binding, world):
        return _moved(binding, plane)
    changed = outdated_interfaces(binding, world)
    if not changed:
        following = automatic_promotions(binding, world)
        return Promote(following) if following else None
    return Deploy(
        DeployRequest(
            organization=binding.organization,
            component=binding.component,
            environment=binding.environment,
            request_id=f"interfaces-{binding.metadata.uid[:_UID_LENGTH]}-"
            f"{interfaces_seen(binding, world)}-{changed}",
            binding=binding.name,
            binding_kind=binding.kind,
            interfaces=changed,
            trigger=Trigger(
                kind=TriggerKind.AUTOMATIC,
                reference=f"Endpoints and Connections of {binding.component}",
            ),
        )
    )


def _moved(binding: Binding, plane: str) -> Deploy:
    """The environment lies on another plane now: what runs follows it."""
    return Deploy(
        DeployRequest(
            organization=binding.organization,
            component=binding.component,
            environment=binding.environment,
            request_id=f"plane-{binding.metadata.uid[:_UID_LENGTH]}-{plane}-"
            f"{ids.content_hash(binding.status.release_ref)[:_UID_LENGTH]}",
            binding=binding.name,
            binding_kind=binding.kind,
            trigger=Trigger(
                kind=TriggerKind.AUTOMATIC,
                reference=f"Environment {binding.environment} lies on DataPlane {plane}",
            ),
        )
    )


def trigger_of(resource: Resource, kind: TriggerKind = TriggerKind.RESOURCE) -> Trigger:
    """Returns why something is asked for: the present wish of a resource."""
    generation = resource.metadata.generation
    return Trigger(kind=kind, reference=f"{resource.kind} {resource.name} generation {generation}")
