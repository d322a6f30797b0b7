"""What must hold before a component goes on to an environment, as a platform engineer writes it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.model import Model, Rule
from domain.resources.types import ImageOrEmpty, Name, NameOrEmpty, Text

SOAKED = "source-soaked"
"""Name of the gate that waits until a release ran long enough in the source."""
ALWAYS = frozenset({"order", "veto", "hold", "pin", "source-healthy", SOAKED})
"""Names of the gates that every step has without saying so."""
APPROVAL = "approval"
"""What the approval of a step is called where gates are named."""


class GateCheck(StrEnum):
    """What a gate looks at."""

    TESTS = "Tests"
    SCAN = "Scan"
    CONFIGURATION = "Configuration"
    DEPENDENCIES = "Dependencies"
    QUOTA = "Quota"
    EXPRESSION = "Expression"
    WEBHOOK = "Webhook"
    MANUAL = "Manual"


class WhenUnknown(StrEnum):
    """What becomes of a gate about which nobody knows anything."""

    CLOSE = "Close"
    PASS = "Pass"  # noqa: S105 - no password


class Gate(Model):
    """One thing that must hold."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.check != 'Tests' || ((has(self.command) && size(self.command) > 0) != "
            "(has(self.template) && self.template != ''))",
            "a gate Tests needs a command or a template, one of them",
            lambda gate: (
                gate.check is not GateCheck.TESTS or bool(gate.command) != bool(gate.template)
            ),
        ),
        Rule(
            "self.check != 'Expression' || (has(self.expression) && self.expression != '')",
            "a gate Expression needs an expression",
            lambda gate: gate.check is not GateCheck.EXPRESSION or bool(gate.expression),
        ),
        Rule(
            "self.check != 'Webhook' || (has(self.url) && self.url != '')",
            "a gate Webhook needs a url",
            lambda gate: gate.check is not GateCheck.WEBHOOK or bool(gate.url),
        ),
    )

    name: Name
    """What it is called where its verdict is shown."""
    check: GateCheck
    """What is looked at. Tests = a command or an Argo template that is run in the source
    environment. Scan, Configuration, Dependencies, Quota = what the platform knows of them.
    Expression = CEL over all facts. Webhook = another system is asked. Manual = a person looks."""
    when_unknown: WhenUnknown = WhenUnknown.CLOSE
    """Close = what nobody knows does not pass. Pass = it does, and it is shown that way."""
    message: Text = ""
    """What to do when it is closed, for people. Empty = the verdict speaks for itself."""
    expression: str = Field("", max_length=2048)
    """Of Expression: CEL that is true when the gate is open. Knows `artifact`, `source`, `target`,
    `promotion`."""
    url: str = Field("", max_length=1024, pattern=r"^(https?://[^\s@]+)?$")
    """Of Webhook: where facts are sent by POST, signed with the organization's key; the answer
    says `{"passed": true, "reason": "..."}`."""
    image: ImageOrEmpty = ""
    """Of Tests: image that is run. Empty = that of the artifact."""
    command: tuple[Annotated[str, Field(max_length=4096)], ...] = Field((), max_length=64)
    """Of Tests: command with arguments; it passes when it exits with 0."""
    template: NameOrEmpty = ""
    """Of Tests, instead of a command: Argo WorkflowTemplate that is in the source environment's
    namespace on the plane; it passes when it succeeds. Its report is its output parameter `report`,
    else what its containers said last."""
    cluster_scope: bool = False
    """Of Tests: the template is a ClusterWorkflowTemplate of the plane."""
    parameters: dict[str, Annotated[str, Field(max_length=4096)]] = Field({}, max_length=32)
    """Of Tests: arguments of the template. It is given `organization`, `project`, `component`,
    `environment` and `image` besides."""
    timeout_seconds: int = Field(300, ge=1, le=3600)
    """Of Tests and Webhook: longest it may take."""


class HotfixPolicy(Model):
    """What a promotion in a hurry may leave out; it always needs a reason and the right to it."""

    skips: tuple[Name, ...] = Field(
        (), max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Gates that are not waited for, by name; `approval` too. Empty = none may be skipped."""
