"""What a helm process gives up before it begins: started as a small program that becomes helm.

Never reads the chart. Helm is a program of its own that needs threads and files, so the fences are
others than those of the worker: a root folder that holds the chart alone, a network without a way
out, no second process, and limits on memory, time and files. Where a system lacks one fence, the
others stand.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from bot.adapters.sandbox_limits import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWUSER,
    NOBODY,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECCOMP,
    SECCOMP_MODE_FILTER,
    SECCOMP_RET_ALLOW,
    SECCOMP_RET_EPERM,
    limit,
)

_HOMES = (
    "HOME",
    "HELM_CACHE_HOME",
    "HELM_CONFIG_HOME",
    "HELM_DATA_HOME",
    "HELM_PLUGINS",
    "TMPDIR",
)
RESERVED = 5 << 28
"""Bytes of addresses that the runtime of helm reserves and never fills."""
CLONE_THREAD = 0x00010000
SECCOMP_RET_ENOSYS = 0x00050026
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_CLONE, _CLONE3 = (56, 220), (435, 435)
# Ways out of the process: sockets, other processes, name spaces, mounts, keys, kernel interfaces.
_REFUSED = {
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "bind": (49, 200),
    "listen": (50, 201),
    "socketpair": (53, 199),
    "ptrace": (101, 117),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "mount": (165, 40),
    "umount2": (166, 39),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "accept4": (288, 242),
    "perf_event_open": (298, 241),
    "open_by_handle_at": (304, 265),
    "sendmmsg": (307, 269),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "pidfd_getfd": (438, 438),
}
_REFUSED_ONLY_X86 = (57, 58)  # fork, vfork


def main(arguments: Sequence[str]) -> None:
    """`arguments`: the program, the root folder, the limits as JSON, then helm's own arguments."""
    program, root, limits, *rest = arguments
    bounds = json.loads(limits)
    library = ctypes.CDLL(None, use_errno=True)
    executable = os.open(program, os.O_RDONLY | os.O_CLOEXEC)
    folder = _alone(root, library)
    environment = dict.fromkeys(_HOMES, f"{folder}/home")
    # Of the runtime of helm, not of helm: few threads, tidying up before the limit is met.
    environment |= {"GOMAXPROCS": "1", "GOMEMLIMIT": str(bounds["memory"] * 3 // 4)}
    limit("RLIMIT_DATA", bounds["memory"])
    limit("RLIMIT_AS", bounds["memory"] + RESERVED)
    limit("RLIMIT_CPU", max(1, int(bounds["seconds"] + 1)))
    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_FSIZE", 0)
    limit("RLIMIT_NOFILE", 64)
    _filter_calls(library)
    os.execve(executable, ["helm", *(text.replace("{root}", folder) for text in rest)], environment)


def _alone(root: str, library: Any) -> str:
    """Network and files go; where the root folder is seen from inside."""
    own_rights = os.geteuid() == 0
    spaces = (CLONE_NEWNET | CLONE_NEWIPC,) if own_rights else ()
    for flags in (*spaces, CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC):
        with suppress(AttributeError):
            if library.unshare(flags) == 0:
                break
    folder = root
    with suppress(OSError):
        os.chroot(root)
        folder = ""
    os.chdir(folder or "/")
    with suppress(OSError):
        if own_rights:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    return folder


def _filter_calls(library: Any) -> None:
    known = _ARCHITECTURES.get(platform.machine())
    if known is None or not sys.platform.startswith("linux"):
        return
    column, architecture = known
    refused = [call[column] for call in _REFUSED.values()]
    refused += _REFUSED_ONLY_X86 if column == 0 else ()
    load, equal, above, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    rows: list[tuple[int, int, int, int]] = [
        (load, 0, 0, 4),
        (equal, 1, 0, architecture),
        (answer, 0, 0, SECCOMP_RET_EPERM),
        (load, 0, 0, 0),
        # The second way to number calls on the same processor.
        (above, 0, 1, 0x40000000),
        (answer, 0, 0, SECCOMP_RET_EPERM),
        # Its flags lie behind a pointer; the runtime takes the older call where it is missing.
        (equal, 0, 1, _CLONE3[column]),
        (answer, 0, 0, SECCOMP_RET_ENOSYS),
        # Threads, and no processes.
        (equal, 0, 4, _CLONE[column]),
        (load, 0, 0, 16),
        (any_bit, 1, 0, CLONE_THREAD),
        (answer, 0, 0, SECCOMP_RET_EPERM),
        (answer, 0, 0, SECCOMP_RET_ALLOW),
    ]
    rows += [(equal, len(refused) - at, 0, number) for at, number in enumerate(refused)]
    rows += [(answer, 0, 0, SECCOMP_RET_ALLOW), (answer, 0, 0, SECCOMP_RET_EPERM)]
    code = b"".join(struct.pack("=HBBI", *row) for row in rows)
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HxxxxxxP", len(rows), ctypes.addressof(held))
    with suppress(AttributeError):
        library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        library.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)
