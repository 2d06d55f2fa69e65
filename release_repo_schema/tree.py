"""Where the files of a release repo come from: `Tree`, and a folder as one.

A tree only lists and reads; links are told, never followed, and nothing outside is touched.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FOLDERS = frozenset(
    (
        "fleet",
        "components",
        "checks",
        "pipelines",
        "workloadkinds",
        "tasks",
        "releases",
        "calendar",
        "policy",
    )
)
"""The folders of a release repo; `people.yaml` stands beside them."""
HASHED_SIZE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: the id of its content, its size, and where it points to if it is a link.

    A size below 0 says that it is no regular file and cannot be read.
    """

    key: str
    link: str | None = None
    size: int = 0


class Tree(Protocol):
    """The files of one state of a release repo, by path with forward slashes."""

    def entries(self) -> Mapping[str, Entry]:
        """Every file and link that is not hidden. The same mapping each time."""
        ...

    def read(self, path: str) -> bytes:
        """The content of a regular file; OSError where that fails."""
        ...


class FolderTree:
    """A folder on disk, as it is now. Content ids are those that Git gives."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._root = Path(path)
        self._entries: dict[str, Entry] | None = None

    def entries(self) -> Mapping[str, Entry]:
        """Files and links below the folders of a release repo, and at its top."""
        if self._entries is None:
            self._entries = dict(sorted(self._walk("")))
        return self._entries

    def read(self, path: str) -> bytes:
        """The bytes of a file; a link in the last place is refused by the system."""
        handle = os.open(self._root / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with open(handle, "rb") as file:
            return file.read()

    def _walk(self, folder: str) -> Iterator[tuple[str, Entry]]:
        pending = [folder]
        while pending:
            folder = pending.pop()
            for item in os.scandir(self._root / folder):
                if item.name.startswith(".") or (folder == "" and self._is_foreign(item)):
                    continue
                path = f"{folder}/{item.name}" if folder else item.name
                if item.is_dir(follow_symlinks=False):
                    pending.append(path)
                else:
                    yield _shown(path), self._entry(item, path)

    @staticmethod
    def _is_foreign(item: os.DirEntry[str]) -> bool:
        return item.is_dir(follow_symlinks=False) and item.name not in FOLDERS

    def _entry(self, item: os.DirEntry[str], path: str) -> Entry:
        if item.is_symlink():
            target = os.readlink(item.path)
            return Entry(_git_id(os.fsencode(target)), _shown(target), len(target))
        found = item.stat(follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode) or _shown(path) != path:
            return Entry(f"none:{path!r}", None, -1)
        if found.st_size > HASHED_SIZE:
            return Entry(f"stat:{found.st_size}:{found.st_mtime_ns}", None, found.st_size)
        try:
            data = self.read(path)
        except OSError:
            return Entry(f"none:{path!r}", None, -1)
        return Entry(_git_id(data), None, len(data))


def _git_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\x00" % len(data) + data, usedforsecurity=False).hexdigest()


def _shown(path: str) -> str:
    # A name that is no UTF-8 cannot be printed; it is told escaped, and not read.
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
