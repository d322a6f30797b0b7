"""The folder of a stack, its files and its record."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from devstack.errors import AlreadyRunning, DevstackError
from devstack.files import write_atomically, write_private
from devstack.lifecycle import Wish
from devstack.network import NodeNetwork, choose_network
from devstack.processes import ProcessId
from devstack.record import PartPhase, PartStatus, StackRecord, read_record
from devstack.state import StateDir, locked, state_dir
from devstack.webhooks import ensure_webhook_secret

pytestmark = pytest.mark.unit


def test_the_folder_is_below_the_one_a_person_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAVANE_STATE_DIR", str(tmp_path))

    assert state_dir("one").root == tmp_path / "stacks" / "one"


@pytest.mark.parametrize("name", ["", "..", "a/b", "Upper", "-a", "a" * 40])
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    with pytest.raises(DevstackError, match="stack name"):
        state_dir(name)


def test_a_second_command_on_the_same_stack_is_refused(tmp_path: Path) -> None:
    with locked(StateDir(tmp_path)), pytest.raises(AlreadyRunning), locked(StateDir(tmp_path)):
        pass

    with locked(StateDir(tmp_path)):
        pass


def test_folders_with_secrets_are_closed_to_others(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "stack")
    state.create()

    modes = {folder.stat().st_mode & 0o777 for folder in (state.pki, state.secrets, state.run)}
    assert modes == {0o700}


def test_a_private_file_is_private_from_its_first_byte(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("old")
    file.chmod(0o644)

    write_private(file, "new")

    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o600)


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "record"
    file.write_text("old")

    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\ud800")

    assert [path.name for path in tmp_path.iterdir()] == ["record"]
    assert file.read_text() == "old"


def test_a_record_reads_as_it_was_written(tmp_path: Path) -> None:
    status = PartStatus("etcd", "component", PartPhase.READY, process=ProcessId(7, 8))
    record = StackRecord("one", "core", False, "boot", ProcessId(1, 2), {"etcd": status}, {"e": 1})

    record.write(tmp_path / "stack.json")

    assert read_record(tmp_path / "stack.json") == record
    assert yaml.safe_load(yaml.safe_dump(record.to_json())) == record.to_json()


def test_processes_of_an_earlier_boot_are_nobodys() -> None:
    status = PartStatus("etcd", "component", process=ProcessId(1, 0))
    record = StackRecord("one", "core", False, "earlier", ProcessId(1, 0), {"etcd": status})

    assert (record.processes, record.is_alive) == ([], False)


def test_what_had_to_be_elsewhere_goes_with_the_folder(tmp_path: Path) -> None:
    state, outside = StateDir(tmp_path / "stack"), tmp_path / "elsewhere"
    state.create()
    outside.mkdir()
    (outside / "data").touch()
    for place in (outside, state.data, tmp_path / "file that is gone"):
        state.keep_outside(place)

    state.delete()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("wanted", "runs"), [("ha", "core"), ("core", "ha"), ("full", "ha")])
def test_a_stack_does_not_become_one_whose_temporal_keeps_its_data_elsewhere(
    wanted: str, runs: str
) -> None:
    record = StackRecord("one", runs, False, "boot", ProcessId(1, 2), {}, {})

    with pytest.raises(DevstackError, match="cannot become"):
        Wish("one", wanted).grown_from(record)


def test_a_stack_grows_from_core_to_full_and_never_back() -> None:
    runs = [
        StackRecord("one", name, False, "boot", ProcessId(1, 2), {}, {})
        for name in ("core", "full")
    ]

    grown = [
        Wish("one", wanted).grown_from(one).profile for wanted in ("core", "full") for one in runs
    ]

    assert grown == ["core", "full", "full", "full"]


def test_a_stack_takes_the_first_network_no_other_has() -> None:
    first = choose_network("seed", lambda _: False)

    second = choose_network("seed", lambda network: network == first)

    assert second != first
    assert second.pods != first.pods


def test_a_machine_full_of_stacks_says_so() -> None:
    with pytest.raises(DevstackError, match="take a stack down"):
        choose_network("seed", lambda _: True)


def test_the_ranges_of_a_stack_do_not_overlap() -> None:
    network = NodeNetwork(3)

    assert (network.host, network.node) == ("10.190.3.1", "10.190.3.2")
    assert network.pods == "10.203.0.0/16"


def test_a_webhook_secret_stays_the_same(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "stack")
    state.create()

    assert ensure_webhook_secret(state, "acme") == ensure_webhook_secret(state, "acme")
    assert ensure_webhook_secret(state, "acme") != ensure_webhook_secret(state, "other")


def test_a_webhook_secret_cannot_be_put_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(DevstackError, match="organization"):
        ensure_webhook_secret(StateDir(tmp_path), "../acme")
