"""Changes to the examples that break a rule, each with the words in which it is told."""

from __future__ import annotations

from typing import Any

_REPOSITORY = "https://git.example.org/acme/web.git"


def _gate(**gate: Any) -> dict[str, Any]:
    target = {"name": "prod", "gates": [{"name": "it", **gate}]}
    return {"promotionPaths": [{"sourceEnvironmentRef": "dev", "targetEnvironmentRefs": [target]}]}


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    (
        "DataPlane",
        {"secrets": {"delivery": "ExternalSecrets"}},
        "External Secrets needs a store to read from, and nothing else does",
    ),
    (
        "DataPlane",
        {"secrets": {"store": "of-nobody"}},
        "External Secrets needs a store to read from, and nothing else does",
    ),
    (
        "DataPlane",
        {"credentials": {"vaultPath": "_planes/west"}, "taskQueue": "plane.other"},
        "a plane with credentials has a task queue of its own: leave taskQueue out",
    ),
    (
        "Organization",
        {"breakGlass": {"approval": {"quorum": 1}}},
        "approval.groups names who must agree to break-glass",
    ),
    (
        "Organization",
        {"access": [{"group": "a", "user": "b", "role": "admin"}]},
        "an access rule names exactly one of group and user",
    ),
    (
        "Organization",
        {"access": [{"role": "admin"}]},
        "an access rule names exactly one of group and user",
    ),
    (
        "DataPlane",
        {"registry": {"credentials": {"secretName": "a", "vaultPath": "b"}}},
        "a credential is named by exactly one of secretName and vaultPath",
    ),
    (
        "DeploymentPipeline",
        {
            "promotionPaths": [
                {"sourceEnvironmentRef": "dev", "targetEnvironmentRefs": [{"name": "dev"}]}
            ]
        },
        "an environment cannot be promoted to itself",
    ),
    ("DeploymentPipeline", _gate(check="Tests"), "a gate Tests needs a command or a template"),
    (
        "DeploymentPipeline",
        _gate(check="Tests", command=["smoke"], template="smoke"),
        "a gate Tests needs a command or a template, one of them",
    ),
    ("DeploymentPipeline", _gate(check="Expression"), "a gate Expression needs an expression"),
    ("DeploymentPipeline", _gate(check="Webhook"), "a gate Webhook needs a url"),
    (
        "ServiceClass",
        {"guardRails": {"minReplicas": 5, "maxReplicas": 4}},
        "minReplicas must not be greater than maxReplicas",
    ),
    (
        "Component",
        {"buildSpecInComponent": {"repository": "git@git.example.org:acme/web.git"}},
        "repository must be a URL that begins with https://, http:// or ssh://",
    ),
    (
        "Component",
        {"buildSpecInComponent": {"repository": "file:///etc/passwd"}},
        "repository must be a URL that begins with https://, http:// or ssh://",
    ),
    (
        "Component",
        {"buildSpecInComponent": {"repository": "https://eve:token@git.example.org/web.git"}},
        "repository must not contain a user or password",
    ),
    (
        "Component",
        {"buildSpecInComponent": {"repository": "ssh://git:token@git.example.org/web.git"}},
        "repository must not contain a user or password",
    ),
    (
        "Component",
        {"buildSpecInComponent": {"repository": _REPOSITORY, "context": "a/../../b"}},
        "context and dockerfile must stay inside the repository",
    ),
    (
        "Component",
        {"buildSpecInComponent": {"repository": _REPOSITORY, "dockerfile": "../Dockerfile"}},
        "context and dockerfile must stay inside the repository",
    ),
    (
        "Workload",
        {"containers": [{"name": "main", "readiness": {"path": "/", "command": ["true"]}}]},
        "a probe has a path or a command, not both",
    ),
    (
        "Workload",
        {"endpoints": [{"name": "a", "port": 80, "type": "UDP", "visibility": "public"}]},
        "a UDP endpoint cannot be public",
    ),
    (
        "Workload",
        {"endpoints": [{"name": "a", "port": 80}, {"name": "b", "port": 80}]},
        "two endpoints cannot have the same port",
    ),
    ("Build", {"revision": {}}, "a revision is exactly one of branch, tag and commit"),
    (
        "Build",
        {"revision": {"branch": "main", "commit": "a" * 40}},
        "a revision is exactly one of branch, tag and commit",
    ),
    (
        "Workload",
        {"files": [{"path": "relative", "content": ""}]},
        "files[0].path",
    ),
    (
        "APIBinding",
        {"workload": {"autoscaling": {"minReplicas": 3, "maxReplicas": 2}}},
        "autoscaling: minReplicas must not be greater than maxReplicas",
    ),
    (
        "Connection",
        {"target": {"componentRef": "", "host": "", "cidr": "192.0.2.1/24"}},
        "cidr is no range of addresses, such as 192.0.2.0/24",
    ),
    (
        "DataPlane",
        {"network": {"envoy": True}},
        "envoy looks into HTTP for Cilium only: set policies to Cilium",
    ),
    (
        "Connection",
        {"target": {"componentRef": "api", "host": "example.org"}},
        "a connection leads to exactly one of componentRef, host, cidr and system",
    ),
    (
        "DataPlane",
        {"gateway": {"certificateIssuer": "letters", "certificateAuthority": "OpenBao"}},
        "certificates come from certificateIssuer or certificateAuthority, not from both",
    ),
    (
        "Environment",
        {
            "gateway": {
                "enableJWTAuth": False,
                "jwt": {"issuer": "https://a.example.org", "jwksUri": "https://a.example.org/keys"},
            }
        },
        "jwt says whose tokens are demanded",
    ),
    (
        "Endpoint",
        {"backendRef": {"componentRef": "web"}, "schemaFile": {"type": "OpenAPI"}},
        "a schema is given by exactly one of content and path",
    ),
    (
        "Connection",
        {"target": {}},
        "a connection leads to exactly one of componentRef, host, cidr and system",
    ),
    (
        "ConfigurationGroup",
        {"configurations": [{"key": "a", "values": [{"value": "b"}]}]},
        "a value is for exactly one of environmentGroupRef and environmentRef",
    ),
    (
        "ConfigurationGroup",
        {
            "configurations": [
                {
                    "key": "a",
                    "values": [{"environmentRef": "development", "value": "b", "vaultKey": "c"}],
                }
            ]
        },
        "a value is written down or kept in Vault, not both",
    ),
    ("Release", {"stored": "releases/1"}, "a Release holds its objects or names where they are"),
]
