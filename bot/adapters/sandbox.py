"""Renders untrusted templates in worker processes of their own, and survives whatever they do.

Never runs a template itself: it hands out jobs, watches the clock, ends what does not answer, and
believes no answer before it has looked at it.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Sequence
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Any, Self

from bot.adapters.sandbox_answers import Made, as_rendering, failed, made_of, unreadable
from bot.adapters.sandbox_charts import rendered_charts, values_of
from bot.adapters.sandbox_helm import Helm
from bot.adapters.sandbox_process import WorkerGone, WorkerProcess
from bot.ports import Rendering, RenderJob, Unreachable

BATCH = 32
"""Jobs handed to a worker at once: few, so that all stay busy; many, so that none waits."""
FEW = 4
"""Batches that one worker does sooner than a second one starts."""
GRACE = 1.0
"""Seconds beyond a job's deadline in which the worker can still say itself where it was."""
START = 60.0
"""Seconds that a worker may take to start on a busy machine."""
HOPELESS = 2
"""Jobs of the same files that ran out of time before the others of them are not tried: a fleet of
a thousand values would else wait a thousand times for one endless loop."""
LATE = "it did not finish within"
ANSWER = 32 * 1024 * 1024
"""Bytes of one answer; what is longer was not written by our worker."""


class SandboxRenderer:
    """The Renderer port. Workers start with the first job, and end with `close` or this process."""

    def __init__(
        self,
        *,
        workers: int | None = None,
        deadline: float = 5.0,
        output: int = 1024 * 1024,
        memory: int = 512 * 1024 * 1024,
    ) -> None:
        self._count = workers or min(2, os.cpu_count() or 1)
        self._deadline = deadline
        self._limits = json.dumps({"seconds": deadline, "output": output, "memory": memory})
        self.helm = Helm(workers=self._count, seconds=deadline, output=4 * output, memory=memory)
        self._workers: list[WorkerProcess] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the workers. The renderer may be used again."""
        with self._lock:
            self._end_all()

    def warm(self) -> None:
        """Start a worker ahead of the first job, so that it starts while its jobs are made."""
        with self._lock:
            if not self._workers:
                self._workers.append(WorkerProcess(self._limits))

    def _end_all(self) -> None:
        while self._workers:
            self._workers.pop().end()

    def render(self, jobs: Sequence[RenderJob]) -> tuple[Rendering, ...]:
        """One answer a job, in order. Unreachable only when no worker can be started at all."""
        charts = [at for at, job in enumerate(jobs) if job.kind == "helm"]
        with self._lock:
            made = self._make([values_of(job) if job.kind == "helm" else job for job in jobs])
            if charts:
                asked = [(jobs[at], made[at]) for at in charts]
                made |= zip(charts, rendered_charts(asked, self.helm, self._make), strict=True)
        return tuple(as_rendering(job, made[at]) for at, job in enumerate(jobs))

    def _make(self, jobs: Sequence[RenderJob]) -> dict[int, Made]:
        found: dict[int, Made] = {}
        batches = _batches(jobs, found)
        try:
            if batches:
                self._run(jobs, batches, found)
        except BaseException:
            # A worker that still answers the old batch must not be asked the next one.
            self._end_all()
            raise
        return found

    def _run(
        self, jobs: Sequence[RenderJob], batches: list[list[int]], found: dict[int, Made]
    ) -> None:
        waiting = batches[::-1]
        late: dict[Any, list[Made]] = {}
        with DefaultSelector() as selector:
            busy: list[WorkerProcess] = []
            while waiting or busy:
                waiting = [batch for batch in waiting if not _given_up(jobs, batch, found, late)]
                while waiting and (worker := self._free(busy, len(waiting))) is not None:
                    worker.give(waiting[-1], _request(jobs, waiting[-1]))
                    waiting.pop()
                    selector.register(worker.answers, EVENT_READ, worker)
                    selector.register(worker.requests, EVENT_WRITE, worker)
                    patience = self._deadline + GRACE if worker.ready else START
                    worker.deadline = time.monotonic() + patience
                    busy.append(worker)
                self._turn(selector, busy)
                for worker in list(busy):
                    asked = list(worker.jobs)
                    rest = self._heard(worker, jobs, found)
                    _note_late(jobs, asked, found, late)
                    if rest is None and _given_up(jobs, worker.jobs, found, late):
                        worker.end()
                        rest = []
                    if rest is None:
                        continue
                    selector.unregister(worker.answers)
                    if worker.unsent is not None:
                        selector.unregister(worker.requests)
                    busy.remove(worker)
                    if worker.ended:
                        self._workers.remove(worker)
                    if rest:
                        waiting.append(rest)

    def _free(self, busy: list[WorkerProcess], waiting: int) -> WorkerProcess | None:
        for worker in self._workers:
            if worker not in busy:
                if not worker.ended and worker.alive:
                    return worker
                worker.end()
                self._workers.remove(worker)
                return self._free(busy, waiting)
        if len(self._workers) >= (1 if waiting <= FEW else self._count):
            return None
        self._workers.append(WorkerProcess(self._limits))
        return self._workers[-1]

    def _turn(self, selector: DefaultSelector, busy: list[WorkerProcess]) -> None:
        left = min((worker.deadline for worker in busy), default=0.0) - time.monotonic()
        for key, _ in selector.select(max(0.0, left)):
            worker: WorkerProcess = key.data
            if key.fileobj is worker.answers:
                worker.receive()
            elif not worker.send():
                selector.unregister(worker.requests)

    def _heard(
        self, worker: WorkerProcess, jobs: Sequence[RenderJob], found: dict[int, Made]
    ) -> list[int] | None:
        """Takes what a worker answered: the jobs of its batch still to do, None while it works."""
        try:
            for answer in worker.answered(ANSWER):
                if "at" in answer:
                    # Says where it is, and wins no time by it.
                    worker.at = str(answer["at"])
                    continue
                if "ready" in answer:
                    worker.ready = True
                else:
                    number = worker.jobs.pop(0)
                    found[number] = made_of(jobs[number], answer)
                    worker.at = None
                worker.deadline = time.monotonic() + self._deadline + GRACE
            if not worker.jobs:
                return []
            if time.monotonic() < worker.deadline:
                return None
            why = f"{LATE} {self._deadline:g} s"
        except WorkerGone as gone:
            why = str(gone)
        worker.end()
        if not worker.ready:
            raise Unreachable(f"the renderer could not be started: {worker.last_words or why}")
        number = worker.jobs.pop(0)
        found[number] = failed(jobs[number], worker.at, why)
        return worker.jobs


def _note_late(
    jobs: Sequence[RenderJob],
    asked: Sequence[int],
    found: dict[int, Made],
    late: dict[Any, list[Made]],
) -> None:
    """Remembers by files which of the jobs just answered ran out of time."""
    for number in asked:
        answer = found.get(number)
        if answer is None:
            return  # they are answered in order
        if any(problem.message.startswith(LATE) for problem in answer.problems):
            late.setdefault((jobs[number].kind, jobs[number].files), []).append(answer)


def _given_up(
    jobs: Sequence[RenderJob],
    batch: Sequence[int],
    found: dict[int, Made],
    late: dict[Any, list[Made]],
) -> bool:
    """Whether the batch is answered as others of its files were, without being tried."""
    before = late.get((jobs[batch[0]].kind, jobs[batch[0]].files), [])
    if len(before) < HOPELESS:
        return False
    for number in batch:
        found[number] = Made(problems=before[-1].problems)
    return True


def _batches(jobs: Sequence[RenderJob], found: dict[int, Made]) -> list[list[int]]:
    """Jobs of the same files together: they are sent, and compiled, once."""
    groups: dict[Any, list[int]] = {}
    for at, job in enumerate(jobs):
        problems = tuple(unreadable(job))
        if problems:
            found[at] = Made(problems=problems)
        else:
            groups.setdefault((job.kind, job.files), []).append(at)
    return [
        group[at : at + BATCH] for group in groups.values() for at in range(0, len(group), BATCH)
    ]


def _request(jobs: Sequence[RenderJob], batch: Sequence[int]) -> bytes:
    job = jobs[batch[0]]
    files = [[path, content.decode("utf-8-sig")] for path, content in job.files]
    request = {
        "set": hashlib.sha256(json.dumps(files).encode()).hexdigest(),
        "kind": job.kind,
        "files": files,
        "jobs": [[jobs[at].values, jobs[at].context] for at in batch],
    }
    return json.dumps(request).encode() + b"\n"
