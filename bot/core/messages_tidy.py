"""What is said of old Release files: what goes, what stays, and why. Words only."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.messages_words import many, row

BESIDE_OTHERS = "something else stands in the same file"


def superseded_by(releases: Sequence[str]) -> str:
    return f"{row(releases, most=3)} names it in supersedes"


def title(count: int, days: str) -> str:
    """Message of the proposal's commit."""
    return (
        f"Delete {many(count, 'Release file')} of releases that ended {days} ago\n\n"
        "Their record stays in the store, and their names stay taken. Merging this plans nothing.\n"
    )


def nothing_old(days: str) -> str:
    return f"No release on main ended {days} ago or earlier."


def proposed(count: int, branch: str) -> str:
    return (
        f"{branch} is open as a pull request: it deletes {many(count, 'Release file')}.\n"
        f"Next: sluice plan --head {branch}"
    )


def would_go(count: int) -> str:
    return f"{many(count, 'Release file')} would go; without --dry-run this is proposed."
