"""What became of one revision of a configuration group, place by place."""

from __future__ import annotations

from collections.abc import Iterable

from domain.deliveries import (
    BindingConfigured,
    ConfigurationConsumer,
    ConfigurationPlan,
    ConfigurationRelease,
    ConfigurationRequest,
)
from domain.phases import Phase

_FINE = frozenset({Phase.SUCCEEDED, Phase.DENIED})


class Outcomes:
    """Who was deployed with a revision, who failed, and who was left as it is."""

    def __init__(self, left: Iterable[str] = ()) -> None:
        self._done: list[BindingConfigured] = []
        self.left = list(left)
        """Who was left as it is, and why."""

    def add(self, done: BindingConfigured) -> None:
        """Adds how it went in one place."""
        self._done.append(done)
        if done.phase is Phase.DENIED:
            self.left.append(f"{done.component} in {done.environment}: {done.message}")

    @property
    def deployed(self) -> tuple[BindingConfigured, ...]:
        """Where it runs."""
        return tuple(one for one in self._done if one.phase is Phase.SUCCEEDED)

    @property
    def failed(self) -> tuple[BindingConfigured, ...]:
        """Where it was tried in vain."""
        return tuple(one for one in self._done if one.phase not in _FINE)

    def untried(self, plan: ConfigurationPlan) -> tuple[tuple[ConfigurationConsumer, ...], ...]:
        """Returns the waves without those to whom it was brought, or was in vain."""
        tried = {(one.component, one.environment) for one in self._done}
        waves = (
            tuple(one for one in wave if (one.component, one.environment) not in tried)
            for wave in plan.waves
        )
        return tuple(wave for wave in waves if wave)

    def __str__(self) -> str:
        parts = [f"{len(self.deployed)} deployed", f"{len(self.failed)} failed"]
        parts += [f"left as they are: {'; '.join(self.left)}"] if self.left else []
        return ", ".join(parts)

    def result(
        self, request: ConfigurationRequest, plan: ConfigurationPlan
    ) -> ConfigurationRelease:
        """Returns what is answered."""
        return ConfigurationRelease(
            organization=request.organization,
            group=request.group,
            revision=plan.revision,
            deployed=self.deployed,
            failed=self.failed,
            left=tuple(self.left),
            untouched=plan.untouched,
        )
