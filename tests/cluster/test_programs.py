"""Where nothing can be built: a run at a desk says so and goes on, one in CI fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.programs import MANIFESTS, PROGRAMS

DESK_AND_CI = pytest.mark.parametrize("ci", ["", "true"], ids=["desk", "CI"])


def _run(
    ci: str, empty: Path, *command: str, assets: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A Python module where there is neither Go nor any program of a control plane, but for assets
    that somebody brought."""
    environment = os.environ | {
        "SLUICE_CLUSTER_TOOLS": str(empty),
        "PATH": str(empty / "bin"),
        "CI": ci,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    environment.pop("KUBEBUILDER_ASSETS", None)
    if assets is not None:
        environment["KUBEBUILDER_ASSETS"] = str(assets)
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
    assert "Missing: etcd, kube-apiserver" in done.stderr
    assert "`make go` brings Go" in done.stderr


@pytest.mark.parametrize("beside", ["bin/manifests", "manifests"], ids=["in it", "beside it"])
def test_complete_assets_need_neither_go_nor_a_build(beside: str, tmp_path: Path) -> None:
    """A machine that was given all programs has no Go, and a folder of ours may not even exist."""
    _assets(tmp_path, beside, *PROGRAMS)
    built = tmp_path / "never-made"
    done = _run("true", built, "tests.cluster.programs", assets=tmp_path / "bin")
    assert (done.returncode, built.exists()) == (0, False), done.stderr
    assert done.stderr == f"cluster-tools: ready: {', '.join(PROGRAMS)}\n"


def test_assets_that_lack_something_are_told_what_it_is(tmp_path: Path) -> None:
    """One program short, or without the manifests: not a list of all that is there."""
    _assets(tmp_path, "", *PROGRAMS)
    done = _run("true", tmp_path / "none", "tests.cluster.programs", assets=tmp_path / "bin")
    assert done.returncode == 1
    assert "Missing: the manifests of OpenKruise and KWOK. " in done.stderr
    (tmp_path / "bin" / "kwok").unlink()
    done = _run("true", tmp_path / "none", "tests.cluster.programs", assets=tmp_path / "bin")
    assert "Missing: kwok, the manifests of OpenKruise and KWOK. " in done.stderr


def _assets(folder: Path, manifests: str, *names: str) -> None:
    (folder / "bin").mkdir()
    for name in names:
        (folder / "bin" / name).touch(mode=0o755)
    for module, _, inside in MANIFESTS if manifests else ():
        place = folder / manifests / module.rpartition("/")[2] / inside
        place.mkdir(parents=True)
        (place / "one.yaml").touch()


@DESK_AND_CI
def test_without_programs_a_test_is_left_out_and_only_ci_fails(ci: str, tmp_path: Path) -> None:
    """Either way with the names of what is missing, and the command that makes them."""
    one = "tests/cluster/test_rights.py"
    done = _run(ci, tmp_path, "pytest", one, "-q", "-rs", "-p", "no:cacheprovider")
    assert done.returncode == bool(ci), done.stdout
    assert ("error" if ci else "skipped") in done.stdout.splitlines()[-1]
    assert "no etcd, kube-apiserver" in done.stdout
    assert "`make cluster-tools` builds them; it needs Go" in done.stdout
