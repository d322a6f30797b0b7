"""What the audit log of OpenBao tells of who uses which version of a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clients.vault.uses import SecretUses
from domain.errors import DependencyUnavailable

pytestmark = pytest.mark.unit
PATH = "shop/production/db"
PLACE = "acme-shop-production"
POD = {"display_name": f"jwt-system:serviceaccount:{PLACE}:web", "metadata": {"role": "x"}}
PAVANE = {"display_name": "approle", "metadata": {"role_name": "pavane-plane"}}
SPOOF = {"display_name": "org-acme", "metadata": {"role_name": "pavane-plane"}}


def read(auth: dict[str, Any], version: int, **more: Any) -> str:
    request = {"operation": "read", "path": f"org/acme/data/{PATH}", **more.pop("request", {})}
    response = {"data": {"metadata": {"version": version}}}
    entry = {"type": "response", "auth": auth, "request": request, "response": response, **more}
    return json.dumps(entry, separators=(",", ":")) + "\n"


def sign_in(secret: str, address: str, **more: Any) -> str:
    data = {"secret_id": secret}
    request = {"path": "auth/org/acme/login", "data": data, "remote_address": address}
    entry = {"type": "response", "request": request, **more}
    return json.dumps(entry, separators=(",", ":")) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "audit.log"
    file.write_text("")
    return file


@pytest.fixture
def uses(file: Path) -> SecretUses:
    return SecretUses(file, {"pavane-plane"})


def add(file: Path, *lines: str) -> None:
    with file.open("a") as log:
        log.writelines(lines)


def test_who_reads_the_old_version_after_a_moment_is_told_and_pavane_is_not(
    file: Path, uses: SecretUses
) -> None:
    add(file, read(POD, 3))
    before = uses.position()
    add(file, read(PAVANE, 3), read(SPOOF, 3), read(SPOOF, 4))

    assert uses.readers("acme", PATH, 3, before) == ("AppRole pavane-plane",)
    assert uses.readers("acme", PATH, 3, 0) == (
        "AppRole pavane-plane",
        f"service account web in {PLACE}",
    )
    assert uses.readers("other", PATH, 3, 0) == ()
    assert uses.readers("acme", PATH, 3, uses.position()) == ()


def test_a_pod_has_what_it_read_last_until_it_reads_again(file: Path, uses: SecretUses) -> None:
    add(file, read(POD, 3), read(SPOOF, 3))
    assert uses.holders("acme", PATH, 3) == (f"{PLACE}/web",)
    add(file, read(POD, 4, error="1 error occurred"))
    assert uses.holders("acme", PATH, 3) == (f"{PLACE}/web",)
    add(file, read(POD, 4))
    assert (uses.holders("acme", PATH, 3), uses.holders("acme", PATH, 4)) == ((), (f"{PLACE}/web",))


def test_sign_ins_are_told_by_the_hash_of_what_they_were_made_with(
    file: Path, uses: SecretUses
) -> None:
    refused = sign_in("hmac-old", "10.0.0.9", error="invalid credentials")
    add(file, sign_in("hmac-old", "10.0.0.7"), sign_in("hmac-new", "10.0.0.8"), refused)

    assert uses.sign_ins("acme", "hmac-old", 0) == ("10.0.0.7",)
    assert uses.sign_ins("acme", "hmac-old", uses.position()) == ()
    assert uses.sign_ins("other", "hmac-old", 0) == ()


def test_a_line_that_is_being_written_waits_and_a_new_file_is_read_from_its_beginning(
    file: Path, uses: SecretUses
) -> None:
    line = read(POD, 3)
    add(file, "no json\n", line[:40])
    assert uses.readers("acme", PATH, 3, 0) == ()
    add(file, line[40:])
    assert uses.readers("acme", PATH, 3, 0) != ()
    file.write_text(read(SPOOF, 5))
    assert uses.readers("acme", PATH, 5, 0) == ("AppRole pavane-plane",)
    file.unlink()
    with pytest.raises(DependencyUnavailable, match="audit log of OpenBao cannot be read"):
        uses.position()
