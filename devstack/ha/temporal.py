"""Temporal as four services on PostgreSQL, which know each other by certificates."""

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from devstack.certificates import Request
from devstack.component import CommandProbe, Component, Hook, Part, Step
from devstack.context import StackContext
from devstack.core.temporal import FAIR, NAMESPACE, PROMPT, SEARCH_ATTRIBUTES
from devstack.errors import DevstackError
from devstack.files import write_private
from devstack.ha import postgresql
from devstack.pki import Certificate

SHARDS = 16
"""Never to be changed afterwards; a server for more than one machine has 512 or more."""
RETENTION = "168h"
_SERVICES = {
    "frontend": "temporal",
    "history": "temporal-history",
    "matching": "temporal-matching",
    "worker": "temporal-worker",
}
"""Temporal's own words for its services -> the part of the stack that runs each."""
_STORES = {"default": "temporal", "visibility": "temporal_visibility"}
_LOOPBACK = "127.0.0.1"
_NAME = "temporal.stack.pavane"


def parts(context: StackContext) -> Sequence[Part]:
    """Schemas first, then the services, then the namespace and what it indexes."""
    server = str(context.programs.path("temporal-server"))
    started = tuple(_SERVICES.values())

    async def make_schemas() -> None:
        for database in _STORES.values():
            await _make_schema(context, database)

    async def make_namespace() -> None:
        await _make_namespace(context)

    services = [
        Component(
            name=name,
            argv=(
                server,
                *("--allow-no-auth", "--config-file", str(_configuration_file(context, service))),
                *("start", "--service", service),
            ),
            needs=("temporal-schemas",),
            before_start=_configures(context, service),
            ready=_serves(context) if service == "frontend" else None,
            ready_timeout=timedelta(seconds=120),
            stop_timeout=timedelta(seconds=20),
        )
        for service, name in _SERVICES.items()
    ]
    return [
        Step(name="temporal-schemas", run=make_schemas, needs=("databases",)),
        *services,
        Step(name="temporal-namespace", run=make_namespace, needs=started),
    ]


def environment(context: StackContext) -> dict[str, str]:
    """What connects a process on this machine to Temporal, by a certificate of its own."""
    client = _client(context)
    return {
        "TEMPORAL_ADDRESS": f"{_LOOPBACK}:{context.ports['temporal']}",
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "TEMPORAL_TLS": "true",
        "TEMPORAL_TLS_CLIENT_CERT_PATH": str(client.certificate),
        "TEMPORAL_TLS_CLIENT_KEY_PATH": str(client.key),
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(client.authority),
        "TEMPORAL_TLS_SERVER_NAME": _NAME,
    }


def _client(context: StackContext) -> Certificate:
    return context.pki.issue("temporal-client", Request("pavane"), authority="temporal")


def _server(context: StackContext) -> Certificate:
    wanted = Request(_NAME, addresses=(_LOOPBACK,), names=(_NAME,))
    return context.pki.issue("temporal-server", wanted, authority="temporal")


def _configuration_file(context: StackContext, service: str) -> Path:
    return context.state.config / f"temporal-{service}.yaml"


def _configures(context: StackContext, service: str) -> Hook:
    async def write() -> None:
        dynamic = context.state.config / "temporal-dynamic.yaml"
        settings = {key: [{"value": value}] for key, value in {**PROMPT, **FAIR}.items()}
        write_private(dynamic, json.dumps(settings, indent=2))
        configuration = json.dumps(_configuration(context, service, dynamic), indent=2)
        write_private(_configuration_file(context, service), configuration)

    return write


def _configuration(context: StackContext, service: str, dynamic: Path) -> dict[str, Any]:
    """The same for all services but for where each tells its metrics. JSON is YAML."""
    ports = context.ports
    frontend = f"{_LOOPBACK}:{ports['temporal']}"
    cluster = {
        "enabled": True,
        "initialFailoverVersion": 1,
        "rpcName": "frontend",
        "rpcAddress": frontend,
    }
    return {
        "log": {"stdout": True, "level": "warn"},
        "persistence": {
            "defaultStore": "default",
            "visibilityStore": "visibility",
            "numHistoryShards": SHARDS,
            "datastores": {name: _store(context, database) for name, database in _STORES.items()},
        },
        "global": {
            "membership": {"maxJoinDuration": "30s", "broadcastAddress": _LOOPBACK},
            "metrics": {
                "prometheus": {
                    "timerType": "histogram",
                    "listenAddress": f"{_LOOPBACK}:{ports[f'{_SERVICES[service]}-metrics']}",
                }
            },
            "tls": _tls(context),
        },
        "services": {name: {"rpc": _rpc(context, name)} for name in _SERVICES},
        "clusterMetadata": {
            "enableGlobalNamespace": False,
            "failoverVersionIncrement": 10,
            "masterClusterName": "active",
            "currentClusterName": "active",
            "clusterInformation": {"active": cluster},
        },
        "dcRedirectionPolicy": {"policy": "noop"},
        "publicClient": {"hostPort": frontend},
        "dynamicConfigClient": {"filepath": str(dynamic), "pollInterval": "10s"},
    }


