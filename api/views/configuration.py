"""Reads the configuration of components: as it runs, and as the groups say now."""

from __future__ import annotations

from collections.abc import Container, Iterator

from api.schemas.configuration import (
    ConfigurationDiff,
    EffectiveView,
    EntryView,
    KeyChangeView,
    OriginView,
    PlanView,
    ReleaseHistory,
    ReleaseView,
    TouchedView,
)
from domain.errors import NotFound
from domain.policies.configuration.plan import planned
from domain.rendering.configuration.changes import configuration_changes
from domain.rendering.configuration.effective import (
    ConfigurationEntry,
    EffectiveConfiguration,
    Origin,
    judged_configuration,
)
from domain.rendering.facts import GatewayDefaults, ReleaseFacts
from domain.rendering.offline import ALL_GROUPS, Shelf, assemble
from domain.resources import Component
from domain.resources.configuration import ConfigurationGroup
from domain.resources.families import family_of


def effective_view(
    shelf: Shelf, component: Component, environment: str, *, running: bool
) -> EffectiveView:
    """Returns the configuration of a component in an environment.

    Raises:
        NotFound: Something that is named is not there.
    """
    facts = _facts(shelf, component, environment, running=running)
    judged = judged_configuration(facts)
    return EffectiveView(
        component=component.name,
        environment=environment,
        running=running,
        revisions={one.group.name: one.group.revision for one in facts.configuration},
        entries=tuple(_entry(one) for one in judged.entries),
        problems=judged.problems,
    )


def between(
    shelf: Shelf, components: list[Component], before: str, after: str
) -> ConfigurationDiff:
    """Compares two environments, as the groups say now."""
    return _compared(shelf, components, (before, False), (after, False), before, after)


def against_running(
    shelf: Shelf, components: list[Component], environment: str
) -> ConfigurationDiff:
    """Compares what runs in an environment with what the groups say now."""
    bound = [one for one in components if _is_bound(shelf, one, environment)]
    titles = f"{environment} as it runs", f"{environment} as it is declared"
    return _compared(shelf, bound, (environment, True), (environment, False), *titles)


def plan_view(shelf: Shelf, group: ConfigurationGroup, gateway: GatewayDefaults) -> PlanView:
    """Returns who would be deployed with what a group says now, in the order of a release."""
    plan = planned(shelf, group, gateway)
    return PlanView(
        group=group.name,
        revision=plan.revision,
        items=tuple(
            TouchedView(
                component=one.component,
                environment=one.environment,
                keys=one.keys,
                approval=bool(one.rules),
            )
            for wave in plan.waves
            for one in wave
        ),
        untouched=plan.untouched,
        left=plan.left,
        problems=plan.problems,
    )


def history_view(group: ConfigurationGroup, kept: Container[str]) -> ReleaseHistory:
    """Returns the releases of a group, newest first; ``kept`` are the revisions there are."""
    return ReleaseHistory(
        group=group.name,
        present=group.revision,
        items=tuple(
            ReleaseView(**one.model_dump(exclude={"run"}), kept=one.revision in kept)
            for one in reversed(group.status.history)
        ),
    )


def _compared(
    shelf: Shelf,
    components: list[Component],
    before: tuple[str, bool],
    after: tuple[str, bool],
    *titles: str,
) -> ConfigurationDiff:
    items: list[KeyChangeView] = []
    problems: list[str] = []
    for component in components:
        sides: list[EffectiveConfiguration] = []
        try:
            for environment, running in (before, after):
                facts = _facts(shelf, component, environment, running=running)
                sides.append(judged_configuration(facts))
        except NotFound as missing:
            problems.append(f"{component.name}: {missing.message}")
            continue
        for (environment, _), side in zip((before, after), sides, strict=True):
            problems += [f"{component.name} in {environment}: {one}" for one in side.problems]
        items += _changes(component.name, sides[0], sides[1])
    return ConfigurationDiff(
        before=titles[0],
        after=titles[1],
        items=tuple(items),
        problems=tuple(dict.fromkeys(problems)),
    )


def _changes(
    component: str, before: EffectiveConfiguration, after: EffectiveConfiguration
) -> Iterator[KeyChangeView]:
    for one in configuration_changes(before, after):
        yield KeyChangeView(component=component, **one.model_dump())


def _facts(shelf: Shelf, component: Component, environment: str, *, running: bool) -> ReleaseFacts:
    groups = () if running else ALL_GROUPS
    return assemble(shelf, component.name, environment, present_groups=groups)


def _is_bound(shelf: Shelf, component: Component, environment: str) -> bool:
    return any(
        (one.component, one.environment) == (component.name, environment) and one.status.release_ref
        for one in shelf.all(family_of(component).binding)
    )


def _entry(one: ConfigurationEntry) -> EntryView:
    given = one.model_dump(exclude={"origin", "overrides"})
    overrides = tuple(_origin(each) for each in one.overrides)
    return EntryView(**given, origin=_origin(one.origin), overrides=overrides)


def _origin(one: Origin) -> OriginView:
    return OriginView(**one.model_dump())
