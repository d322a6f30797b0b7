"""The few system calls a node needs that Python does not offer."""

import ctypes
import os

CLONE_NEWNS = 0x0002_0000
CLONE_NEWUTS = 0x0400_0000
CLONE_NEWIPC = 0x0800_0000
CLONE_NEWPID = 0x2000_0000
CLONE_NEWNET = 0x4000_0000

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_SLAVE = 0x8_0000
MS_SHARED = 0x10_0000

_SET_PARENT_DEATH_SIGNAL = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Gives the calling process new namespaces; raises OSError when it may not have them."""
    _checked(_LIBC.unshare(flags), "unshare")


def enter_own_processes() -> None:
    """Makes later children of the calling process its neighbours again, after a new namespace."""
    descriptor = os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:
        _checked(_LIBC.setns(descriptor, CLONE_NEWPID), "setns")
    finally:
        os.close(descriptor)


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """Mounts, binds or changes the propagation of a mount; raises OSError."""
    arguments = [text.encode() for text in (source, target, kind)]
    result = _LIBC.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None)
    _checked(result, f"mount {target}")


def set_host_name(name: str) -> None:
    """Names the machine in the calling process's UTS namespace; raises OSError."""
    encoded = name.encode()
    _checked(_LIBC.sethostname(encoded, len(encoded)), "sethostname")


def die_with_parent(number: int) -> None:
    """Makes the kernel send a signal to the calling process when its parent ends."""
    _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, number, 0, 0, 0)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
