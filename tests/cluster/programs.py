"""Where the programs of a control plane are found, and how they are built when they are not.

`KUBEBUILDER_ASSETS` is asked first, program by program; the rest is built by Go from the modules
pinned in tools/ into an ignored folder (`SLUICE_CLUSTER_TOOLS` names another). Nothing is built
twice: a stamp says from which pins the folder was made. Go is looked for only when it has work.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE / "tools"
PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kwok",
    "kruise-manager",
)
# What `go install` calls a program -> what everybody else calls it.
_NAMES = {"server": "etcd", "kruise": "kruise-manager"}
_KUBERNETES = "v1.36.3"
_VERSION = "k8s.io/component-base/version"
_FLAGS = ["-s", "-w"]
# Without its version the API server calls itself v0.0.0-master.
_FLAGS += ["-X", f"{_VERSION}.gitVersion={_KUBERNETES}"]
_FLAGS += ["-X", f"{_VERSION}.gitMajor=1", "-X", f"{_VERSION}.gitMinor=36"]
# Files of the modules that a running cluster needs: module, its go.mod, folder in it.
MANIFESTS = (
    ("sigs.k8s.io/kwok", MODULES, "kustomize/stage/node/fast"),
    ("sigs.k8s.io/kwok", MODULES, "kustomize/stage/node/heartbeat"),
    ("github.com/openkruise/kruise", MODULES / "kruise", "config/crd/bases"),
    ("github.com/openkruise/kruise", MODULES / "kruise", "config/crd/patches"),
    ("github.com/openkruise/kruise", MODULES / "kruise", "config/webhook"),
)


class Missing(Exception):
    """A program is nowhere, and cannot be built here. The message is for whoever runs the tests."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Paths of all programs, and of the manifests that belong to them."""

    programs: dict[str, Path]
    manifests: Path

    def __getitem__(self, program: str) -> Path:
        return self.programs[program]


def folder() -> Path:
    """Where the built programs are. Inside a test the setting has lost its prefix (conftest)."""
    named = os.environ.get("SLUICE_CLUSTER_TOOLS") or os.environ.get("CLUSTER_TOOLS")
    return Path(named or HERE / ".tools").resolve()


def find() -> Tools:
    """All programs, or Missing with the whole list of what is not there."""
    assets, built = _assets(), folder()
    programs = {name: assets.get(name, built / "bin" / name) for name in PROGRAMS}
    missing = [name for name, path in programs.items() if not os.access(path, os.X_OK)]
    if missing:
        raise Missing(f"no {', '.join(missing)}: `make cluster-tools` builds them; it needs Go")
    manifests = _given_manifests() or built / "manifests"
    if not _complete(manifests):
        raise Missing(
            "the manifests of OpenKruise and KWOK are missing: `make cluster-tools` copies them "
            "out of their modules; it needs Go"
        )
    return Tools(programs, manifests)


def build() -> Tools:
    """Build what is neither in KUBEBUILDER_ASSETS nor already there from the very same pins."""
    if len(_assets()) == len(PROGRAMS) and _given_manifests():
        return find()
    target = folder()
    stamp = target / "stamp"
    target.mkdir(parents=True, exist_ok=True)
    with _alone(target / "lock"):
        pins = _pins()
        if not stamp.exists() or stamp.read_text() != pins:
            if shutil.which("go") is None:
                raise Missing(_without_go())
            stamp.unlink(missing_ok=True)
            _say(f"building a Kubernetes {_KUBERNETES} control plane into {target}")
            _say("(about eight minutes on two cores the first time, seconds when Go remembers)")
            _install(MODULES, target / "bin", _FLAGS)
            _install(MODULES / "kruise", target / "bin", _FLAGS[:2])
            _copy_manifests(target / "manifests")
            stamp.write_text(pins)
    return find()


def _assets() -> dict[str, Path]:
    where = os.environ.get("KUBEBUILDER_ASSETS")
    paths = {name: Path(where).resolve() / name for name in PROGRAMS} if where else {}
    return {name: path for name, path in paths.items() if os.access(path, os.X_OK)}


def _given_manifests() -> Path | None:
    """Those that stand in or beside KUBEBUILDER_ASSETS, as they do where this was built before."""
    where = os.environ.get("KUBEBUILDER_ASSETS")
    if not where:
        return None
    assets = Path(where).resolve()
    places = (assets / "manifests", assets.parent / "manifests")
    return next((path for path in places if _complete(path)), None)


def _complete(manifests: Path) -> bool:
    places = (manifests / module.rpartition("/")[2] / inside for module, _, inside in MANIFESTS)
    return all(any(place.glob("*.yaml")) for place in places)


def _without_go() -> str:
    """Why nothing can be built here, and what would have to be built."""
    lacking = [name for name in PROGRAMS if name not in _assets()]
    lacking += [] if _given_manifests() else ["the manifests of OpenKruise and KWOK"]
    return (
        "no Go on the PATH: the control plane cannot be built here. Missing: "
        f"{', '.join(lacking)}. `make go` brings Go; or name a folder with all of it in "
        "KUBEBUILDER_ASSETS"
    )


def _pins() -> str:
    """What the folder is made from: pins, recipe, machine, and what was left to the assets."""
    digest = hashlib.sha256()
    for path in (*sorted(MODULES.rglob("go.*")), Path(__file__)):
        digest.update(path.read_bytes())
    digest.update(repr((platform.system(), platform.machine(), sorted(_assets()))).encode())
    return digest.hexdigest() + "\n"


def _install(module: Path, into: Path, flags: list[str]) -> None:
    environment = os.environ | {"CGO_ENABLED": "0", "GOBIN": str(into), "GOWORK": "off"}
    listed = _go(module, "tool", env=environment).split()
    wanted = [each for each in listed if _program(each) in PROGRAMS]
    wanted = [each for each in wanted if _program(each) not in _assets()]
    if not wanted:  # without a name `go install` would take the folder it stands in
        return
    arguments = ["install", "-mod=readonly", "-trimpath", "-ldflags", " ".join(flags), *wanted]
    _go(module, *arguments, env=environment)
    for built, name in _NAMES.items():
        if (into / built).exists():
            (into / built).replace(into / name)


def _program(package: str) -> str:
    parts = package.split("/")
    name = parts[-2] if parts[-1].startswith("v") and parts[-1][1:].isdigit() else parts[-1]
    return _NAMES.get(name, name)


def _copy_manifests(into: Path) -> None:
    shutil.rmtree(into, ignore_errors=True)
    for module, where, inside in MANIFESTS:
        source = Path(_go(where, "list", "-m", "-f", "{{.Dir}}", module).strip()) / inside
        target = into / module.rpartition("/")[2] / inside
        target.mkdir(parents=True)
        for path in source.iterdir():  # copied without its mode: the module cache is read-only
            if path.suffix == ".yaml":
                (target / path.name).write_bytes(path.read_bytes())


def _go(module: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        ["go", *arguments], cwd=module, env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise Missing(f"go {arguments[0]} failed in {module}; what it said stands above")
    return done.stdout


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Two checkouts may share one folder; only one builds."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _say(line: str) -> None:
    sys.stderr.write(f"cluster-tools: {line}\n")


def main() -> int:
    """What `make cluster-tools` runs. Where CI is set, missing tools are an error."""
    try:
        tools = build()
    except Missing as missing:
        _say(str(missing))
        return 1 if os.environ.get("CI") else 0
    _say(f"ready: {', '.join(tools.programs)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
