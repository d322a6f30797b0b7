"""Real pods under generated policies: what passes is what Cilium's own code lets through."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from devstack import lifecycle
from devstack.enforced import ENFORCER, enforcement
from devstack.programs import Silent, ensure
from devstack.record import PartPhase
from devstack.state import state_dir
from domain.rendering.tenants.baseline import organization_denials
from domain.resources import Resource
from tests.integration.devstack_full.conftest import Kubectl
from tests.oracle.oracle import Flow, Oracle, pod, pods
from tests.topologies import Topology

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.sampled]

PATIENCE = 120.0
PORTS = (8080, 9090)
OUTSIDE = ("registry", "dns", "node")
NAME = "kubernetes.default.svc.cluster.local"

# Answers whatever it is sent, at every port.
SERVER = """
import socketserver, threading
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while content := self.request.recv(100):
            self.request.sendall(content)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads = True, True
for port in (8080, 9090):
    threading.Thread(target=Server(("", port), Echo).serve_forever).start()
"""

# Tries flows at once, each as long as is given, and tells which passed.
CALLER = """
import concurrent.futures, json, os, socket, sys
def tried(flow):
    kind, host, port, limit = flow
    try:
        if kind == "UDP":
            asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            asked.settimeout(1)
            name = b"".join(bytes([len(one)]) + one.encode() for one in NAME.split("."))
            for _ in range(int(limit)):
                asked.sendto(b"\\0\\7\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + name + b"\\0\\0\\1\\0\\1",
                             (host, port))
                try:
                    return bool(asked.recv(1000))
                except TimeoutError:
                    pass
            return False
        socket.create_connection((host, port), limit).close()
        return True
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
flows = json.load(sys.stdin)
with concurrent.futures.ThreadPoolExecutor(len(flows)) as pool:
    print(json.dumps(list(pool.map(tried, flows))), flush=True)
os._exit(0)
""".replace("NAME", f'"{NAME}"')

# Keeps one connection and tells when it does not pass any more.
HOLDER = """
import socket, sys, time
one = socket.create_connection((sys.argv[1], 8080), 60)
one.settimeout(3)
try:
    while True:
        one.sendall(b"x")
        assert one.recv(1)
        print("passes", flush=True)
        time.sleep(0.1)
except TimeoutError:
    print("cut", flush=True)
