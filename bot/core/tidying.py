"""Which Release files of main are old enough to go: those whose release ended long ago. Pure.

The record of a release is in the store, and its name stays taken; the file is only a file. Deletes
nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.core import messages_tidy as say
from bot.model.state import ReleaseState
from release_repo_schema.loadedfile import Document
from release_repo_schema.repo import Repo


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """What goes, by path, and what is old and stays all the same, with the reason."""

    gone: Mapping[str, tuple[ReleaseState, ...]]
    left: Mapping[str, str]


def tidied(repo: Repo, states: Iterable[ReleaseState], ended_by: datetime) -> Tidied:
    """The Release files of a repo in which all ended by then."""
    old = {
        state.release: state
        for state in states
        if state.phase.ended and state.ended is not None and state.ended <= ended_by
    }
    named = _named(repo, old.keys())
    gone: dict[str, tuple[ReleaseState, ...]] = {}
    left: dict[str, str] = {}
    for path in sorted({doc.file.path for doc in _documents(repo) if doc.name in old}):
        file = repo.files[path]
        releases = [doc.name for doc in file.documents if doc.kind == "Release"]
        if len(releases) != len(file.documents) or any(name not in old for name in releases):
            left[path] = say.BESIDE_OTHERS
        elif by := sorted({one for name in releases for one in named.get(name, ())}):
            left[path] = say.superseded_by(by)
        else:
            gone[path] = tuple(old[name] for name in releases)
    return Tidied(gone=gone, left=left)


def _documents(repo: Repo) -> list[Document]:
    return [doc for (kind, _), doc in repo.documents.items() if kind == "Release"]


def _named(repo: Repo, old: Iterable[str]) -> dict[str, list[str]]:
    """Release → releases that stay and name it: main must lint without its file too."""
    gone = set(old)
    found: dict[str, list[str]] = {}
    for name, release in repo.releases.items():
        for other in release.spec.supersedes:
            if name not in gone:
                found.setdefault(other, []).append(name)
    return found
