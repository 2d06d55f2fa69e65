"""tidy: proposes to delete the Release files of what ended long ago. Merges and deletes nothing."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import GOOD, emit, wrong_usage
from bot.cli.telling import instant

if TYPE_CHECKING:
    from bot.core.tidying import Tidied


@click.command(
    "tidy", cls=Verb, asks=False, help="Propose to delete the Release files of what ended long ago."
)
@click.option("--older-than", metavar="T", default="90d", help="Ended that long ago. Default 90d.")
@click.option("--dry-run", is_flag=True, help="Only say which files would go.")
@pass_flags
def tidy(flags: Flags, older_than: str, dry_run: bool) -> int:
    from bot.app.opening import git_host, reader
    from bot.cli.identity import author_of
    from bot.core import messages_tidy as say
    from bot.core.tidying import tidied
    from bot.model.state import ReleaseState
    from bot.ports import GitError
    from release_repo_schema.load import load_repo

    age = _age(older_than)
    with git_host(flags.settings) as git, reader(flags.settings.db) as store:
        head = git.head()
        if head is None:
            raise GitError(f"{flags.settings.repo} has no branch main")
        repo = load_repo(git.tree(head))
        found = tidied(repo, store.rows(ReleaseState), flags.now - age)
        branch = None
        if found.gone and not dry_run:
            branch = git.propose(
                _branch(flags, found),
                dict.fromkeys(found.gone),
                title=say.title(len(found.gone), older_than),
                author=author_of(flags, repo.people),
                at=flags.now,
            )
    emit(_body(found, branch, dry_run), _text(found, branch, older_than), as_json=flags.json)
    return GOOD


def _age(text: str) -> timedelta:
    from release_repo_schema.models import parse_duration

    try:
        return parse_duration(text)
    except ValueError as wrong:
        raise wrong_usage(f"--older-than {text!r}: {wrong}") from wrong


def _branch(flags: Flags, found: Tidied) -> str:
    """The same files of a day are one proposal, however often it is asked for."""
    files = hashlib.sha256("\n".join(found.gone).encode()).hexdigest()[:6]
    return f"pr/tidy-{flags.now:%Y-%m-%d}-{files}"


def _body(found: Tidied, branch: str | None, dry_run: bool) -> dict[str, Any]:
    return {
        "releases": [
            {
                "release": state.release,
                "phase": state.phase.value,
                "ended": instant(state.ended),
                "path": path,
            }
            for path, states in found.gone.items()
            for state in states
        ],
        "left": [{"path": path, "why": why} for path, why in found.left.items()],
        "branch": branch,
        "dryRun": dry_run,
    }


def _text(found: Tidied, branch: str | None, days: str) -> str:
    from bot.core import messages_tidy as say

    lines = [
        f"  {path}  {state.phase.value} {instant(state.ended)}"
        for path, states in found.gone.items()
        for state in states
    ]
    lines += [f"  {path}  stays: {why}" for path, why in found.left.items()]
    if branch is not None:
        head = say.proposed(len(found.gone), branch)
    else:
        head = say.would_go(len(found.gone)) if found.gone else say.nothing_old(days)
    return "\n".join([head, *lines])


VERBS = {"tidy": tidy}
