from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from api.webhooks.pushes import Ignored, Push, normalised, read
from api.webhooks.signatures import Provider, secret_of, verify
from domain.errors import InvalidRequest, Unauthenticated

SECRET = b"a-secret-of-forty-characters-0123456789"
COMMIT = "0123abcd" * 5
EVENT = {"x-github-event": "push"}


def push(**changes: Any) -> bytes:
    repository = {"clone_url": "https://git.example/acme/web.git"}
    content = {"ref": "refs/heads/main", "after": COMMIT, "repository": repository}
    return json.dumps(content | changes).encode()


def digest(body: bytes, secret: bytes = SECRET) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("provider", "headers"),
    [
        (Provider.GITHUB, {"x-hub-signature-256": f"sha256={digest(b'body')}"}),
        (Provider.GITEA, {"x-gitea-signature": digest(b"body")}),
        (Provider.FORGEJO, {"x-forgejo-signature": digest(b"body")}),
        (Provider.FORGEJO, {"x-gitea-signature": digest(b"body")}),
        (Provider.GITLAB, {"x-gitlab-token": SECRET.decode()}),
    ],
)
def test_each_provider_proves_itself_in_its_way(
    provider: Provider, headers: dict[str, str]
) -> None:
    verify(provider, headers, b"body", SECRET)
    with pytest.raises(Unauthenticated):
        verify(provider, headers, b"body", b"another secret of good length")


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-hub-signature-256": digest(b"body")}, {"x-hub-signature-256": "sha256=é"}],
)
def test_a_missing_or_malformed_signature_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        verify(Provider.GITHUB, headers, b"body", SECRET)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        verify(Provider.GITEA, {"x-gitea-signature": digest(b"body")}, b"other", SECRET)


@pytest.mark.parametrize("organization", ["nobody", "../acme", "", "short", "ACME"])
def test_no_usable_secret_is_refused_like_a_wrong_one(tmp_path: Path, organization: str) -> None:
    (tmp_path / "acme").write_bytes(SECRET)
    (tmp_path / "short").write_bytes(b"short")

    with pytest.raises(Unauthenticated, match="not signed") as refused:
        secret_of(tmp_path, organization)
    assert "PAVANE_API__WEBHOOK_SECRETS" in refused.value.facts["advice"]


def test_a_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "acme").write_bytes(SECRET + b"\n")

    assert secret_of(tmp_path, "acme") == SECRET


def test_a_push_to_a_branch_is_read() -> None:
    found = read(Provider.GITHUB, EVENT | {"x-github-delivery": "d1"}, push())

    assert found == Push(
        branch="main",
        commit=COMMIT,
        repositories=frozenset({"git.example/acme/web"}),
        delivery="d1",
    )


def test_a_form_of_github_is_read_like_json() -> None:
    form = EVENT | {"content-type": "application/x-www-form-urlencoded"}

    assert read(Provider.GITHUB, form, urlencode({"payload": push()}).encode()) == read(
        Provider.GITHUB, EVENT, push()
    )


def test_gitlab_describes_the_repository_under_project() -> None:
    project = {"git_http_url": "https://git.example/acme/web.git", "web_url": "https://h/x"}
    body = push(repository=None, project=project, user_username="root")
    found = read(Provider.GITLAB, {"x-gitlab-event": "Push Hook"}, body)

    assert isinstance(found, Push)
    assert "git.example/acme/web" in found.repositories
    assert found.actor == "root"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"x-github-event": "ping"}, b"{}"),
        ({"x-github-event": "issues"}, b"{}"),
        (EVENT, push(ref="refs/tags/v1")),
        (EVENT, push(deleted=True)),
        (EVENT, push(after="0" * 40)),
    ],
)
def test_what_is_no_push_to_a_branch_starts_nothing(headers: dict[str, str], body: bytes) -> None:
    assert isinstance(read(Provider.GITHUB, headers, body), Ignored)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff", push(after="main"), push(repository={}), b"[" * 100_000]
)
def test_a_broken_delivery_is_an_invalid_request(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read(Provider.GITHUB, EVENT, body)


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example/acme/web",
        "https://git.example/acme/web.git/",
        "https://user@GIT.example:443/acme/web.git",
        "ssh://git@git.example:22/acme/web.git",
        "git@git.example:acme/web.git",
    ],
)
def test_addresses_of_one_repository_are_equal(url: str) -> None:
    assert normalised(url) == "git.example/acme/web"


def test_another_port_is_another_server() -> None:
    assert normalised("http://127.0.0.1:3000/acme/web") == "127.0.0.1:3000/acme/web"
