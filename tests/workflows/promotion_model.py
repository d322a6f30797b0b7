"""A gated place as it is, beside what people really agreed to: the second judges the first.

Everything that decides is real: the procedures, the memory of the place, the queue, the approvals
with their signatures, the admission of deployments. Only what is read and rolled out is played.
The oracle knows nothing of hashes and passes: it remembers who said yes while looking at what.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from domain import ids
from domain.deliveries import (
    Applied,
    ApplyRelease,
    Bundle,
    Deployment,
    DeployRecord,
    DeployRequest,
    FollowRollout,
    PreparedRelease,
    RolloutReady,
    TriggerKind,
)
from domain.deliveries.approvals import ApprovalRule
from domain.deliveries.freezes import ClosedBy, FreezeVerdict
from domain.deliveries.promotions import (
    ArtifactFacts,
    PlaceFacts,
    PromotionFacts,
    PromotionRequest,
    StepRules,
)
from domain.deliveries.rollbacks import RollbackFacts, RollbackRequest
from domain.errors import Denied, DependencyUnavailable
from domain.policies.promotion.enforcement import Admission, Wish, admit, admit_rollback
from domain.policies.promotion.rollback import KnownRelease
from domain.records import FactBatch, Recorded
from domain.resources import DeploymentPipeline, parse_as
from domain.resources.conditions import Reason
from tests.serving import own_client, served
from tests.workflows.approving import Approvals
from tests.workflows.promoting import Line
from workflows.promotions.standings import TemporalStandings
from workflows.registry import LANES, PROCEDURES

ARTIFACTS = "abcd"
REQUESTER = "rob@acme.example"
QUORUM = 2
Result = TypeVar("Result")

PIPELINE = parse_as(
    DeploymentPipeline,
    {
        "metadata": {"name": "standard"},
        "spec": {
            "promotionPaths": [
                {"sourceEnvironmentRef": "dev", "targetEnvironmentRefs": [{"name": "staging"}]}
            ]
        },
    },
)


class Content(NamedTuple):
    """What can run: a digest and the configuration it runs with."""

    artifact: str
    configuration: int

    @property
    def image(self) -> str:
        return f"registry.example/acme/web@sha256:{self.artifact * 64}"

    @property
    def hash(self) -> str:
        return f"hash of {self.artifact} with {self.configuration}"

    @property
    def release(self) -> str:
        return f"web-{self.artifact}-{self.configuration}"


@dataclass
class Oracle:
    """Who said yes to what, and what came to the place all the same."""

    said: dict[tuple[str, int, Content], set[str]] = field(default_factory=dict)
    """(run of the approval, its round, what was looked at) -> people who may decide."""
    came: list[Content] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def agrees(self, run: str, number: int, content: Content, person: str) -> None:
        """Somebody who may decide is about to say yes, looking at that."""
        self.said.setdefault((run, number, content), set()).add(person)

    def comes(self, content: Content) -> None:
        """That is rolled out now."""
        agreed = [who for (_, _, seen), who in self.said.items() if seen == content]
        if not any(len(who - {REQUESTER}) >= QUORUM for who in agreed):
            self.violations.append(f"{content} came, and to it agreed only {agreed}")
        self.came.append(content)


class GatedPlace(Line):
    """dev -> staging, into which only what two people agreed to may come."""

    def __init__(
        self, client: Client, organization: str, keys: Path, seed: int, *, guarded: bool = True
    ) -> None:
        """``guarded`` False = deployments are admitted without asking: the oracle must notice."""
        super().__init__(client, organization)
        self.oracle = Oracle()
        self.wanted = Content("a", 1)
        """What the source runs, and the present configuration of the target."""
        self.runs: Content | None = None
        self.quorum = QUORUM
        self.frozen = False
        self.refused = 0
        self.approvals = Approvals(client, keys)
        self._guarded = guarded
        self._dice = random.Random(seed)
        self._contents: dict[str, Content] = {}

    def contents(self) -> tuple[Content, ...]:
        """Returns everything that anybody was ever asked about."""
        return tuple(self._contents.values())

    def now(self) -> datetime:
        """Returns the present time."""
        return datetime.now(UTC)

    def content(self, artifact: str) -> Content:
        """Returns what an artifact would be in the place now."""
        found = Content(artifact or self.wanted.artifact, self.wanted.configuration)
        self._contents[found.release] = found
        return found

    async def _dies_after(self, result: Result) -> Result:
        """Now and then the worker dies between an effect and its record: it is tried again."""
        if self._dice.random() < 0.08:
            raise DependencyUnavailable("the worker died after the effect")
        return result

    @activity.defn
    async def read_promotion(self, request: PromotionRequest) -> PromotionFacts:
        content = self.content(request.artifact)
        runs = self.runs
        target = PlaceFacts(
            environment="staging",
            binding="web-staging",
            binding_kind="ServiceBinding",
            artifact=runs.artifact if runs else "",
            wanted=runs.artifact if runs else "",
            release=runs.release if runs else "",
            ready=True,
        )
        return PromotionFacts(
            organization=self.organization,
            project="shop",
            component="web",
            environment="staging",
            pipeline="standard",
            first="dev",
            sources=("dev",),
            source=self.source.model_copy(update={"artifact": self.wanted.artifact}),
            source_queue="plane.local",
            target=target,
            target_queue="plane.local",
            artifact=ArtifactFacts(
                name=content.artifact, image=content.image, version=content.artifact
            ),
            rules=StepRules(approval=ApprovalRule(quorum=self.quorum)),
            standing=await self.standing(),
            release=content.release,
            hash=content.hash,
            freeze=self._freeze(),
            at=datetime.now(UTC),
        )

    @activity.defn
    async def read_rollback(self, request: RollbackRequest) -> RollbackFacts:
        runs, before = self.runs, dict.fromkeys(reversed(self.oracle.came))
        return RollbackFacts(
            running=runs.release if runs else "",
            artifact=runs.artifact if runs else "",
            image=runs.image if runs else "",
            known=tuple(
                KnownRelease(name=one.release, artifact=one.artifact, since=datetime.now(UTC))
                for one in before
                if one != runs
            ),
            standing=await self.standing(),
            at=datetime.now(UTC),
        )

    @activity.defn
    async def prepare_release(self, request: DeployRequest) -> PreparedRelease:
        back = self._contents.get(request.rollback)
        content = back or self.content(request.artifact)
        if self._guarded:
            await self._admit(request, content, is_rollback=back is not None)
        return PreparedRelease(
            organization=self.organization,
            project="shop",
            component="web",
            environment="staging",
            binding="web-staging",
            generation=1,
            deployment="web-staging-1",
            artifact=content.artifact,
            task_queue="plane.local",
            changed=content != self.runs,
            bundle=_bundle(content),
            previous=_bundle(self.runs) if self.runs else Bundle(namespace="acme-shop-staging"),
        )

    async def _admit(self, request: DeployRequest, content: Content, *, is_rollback: bool) -> None:
        standings = TemporalStandings(self.client)
        standing = await standings.read(self.organization, "web", "staging")
        wish = Wish(
            component="web",
            environment="staging",
            artifact=content.artifact,
            image=content.image,
            release=content.release,
            hash=content.hash,
            changes=content != self.runs,
            by_person=request.trigger.kind is TriggerKind.API,
        )
        admission: Admission = (
            admit_rollback(wish, PIPELINE, standing, is_intact=True)
            if is_rollback
            else admit(wish, PIPELINE, standing, datetime.now(UTC))
        )
        if not admission.allowed:
            self.refused += 1
            raise Denied(admission.message, facts={"reason": Reason.GATE_CLOSED.value})

    @activity.defn
    async def apply_release(self, request: ApplyRelease) -> Applied:
        content = self._contents[request.bundle.release]
        if content != self.runs:
            self.oracle.comes(content)
        self.runs = content
        return await self._dies_after(Applied(applied=("Service/web",)))

    @activity.defn
    async def follow_rollout(self, _request: FollowRollout) -> RolloutReady:
        return RolloutReady(replicas=2, message="2 of 2 replicas are ready")

    @activity.defn
    async def record_deployment(self, record: DeployRecord) -> Deployment:
        request = record.request
        return Deployment(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            request_id=request.request_id,
            phase=record.phase,
            release=record.release.bundle.release if record.release else "",
            reason=record.reason,
            message=record.message,
            undone=record.undone,
        )

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        return await self._dies_after(await self.keep(batch))

    def _freeze(self) -> FreezeVerdict | None:
        if not self.frozen:
            return None
        shut = ClosedBy(window="party", reason="a party")
        return FreezeVerdict(at=datetime.now(UTC), closed_by=(shut,))

    @asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        """Runs all queues, with nothing kept in memory: each task begins with its history."""
        control = [
            *self.control(),
            self.prepare_release,
            self.record_deployment,
            *self.approvals.people(),
        ]
        plane = [*self.plane(), self.apply_release, self.follow_rollout]
        own = await own_client(self.client)
        fresh: Any = {"max_cached_workflows": 0}
        made = [
            Worker(own, task_queue=ids.ORCHESTRATION_QUEUE, workflows=PROCEDURES, **fresh),
            Worker(own, task_queue=ids.LANES_QUEUE, workflows=LANES, **fresh),
            Worker(own, task_queue=ids.CONTROL_QUEUE, activities=control),
            Worker(own, task_queue="plane.local", activities=plane),
        ]
        async with served(made):
            yield


def _bundle(content: Content) -> Bundle:
    objects = ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}},)
    return Bundle(release=content.release, namespace="acme-shop-staging", objects=objects)


class Workers:
    """The workers of a place; they can be killed, and others come."""

    def __init__(self, place: GatedPlace) -> None:
        self._place = place
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._place.workers())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def replaced(self) -> None:
        """Those that are there go, with all they had in hand; new ones begin from histories."""
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        await self._stack.enter_async_context(self._place.workers())


async def bounded(work: Awaitable[Result], seconds: float = 60) -> Result:
    """Awaits what must come, however busy the machine is."""
    async with asyncio.timeout(seconds):
        return await work
