"""What a pull request is told about the running releases that it touches. Words only."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.messages_words import row


def relabelled(cluster: str, labels: Sequence[str], releases: Sequence[str]) -> str:
    return f"{cluster} changes {row(labels, most=5)} while it is in {row(releases, most=5)}"


RELABELLED_HINT = "a running release keeps it where it was planned; scopes by label follow the plan"


def leaves(cluster: str, releases: Sequence[str]) -> str:
    return f"{cluster} is taken away while it is in {row(releases, most=5)}"


LEAVES_HINT = "its units are left out of what runs, and nothing more is asked of the cluster"
