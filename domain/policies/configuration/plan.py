"""Who is touched by a change of a configuration group, in which order, and who must agree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.deliveries.approvals import ApprovalRule
from domain.deliveries.configurations import ConfigurationConsumer, ConfigurationPlan
from domain.errors import InvalidRequest, NotFound
from domain.rendering.configuration.changes import configuration_changes
from domain.rendering.configuration.effective import judged_configuration
from domain.rendering.configuration.groups import named_groups
from domain.rendering.facts import GatewayDefaults, ReleaseFacts
from domain.rendering.offline import Shelf, assemble
from domain.rendering.release import render_release
from domain.resources.binding import Binding, BindingState
from domain.resources.component import Component, Project
from domain.resources.configuration import ConfigurationGroup
from domain.resources.environment import Environment
from domain.resources.families import BINDINGS
from domain.resources.gates import GateCheck
from domain.resources.organization import Organization
from domain.resources.pipeline import DeploymentPipeline, PromotionTarget

_NEEDS_PEOPLE = frozenset(
    {
        GateCheck.TESTS,
        GateCheck.WEBHOOK,
        GateCheck.MANUAL,
        GateCheck.EXPRESSION,
        GateCheck.DEPENDENCIES,
    }
)
"""Gates that only a promotion can judge: where there is one, people decide instead."""


def planned(shelf: Shelf, group: ConfigurationGroup, gateway: GatewayDefaults) -> ConfigurationPlan:
    """Returns who runs with other values than the group gives now, environment by environment.

    Environments come in the order of the pipelines, those of production last.
    """
    consumers: list[ConfigurationConsumer] = []
    left: list[str] = []
    problems: list[str] = [f"ConfigurationGroup {group.name}: {one}" for one in group.problems()]
    untouched = 0
    for binding, component in _users(shelf, group):
        where = f"{component.name} in {binding.environment}"
        try:
            one = _consumer(shelf, group, binding, component, gateway)
        except (InvalidRequest, NotFound) as error:
            problems.append(f"{where}: {error.message}")
            continue
        if one is None:
            untouched += 1
        elif obstacle := _obstacle(shelf, binding, component, one, gateway):
            left.append(f"{where}: {obstacle}")
        else:
            consumers.append(one)
    rollout = group.spec.rollout
    return ConfigurationPlan(
        revision=group.revision,
        waves=_waves(shelf, consumers),
        untouched=untouched,
        left=tuple(left),
        problems=tuple(problems),
        max_at_once=rollout.max_at_once,
        max_failures=rollout.max_failures,
    )


def _users(shelf: Shelf, group: ConfigurationGroup) -> Iterator[tuple[Binding, Component]]:
    """Yields what runs and uses the group, by kind and name."""
    organization = shelf.find(Organization, group.organization)
    for model in BINDINGS:
        for binding in shelf.all(model):
            runs = bool(binding.status.release_ref)
            component = shelf.find(Component, binding.component)
            if not runs or component is None or binding.wanted_state is BindingState.UNDEPLOY:
                continue
            project = shelf.find(Project, component.project)
            if group.name in {name for _, name in named_groups(component, project, organization)}:
                yield binding, component


def _consumer(
    shelf: Shelf,
    group: ConfigurationGroup,
    binding: Binding,
    component: Component,
    gateway: GatewayDefaults,
) -> ConfigurationConsumer | None:
    """Returns a consumer, None when the values that it runs with are those of now.

    Raises:
        InvalidRequest: It could not use them; what was wrong before as well is not told again.
    """
    places = component.name, binding.environment
    given = {one.group_ref for one in binding.status.configuration}
    after = assemble(shelf, *places, gateway=gateway, present_groups={group.name})
    before = _only(assemble(shelf, *places, gateway=gateway), given)
    runs, wanted = judged_configuration(before), judged_configuration(after)
    changes = configuration_changes(runs, wanted)
    new = [one for one in wanted.problems if one not in runs.problems]
    if new:
        raise InvalidRequest("; ".join(new))
    if not changes:
        return None
    rendered = render_release(after)
    step = list(_steps(shelf, component, binding.environment))
    artifact = after.artifact
    return ConfigurationConsumer(
        binding_kind=binding.kind,
        binding=binding.name,
        component=component.name,
        project=component.project,
        environment=binding.environment,
        artifact=binding.artifact,
        image=rendered.image,
        version=artifact.version if artifact else "",
        keys=tuple(one.key for one in changes),
        hash=rendered.hash,
        release=rendered.name,
        gated=_is_gated(shelf, component, binding.environment),
        rules=_rules(step),
    )


def _obstacle(
    shelf: Shelf,
    binding: Binding,
    component: Component,
    one: ConfigurationConsumer,
    gateway: GatewayDefaults,
) -> str:
    """Says why the change cannot go to a gated place; empty = it can.

    What goes there with the change must differ from what runs by the change alone: anything else,
    such as another artifact or workload, has gates of its own to pass.
    """
    if not one.gated:
        return ""
    if not _pipeline(shelf, component).sources_of(binding.environment):
        return "its pipeline has no way there"
    given = {each.group_ref for each in binding.status.configuration}
    before = _only(assemble(shelf, component.name, binding.environment, gateway=gateway), given)
    if render_release(before).name != binding.status.release_ref:
        return "more than configuration differs from what runs there: promote it"
    return ""


def _only(facts: ReleaseFacts, given: set[str]) -> ReleaseFacts:
    """What runs knows nothing of groups that were named after it was deployed."""
    kept = tuple(one for one in facts.configuration if one.group.name in given)
    return facts.model_copy(update={"configuration": kept})


def _pipeline(shelf: Shelf, component: Component) -> DeploymentPipeline:
    project = shelf.needed(Project, component.project, f"Component {component.name}")
    name = project.spec.deployment_pipeline_ref
    return shelf.needed(DeploymentPipeline, name, f"Project {project.name}")


def _is_gated(shelf: Shelf, component: Component, environment: str) -> bool:
    return environment != _pipeline(shelf, component).first_environment


def _steps(shelf: Shelf, component: Component, environment: str) -> Iterator[PromotionTarget]:
    pipeline = _pipeline(shelf, component)
    for source in pipeline.sources_of(environment):
        target = pipeline.target(source, environment)
        if target is not None:
            yield target


def _rules(steps: Iterable[PromotionTarget]) -> tuple[ApprovalRule, ...]:
    """Returns who must agree: as the steps say.

    Where only people can judge a gate, anybody who may approve there.
    """
    rules = []
    for step in steps:
        if step.approval is not None:
            rules.append(step.approval.rule)
        elif any(gate.check in _NEEDS_PEOPLE for gate in step.gates):
            rules.append(ApprovalRule())
    return tuple(dict.fromkeys(rules))


def _waves(
    shelf: Shelf, consumers: Iterable[ConfigurationConsumer]
) -> tuple[tuple[ConfigurationConsumer, ...], ...]:
    order: dict[str, int] = {}
    for pipeline in shelf.all(DeploymentPipeline):
        for place, name in enumerate(pipeline.environments):
            order[name] = max(order.get(name, 0), place)
    production = {one.name for one in shelf.all(Environment) if one.spec.is_production}
    by_place: dict[str, list[ConfigurationConsumer]] = {}
    for one in consumers:
        by_place.setdefault(one.environment, []).append(one)
    ranked = sorted(by_place, key=lambda name: (name in production, order.get(name, 0), name))
    return tuple(
        tuple(sorted(by_place[name], key=lambda one: (one.component, one.binding)))
        for name in ranked
    )
