"""The words with which the bot itself holds a release. State in, words out; nothing else."""

from __future__ import annotations

from datetime import datetime


def stopped(unit: str, why: str) -> str:
    """The reason of a hold after a failure."""
    return f"{unit} failed: {why}"


def expired(at: datetime) -> str:
    return f"nothing was written by {at:%Y-%m-%d %H:%M} UTC, when the release expired"


def part_back(part: str, why: str) -> str:
    """The reason of a hold after a stage or a wave was rolled back."""
    return f"{part} was rolled back: {why}"


def goes_back_with(unit: str, why: str) -> str:
    """Why a unit goes back with one that it depends on."""
    return why if f"depends on {unit}" in why else f"it depends on {unit}, which goes back: {why}"


def needs_what_is_not_there(unit: str) -> str:
    """Why a unit is left out that depends on one that was taken back, or left half-way."""
    return f"it depends on {unit}, which was rolled back or left half-way"


def component_went_back(component: str) -> str:
    """Why a unit does not begin that a component's rollback leaves out."""
    return f"{component} was rolled back in this release"


TAKEN_OVER = "a newer release has it now"
"""Why a unit of a release that goes back is left as it is."""


def superseded(by: str) -> str:
    return f"{by} replaces it"


def fenced(unit: str) -> str:
    return f"a newer plan has written to {unit}; this one writes there no more"


NAMED = 5
"""How many of a long list a sentence names."""


def restored(mark: str) -> str:
    """The reason of the hold on a store that was restored. `mark`: when the backup was made."""
    made = mark.partition(" event ")[0].partition(".")[0].partition("+")[0].replace("T", " ")
    return f"the store was restored from a backup of {made} UTC; it is compared with the clusters"


def restored_newer(objects: list[str]) -> str:
    """What stands in clusters is newer than the restored store."""
    return f"the store was restored, and does not know who wrote {_named(objects)}"


def restored_unseen(clusters: list[str]) -> str:
    """Some clusters cannot be compared with the restored store."""
    silent = _named(clusters)
    return f"the store was restored, and cannot be compared with {silent}: no answer yet"


def _named(items: list[str]) -> str:
    more = len(items) - NAMED
    return ", ".join(items[:NAMED]) + (f" and {more} more" if more > 0 else "")


def bug(error: Exception) -> str:
    """A bug, named shortly; the whole report is in the log and the audit."""
    return f"a bug in Sluice: {type(error).__name__}: {str(error)[:200]}"


EARLIER_ROLLBACK = "it was said of an earlier rollback"


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
