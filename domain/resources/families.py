"""The types of components: which class, instance and binding belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from domain.resources.binding import (
    APIBinding,
    Binding,
    ScheduledTaskBinding,
    ServiceBinding,
    WebApplicationBinding,
)
from domain.resources.classes import (
    APIClass,
    ComponentClass,
    ScheduledTaskClass,
    ServiceClass,
    WebApplicationClass,
)
from domain.resources.component import Component, ComponentType
from domain.resources.instances import (
    API,
    Instance,
    ScheduledTask,
    Service,
    WebApplication,
)


@dataclass(frozen=True)
class Family:
    """The kinds of one type of component."""

    component_type: ComponentType
    instance: type[Instance]
    component_class: type[ComponentClass]
    binding: type[Binding]

    @property
    def default_class(self) -> str:
        """The class of components that name none."""
        spec: Any = self.binding.model_fields["spec"].annotation
        return str(spec.model_fields[spec.class_field].default)


_ALL = (
    Family(ComponentType.SERVICE, Service, ServiceClass, ServiceBinding),
    Family(
        ComponentType.WEB_APPLICATION, WebApplication, WebApplicationClass, WebApplicationBinding
    ),
    Family(ComponentType.SCHEDULED_TASK, ScheduledTask, ScheduledTaskClass, ScheduledTaskBinding),
    Family(ComponentType.API, API, APIClass, APIBinding),
)
FAMILIES: Mapping[ComponentType, Family] = MappingProxyType(
    {one.component_type: one for one in _ALL}
)
BINDINGS: tuple[type[Binding], ...] = tuple(one.binding for one in _ALL)
CLASSES: tuple[type[ComponentClass], ...] = tuple(one.component_class for one in _ALL)
INSTANCES: tuple[type[Instance], ...] = tuple(one.instance for one in _ALL)
_BY_BINDING = {one.binding.kind: one for one in _ALL}


def family_of(component: Component) -> Family:
    """Returns the kinds of a component's type."""
    return FAMILIES[component.spec.component_type]


def family_of_binding(kind: str) -> Family:
    """Returns the kinds that belong to a kind of binding."""
    return _BY_BINDING[kind]


def class_name(component: Component) -> str:
    """Returns the class that new bindings of a component name."""
    if component.spec.class_ref:
        return component.spec.class_ref
    family = family_of(component)
    is_service = family.component_type is ComponentType.SERVICE
    return component.spec.service_class_ref if is_service else family.default_class
