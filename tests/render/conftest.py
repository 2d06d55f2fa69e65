"""One renderer for all stories about rendering: it survives whatever a story does to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bot.adapters.sandbox import SandboxRenderer
from bot.cluster.render import template_context
from bot.model.plan import JSON
from bot.ports import Rendering, RenderJob, RenderProblem

ROOT = "components/node-agent/templates"
Render = Callable[..., Rendering]


@pytest.fixture(scope="session")
def renderer() -> Iterator[SandboxRenderer]:
    """One worker with a short deadline: a story that hangs ends after a second."""
    with SandboxRenderer(workers=1, deadline=1.0, memory=256 * 1024 * 1024) as renderer:
        yield renderer


def job(
    text: str = "", *, values: JSON = None, kind: str = "jinja", key: str = "k", **files: str
) -> RenderJob:
    """A job of one template `t.yaml` (and files named by keyword, `_` for the dot)."""
    named = {f"{ROOT}/{name.replace('_yaml', '.yaml')}": body for name, body in files.items()}
    if text:
        named[f"{ROOT}/t.yaml"] = text
    return RenderJob(
        key=key,
        kind=kind,
        files=tuple(sorted((path, body.encode()) for path, body in named.items())),
        values=values or {},
        context=template_context(
            version="2.5.0",
            images={"agent": {"ref": "r/agent", "digest": "sha256:1"}},
            cluster="eu-1",
            labels={"region": "eu"},
            group="prod-eu",
            unit="node-agent@eu-1",
        ),
    )


@pytest.fixture
def render(renderer: SandboxRenderer) -> Render:
    """Renders one job made of the arguments of `job`."""

    def run(*args: str, **kwargs: JSON) -> Rendering:
        return renderer.render([job(*args, **kwargs)])[0]

    return run


def the_problem(rendering: Rendering) -> RenderProblem:
    """The one problem of a rendering that has exactly one."""
    assert rendering.objects == ()
    assert len(rendering.problems) == 1, rendering.problems
    return rendering.problems[0]


def config(data: str) -> str:
    """A ConfigMap whose key `it` is what is given."""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  it: {data}\n"
