"""Cleans up after a supervisor that died before it could end its stack."""

import logging
from datetime import timedelta

from devstack import profiles
from devstack.assembly import assemble
from devstack.component import Part, Step
from devstack.faults.disks import unmount_all
from devstack.graph import ordered
from devstack.processes import end_stale
from devstack.record import StackRecord, read_record
from devstack.runners import clean_up
from devstack.state import StateDir

_LOG = logging.getLogger(__name__)
_PATIENCE = timedelta(seconds=10)


async def undo_leftovers(name: str, state: StateDir) -> bool:
    """Ends processes the record still names, undoes steps, and forgets the record.

    Idempotent. Processes are recognised by id and start time, so that a stranger with the same id
    is left alone.

    Returns:
        Whether there was anything to clean up after.
    """
    unmount_all(state)
    record = read_record(state.record)
    if record is None:
        return False
    ended = await end_stale(record.processes, _PATIENCE)
    _LOG.info("ended %d processes a dead supervisor left behind", len(ended))
    for part in reversed(ordered(_parts(name, state, record))):
        await clean_up(part.name, part.undo if isinstance(part, Step) else part.after_stop)
    state.record.unlink(missing_ok=True)
    state.socket.unlink(missing_ok=True)
    return True


def _parts(name: str, state: StateDir, record: StackRecord) -> list[Part]:
    context = assemble(name, state, record.profile, platform=record.platform, keep=record.ports)
    return list(profiles.parts(context))
