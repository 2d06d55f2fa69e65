"""Charts as stories need them: files of a small chart, and jobs of it."""

from __future__ import annotations

from bot.cluster.render import template_context
from bot.model.plan import JSON
from bot.ports import RenderJob

ROOT = "components/node-agent/chart"
CHART = "apiVersion: v2\nname: agent\nversion: 0.1.0\nappVersion: 1.16.0\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata:\n  it: %s\n"


def config(it: str, name: str = "c") -> str:
    """A ConfigMap whose key `it` is what is given."""
    return CONFIG % (name, it)


def chart(
    template: str | None = None, *, values: JSON = None, namespace: str = "infra", **more: str
) -> RenderJob:
    """A chart of one template `t.yaml`; more files by keyword, `__` for a slash, `_` for a dot."""
    files = {"Chart.yaml": CHART}
    if template is not None:
        files["templates/t.yaml"] = template
    files |= {name.replace("__", "/").replace("_", "."): text for name, text in more.items()}
    return RenderJob(
        key="k",
        kind="helm",
        files=tuple(sorted((f"{ROOT}/{name}", text.encode()) for name, text in files.items())),
        values=values or {},
        context=template_context(
            version="2.5.0",
            images={},
            cluster="eu-1",
            labels={"region": "eu"},
            group="prod-eu",
            unit="node-agent@eu-1",
        ),
        release="node-agent",
        namespace=namespace,
    )
