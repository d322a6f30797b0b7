"""What releases of configuration are asked, pass on and answer."""

from __future__ import annotations

from domain.deliveries.approvals import ApprovalRule
from domain.deliveries.wire import Trigger, Wire
from domain.phases import Phase


class ConfigurationPin(Wire):
    """The revision of a configuration group that something is rendered with."""

    group: str
    revision: str


class ConfigurationRequest(Wire):
    """Brings what a configuration group says to the components that use it."""

    organization: str
    group: str
    restore: str = ""
    """ConfigurationRevision that the group is to say again first. Empty = what it says."""
    trigger: Trigger = Trigger()


class ConfigurationConsumer(Wire):
    """A binding to which a change makes a difference."""

    binding_kind: str
    binding: str
    component: str
    project: str
    environment: str
    artifact: str = ""
    image: str = ""
    version: str = ""
    keys: tuple[str, ...] = ()
    """Keys whose values differ there."""
    hash: str
    """SHA-256 of the objects it becomes."""
    release: str
    """Their content name."""
    gated: bool = False
    """Only objects that passed come there: the environment is the target of a step."""
    rules: tuple[ApprovalRule, ...] = ()
    """Who must agree; empty = nobody needs to."""


class ConfigurationPlan(Wire):
    """Who is touched by what a group says, in which order."""

    revision: str
    """ConfigurationRevision of the present content."""
    waves: tuple[tuple[ConfigurationConsumer, ...], ...] = ()
    """One environment each; empty = nobody is touched."""
    untouched: int = 0
    """Bindings that use the group and run with the same values."""
    left: tuple[str, ...] = ()
    """Who is touched and cannot be reached, and why."""
    problems: tuple[str, ...] = ()
    """Why it cannot be released, by component and key; empty = it can."""
    max_at_once: int = 4
    max_failures: int = 0


class ConfigureBinding(Wire):
    """Asks for the deployment of one binding with a revision of a group."""

    organization: str
    group: str
    revision: str
    consumer: ConfigurationConsumer
    request_id: str
    promotion: str = ""
    """Workflow id of what let it pass."""
    run_id: str = ""
    trigger: Trigger = Trigger()


class BindingConfigured(Wire):
    """How the deployment of one binding with a revision ended."""

    binding: str
    component: str
    environment: str
    phase: Phase
    changed: bool = False
    """Something was rolled out."""
    message: str = ""


class ConfigurationNote(Wire):
    """Asks to write down on the group where its release stands."""

    organization: str
    group: str
    revision: str
    phase: Phase
    message: str = ""
    reason: str = ""
    """CamelCase word for the condition."""
    by: str = ""
    workflow_id: str = ""
    run_id: str = ""
    deployed: int = 0
    failed: int = 0
    left: int = 0


class ConfigurationRelease(Wire):
    """Result of a release of configuration."""

    organization: str
    group: str
    revision: str
    deployed: tuple[BindingConfigured, ...] = ()
    failed: tuple[BindingConfigured, ...] = ()
    left: tuple[str, ...] = ()
    """Who was not reached, and why."""
    untouched: int = 0
