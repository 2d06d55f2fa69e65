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


def revert_branch(release: str) -> str:
    """Branch of the revert pull request of a release."""
    return f"pr/revert-{release}"
