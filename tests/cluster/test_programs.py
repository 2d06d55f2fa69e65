"""Where nothing can be built: a run at a desk says so and goes on, one in CI fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DESK_AND_CI = pytest.mark.parametrize("ci", ["", "true"], ids=["desk", "CI"])


def _run(ci: str, empty: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A Python module where there is neither Go nor any program of a control plane."""
    environment = os.environ | {
        "SLUICE_CLUSTER_TOOLS": str(empty),
        "PATH": str(empty / "bin"),
        "CI": ci,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    environment.pop("KUBEBUILDER_ASSETS", None)
    return subprocess.run(
        [sys.executable, "-m", *command],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@DESK_AND_CI
def test_without_go_the_build_says_so_and_only_ci_fails(ci: str, tmp_path: Path) -> None:
    """A suite that is left out of CI without a word would prove nothing for months."""
    done = _run(ci, tmp_path, "tests.cluster.programs")
    assert done.returncode == bool(ci)
    assert "no Go on the PATH" in done.stderr


@DESK_AND_CI
def test_without_programs_a_test_is_left_out_and_only_ci_fails(ci: str, tmp_path: Path) -> None:
    """Either way with the names of what is missing, and the command that makes them."""
    one = "tests/cluster/test_rights.py"
    done = _run(ci, tmp_path, "pytest", one, "-q", "-rs", "-p", "no:cacheprovider")
    assert done.returncode == bool(ci), done.stdout
    assert ("error" if ci else "skipped") in done.stdout.splitlines()[-1]
    assert "no etcd, kube-apiserver" in done.stdout
    assert "`make cluster-tools` builds them; it needs Go" in done.stdout
