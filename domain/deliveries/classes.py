"""What the upgrade of a class is asked, passes on and answers."""

from __future__ import annotations

from domain.deliveries.wire import Trigger, Wire
from domain.phases import Phase


class ClassUpgradeRequest(Wire):
    """Brings components to the present content of their class."""

    organization: str
    class_kind: str
    class_name: str
    trigger: Trigger = Trigger()


class ClassConsumer(Wire):
    """A binding that names a class."""

    binding_kind: str
    binding: str
    component: str
    environment: str
    revision: str = ""
    """ClassRevision it runs with; empty = nothing runs."""
    held: str = ""
    """ClassRevision it is held at; empty = it is not."""
    is_production: bool = False
    needs: bool = False
    """It runs with another revision than the present one and is not held."""


class ClassUpgradePlan(Wire):
    """Who is upgraded, in which order."""

    revision: str
    """The present content of the class."""
    waves: tuple[tuple[ClassConsumer, ...], ...] = ()
    """Empty = all are at it, or held."""
    held: tuple[str, ...] = ()
    """Bindings that are left alone because they are held."""
    max_at_once: int = 4
    max_failures: int = 0


class UpgradeBinding(Wire):
    """Asks for the deployment of one binding with a revision of its class."""

    organization: str
    consumer: ClassConsumer
    revision: str
    request_id: str
    trigger: Trigger = Trigger()


class BindingUpgrade(Wire):
    """How the deployment of one binding with the new revision ended."""

    binding: str
    component: str
    environment: str
    phase: Phase
    changed: bool = False
    """Something was rolled out."""
    message: str = ""


class ClassUpgrade(Wire):
    """Result of an upgrade."""

    organization: str
    class_kind: str
    class_name: str
    revision: str
    upgraded: tuple[BindingUpgrade, ...] = ()
    failed: tuple[BindingUpgrade, ...] = ()
    held: tuple[str, ...] = ()
