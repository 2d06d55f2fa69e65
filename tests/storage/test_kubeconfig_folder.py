"""Where the kubeconfigs of clusters may stand: anywhere but in the release repo."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.app.opening import real_fleet
from bot.config import Settings
from bot.failures import Unreachable


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Somebody's work tree, such as Sluice's own, with a bare release repo inside it."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "releases.git")], check=True)
    return tmp_path


def opened(repo: Path, folder: Path) -> None:
    folder.mkdir()
    real_fleet(Settings(repo=str(repo), kubeconfigs=folder)).close()


def test_a_folder_beside_a_bare_release_repo_is_not_in_it(checkout: Path) -> None:
    """Both stand in the clone of Sluice when a newcomer follows the first page to the letter."""
    opened(checkout / "releases.git", checkout / "kubeconfigs")


def test_a_folder_inside_the_release_repo_is_refused(checkout: Path) -> None:
    """Whoever may push there would say which cluster a name means."""
    with pytest.raises(Unreachable, match="lies in the release repo"):
        opened(checkout / "releases.git", checkout / "releases.git" / "kubeconfigs")
    with pytest.raises(Unreachable, match="lies in the release repo"):
        opened(checkout, checkout / "kubeconfigs")
