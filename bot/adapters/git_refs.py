"""Where a repository is and what its branches point to, read from its files alone.

Asked at every tick, so it starts no process; it never writes, and never looks at objects.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.ports import GitError

OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
LINKS_FOLLOWED = 5
"""HEAD → refs/heads/main → …: more symbolic links than this is a loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryPlace:
    """The folders of one repository. `own` differs from `common` in a linked work tree."""

    own: Path
    common: Path
    format: str = "sha1"
    shallow: bool = False

    @property
    def shown(self) -> str:
        """How people know the repository: the folder that holds `.git`, or the bare one."""
        return str(self.own.parent if self.own.name == ".git" else self.own)


def find_repository(path: str | os.PathLike[str]) -> RepositoryPlace:
    """The repository at a path or above it, as Git would find it."""
    start = Path(path).absolute()
    try:
        if not start.is_dir():
            raise GitError(
                f"there is no folder {start}; --repo takes the path or URL of a Git repository"
            )
        for folder in (start, *start.parents):
            own = _git_folder(folder)
            if own is not None:
                return _place(own)
    except OSError as refused:
        raise GitError(f"{start} could not be read: {refused.strerror or refused}") from refused
    raise GitError(
        f"there is no Git repository at {start}; `git init` makes one, `git clone` copies one"
    )


def _git_folder(folder: Path) -> Path | None:
    inside = folder / ".git"
    if inside.is_file():
        text = inside.read_text("utf-8", "surrogateescape").strip()
        if not text.startswith("gitdir: "):
            return None
        inside = folder / text.removeprefix("gitdir: ")
    for candidate in (inside, folder):
        if (candidate / "HEAD").is_file() and (
            (candidate / "commondir").is_file() or (candidate / "objects").is_dir()
        ):
            return candidate
    return None


def _place(own: Path) -> RepositoryPlace:
    common = own
    if (own / "commondir").is_file():
        common = (own / (own / "commondir").read_text().strip()).resolve()
    if (common / "reftable").is_dir():
        raise GitError(
            f"{own} keeps its branches as reftable; `git refs migrate --ref-format=files` helps"
        )
    config = (
        (common / "config").read_text("utf-8", "replace") if (common / "config").is_file() else ""
    )
    sha256 = re.search(r"^\s*objectformat\s*=\s*sha256\s*$", config, re.IGNORECASE | re.MULTILINE)
    return RepositoryPlace(
        own=own,
        common=common,
        format="sha256" if sha256 else "sha1",
        shallow=(common / "shallow").exists(),
    )


class Refs:
    """Branches and tags by name, as they are at this moment."""

    def __init__(self, place: RepositoryPlace) -> None:
        self._place = place
        self._packed: dict[str, str] = {}
        self._packed_sign: tuple[int, int, int, int] | None = None

    def main(self) -> str | None:
        """The full name of the main branch: `main`, or without one what HEAD names."""
        if self.value("refs/heads/main") is not None:
            return "refs/heads/main"
        text = self._text(self._place.own / "HEAD")
        if text is not None and text.startswith("ref: refs/heads/"):
            return text.removeprefix("ref: ")
        return None

    def resolve(self, name: str) -> str | None:
        """The object that a name points to, by Git's own order of places."""
        if not _is_safe(name) or name == "main":
            return self.branch(name)
        places = ("refs/heads/", "refs/tags/", "refs/remotes/")
        full = [name] if name == "HEAD" or name.startswith("refs/") else [p + name for p in places]
        return next((value for ref in full if (value := self.value(ref)) is not None), None)

    def branch(self, name: str) -> str | None:
        """The commit of a branch by its short or full name; None when there is none."""
        if name == "main":
            main = self.main()
            return self.value(main) if main is not None else None
        ref = name if name.startswith("refs/heads/") else f"refs/heads/{name}"
        return self.value(ref) if _is_safe(ref) else None

    def value(self, ref: str, depth: int = 0) -> str | None:
        """The object id behind a full ref name: its own file first, then packed-refs."""
        home = self._place.own if ref == "HEAD" else self._place.common
        text = self._text(home / ref)
        if text is None:
            return self._all_packed().get(ref)
        if text.startswith("ref: ") and depth < LINKS_FOLLOWED:
            target = text.removeprefix("ref: ").strip()
            return self.value(target, depth + 1) if _is_safe(target) else None
        return text if OBJECT_ID.fullmatch(text) else None

    def below(self, folder: str) -> dict[str, str]:
        """Every ref below a folder such as `refs/heads/pr/`, by full name."""
        # Files first, packed-refs after: a branch that is being packed is in one of the two.
        loose = {ref: self.value(ref) for ref in self._loose(folder.rstrip("/"))}
        found = {ref: value for ref, value in self._all_packed().items() if ref.startswith(folder)}
        found.update((ref, value) for ref, value in loose.items() if value is not None)
        return dict(sorted(found.items()))

    def did_you_mean(self, name: str) -> str:
        """`; did you mean 'pr/bump'?`, or nothing."""
        known = [ref.removeprefix("refs/heads/") for ref in self.below("refs/heads/")]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        return f"; did you mean '{near[0]}'?" if near else ""

    def _loose(self, folder: str) -> Iterator[str]:
        try:
            with os.scandir(self._place.common / folder) as items:
                for item in items:
                    ref = f"{folder}/{item.name}"
                    if item.is_dir(follow_symlinks=False):
                        yield from self._loose(ref)
                    elif not item.name.endswith(".lock"):
                        yield ref
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as refused:
            raise GitError(
                f"the branches of {self._place.shown} could not be read: {refused}"
            ) from refused

    def _all_packed(self) -> dict[str, str]:
        path = self._place.common / "packed-refs"
        try:
            seen = os.stat(path)
        except OSError:
            self._packed, self._packed_sign = {}, None
            self._must_exist()
            return self._packed
        sign = (seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size)
        if sign != self._packed_sign:
            self._packed = _parsed(self._text(path) or "")
            self._packed_sign = sign
        return self._packed

    def _must_exist(self) -> None:
        # An unmounted volume must not look like a repository whose branches were all deleted.
        if not (self._place.common / "objects").is_dir():
            raise GitError(f"there is no Git repository at {self._place.shown} any more")

    @staticmethod
    def _text(path: Path) -> str | None:
        try:
            handle = os.open(path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as refused:
            raise GitError(f"{path} could not be read: {refused.strerror or refused}") from refused
        try:
            return _read_all(handle).decode("utf-8", "surrogateescape").strip()
        except IsADirectoryError:
            return None
        finally:
            os.close(handle)


def _read_all(handle: int) -> bytes:
    parts = []
    while part := os.read(handle, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _parsed(text: str) -> dict[str, str]:
    rows = (line.split(" ", 1) for line in text.splitlines() if line and line[0] not in "#^")
    return {row[1]: row[0] for row in rows if len(row) == 2 and OBJECT_ID.fullmatch(row[0])}


def _is_safe(ref: str) -> bool:
    # A ref is a path below the repository: one that would lead elsewhere is none.
    parts = ref.split("/")
    return bool(ref) and "\0" not in ref and not any(p in ("", ".", "..") for p in parts)
