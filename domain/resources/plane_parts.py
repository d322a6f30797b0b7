"""Parts of planes: who Pavane is to them, and the Gateway through which traffic enters."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.resources.model import Model, Rule
from domain.resources.types import DnsNameOrEmpty, Name, NameOrEmpty, Port, list_by


class PlaneCredentials(Model):
    """Where the credentials of a plane are kept. They never stand in a resource."""

    vault_path: Annotated[
        str, Field(max_length=71, pattern=r"^_planes/[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")
    ]
    """Path of a secret of the organization, such as `_planes/west`. It has the field `kubeconfig`,
    or `server`, `token` and `certificateAuthority` (PEM)."""


OWN_QUEUE = Rule(
    "!(has(self.credentials) && has(self.taskQueue) && self.taskQueue != '')",
    "a plane with credentials has a task queue of its own: leave taskQueue out",
    lambda spec: spec.credentials is None or not spec.task_queue,
)
"""Whoever could name the queue would choose the cluster for somebody else."""


class PlaneSecrets(Model):
    """Who brings secrets to the pods of components on a plane."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(has(self.delivery) && self.delivery == 'ExternalSecrets') == "
            "(has(self.store) && self.store != '')",
            "External Secrets needs a store to read from, and nothing else does",
            lambda one: (one.delivery == "ExternalSecrets") == bool(one.store),
        ),
    )

    delivery: Literal["Platform", "ExternalSecrets", "SecretsStoreCSI"] = "Platform"
    """Platform = the worker of the plane. ExternalSecrets = that operator, by its API v1, which is
    told the version in use of each field. SecretsStoreCSI = that driver, by its API v1, which is
    told the same and mounts files into pods: no Kubernetes Secret holds them."""
    store: DnsNameOrEmpty = ""
    """Its ClusterSecretStore, of which the path is `org/ORGANIZATION`. Empty = Pavane delivers."""
    provider: Literal["openbao", "vault"] = "openbao"
    """With SecretsStoreCSI: the provider beside the driver, which knows where OpenBao is."""
    sign_in: str = Field("jwt", max_length=63, pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")
    """With SecretsStoreCSI: where pods of this cluster sign in, below `auth/`."""
    variables: Literal["Refuse", "KubernetesSecret"] = "Refuse"
    """With SecretsStoreCSI, which knows files alone: what becomes of components that want a secret
    as a variable. KubernetesSecret = the worker of the plane fills one with those fields."""


class GatewayListener(Model):
    """A listener for TCP, which carries one endpoint of one component in one environment."""

    name: Name
    """Name of the listener of the Gateway."""
    port: Port
    """Port in the addresses shown to people."""
    environment_ref: Name
    """Environment of the endpoint."""
    component_ref: Name
    """Component that answers."""
    endpoint: Annotated[
        str, Field(min_length=1, max_length=15, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    ]
    """Endpoint of its Workload."""


class PlaneGateway(Model):
    """The Gateway (Gateway API) through which traffic enters a plane."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.certificateIssuer) && self.certificateIssuer != '' && "
            "has(self.certificateAuthority) && self.certificateAuthority != '')",
            "certificates come from certificateIssuer or certificateAuthority, not from both",
            lambda gateway: not (gateway.certificate_issuer and gateway.certificate_authority),
        ),
    )

    name: NameOrEmpty = ""
    """Gateway that routes attach to. Empty = the gateway of the installation."""
    namespace: NameOrEmpty = ""
    """Namespace of that Gateway. Empty = that of the installation's."""
    section_name: NameOrEmpty = ""
    """Listener of the Gateway. Empty = every listener that admits the route."""
    domain: DnsNameOrEmpty = ""
    """Domain under which components answer; an environment puts its dnsPrefix before it.
    Empty = localhost."""
    scheme: Literal["http", "https"] = "http"
    """What stands before the host in the URLs shown to people."""
    port: int = Field(0, ge=0, le=65535)
    """Port in the URLs shown to people. 0 = that of the installation's gateway."""
    tls_section_name: NameOrEmpty = ""
    """Listener that passes TLS on by host name (protocol TLS, mode Passthrough). Empty = there is
    none: endpoints that speak TLS cannot be public."""
    tls_port: int = Field(443, ge=1, le=65535)
    """Port of that listener in the addresses shown to people."""
    tcp_listeners: tuple[GatewayListener, ...] = Field(
        (), max_length=64, json_schema_extra=list_by("name")
    )
    """Listeners for TCP and whom each is given to. Empty = endpoints that speak TCP cannot be
    public."""
    certificate_issuer: DnsNameOrEmpty = ""
    """ClusterIssuer of cert-manager that signs for the host names of components. Each then gets a
    certificate and a listener of its own (ListenerSet), which the Gateway has to allow, and answers
    by HTTPS only. Empty = its routes attach to the Gateway as it is."""
    certificate_authority: Literal["", "OpenBao"] = ""
    """Who signs for the host names of components where no cert-manager does: the role `gateway` of
    the organization's PKI engine (`pki/ORGANIZATION`). Each project then has a certificate in each
    environment and a listener at the Gateway, whose owner lets Pavane add it by the label
    `choreo.dev/listener-port`, and its components answer by HTTPS only. Empty = nobody."""
    certificate_port: int = Field(443, ge=1, le=65535)
    """Port of listeners with certificates in the URLs shown to people; with certificateIssuer also
    the port they listen at."""
