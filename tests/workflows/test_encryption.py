"""What Temporal keeps is encrypted, failures in the middle too, and people may still read it."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import httpx
import pytest
from google.protobuf.json_format import MessageToDict
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payloads
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from api.app import create_app
from api.services import Services
from clients.identity import Person
from domain.deliveries import Trigger
from domain.errors import Errored, InvalidRequest
from runtime.codec import EncryptionCodec, Keyring
from runtime.errors import as_domain_error
from runtime.plugin import PavanePlugin
from settings import PayloadSettings, Settings
from tests.serving import served
from workflows.common.calls import QUICK, call

pytestmark = pytest.mark.workflows
CANARY = "canary-9c41"
UI = "https://temporal.example.test"


class Telling:
    """An activity whose argument and error say something."""

    @activity.defn
    async def tell(self, trigger: Trigger) -> str:
        raise InvalidRequest(f"not so: {trigger.actor}")


@workflow.defn(sandboxed=False)
class TellingWorkflow:
    """A procedure that fails in the middle."""

    @workflow.run
    async def run(self, trigger: Trigger) -> str:
        workflow.set_current_details(trigger.actor)
        queue = workflow.info().task_queue
        return await call(Telling.tell, trigger, f"tell {CANARY}", queue=queue, options=QUICK)


class Everybody:
    """Proves any token."""

    async def verify(self, token: str) -> Person:
        return Person(token, token, f"{token}@example.test", (token,))


def new_key(folder: Path, name: str) -> None:
    (folder / f"{name}.key").write_bytes(base64.b64encode(os.urandom(32)))


async def encrypting(temporal: Client, folder: Path, active: str) -> Client:
    """A process that encrypts with one of the keys."""
    return await Client.connect(
        temporal.service_client.config.target_host,
        plugins=[PavanePlugin(EncryptionCodec(Keyring(folder, active)))],
    )


async def fail(client: Client, workflow_id: str) -> str:
    """Has the procedure fail; returns what its caller is told."""
    worker = Worker(
        client,
        task_queue=workflow_id,
        workflows=[TellingWorkflow],
        activities=[Telling().tell],
    )
    async with served([worker]):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(
                TellingWorkflow.run,
                Trigger(actor=CANARY),
                id=workflow_id,
                task_queue=workflow_id,
                static_summary=CANARY,
            )
    return as_domain_error(failed.value.cause).message


async def history(temporal: Client, workflow_id: str) -> str:
    """The history as Temporal has it, whatever of it is in base64."""
    found = await temporal.get_workflow_handle(workflow_id).fetch_history()
    return "".join(str(event.SerializeToString()) for event in found.events)


async def test_no_word_of_a_procedure_that_fails_can_be_read_without_a_key(
    temporal: Client, tmp_path: Path
) -> None:
    new_key(tmp_path, "1")
    client = await encrypting(temporal, tmp_path, "1")
    told = await fail(client, f"encrypted-{tmp_path.name}-a")
    open_told = await fail(temporal, f"encrypted-{tmp_path.name}-b")

    assert CANARY in told
    assert CANARY not in await history(temporal, f"encrypted-{tmp_path.name}-a")
    # The same scan finds it where nothing is encrypted.
    assert CANARY in open_told
    assert CANARY in await history(temporal, f"encrypted-{tmp_path.name}-b")


async def test_what_was_written_with_an_earlier_key_is_read_as_long_as_that_is_there(
    temporal: Client, tmp_path: Path
) -> None:
    new_key(tmp_path, "1")
    before, name = await encrypting(temporal, tmp_path, "1"), f"encrypted-{tmp_path.name}"
    await fail(before, name)
    new_key(tmp_path, "2")
    after = await encrypting(temporal, tmp_path, "2")
    with pytest.raises(WorkflowFailureError) as failed:
        await after.get_workflow_handle(name).result()
    await fail(after, f"{name}-2")
    # A process that was started before the second key came reads it as well.
    with pytest.raises(WorkflowFailureError):
        await before.get_workflow_handle(f"{name}-2").result()
    (tmp_path / "1.key").unlink()
    later = await encrypting(temporal, tmp_path, "2")

    assert CANARY in as_domain_error(failed.value.cause).message
    with pytest.raises(Errored, match=r"payload key 1\.key cannot be read"):
        await later.get_workflow_handle(name).result()


async def test_administrators_and_nobody_else_have_payloads_decrypted_also_in_the_ui(
    tmp_path: Path,
) -> None:
    new_key(tmp_path, "1")
    codec = EncryptionCodec(Keyring(tmp_path, "1"))
    plugin_converter = PavanePlugin(codec).data_converter
    assert plugin_converter is not None
    assert not callable(plugin_converter)
    payloads = Payloads(payloads=await plugin_converter.encode([CANARY]))
    body = MessageToDict(payloads)
    settings = Settings(payloads=PayloadSettings(keys=tmp_path, ui_origin=UI))
    app = create_app(Services(settings, verifier=Everybody()))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as api:

        async def ask(person: str, origin: str = UI) -> httpx.Response:
            headers = {"Authorization": f"Bearer {person}", "Origin": origin}
            return await api.post("/v1/payloads/decode", json=body, headers=headers)

        shown = await ask("platform-engineers")
        elsewhere = await ask("platform-engineers", "https://evil.example.test")
        refused = await ask("developers")
        preflight = await api.options("/v1/payloads/decode", headers={"Origin": UI})
        (payloads.payloads[0]).data = payloads.payloads[0].data[:-1] + b"x"
        body = MessageToDict(payloads)
        changed = await ask("platform-engineers")

    assert CANARY not in str(body)
    assert base64.b64decode(shown.json()["payloads"][0]["data"]).decode() == f'"{CANARY}"'
    assert shown.headers["Access-Control-Allow-Origin"] == UI
    assert preflight.headers["Access-Control-Allow-Origin"] == UI
    assert "Access-Control-Allow-Origin" not in elsewhere.headers
    assert (refused.status_code, CANARY in refused.text) == (403, False)
    assert (changed.status_code, changed.json()["detail"]) == (
        422,
        "a payload cannot be decrypted: it is not what was written",
    )
