"""Faults of the secret store that are not those of its process."""

from devstack.core import openbao
from devstack.errors import DevstackError
from devstack.faults.model import Fault, World


def faults() -> list[Fault]:
    """Every fault of the family."""
    return [
        Fault(
            name="openbao-sealed",
            family="secrets",
            breaks="OpenBao is sealed: it answers, but knows nothing",
            undone="it is unsealed with the stack's key",
            begin=_seal,
            end=_unseal,
        )
    ]


async def _seal(world: World, _: str) -> None:
    async with openbao.connect(world.context.state, openbao.address(world.context)) as bao:
        answer = await bao.put("sys/seal")
    if answer.is_error:
        message = f"OpenBao refuses to be sealed: {answer.status_code}"
        raise DevstackError(message)


async def _unseal(world: World, _: str) -> None:
    await openbao.unseal_server(world.context.state, openbao.address(world.context))
