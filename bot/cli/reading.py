"""The release repo that a question is about: a folder as it is, or a commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.cli.outcome import wrong_usage

if TYPE_CHECKING:
    from bot.cli.flags import Flags
    from bot.config import Settings
    from bot.ports import GitHost
    from bot.reconciler.planner import Planner
    from release_repo_schema.repo import Repo


def read_repo(flags: Flags, settings: Settings | None = None) -> Repo:
    """The repo. A place where none is would answer every question with nothing: wrong usage."""
    from bot.app.opening import tree_of
    from bot.failures import GitError
    from release_repo_schema.load import load_repo

    settings = settings or flags.settings
    try:
        tree = tree_of(settings, flags.ref, flags.held)
        repo = load_repo(tree)
    except GitError as unknown:
        if flags.ref is None:
            raise
        raise wrong_usage(unknown.why) from unknown
    except OSError as refused:
        raise wrong_usage(f"{settings.repo} cannot be read: {refused.strerror}") from refused
    if not repo.files and not repo.findings:
        raise wrong_usage(
            f"there is no release repo at {settings.repo}: no fleet/, components/ or people.yaml; "
            "--repo names one, sluice init DIR writes an example"
        )
    return repo


@contextmanager
def open_planner(flags: Flags) -> Iterator[tuple[GitHost, Planner]]:
    """The Git repo and a planner on it."""
    from bot.app.opening import git_host, renderer
    from bot.reconciler.planner import Planner

    with git_host(flags.settings) as git, renderer() as sandbox:
        yield git, Planner(git, sandbox)


def commit_of(git: GitHost, ref: str) -> str:
    """The commit of a ref; a name that nothing has is wrong usage, with the near one."""
    from bot.failures import GitError

    found = git.head(ref)
    if found is not None:
        return found
    try:
        return git.commit(ref).id
    except GitError as unknown:
        raise wrong_usage(unknown.why) from unknown
