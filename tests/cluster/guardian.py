"""Outlives the process that owns a control plane just long enough to end every program of it.

It waits on a pipe that only the owner holds. When the owner closes it, or is gone for whatever
reason (SIGKILL too), the whole process group is killed and its folder removed. Run as a file by a
bare interpreter: it imports nothing but the standard library, and touches no other process.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path


def main(folder: str) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    owner = os.getppid()
    # The parent is looked at as well: a fork of the owner could hold the pipe open.
    while os.getppid() == owner:
        readable, _, _ = select.select([0], [], [], 0.5)
        if readable and not os.read(0, 4096):
            break
    while members := _members():
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)  # stopped ones hear it too
            except ProcessLookupError:
                continue
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _members() -> list[int]:
    """Who lives in our process group, without us; a zombie no longer counts."""
    group, found = os.getpgrp(), []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, member_of = stat.read_text().rpartition(") ")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(member_of) == group and state != "Z" and int(stat.parent.name) != os.getpid():
            found.append(int(stat.parent.name))
    return found


if __name__ == "__main__":
    main(sys.argv[1])
