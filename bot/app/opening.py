"""Opens each outside thing from the settings, each alone: repo, store, fleet, renderer.

Reads no command line and starts no thread.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from bot.core.messages_clusters import kubeconfigs_in_repo
from bot.failures import GitError, Unreachable
from release_repo_schema.tree import FOLDERS, FolderTree, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import ExitStack

    from bot.adapters.kubernetes_fleet import KubernetesFleet
    from bot.adapters.sandbox import SandboxRenderer
    from bot.adapters.simulated.fleet import SimulatedFleet
    from bot.adapters.sqlite import SqliteStore
    from bot.app.routed import LookedAtFleet
    from bot.config import Settings
    from bot.ports import Connection, GitHost

    class OpenGitHost(GitHost, Protocol):
        """A Git host that is closed when it is no longer needed."""

        def __enter__(self) -> Self: ...

        def __exit__(self, *_: object) -> None: ...


MOST_FILES = 65_536
_SCP_LIKE = re.compile(r"[\w.+-]+@[\w.-]+:\S+")


def is_remote(location: str) -> bool:
    """Whether a repo is asked over a protocol rather than read as a folder."""
    return "://" in location or (
        _SCP_LIKE.fullmatch(location) is not None and not os.path.exists(location)
    )


def is_bare(folder: Path) -> bool:
    """Whether a folder is a Git repository without a work tree."""
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def git_top(folder: Path) -> Path | None:
    """The work tree that a folder lies in; None where none is."""
    start = folder.absolute()
    return next((here for here in (start, *start.parents) if (here / ".git").exists()), None)


def looks_like_release_repo(folder: Path) -> bool:
    """Whether a release repo could begin here."""
    return (folder / "people.yaml").exists() or any((folder / name).is_dir() for name in FOLDERS)


def git_host(settings: Settings) -> OpenGitHost:
    """The Git host of the settings; the copy of a remote repo stands beside the store.

    GitError where an App was given for a repo that is not on its GitHub.
    """
    from bot.adapters.clock import SystemClock
    from bot.adapters.git import LocalGitHost

    cache = Path(f"{settings.db}.repo").absolute()  # git itself is run in another folder
    if is_remote(settings.repo) and (settings.github_key or settings.github_token):
        from bot.adapters.git_github import GitHubHost, credential_of, place_of

        key, token = settings.github_key, settings.github_token
        try:
            place = place_of(settings.repo, settings.github_api)
        except ValueError as wrong:
            if key is not None:
                raise GitError(f"{settings.repo}: {wrong}") from wrong
            # A token of the environment is for GitHub alone: it goes to no other host.
            return LocalGitHost(settings.repo, cache=cache, clock=SystemClock())
        credential = credential_of(
            app=settings.github_app,
            key=key.reveal() if key else None,
            installation=settings.github_installation,
            token=token.reveal() if token else None,
        )
        every = settings.github_poll
        return GitHubHost(place, credential, cache=cache, clock=SystemClock(), poll_every=every)
    return LocalGitHost(settings.repo, cache=cache, clock=SystemClock())


def github_place(settings: Settings) -> str | None:
    """`owner/name` of the release repo where it is read as one on GitHub."""
    if not is_remote(settings.repo) or not (settings.github_key or settings.github_token):
        return None
    from bot.adapters.git_github import place_of

    try:
        return place_of(settings.repo, settings.github_api).slug
    except ValueError:
        return None


def tree_of(settings: Settings, ref: str | None, held: ExitStack) -> Tree:
    """The files of the release repo: the folder as it is, or a commit where one is meant."""
    location = settings.repo
    folder = Path(location)
    if ref is not None or is_remote(location) or is_bare(folder):
        # Stays open as long as what asked: the tree reads its objects through it.
        return held.enter_context(git_host(settings)).tree(ref or "main")
    return FolderTree(root_of(folder))


def root_of(folder: Path) -> Path:
    """Where the release repo of a folder begins: there, or at the top of its work tree."""
    if looks_like_release_repo(folder):
        return folder
    return git_top(folder) or folder


def renderer() -> SandboxRenderer:
    from bot.adapters.sandbox import SandboxRenderer

    return SandboxRenderer()


def reader(path: Path) -> SqliteStore:
    """The store for questions. StoreLocked where there is none."""
    from bot.adapters.sqlite import SqliteStore

    return SqliteStore.reader(path)


def fleet_file(db: Path) -> Path:
    """Where the embedded clusters are kept."""
    return Path(f"{db}.fleet")


def fleet_as_kept(db: Path) -> tuple[SimulatedFleet, tuple[str, ...]] | None:
    """The embedded clusters by their file alone, and their names; None where there is none."""
    from bot.adapters.clock import SystemClock
    from bot.adapters.simulated.looking import FleetForLooking

    file = fleet_file(db)
    if not file.exists():
        return None
    fleet = FleetForLooking(SystemClock(), str(file))
    return fleet, fleet.connect_kept()


def fleet_for_looking(settings: Settings, connections: Iterable[Connection]) -> LookedAtFleet:
    """The clusters as they are now; nothing that is asked of the embedded ones changes them."""
    from bot.adapters.clock import SystemClock
    from bot.adapters.simulated.looking import FleetForLooking
    from bot.app.routed import LookedAtFleet

    file = fleet_file(settings.db)
    embedded = FleetForLooking(SystemClock(), str(file) if file.exists() else None)
    fleet = LookedAtFleet(embedded, real_fleet(settings))
    fleet.connect(connections)
    return fleet


def room_for_connections() -> None:
    """As many open files as the system lets us have: each cluster holds a connection or more."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def real_fleet(settings: Settings) -> KubernetesFleet:
    """Clusters that are reached over the network. Unreachable where their kubeconfigs would come
    out of the release repo.
    """
    from bot.adapters.clock import SystemClock
    from bot.adapters.kubernetes_fleet import KubernetesFleet

    folder = settings.kubeconfigs
    if folder is not None and not is_remote(settings.repo):
        here = Path(settings.repo)
        # A bare repo is all there is of it, whatever work tree it happens to stand in.
        repo = (here if is_bare(here) else root_of(here)).resolve()
        is_repo = is_bare(repo) or looks_like_release_repo(repo) or git_top(repo) is not None
        if is_repo and folder.resolve().is_relative_to(repo):
            raise Unreachable(kubeconfigs_in_repo(str(folder), str(repo)))
    return KubernetesFleet(SystemClock(), str(folder) if folder is not None else None)
