"""What a worker answered → documents and problems → a rendering. An answer is looked at, never
believed: it is data of someone who may have been taken over.

Pure; talks to no worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.cluster.render_objects import Document, objects_from
from bot.cluster.scoped import in_namespace
from bot.model.plan import JSON
from bot.ports import Rendering, RenderJob, RenderProblem


@dataclass(frozen=True, slots=True)
class Made:
    """Documents as rendered, perhaps with warnings; or problems."""

    documents: tuple[Document, ...] = ()
    problems: tuple[RenderProblem, ...] = ()


def made_of(job: RenderJob, answer: Any) -> Made:
    """One answer, read with care."""
    try:
        problems = tuple(_told(answer["problems"]))
        made = tuple(
            Document(path=str(p), line=int(n), value=value) for p, n, value in answer["documents"]
        )
    except (KeyError, TypeError, ValueError):
        return failed(job, None, "the renderer gave an answer that cannot be read")
    return Made(problems=problems) if problems else Made(documents=made)


def as_rendering(job: RenderJob, made: Made) -> Rendering:
    """The objects of the documents; none where one thing is wrong."""
    if any(problem.level == "error" for problem in made.problems):
        return Rendering(key=job.key, problems=made.problems)
    objects, wrong = objects_from(made.documents)
    if job.namespace:
        objects = in_namespace(objects, job.namespace)
    return Rendering(
        key=job.key, objects=() if wrong else objects, problems=(*wrong, *made.problems)
    )


def failed(job: RenderJob, path: str | None, why: str) -> Made:
    """A job that gave no answer."""
    first: JSON = job.files[0][0] if job.files else ""
    return Made(problems=(RenderProblem(path=path or first, line=None, message=why),))


def unreadable(job: RenderJob) -> Iterator[RenderProblem]:
    """Files that are no text."""
    for path, content in job.files:
        try:
            content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            yield RenderProblem(path=path, line=line, message="the file is no UTF-8 text")


def _told(problems: Iterable[Any]) -> Iterator[RenderProblem]:
    for told in problems:
        line = told["line"]
        yield RenderProblem(
            path=str(told["path"]),
            line=None if line is None else int(line),
            message=str(told["message"])[:500],
            hint=str(told["hint"])[:500],
            code=str(told["code"]),
        )
