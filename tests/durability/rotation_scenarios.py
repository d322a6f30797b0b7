"""Secrets that are turned over while workers are killed, with somebody who logs in all the time."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.expiry import ExpiryRequest
from domain.deliveries.leaks import Confirmation, LeakRequest
from domain.deliveries.rotations import RotationRequest
from domain.deliveries.secrets import SecretChange
from tests.durability.databases import FIRST, Roles
from tests.durability.declared import COMPONENT
from tests.durability.issuing import TARGET, Issuing
from tests.durability.place import GOOD, PROJECT, Place
from tests.durability.registries import Users
from tests.durability.scenario import Scenario, runs
from tests.durability.state import State
from tests.durability.vaults import APP_ROLE, PATH, Held, Vault, logging_in
from workflows.expiry.look import ExpiryLookWorkflow
from workflows.leaks.response import LeakResponseWorkflow
from workflows.leaks.starting import confirm_leak, start_leak_response
from workflows.secrets.starting import start_change, start_rotation

ROTATION = "word"


class ValueRotation(Scenario):
    name = "rotation"
    answers_throughout = True
    field: ClassVar[str] = "value"
    engine: ClassVar[dict[str, Any]] = {"engine": "KV"}
    own_steps: ClassVar[tuple[str, ...]] = ()
    """Activities that rotations with other engines do not have."""

    async def before(self, place: Place) -> None:
        await self.uses(place, {self.field: FIRST})
        times = {"graceSeconds": 0, "destroyAfterSeconds": 1}
        spec = {**self.target(place), "vaultPath": PATH, **times}
        await place.apply("SecretRotation", ROTATION, spec)
        await place.deploy(GOOD)

    async def uses(self, place: Place, values: Held) -> None:
        """Keeps a secret, and has the component find each of its fields."""
        await Vault(place).set_up(values)
        keys = [
            {
                "key": name,
                "values": [{"environmentGroupRef": "non-production", "vaultKey": f"{PATH}/{name}"}],
            }
            for name in values
        ]
        await place.apply("ConfigurationGroup", "secrets", {"configurations": keys})
        owner = {"componentOwner": {"projectRef": PROJECT}, "autoDeploy": False}
        await place.apply("Component", COMPONENT, {**owner, "configurationGroupRefs": ["secrets"]})

    def target(self, place: Place) -> dict[str, Any]:
        """What the SecretRotation says of the target."""
        del place
        return self.engine

    async def act(self, place: Place) -> None:
        asked = RotationRequest(organization=place.name, rotation=ROTATION)
        for _ in range(place.times):
            place.remember(await start_rotation(place.client, asked))

    def observers(
        self, place: Place, failures: list[str]
    ) -> list[AbstractAsyncContextManager[None]]:
        return [*super().observers(place, failures), logging_in(place, failures)]

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert [False, True] in [one["readable"] for one in state["secret"]]
        assert [one["status"]["version"] for one in state["SecretRotation"]] == [2]
        assert [one["versions"] for one in state["plane Secret"]] == [f"{PATH}=2"]


class SecretIdRotation(ValueRotation):
    name = "rotation secret id"
    field = "secret_id"
    engine: ClassVar[dict[str, Any]] = {"engine": "AppRole", "appRole": APP_ROLE}


class DatabaseRotation(ValueRotation):
    """Two roles of a real PostgreSQL take turns."""

    name = "rotation database"
    admin = f"{PATH}-admin"

    async def uses(self, place: Place, values: Held) -> None:
        roles = Roles(place.name)
        await roles.set_up()
        await super().uses(place, roles.first)
        await Vault(place).keep(self.admin, roles.admin)

    def target(self, place: Place) -> dict[str, Any]:
        return {"engine": "Database", "database": Roles(place.name).target(self.admin)}

    def observers(
        self, place: Place, failures: list[str]
    ) -> list[AbstractAsyncContextManager[None]]:
        own = logging_in(place, failures, Roles(place.name))
        return [*Scenario.observers(self, place, failures), own]


class CertificateRotation(ValueRotation):
    """A new issuer takes the place of the old one: trusted before it signs."""

    name = "rotation certificates"
    own_steps = ("make_trust", "use_trust", "make_last", "use_last", "forget_issuers")
    engine: ClassVar[dict[str, Any]] = {"engine": "PKI", "pki": TARGET}

    async def uses(self, place: Place, values: Held) -> None:
        await super().uses(place, await Issuing(place).set_up())

    def observers(
        self, place: Place, failures: list[str]
    ) -> list[AbstractAsyncContextManager[None]]:
        own = logging_in(place, failures, Issuing(place))
        return [*Scenario.observers(self, place, failures), own]

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert [False, False, False, True] in [one["readable"] for one in state["secret"]]
        assert [one["status"]["version"] for one in state["SecretRotation"]] == [4]
        assert [one["versions"] for one in state["plane Secret"]] == [f"{PATH}=4"]


class RegistryRotation(ValueRotation):
    """Two users of a registry that asks who pulls take turns."""

    name = "rotation registry"
    file = "shared/registry-users"

    async def uses(self, place: Place, values: Held) -> None:
        users, vault = Users(place.name), Vault(place)
        await super().uses(place, users.first)
        await vault.keep(self.file, users.file)
        await users.follow(lambda: vault.newest(self.file))

    def target(self, place: Place) -> dict[str, Any]:
        return {"engine": "Registry", "registry": Users(place.name).target(self.file)}

    def observers(
        self, place: Place, failures: list[str]
    ) -> list[AbstractAsyncContextManager[None]]:
        own = logging_in(place, failures, Users(place.name))
        return [*Scenario.observers(self, place, failures), own]


class SecretDelivered(ValueRotation):
    """A person set a secret: everyone who uses it gets it, and begins anew with it."""

    name = "secret set"
    is_undone_by_cancel = False

    async def before(self, place: Place) -> None:
        await self.uses(place, {"value": FIRST})
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        version = await Vault(place).keep(PATH, {"value": "the-second-one"}, expected=1)
        change = SecretChange(
            organization=place.name,
            path=PATH,
            action="secret.set",
            version=version,
            delivers=True,
            restarts=True,
            trigger=Trigger(actor="ada"),
        )
        for _ in range(place.times):
            place.remember(await start_change(place.client, change, "one"))

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert [one["versions"] for one in state["plane Secret"]] == [f"{PATH}=2"]


class Leaked(ValueRotation):
    """All secrets of the project are known to strangers."""

    name = "secret leak"
    is_undone_by_cancel = False

    async def act(self, place: Place) -> None:
        asked = LeakRequest(organization=place.name, project=PROJECT, reason="a stolen laptop")
        handle = await start_leak_response(place.client, asked)
        for _ in range(1, place.times):
            handle = await start_leak_response(place.client, asked)
        place.remember(handle)
        rotation = ids.rotation_id(place.name, ROTATION)
        place.remember(place.client.get_workflow_handle(rotation))
        while not (told := await handle.query(LeakResponseWorkflow.report)).awaits_confirmation:  # noqa: ASYNC110 - a worker says so
            await asyncio.sleep(0.1)
        word = Confirmation(plan=told.plan.hash, actor="ada")
        await asyncio.gather(*(confirm_leak(handle, word) for _ in range(place.times)))

    def facts(self, state: State) -> None:
        super().facts(state)
        told = [one["action"] for one in state["fact"] if one["action"].startswith("leak.")]
        assert sorted(told) == ["leak.answered", "leak.confirmed", "leak.reported"]


class Expiring(ValueRotation):
    """A secret works no more tomorrow: its owner is told, once."""

    name = "secret expires"
    answers_throughout = False
    is_undone_by_cancel = False

    async def before(self, place: Place) -> None:
        vault = Vault(place)
        await vault.set_up({"value": FIRST})
        await asyncio.to_thread(vault.expires, "2020-01-01T00:00:00+00:00")

    async def act(self, place: Place) -> None:
        for _ in range(place.times):
            handle = await place.client.start_workflow(
                ExpiryLookWorkflow.run,
                ExpiryRequest(organizations=(place.name,)),
                id=f"expiry-look/{place.name}/one",
                task_queue=ids.ORCHESTRATION_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            )
            place.remember(handle)

    def observers(
        self, place: Place, failures: list[str]
    ) -> list[AbstractAsyncContextManager[None]]:
        return []

    def facts(self, state: State) -> None:
        assert [one["action"] for one in state["fact"]] == ["secret.expired"]
        (looked,) = state["operation"]
        assert looked["result"]["sent"] == 1


ENGINES: tuple[ValueRotation, ...] = (
    ValueRotation(),
    SecretIdRotation(),
    DatabaseRotation(),
    CertificateRotation(),
    RegistryRotation(),
)
ROTATIONS: tuple[Scenario, ...] = (*ENGINES, SecretDelivered(), Leaked(), Expiring())
