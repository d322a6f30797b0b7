"""Brings what passed the gates to its place, sees whether it does well, and undoes what it did."""

from __future__ import annotations

from temporalio import workflow

from activities.promotions.standing import PromotionActivities
from domain import ids
from domain.deliveries import Deployment, DeployRequest, Trigger
from domain.deliveries.promotion_effects import PointBinding
from domain.deliveries.promotions import PromotionFacts
from domain.deliveries.standings import Hold as HoldFact
from domain.deliveries.standings import Pass, Standing, StandingChange, Veto
from domain.errors import Errored, Failed, RolloutFailed, StaleRevision, Superseded
from domain.phases import Phase
from domain.resources.conditions import Reason
from workflows.common.calls import QUICK, call, heed_cancel
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.deployments.ordered import OrderedDeployments
from workflows.guards.edges import Edge
from workflows.promotions.passage import Passage
from workflows.promotions.verifying import Verification


class Delivery:
    """The effects of one promotion, each with its undo registered before it."""

    def __init__(
        self,
        passage: Passage,
        facts: PromotionFacts,
        saga: Saga,
        progress: Progress,
        deployments: OrderedDeployments,
    ) -> None:
        """Each attempt of a passage has effects of its own: its number tells their keys apart."""
        request, attempt = passage.request, passage.attempts
        self._request = request
        self._facts = facts
        self._saga = saga
        self._progress = progress
        self._deployments = deployments
        self._log = passage.facts_log
        self._attempt = attempt
        self._stays = False
        info = workflow.info()
        self._key = f"{info.run_id}:{request.request_id}:{attempt}"
        self._order = DeployRequest(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            request_id=ids.fitted(f"promotion-{ids.content_hash(self._key)[:16]}"),
            artifact=facts.artifact.name if facts.artifact else "",
            binding=facts.target.binding,
            binding_kind=facts.target.binding_kind,
            tell=info.workflow_id,
            waited=passage.waited,
            trigger=Trigger(
                kind=request.trigger.kind,
                actor=request.trigger.actor,
                reference=info.workflow_id,
            ),
        )

    async def deploy(self) -> Deployment:
        """Lets the objects pass and has them rolled out through the queue of the place.

        Raises:
            StaleRevision: What is rendered is no longer what passed; the gates must be asked again.
            RolloutFailed: It was tried and did not get ready; what ran before runs.
            Superseded: Somebody deployed something else there, before it was tried.
        """
        await self._let_pass()
        heed_cancel()
        self._saga.add("pointed the binding back", self._point_back)
        self._saga.add("stopped the deployment", self._stop)
        where = self._facts.environment
        with self._progress.step("deploy", awaiting=f"the deployment to {where}"):
            deployment = await self._deployments.carry_out(self._order)
        if deployment is None:
            raise Failed(f"the deployment to {where} was superseded or is not known any more")
        if deployment.phase is Phase.SUCCEEDED:
            self._saga.add("brought back what ran before", self._bring_back)
            self._log.add("promotion.deployed", step=f"deployed-{self._attempt}",
                          before=self._facts.target.release, after=self._facts.release)  # fmt: skip
            return deployment
        facts = {"reason": deployment.reason or deployment.phase.value}
        if deployment.reason == Reason.GATE_CLOSED:
            raise StaleRevision(deployment.message, facts=facts)
        if deployment.phase is Phase.SUPERSEDED:
            raise Superseded(deployment.message, facts=facts)  # it says nothing of the artifact
        raise RolloutFailed(deployment.message or deployment.phase.value, facts=facts)

    def verification(self, edge: Edge) -> Verification:
        """Returns what sees whether the release does well."""
        return Verification(self._facts, self._progress, edge, self._remember)

    async def _remember(self) -> None:
        release = self._facts.release
        await self._change("verified", f"remember that {release} does well", verified=release)

    async def leave_alone(self, failure: Failed) -> Standing:
        """Keeps automation away from the place, and the artifact out, until a person says else."""
        facts, now = self._facts, workflow.now()
        artifact = facts.artifact
        why = f"its promotion failed: {failure.message}"[:500]
        return await self._change(
            "failed",
            f"hold {facts.component} in {facts.environment}",
            hold=HoldFact(reason=why, since=now),
            veto=Veto(
                artifact=artifact.name if artifact else "",
                image=artifact.image if artifact else "",
                reason=why,
                since=now,
            ),
        )

    async def _let_pass(self) -> None:
        facts, info = self._facts, workflow.info()
        artifact = facts.artifact
        assert artifact is not None  # noqa: S101 - the gate of order says so
        self._saga.add("took back the pass", self._revoke)
        self._log.add(
            "release.passed", step=f"pass-{self._attempt}", after=facts.release,
            after_hash=facts.hash, authority=facts.pipeline,
        )  # fmt: skip
        await self._change(
            "pass",
            f"let {facts.release} pass",
            passed=Pass(
                release=facts.release,
                hash=facts.hash,
                artifact=artifact.name,
                image=artifact.image,
                version=artifact.version,
                promotion=info.workflow_id,
                run_id=info.run_id,
                by=self._request.trigger.actor,
                at=workflow.now(),
                hotfix=self._request.hotfix,
            ),
        )

    async def _revoke(self) -> None:
        if self._passed_before or self._stays:
            return  # it had one before this promotion, or it runs and nothing ran before it
        await self._change(
            "revoke", f"take back the pass of {self._facts.release}", revoked=self._facts.release
        )

    @property
    def _passed_before(self) -> bool:
        return any(one.hash == self._facts.hash for one in self._facts.standing.passes)

    async def _bring_back(self) -> None:
        """Has what ran before rolled out again; where nothing ran, what runs now stays."""
        before = self._facts.target
        if not before.release:
            self._stays = True
            return
        order = self._order.model_copy(
            update={
                "request_id": f"{self._order.request_id}-back",
                "rollback": before.release,
                "artifact": before.artifact,
            }
        )
        ended = await self._deployments.carry_out(order, even_if_cancelled=True)
        if ended is None or ended.phase is not Phase.SUCCEEDED:
            self._stays = True
            raise Errored(f"{before.release}: {ended.message if ended else 'nothing is known'}")

    async def _point_back(self) -> None:
        before = self._facts.target.wanted
        if self._stays or not before or before == self._order.artifact:
            return
        await call(
            PromotionActivities.point_binding,
            PointBinding(
                organization=self._facts.organization,
                component=self._facts.component,
                environment=self._facts.environment,
                binding=self._facts.target.binding,
                binding_kind=self._facts.target.binding_kind,
                artifact=before,
                unless_changed=self._order.artifact,
            ),
            f"point {self._facts.environment} back to {before}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )

    async def _stop(self) -> None:
        await self._deployments.stop(self._order)

    async def _change(self, step: str, summary: str, **what: object) -> Standing:
        facts = self._facts
        change = StandingChange.model_validate(
            {
                "organization": facts.organization,
                "component": facts.component,
                "environment": facts.environment,
                "key": f"{self._key}:{step}",
                "at": workflow.now(),
                **what,
            }
        )
        return await call(
            PromotionActivities.change_standing,
            change,
            summary,
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )
