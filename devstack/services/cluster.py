"""Writes the objects the stack itself needs into its cluster, and waits for their conditions."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from string import Template
from typing import Any, TypeAlias

import httpx
import yaml

from devstack.certificates import Request
from devstack.context import StackContext
from devstack.errors import DevstackError
from devstack.together import together

Manifest: TypeAlias = Mapping[str, Any]

# The C parser reads the large resource definitions ten times as fast.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
API_SERVER = "kube-apiserver"
_FIELD_MANAGER = "pavane-stack"
_PAUSE = 0.1
_TIMEOUT = 30.0
_IRREGULAR = {
    "EndpointSlice": "endpointslices",
    "GatewayClass": "gatewayclasses",
    "StorageClass": "storageclasses",
}
_CLUSTER_WIDE = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "GatewayClass",
        "Namespace",
        "Node",
    }
)


class Cluster:
    """The API server of the stack, spoken to as its administrator."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Takes a client that knows the server and is authenticated."""
        self._client = client

    async def apply(self, manifests: Iterable[Manifest]) -> None:
        """Applies all manifests at once, server-side; safe to repeat.

        Raises:
            DevstackError: the server refused one of them.
        """
        await together(*(self._apply_one(manifest) for manifest in manifests))

    async def find(self, path: str) -> dict[str, Any] | None:
        """An object by its path; None when there is none, or the server is not ready to say."""
        try:
            response = await self._client.get(path)
        except httpx.TransportError:
            return None
        if response.status_code != httpx.codes.OK:
            return None
        found: dict[str, Any] = response.json()
        return found

    async def wait_for_condition(self, manifest: Manifest, condition: str) -> None:
        """Returns when the object has the condition; the caller sets the time limit."""
        while True:
            found = await self.find(path_of(manifest))
            if found is not None and has_condition(found, condition):
                return
            await asyncio.sleep(_PAUSE)

    async def _apply_one(self, manifest: Manifest) -> None:
        try:
            response = await self._client.patch(
                path_of(manifest),
                params={"fieldManager": _FIELD_MANAGER, "force": "true"},
                headers={"Content-Type": "application/apply-patch+yaml"},
                content=json.dumps(manifest),
            )
        except httpx.TransportError as error:
            message = f"the API server does not answer: {error}"
            raise DevstackError(message) from error
        if response.is_error:
            name = f"{manifest['kind']} {manifest['metadata']['name']}"
            message = f"{name} was refused: {response.json().get('message', response.text)}"
            raise DevstackError(message)


def has_condition(found: Mapping[str, Any], condition: str) -> bool:
    """Tells whether the condition of that type is true."""
    # A definition has `conditions: null` for a moment after it was written.
    conditions = found.get("status", {}).get("conditions") or []
    return any(item["type"] == condition and item["status"] == "True" for item in conditions)


def path_of(manifest: Manifest) -> str:
    """Where the API server keeps the object."""
    version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    plural = _IRREGULAR.get(kind, f"{kind.lower()}s")
    place = "" if kind in _CLUSTER_WIDE else f"/namespaces/{metadata['namespace']}"
    return f"{root}{place}/{plural}/{metadata['name']}"


def read_manifests(path: Path, values: Mapping[str, str] | None = None) -> list[Manifest]:
    """The objects in a YAML file, after `${name}` in it was replaced by the value of that name.

    Raises:
        KeyError: the file names a value that is not given.
    """
    text = path.read_text()
    if values is not None:
        text = Template(text).substitute(values)
    return [document for document in yaml.load_all(text, _Loader) if document]


@asynccontextmanager
async def connect(context: StackContext) -> AsyncIterator[Cluster]:
    """Connects to the API server of the stack as a member of `system:masters`."""
    async with client(context) as http:
        yield Cluster(http)


@asynccontextmanager
async def client(context: StackContext) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the API server with the same rights."""
    request = Request("pavane-stack", organizations=("system:masters",))
    identity = context.pki.issue("stack-operator", request)
    trust = ssl.create_default_context(cafile=identity.authority)
    trust.load_cert_chain(identity.certificate, identity.key)
    async with httpx.AsyncClient(
        base_url=api_server(context), verify=trust, timeout=_TIMEOUT, trust_env=False
    ) as http:
        yield http


def api_server(context: StackContext) -> str:
    """The URL of the API server, for processes in the machine's network."""
    return f"https://127.0.0.1:{context.ports[API_SERVER]}"


def api_server_from_node(context: StackContext) -> str:
    """The URL of the API server, for processes in the node's network."""
    return f"https://{context.network.host}:{context.ports[API_SERVER]}"
