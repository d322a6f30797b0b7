"""The order in which components come to a new revision of their class."""

from __future__ import annotations

from collections.abc import Iterable

from domain.deliveries import ClassConsumer
from domain.resources.binding import Binding, BindingState
from domain.resources.class_parts import UpgradePolicy
from domain.resources.classes import ComponentClass


def consumers_of(
    component_class: ComponentClass, bindings: Iterable[Binding], production: Iterable[str]
) -> tuple[ClassConsumer, ...]:
    """Returns the bindings that name a class, by environment and component.

    ``production`` are the environments that real users depend on.
    """
    real = frozenset(production)
    found = [
        ClassConsumer(
            binding_kind=one.kind,
            binding=one.name,
            component=one.component,
            environment=one.environment,
            revision=one.status.class_revision_ref,
            held=one.spec.class_revision_ref,
            is_production=one.environment in real,
            needs=_needs(component_class, one),
        )
        for one in bindings
        if (one.class_kind, one.spec.class_ref) == (component_class.kind, component_class.name)
    ]
    return tuple(sorted(found, key=lambda one: (one.environment, one.component, one.binding)))


def waves(
    consumers: Iterable[ClassConsumer], policy: UpgradePolicy
) -> tuple[tuple[ClassConsumer, ...], ...]:
    """Returns those that need an upgrade, wave by wave; no wave is empty.

    One wave for each environment that the policy names, then all others together, then those of
    production that it does not name. Each is in exactly one.
    """
    waiting = [one for one in consumers if one.needs]
    groups = [
        *([one for one in waiting if one.environment == name] for name in policy.waves),
        [one for one in waiting if one.environment not in policy.waves and not one.is_production],
        [one for one in waiting if one.environment not in policy.waves and one.is_production],
    ]
    return tuple(tuple(group) for group in groups if group)


def _needs(component_class: ComponentClass, binding: Binding) -> bool:
    """What does not run gets the present revision by itself when it is deployed."""
    runs = bool(binding.status.release_ref) and binding.wanted_state is not BindingState.UNDEPLOY
    is_held = bool(binding.spec.class_revision_ref)
    return runs and not is_held and binding.status.class_revision_ref != component_class.revision
