"""The words with which the bot itself holds a release. State in, words out; nothing else."""

from __future__ import annotations

from datetime import datetime


def stopped(unit: str, why: str) -> str:
    """The reason of a hold after a failure."""
    return f"{unit} failed: {why}"


def expired(at: datetime) -> str:
    return f"nothing was written by {at:%Y-%m-%d %H:%M} UTC, when the release expired"


def superseded(by: str) -> str:
    return f"{by} replaces it"


def fenced(unit: str) -> str:
    return f"a newer plan has written to {unit}; this one writes there no more"


def bug(error: Exception) -> str:
    """A bug, named shortly; the whole report is in the log and the audit."""
    return f"a bug in Sluice: {type(error).__name__}: {str(error)[:200]}"


def revert_title(release: str) -> str:
    return f"Revert {release}"


def revert_body(release: str, why: str, left: list[str]) -> str:
    """Message of the revert pull request's commit. `left`: files changed since, to be looked at
    by hand.
    """
    text = f"Revert {release}\n\nIt was rolled back: {why}\n"
    if left:
        files = "\n".join(f"- {path}" for path in left)
        text += f"\nChanged since the release, so left as they are:\n{files}\n"
    return text


def rolled_back(release: str, why: str) -> str:
    """The reason of the block that a rollback leaves in the policy."""
    return f"{release} was rolled back: {why}"


def revert_branch(release: str) -> str:
    """Branch of the revert pull request of a release."""
    return f"pr/revert-{release}"
