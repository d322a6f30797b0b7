"""A stack that is killed while its OpenBao gets its keys can be started again."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import httpx
import pytest

from devstack.core import openbao
from devstack.errors import DevstackError
from devstack.state import StateDir

URL = "http://bao.example"


class Bao:
    """Answers as a server does that is initialised once."""

    def __init__(self) -> None:
        self.initialized = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match request.url.path.rsplit("/", 1)[-1]:
            case "seal-status":
                return httpx.Response(200, json={"initialized": self.initialized})
            case "init":
                self.initialized = True
                return httpx.Response(200, json={"keys_base64": ["a"], "root_token": "b"})
            case _:
                return httpx.Response(200)


class PowerCut(BaseException):
    """What nothing catches."""


@pytest.fixture
def bao(monkeypatch: pytest.MonkeyPatch) -> Bao:
    server = Bao()
    client = partial(httpx.AsyncClient, transport=httpx.MockTransport(server))
    monkeypatch.setattr("devstack.core.openbao.httpx.AsyncClient", client)
    return server


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir(tmp_path / "stack")
    (state.data / "openbao").mkdir(parents=True)
    return state


async def test_a_server_whose_keys_were_lost_as_they_were_made_begins_anew(
    bao: Bao, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(_content: object) -> str:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr("devstack.core.openbao.json.dumps", cut)
        with pytest.raises(PowerCut):
            await openbao.unseal_server(state, URL)
    openbao.forget_half_begun(state)
    assert not (state.data / "openbao").exists()

    bao.initialized = False  # its data are gone
    await openbao.unseal_server(state, URL)
    assert openbao.root_token(state) == "b"


@pytest.mark.usefixtures("bao")
async def test_a_server_that_has_its_keys_keeps_its_data(state: StateDir) -> None:
    await openbao.unseal_server(state, URL)
    openbao.forget_half_begun(state)
    assert (state.data / "openbao").exists()
    await openbao.unseal_server(state, URL)


async def test_keys_that_somebody_deleted_are_told_and_the_data_stay(
    bao: Bao, state: StateDir
) -> None:
    bao.initialized = True
    openbao.forget_half_begun(state)
    with pytest.raises(DevstackError, match="its unseal key is lost"):
        await openbao.unseal_server(state, URL)
    assert (state.data / "openbao").exists()
