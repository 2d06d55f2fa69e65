"""What the render worker gives up for ever before it sees the first template, and cannot take back.

Several fences, each enough for most escapes: limits of the system, an own network and user
namespace, a filter of system calls, and a hook in the interpreter. Where a system lacks one (no
Linux, no right), the others stand.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from contextlib import suppress
from typing import Any

NOBODY = 65534
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_EPERM = 0x7FFF0000, 0x00050001

# What an interpreter needs that only computes: memory, signals, its timer, its two pipes, its end.
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_CALLS = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "setitimer": (38, 103),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "tgkill": (234, 131),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "restart_syscall": (219, 128),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_ALLOWED_EVENTS = frozenset({"compile", "exec", "sys._getframe", "object.__getattr__"})


class Blocked(RuntimeError):
    """Something beyond computing was tried."""


def give_up(*, memory: int, library: Any) -> None:
    """Files, network, processes and rights go, for ever; computing and the two pipes remain."""
    sys.path.clear()
    sys.meta_path.clear()
    os.environ.clear()
    with suppress(OSError):
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    for flags in (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC, CLONE_NEWNET):
        with suppress(AttributeError):
            if library.unshare(flags) == 0:
                break
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    limit("RLIMIT_AS", memory)
    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_FSIZE", 0)
    limit("RLIMIT_NPROC", 0)
    limit("RLIMIT_NOFILE", 3)
    _filter_calls(library)
    sys.addaudithook(_hook)


def limit(name: str, value: int) -> None:
    # A system without this limit, or one that is stricter already, keeps what it has.
    with suppress(AttributeError, ValueError, OSError):
        resource.setrlimit(getattr(resource, name), (value, value))


def _filter_calls(library: Any) -> None:
    known = _ARCHITECTURES.get(platform.machine())
    if known is None or not sys.platform.startswith("linux"):
        return
    column, architecture = known
    numbers = [call[column] for call in _CALLS.values()]
    load, equal, answer = 0x20, 0x15, 0x06
    allow = len(numbers) + 4
    rows = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, SECCOMP_RET_EPERM)]
    rows.append((load, 0, 0, 0))
    rows += [(equal, allow - 4 - at, 0, number) for at, number in enumerate(numbers)]
    rows += [(answer, 0, 0, SECCOMP_RET_EPERM), (answer, 0, 0, SECCOMP_RET_ALLOW)]
    code = b"".join(struct.pack("=HBBI", *row) for row in rows)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HxxxxxxP", len(rows), ctypes.addressof(held))
    with suppress(AttributeError):
        library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        library.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)


def _hook(event: str, _arguments: tuple[Any, ...]) -> None:
    if event not in _ALLOWED_EVENTS:
        raise Blocked(f"{event} is out of reach")