def _rpc(context: StackContext, service: str) -> dict[str, Any]:
    name = _SERVICES[service]
    return {
        "grpcPort": context.ports[name],
        "membershipPort": context.ports[f"{name}-membership"],
        "bindOnLocalHost": True,
    }


def _store(context: StackContext, database: str) -> dict[str, Any]:
    role = postgresql.DATABASES[database]
    return {
        "sql": {
            "pluginName": "postgres12",
            "databaseName": database,
            "connectAddr": f"{_LOOPBACK}:{context.ports['postgresql']}",
            "connectProtocol": "tcp",
            "user": role,
            "password": postgresql.password(context.state, role),
            "maxConns": 20,
            "maxIdleConns": 20,
            "maxConnLifetime": "1h",
        }
    }


def _tls(context: StackContext) -> dict[str, Any]:
    """Nobody talks to a service without a certificate of the stack's authority for Temporal."""
    own = _server(context)
    files = {"certFile": str(own.certificate), "keyFile": str(own.key)}
    server = {**files, "requireClientAuth": True, "clientCaFiles": [str(own.authority)]}
    client = {"serverName": _NAME, "rootCaFiles": [str(own.authority)]}
    return {
        "internode": {"server": server, "client": client},
        "frontend": {"server": server, "client": client},
        "systemWorker": {**files, "client": client},
    }


def _serves(context: StackContext) -> CommandProbe:
    return CommandProbe(_command(context, "operator", "cluster", "health"))


def _command(context: StackContext, *words: str) -> tuple[str, ...]:
    """Temporal's own command line, told all by arguments: it reads no environment here."""
    client = _client(context)
    return (
        str(context.programs.path("temporal")),
        *words,
        f"--address={_LOOPBACK}:{context.ports['temporal']}",
        f"--tls-cert-path={client.certificate}",
        f"--tls-key-path={client.key}",
        f"--tls-ca-path={client.authority}",
        f"--tls-server-name={_NAME}",
    )


async def _make_schema(context: StackContext, database: str) -> None:
    """Makes or upgrades one database. Safe to repeat."""
    name = "temporal" if database == "temporal" else "visibility"
    role = postgresql.DATABASES[database]
    tool = (
        str(context.programs.path("temporal-sql-tool")),
        *("--plugin", "postgres12", "--ep", _LOOPBACK, "-p", str(context.ports["postgresql"])),
        *("-u", role, "--db", database),
    )
    secret = {"SQL_PASSWORD": postgresql.password(context.state, role)}
    # Refused where the schema is there already; update-schema then says whether it can be used.
    await _ran((*tool, "setup-schema", "-v", "0.0"), secret)
    said = await _ran((*tool, "update-schema", "--schema-name", f"postgresql/v12/{name}"), secret)
    if said is not None:
        message = f"the schema of {database}: {said}"
        raise DevstackError(message)


async def _make_namespace(context: StackContext) -> None:
    """Makes the namespace and its search attributes. Safe to repeat."""
    one = f"--namespace={NAMESPACE}"
    if await _ran(_command(context, "operator", "namespace", "describe", one)) is not None:
        kept = f"--retention={RETENTION}"
        said = await _ran(_command(context, "operator", "namespace", "create", one, kept))
        if said is not None:
            message = f"the namespace {NAMESPACE}: {said}"
            raise DevstackError(message)
    pairs = [
        word
        for name, kind in SEARCH_ATTRIBUTES.items()
        for word in (f"--name={name}", f"--type={kind}")
    ]
    said = await _ran(_command(context, "operator", "search-attribute", "create", one, *pairs))
    if said is not None:
        message = f"search attributes: {said}"
        raise DevstackError(message)


async def _ran(argv: Sequence[str], more: dict[str, str] | None = None) -> str | None:
    """Runs a command; returns what it said when it failed, None when it did well."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **(more or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return None if process.returncode == 0 else said.decode(errors="replace").strip()[-500:]
