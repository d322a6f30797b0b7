"""The search attributes of every procedure; the only module that names them.

SQL visibility has room for ten keywords in a namespace: eight are spent here, once for all.
"""

from __future__ import annotations

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

ORGANIZATION = SearchAttributeKey.for_keyword("PavaneOrganization")
PROJECT = SearchAttributeKey.for_keyword("PavaneProject")
COMPONENT = SearchAttributeKey.for_keyword("PavaneComponent")
ENVIRONMENT = SearchAttributeKey.for_keyword("PavaneEnvironment")
KIND = SearchAttributeKey.for_keyword("PavaneKind")
PHASE = SearchAttributeKey.for_keyword("PavanePhase")
ACTOR = SearchAttributeKey.for_keyword("PavaneActor")
RELEASE = SearchAttributeKey.for_keyword("PavaneRelease")
AWAITING = SearchAttributeKey.for_bool("PavaneAwaiting")
DEADLINE = SearchAttributeKey.for_datetime("PavaneDeadline")

APPROVERS = SearchAttributeKey.for_keyword_list("PavaneApprovers")
"""Groups whose members may decide, ``user:`` and who was delegated to, ``*`` for everyone with the
right: the inbox is one query."""

LANE = "build-lane"
"""Kind of what orders operations and is none itself."""
APPROVAL = "approval"
"""Kind of what an operation waits for and is none itself."""
PLANE_CHECK = "plane-check"
"""Kind of what looks after a plane for as long as it is declared."""
SWEEP = "sweep"
"""Kind of one look at the health of an environment."""
NO_OPERATIONS = (LANE, APPROVAL, PLANE_CHECK, SWEEP)
"""Kinds that lists of operations leave out."""

STOPPABLE = ("build", "configuration", "deploy", "promotion", "rotation")
"""Kinds of flows that listen to the signal of an emergency stop. A flow gets here with its own
``Brake``."""

KEYWORDS = (ORGANIZATION, PROJECT, COMPONENT, ENVIRONMENT, KIND, PHASE, ACTOR, RELEASE)

_WANTED: dict[str, IndexedValueType.ValueType] = {
    **{key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD for key in KEYWORDS},
    APPROVERS.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
    AWAITING.name: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    DEADLINE.name: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


def names() -> frozenset[str]:
    """Returns the names of all of them."""
    return frozenset(_WANTED)


async def register(client: Client) -> None:
    """Adds the attributes the namespace does not have yet.

    Idempotent, and safe when several workers start at once.

    Raises:
        RPCError: Temporal refuses, for example because the keyword budget is spent.
    """
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing = {name: kind for name, kind in _WANTED.items() if name not in known.custom_attributes}
    if not missing:
        return
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
