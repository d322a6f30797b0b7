"""What of a secret is taken for the credentials of a cluster, and what never is."""

from __future__ import annotations

import base64
import ssl
from typing import Any

import pytest
import yaml

from clients.kubernetes.given import Given, GivenCluster, configuration_of
from domain.errors import DependencyUnavailable, InvalidRequest, NotFound

CANARY = "canary-of-a-token"


def kubeconfig(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> str:
    return yaml.safe_dump(
        {
            "current-context": "own",
            "contexts": [{"name": "own", "context": {"cluster": "own", "user": "own"}}],
            "clusters": [
                {
                    "name": "own",
                    "cluster": {"server": "https://west.example.com", **(cluster or {})},
                }
            ],
            "users": [{"name": "own", "user": {"token": CANARY} if user is None else user}],
        }
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"kubeconfig": kubeconfig()},
        {"server": "https://west.example.com/", "token": f"{CANARY}\n"},
    ],
)
async def test_both_ways_to_write_credentials_mean_the_same(fields: dict[str, str]) -> None:
    made = configuration_of(fields)

    assert made.host == "https://west.example.com"
    assert (await made.auth_settings())["BearerToken"]["value"] == f"Bearer {CANARY}"
    assert made.context.verify_mode is ssl.CERT_REQUIRED
    assert made.context.check_hostname


@pytest.mark.parametrize(
    ("cluster", "user", "refused"),
    [
        ({}, {"exec": {"command": "/bin/sh"}, "token": CANARY}, "exec"),
        ({}, {"auth-provider": {"name": "oidc"}}, "auth-provider"),
        ({}, {"tokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token"}, "tokenFile"),
        ({}, {"client-certificate": "/etc/tls.crt", "token": CANARY}, "client-certificate"),
        ({}, {"as": "system:admin", "token": CANARY}, "as"),
        ({"certificate-authority": "/etc/ca.crt"}, None, "certificate-authority"),
        ({"proxy-url": "http://127.0.0.1:1"}, None, "proxy-url"),
        ({"insecure-skip-tls-verify": True}, None, "insecure-skip-tls-verify"),
    ],
)
def test_a_kubeconfig_cannot_reach_out_of_its_secret(
    cluster: dict[str, Any], user: dict[str, Any] | None, refused: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"has {refused}, which is not allowed") as told:
        configuration_of({"kubeconfig": kubeconfig(cluster, user)})

    assert CANARY not in told.value.message


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "there is no field server"),
        ({"server": "https://west.example.com"}, "there is no field token"),
        ({"server": "http://west.example.com", "token": CANARY}, "no https:// address"),
        ({"server": "https://u:p@west.example.com", "token": CANARY}, "no https:// address"),
        ({"kubeconfig": "a: ["}, "no YAML"),
        ({"kubeconfig": "[]"}, "no current context"),
        ({"kubeconfig": kubeconfig(user={})}, "neither a token nor a client certificate"),
        (
            {"kubeconfig": kubeconfig({"certificate-authority-data": "not base64!"})},
            "certificate-authority-data of the kubeconfig is no base64",
        ),
        (
            {"server": "https://west.example.com", "token": CANARY, "certificateAuthority": "no"},
            "no PEM certificate",
        ),
        (
            {
                "kubeconfig": kubeconfig(
                    user={
                        "client-certificate-data": base64.b64encode(b"no").decode(),
                        "client-key-data": base64.b64encode(CANARY.encode()).decode(),
                    }
                )
            },
            "do not belong together",
        ),
    ],
)
def test_what_is_no_credentials_is_said_without_a_value(fields: dict[str, str], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as told:
        configuration_of(fields)

    assert CANARY not in told.value.message


async def test_a_request_without_credentials_says_which_are_missing() -> None:
    async def ask(_known: str) -> Given | None:
        raise NotFound("there are none")

    cluster = GivenCluster.by(ask, "credentials of plane west")

    with pytest.raises(DependencyUnavailable, match="credentials of plane west: there are none"):
        await cluster.ready()
    await cluster.close()


def test_credentials_show_no_value() -> None:
    assert CANARY not in repr(Given("1", {"token": CANARY}))
