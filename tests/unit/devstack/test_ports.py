"""Ports: free, remembered, or given."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from devstack.assembly import given_ports
from devstack.errors import DevstackError, PreflightFailed
from devstack.ports import Ports, is_free

pytestmark = pytest.mark.unit


def test_the_same_name_has_the_same_port_in_the_next_run(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json", available=lambda _: True)["temporal"]

    assert first == Ports(tmp_path / "ports.json", available=lambda _: True)["temporal"]


def test_a_remembered_port_that_is_taken_meanwhile_is_chosen_anew(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json", available=lambda _: True)["temporal"]

    again = Ports(tmp_path / "ports.json", available=lambda port: port != first, patience=0)
    second = again["temporal"]

    assert second != first


def test_names_never_share_a_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json", available=lambda _: True)

    chosen = {ports[f"name-{number}"] for number in range(300)}

    assert len(chosen) == 300


def test_two_stacks_start_from_different_ports(tmp_path: Path) -> None:
    one = Ports(tmp_path / "one.json", available=lambda _: True)
    other = Ports(tmp_path / "other.json", available=lambda _: True)

    assert one["temporal"] != other["temporal"]


def test_a_port_asked_for_is_taken_as_it_is(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json", fixed={"api": 8090}, available=lambda _: True)

    assert ports["api"] == 8090


def test_an_occupied_port_that_was_asked_for_is_refused_with_advice(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json", fixed={"api": 8090}, available=lambda _: False)

    with pytest.raises(PreflightFailed, match="port 8090 asked for api is occupied"):
        _ = ports["api"]


def test_ports_of_the_running_stack_are_kept_though_it_listens_on_them(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json", fixed={"api": 8090}, available=lambda _: False)

    ports.keep({"api": 8090})

    assert ports["api"] == 8090


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)

    assert is_free(port)


def test_ports_come_from_variables_named_for_them() -> None:
    assert given_ports({"PAVANE_STACK_PORT_TEMPORAL_UI": "8233", "PAVANE_STACK": "x"}) == {
        "temporal-ui": 8233
    }


@pytest.mark.parametrize("value", ["", "http", "0", "65536", "-1"])
def test_a_variable_that_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(DevstackError, match="PAVANE_STACK_PORT_API"):
        given_ports({"PAVANE_STACK_PORT_API": value})


def test_remembered_port_that_somebody_is_leaving_is_waited_for(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json", available=lambda _: True)["temporal"]
    answers = iter([False, False, True])

    again = Ports(tmp_path / "ports.json", available=lambda _: next(answers))["temporal"]

    assert again == first
