"""The revert pull request of a release that was rolled back: it makes the rollback stick in Git
too.

Takes the Release file away, restores what the release's commit changed, adds the block to the
policy.
A file that changed again since is left alone and named. Merging it plans nothing.
"""

from __future__ import annotations

from datetime import datetime

from bot.core.messages_endings import revert_body, revert_branch, rolled_back
from bot.model.plan import ReleasePlan
from bot.model.state import ReleaseState
from bot.ports import GitHost
from bot.reconciler.planner import Planner
from release_repo_schema.edit import add_block


def propose_revert(
    git: GitHost, planner: Planner, plan: ReleasePlan, state: ReleaseState, now: datetime
) -> str:
    """Open it (once: by branch); the id of the pull request. Raises GitError."""
    branch = revert_branch(plan.release)
    opened = git.proposed(branch)
    if opened is not None:
        # Opened before a crash: what main has become since makes it no other one.
        return opened
    head = git.head()
    assert head is not None, "a release cannot end without a main"
    here = git.tree(head)
    files: dict[str, bytes | None] = {}
    left: list[str] = []
    before = git.tree(git.commit(plan.commit).parents[0])
    for path, (old, new) in sorted(git.changed(plan.commit).items()):
        entry = here.entries().get(path)
        if (entry.key if entry else None) != new:
            left.append(path)
        elif old is None:
            files[path] = None
        else:
            files[path] = before.read(path)
    repo = planner.load(head)
    where = repo.source("Policy", repo.policy.name)
    policy = where.rpartition(":")[0] or "policy/policy.yaml"
    text = files.get(policy) or (here.read(policy) if policy in here.entries() else b"")
    try:
        files[policy] = _blocked(text, plan, state)
    except ValueError:
        # The store blocks it all the same; the file is for people to mend.
        left.append(policy)
    return git.propose(
        branch,
        files,
        title=revert_body(plan.release, state.outcome, left),
        author="sluice <sluice@localhost>",
        at=now,
    )


def _blocked(policy: bytes, plan: ReleasePlan, state: ReleaseState) -> bytes:
    """The policy with what the release brought blocked. Raises ValueError when it is not
    understood.
    """
    for component in plan.components:
        if component.task:
            continue
        policy = add_block(
            policy,
            component=component.name,
            version=component.version,
            content=None if component.version_changed else component.content,
            reason=rolled_back(plan.release, state.outcome),
        )
    return policy
