"""Renders in this process what the sandbox renders in its own: our own templates need no walls.

The same code and the same results; never given a template that somebody else wrote.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import IO, Any, cast

from bot.adapters.sandbox_worker import Worker
from bot.cluster.render_objects import Document, objects_from
from bot.ports import Rendering, RenderJob, RenderProblem

LIMITS = {"seconds": 10, "output": 1 << 20, "memory": 1 << 30}


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None: ...


class InProcessRenderer:
    """One answer a job; a job that was seen before is answered from memory."""

    def __init__(self) -> None:
        self._worker = Worker(LIMITS, cast("IO[bytes]", _Nowhere()))  # type: ignore[arg-type]
        self._known: dict[str, Rendering] = {}

    def render(self, jobs: Sequence[RenderJob]) -> tuple[Rendering, ...]:
        return tuple(self._one(job) for job in jobs)

    def _one(self, job: RenderJob) -> Rendering:
        files = [[path, content.decode("utf-8-sig")] for path, content in job.files]
        text = json.dumps([job.key, job.kind, files, job.values, job.context], sort_keys=True)
        if text not in self._known:
            self._known[text] = self._rendered(job, files)
        return self._known[text]

    def _rendered(self, job: RenderJob, files: list[list[str]]) -> Rendering:
        batch = {
            "set": hashlib.sha256(json.dumps(files).encode()).hexdigest(),
            "kind": job.kind,
            "files": files,
        }
        answer: Any = json.loads(self._worker.answer(batch, job.values, job.context))
        if answer["problems"]:
            told = tuple(RenderProblem(**problem) for problem in answer["problems"])
            return Rendering(key=job.key, problems=told)
        documents = [Document(path=p, line=n, value=value) for p, n, value in answer["documents"]]
        objects, wrong = objects_from(documents)
        return Rendering(key=job.key, objects=() if wrong else objects, problems=wrong)
