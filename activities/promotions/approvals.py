"""What an approval needs from outside: who decides, and who has the right to."""

from __future__ import annotations

from temporalio import activity

from activities.common.reading import find
from clients.assertions import AssertionVerifier
from clients.kubernetes.cluster import Cluster
from domain.deliveries.approval_votes import ApprovalPerson, PeopleCheck, PeopleFacts
from domain.errors import Unauthenticated
from domain.policies.access import Caller, decide
from domain.resources import Action, Organization
from settings import Settings


class ApprovalActivities:
    """Readings only: nothing here changes anything."""

    def __init__(self, cluster: Cluster, verifier: AssertionVerifier, settings: Settings) -> None:
        self._cluster = cluster
        self._verifier = verifier
        self._administrators = (settings.api.admin_group,)

    @activity.defn
    async def check_people(self, check: PeopleCheck) -> PeopleFacts:
        """Proves who makes a decision, and reads who may decide by the access rules as they are.

        Idempotent: a reading. An organization that is gone permits nobody.
        """
        organization = await find(self._cluster, Organization, check.organization)
        person, unproven, proof_id, until = None, "", "", None
        try:
            proof = self._verifier.verify(check.approval, check.decision, check.received)
            person, proof_id, until = proof.person, proof.id, proof.until
        except Unauthenticated as error:
            unproven = error.message
        permitted, denials = [], {}
        everyone = {one.subject: one for one in (*check.people, *([person] if person else []))}
        for one in everyone.values():
            if why := self._denial(organization, check, one):
                denials[one.subject] = why
            else:
                permitted.append(one.subject)
        return PeopleFacts(
            person=person,
            unproven=unproven,
            assertion_id=proof_id,
            assertion_until=until,
            permitted=tuple(permitted),
            denials=denials,
        )

    def _denial(
        self, organization: Organization | None, check: PeopleCheck, person: ApprovalPerson
    ) -> str:
        """Returns why a person may not approve there; empty when they may."""
        if organization is None:
            return f"there is no organization {check.organization}"
        caller = Caller(subject=person.subject, email=person.email, groups=frozenset(person.groups))
        decision = decide(
            organization,
            caller,
            Action.APPROVE,
            project=check.project,
            environment=check.environment,
            administrators=self._administrators,
        )
        return "" if decision.allowed else decision.reason
