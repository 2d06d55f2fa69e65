"""Charts from their jobs to their documents: values in the worker, helm, its output in the worker.

Starts no process itself. What a template wrote is read by nobody but the worker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.adapters.sandbox_answers import Made
from bot.adapters.sandbox_chart import Chart, chart_of, hooks_in, parts_of
from bot.adapters.sandbox_helm import Helm, Run
from bot.cluster.render_objects import Document
from bot.ports import RenderJob, RenderProblem

Make = Callable[[Sequence[RenderJob]], Mapping[int, Made]]


def values_of(job: RenderJob) -> RenderJob:
    """The job that renders the strings of the values alone."""
    return replace(job, files=())


def rendered_charts(asked: Sequence[tuple[RenderJob, Made]], helm: Helm, make: Make) -> list[Made]:
    """One answer a chart, in order. `asked`: the job and its values as rendered."""
    found: dict[int, Made] = {}
    runs: dict[int, Run] = {}
    charts: dict[object, tuple[Chart | None, tuple[RenderProblem, ...]]] = {}
    for at, (job, values) in enumerate(asked):
        if values.problems or not values.documents:
            first = job.files[0][0] if job.files else ""
            named = (replace(one, path=one.path or first) for one in values.problems)
            found[at] = Made(problems=tuple(named))
            continue
        version = str(job.context.get("version", ""))
        known = (job.files, version)
        if known not in charts:
            charts[known] = chart_of(job.files, version)
        chart, wrong = charts[known]
        if chart is None:
            found[at] = Made(problems=wrong)
            continue
        runs[at] = Run(chart, job.release, job.namespace, values.documents[0].value)
    parts: dict[int, list[tuple[str, str]]] = {}
    for (at, run), ran in zip(runs.items(), helm.run(tuple(runs.values())), strict=True):
        if ran.problem is not None:
            found[at] = Made(problems=(ran.problem,))
        else:
            parts[at] = parts_of(run.chart, ran.output)
    jobs = [
        replace(asked[at][0], kind="plain", files=_numbered(written), values={})
        for at, written in parts.items()
    ]
    read = make(jobs)
    for number, (at, written) in enumerate(parts.items()):
        found[at] = _placed(read[number], written)
    return [found[at] for at in range(len(asked))]


def _numbered(written: Sequence[tuple[str, str]]) -> tuple[tuple[str, bytes], ...]:
    """Each document is a file of its own: where it came from is known without believing it."""
    return tuple(
        (f"{at:06}.yaml", text.encode("utf-8", "replace")) for at, (_, text) in enumerate(written)
    )


def _placed(made: Made, written: Sequence[tuple[str, str]]) -> Made:
    """Back from the numbers to the templates. Lines are of the output, not of a template: none."""

    def source(path: str) -> str:
        number = path.partition(".")[0]
        at = int(number) if number.isdigit() else 0
        return written[at][0] if at < len(written) else path

    problems = [replace(one, path=source(one.path), line=None) for one in made.problems]
    documents = [
        Document(path=source(one.path), line=None, value=one.value) for one in made.documents
    ]
    kept, hooks = hooks_in([one for one in documents if one.value is not None])
    return Made(kept, (*problems, *hooks))