"""


@dataclass(frozen=True)
class Tenants(Topology):
    """An organization whose component `web` reaches the registry and the API server, too."""

    registry: tuple[str, int] = ("", 0)
    api_port: int = 0

    def resources(self) -> Iterator[Resource]:
        yield from super().resources()
        if "web" in self.components:
            host, port = self.registry
            target = {"cidr": f"{host}/32", "port": port}
            yield self._made("Connection", "registry", {"componentRef": "web", "target": target})
            target = {"system": "APIServer", "port": self.api_port}
            yield self._made("Connection", "api", {"componentRef": "web", "target": target})


@dataclass
class Ground:
    """Pods of two organizations on the node, and where everything is."""

    kubectl: Kubectl
    image: str
    stack: dict[str, str]
    addresses: dict[str, str] = field(default_factory=dict)
    namespaces: dict[str, str] = field(default_factory=dict)

    async def bring(self, topology: Topology) -> None:
        """Applies namespaces and policies first; pods are Ready by probes of the kubelet."""
        parties = {name: topology.party(name) for name in topology.components}
        labels = {one.namespace: one.namespace_labels for one in parties.values()}
        await self.kubectl.apply(
            *(
                {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": {"name": name, "labels": {**given}},
                }
                for name, given in labels.items()
            )
        )
        await self.apply(*policies(topology))
        made = []
        for name, one in parties.items():
            self.namespaces[name] = one.namespace
            made.append(self._pod(name, one.namespace, dict(one.labels)))
        await self.apply(*made)
        for name, one in parties.items():
            found = await self.kubectl.until(
                f"--namespace={one.namespace}", "pod", name, holds=is_ready
            )
            self.addresses[name] = found["status"]["podIP"]

    async def apply(self, *manifests: dict[str, Any]) -> None:
        """Applies manifests, those of each namespace at once."""
        places: dict[str, list[dict[str, Any]]] = {}
        for one in manifests:
            places.setdefault(one["metadata"].get("namespace", "default"), []).append(one)
        for place, found in places.items():
            await replace(self.kubectl, namespace=place).apply(*found)

    def _pod(self, name: str, namespace: str, labels: dict[str, str]) -> dict[str, Any]:
        container = {
            "name": "main",
            "image": self.image,
            "command": ["python3", "-c", SERVER],
            "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
            "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }

    def place(self, target: str) -> str:
        """The address of a party."""
        node = urlsplit(f"//{self.stack['PAVANE_REGISTRY__PULL_HOST']}").hostname or ""
        known = {"dns": "10.96.0.10", "node": f"{node.rsplit('.', 1)[0]}.2", "registry": node}
        known |= {"api": node, "kubernetes": "10.96.0.1"}
        return known.get(target) or self.addresses[target]

    async def passes(self, source: str, flows: dict[Flow, bool]) -> dict[Flow, bool]:
        """Tries flows of one pod; what is to pass has time, what is not is given up soon."""
        asked = [
            (one.protocol, self.place(one.target), one.port, PATIENCE if expected else 2.0)
            for one, expected in flows.items()
        ]
        told = await self.kubectl.run(
            *(f"--namespace={self.namespaces[source]}", "exec", "-i", source, "--"),
            *("python3", "-c", CALLER),
            given=json.dumps(asked),
        )
        return dict(zip(flows, json.loads(told), strict=True))

    async def becomes(self, flow: Flow, expected: bool) -> None:
        """Waits until a flow passes, or does not any more."""
        async with asyncio.timeout(PATIENCE):
            while (await self.passes(flow.source, {flow: False}))[flow] is not expected:
                pass


def policies(topology: Topology) -> list[dict[str, Any]]:
    kinds = {"NetworkPolicy", "CiliumNetworkPolicy"}
    found = [
        one
        for name in topology.components
        for one in topology.release(name).objects
        if one["kind"] in kinds
    ]
    if topology.policies == "Cilium":
        found.append(organization_denials(topology.organization))
    return found


def is_ready(found: dict[str, Any]) -> bool:
    conditions = found["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    with Oracle(ensure(["policy-oracle"], progress=Silent())["policy-oracle"].path) as running:
        yield running


@pytest.fixture
async def ground(stack: dict[str, str], stack_name: str) -> AsyncIterator[Ground]:
    told = enforcement(state_dir(stack_name))
    if told.startswith("NOT enforced"):
        pytest.skip(f"this machine cannot enforce network policies: {told}")
    assert told.startswith("enforced"), "the enforcer told nothing"
    program = ensure(["kubernetes"], progress=Silent())["kubernetes"].files["kubectl"]
    kubectl = Kubectl(str(program), stack["KUBECONFIG"])
    made = Ground(kubectl, stack["PAVANE_BUILD__RUNTIME_IMAGE"], stack)
    yield made
    if made.namespaces:
        names = sorted(set(made.namespaces.values()))
        await kubectl.run("delete", "namespace", "--wait=false", *names)


def api_port(stack: dict[str, str]) -> int:
    """Where the API server listens, at the same address as the registry."""
    known = yaml.safe_load(Path(stack["KUBECONFIG"]).read_text())
    return urlsplit(known["clusters"][0]["cluster"]["server"]).port or 443


def tenants(stack: dict[str, str], plane: str) -> tuple[Tenants, Topology]:
    place = urlsplit(f"//{stack['PAVANE_REGISTRY__PULL_HOST']}")
    name = f"flows-{secrets.token_hex(3)}"
    ours = Tenants(
        {"web": "shop", "orders": "shop", "ledger": "finance"},
        {
            "web": (("http", 8080, "public"),),
            "orders": (("http", 8080, "project"), ("admin", 9090, "project")),
            "ledger": (("http", 8080, "organization"),),
        },
        frozenset({("web", "orders", "http"), ("web", "ledger", "http")}),
        plane,
        name,
        (place.hostname or "",),
        (place.hostname or "", place.port or 0),
        api_port(stack),
    )
    rival = Topology(
        {"thief": "shop"}, {"thief": (("http", 8080, "organization"),)}, frozenset(), plane,
        f"{name}-rival",
    )  # fmt: skip
    return ours, rival


def outward(names: Sequence[str], registry_port: int, git_port: int) -> list[Flow]:
    """What every component tries: all others, names, the node, and addresses outside."""
    flows = [
        Flow(source, target, at)
        for source in names
        for target in names
        for at in PORTS
        if source != target
    ]
    for source in names:
        flows += [Flow(source, "dns", 53, "UDP"), Flow(source, "dns", 53)]
        flows += [Flow(source, "node", 10250), Flow(source, "registry", registry_port)]
        flows += [Flow(source, "registry", git_port)]
    return flows


@pytest.mark.parametrize("plane", ["Kubernetes", "Cilium"])
async def test_flows_of_real_pods_pass_as_the_oracle_says(
    ground: Ground, oracle: Oracle, stack: dict[str, str], plane: str
) -> None:
    ours, rival = tenants(stack, plane)
    await asyncio.gather(ground.bring(ours), ground.bring(rival))
    names = [*ours.components, *rival.components]
    host, port = ours.registry
    others = [
        pod("dns", "kube-system", k8s_app="kube-dns"),
        pod("gateway", "pavane-system"),
        {"name": "node", "entity": "host"},
        {"name": "registry", "address": host},
    ]
    parties = [pods(one.party(name), name) for one in (ours, rival) for name in one.components]
    flows = outward(names, port, urlsplit(stack["PAVANE_GIT__URL"]).port or 0)
    inward = [Flow("gateway", target, at) for target in names for at in PORTS]
    objects = [*policies(ours), *policies(rival)]
    told = oracle.ask(objects, [*parties, *others], [*flows, *inward])
    assert told.refused == ()
    expected = dict(zip([*flows, *inward], told.allowed, strict=True))
    # The table would say nothing if it said the same of all.
    assert expected[Flow("web", "orders", 8080)]
    assert expected[Flow("web", "registry", port)]
    assert not expected[Flow("orders", "web", 8080)]
    assert not expected[Flow("thief", "ledger", 8080)]

    # The oracle has no word for the API server; only `web` declared that it calls it.
    api = (("api", api_port(stack)), ("kubernetes", 443))
    to_api = [Flow(name, target, at) for name in names for target, at in api]
    expected |= {one: one.source == "web" for one in to_api}
    flows += to_api
    seen = await asyncio.gather(
        *(
            ground.passes(name, {one: expected[one] for one in flows if one.source == name})
            for name in names
        )
    )
    through = await asyncio.gather(
        *(reaches(ground.addresses[one.target], one.port, expected[one]) for one in inward)
    )

    found = {flow: said for each in seen for flow, said in each.items()}
    found |= dict(zip(inward, through, strict=True))
    assert {one for one in found if found[one] is not expected[one]} == set()


async def reaches(host: str, port: int, expected: bool) -> bool:
    """Whether the machine, where the gateway is, reaches a pod."""
    try:
        async with asyncio.timeout(PATIENCE if expected else 2.0):
            _, writer = await asyncio.open_connection(host, port)
    except (TimeoutError, OSError):
        return False
    writer.close()
    return True


async def test_policies_outlive_a_killed_enforcer_and_a_way_that_closes_cuts_what_uses_it(
    ground: Ground, stack: dict[str, str], stack_name: str
) -> None:
    state = state_dir(stack_name)
    ours, _ = tenants(stack, "Kubernetes")
    await ground.bring(ours)
    used, closed = Flow("web", "orders", 8080), Flow("orders", "ledger", 8080)
    held = await asyncio.create_subprocess_exec(
        *(ground.kubectl.program, f"--kubeconfig={ground.kubectl.kubeconfig}"),
        *(f"--namespace={ground.namespaces['web']}", "exec", "web", "--"),
        *("python3", "-u", "-c", HOLDER, ground.addresses["orders"]),
        stdout=asyncio.subprocess.PIPE,
    )
    assert held.stdout is not None
    try:
        assert await asyncio.wait_for(held.stdout.readline(), PATIENCE) == b"passes\n"
        await lifecycle.steer(state, "kill", ENFORCER)
        await lifecycle.steer(state, "stop", ENFORCER)
        try:
            assert await ground.passes("web", {used: True}) == {used: True}
            assert await ground.passes("orders", {closed: False}) == {closed: False}
            without = ours.without(("web", "orders", "http"))
            await ground.apply(*policies(without))
            assert await ground.passes("web", {used: True}) == {used: True}
        finally:
            await lifecycle.steer(state, "start", ENFORCER)
        await ground.becomes(used, expected=False)
        told = await asyncio.wait_for(held.stdout.read(), PATIENCE)
        assert told.endswith(b"cut\n")
    finally:
        if held.returncode is None:
            held.kill()
        await held.wait()
    await ground.apply(*policies(ours))
    await ground.becomes(used, expected=True)
    record = lifecycle.running(state)
    assert record is not None
    assert record.parts[ENFORCER].phase is PartPhase.READY
