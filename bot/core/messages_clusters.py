"""Sentences about how clusters are reached. Pure text."""

from __future__ import annotations


def kubeconfigs_in_repo(folder: str, repo: str) -> str:
    """The folder of the bot's kubeconfigs lies where pull requests write."""
    return (
        f"SLUICE_KUBECONFIG_DIR ({folder}) lies in the release repo ({repo}): nothing of the repo "
        "is ever loaded as a kubeconfig; keep the folder elsewhere"
    )
