"""The kinds of Traefik, of which the stack uses one: Middleware, for what routes cannot say.

Traefik waits for all of them before it reads any. The schemas say no more than the stack needs;
Traefik itself judges what stands in them, and it is what a plane of the user's own is installed
with that counts there.
"""

from devstack.services.cluster import Manifest

GROUP = "traefik.io"
_VERSION = "v1alpha1"
_KINDS = (
    "IngressRoute",
    "IngressRouteTCP",
    "IngressRouteUDP",
    "Middleware",
    "MiddlewareTCP",
    "ServersTransport",
    "ServersTransportTCP",
    "TLSOption",
    "TLSStore",
    "TraefikService",
)
_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def definitions() -> list[Manifest]:
    """The definitions that Traefik wants to find."""
    return [_definition(kind) for kind in _KINDS]


def _definition(kind: str) -> Manifest:
    singular = kind.lower()
    plural = f"{singular}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": singular,
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": _VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "properties": {"spec": _ANYTHING}}
                    },
                }
            ],
        },
    }
