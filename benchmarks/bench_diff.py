"""Render and diff of 10,000 manifests of which a tenth change: ten objects on 1,000 clusters.

Equal renderings are made once and equal pairs compared once; the counts say how often it was.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.engine import base, commit, doc, git, release
from benchmarks.figures import Figures, timed
from bot.adapters.git import LocalGitHost
from bot.adapters.sandbox import SandboxRenderer
from bot.reconciler.planner import Planner

CLUSTERS, OBJECTS, GROUPS = 1_000, 10, 4
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: agent-{number}, namespace: infra}}
data: {{group: "{{{{ values.group }}}}", cluster: "{{{{ values.cluster }}}}"{version}}}
"""


def main() -> int:
    """Generate, measure, print; 1 when a count is wrong."""
    figures = Figures()
    for words, everywhere in (("values by group", False), ("values of each cluster", True)):
        with tempfile.TemporaryDirectory() as folder:
            _make(Path(folder), everywhere=everywhere)
            with LocalGitHost(folder) as host, SandboxRenderer() as renderer:
                _measure(words, host, Planner(host, renderer), figures, everywhere=everywhere)
    return figures.end()


def _make(folder: Path, *, everywhere: bool) -> None:
    """The fleet with version 1.0.0 released everywhere, and a pull request with 2.0.0."""
    git(folder, "init", "-q", "-b", "main")
    files = base(CLUSTERS, 1)
    del files["components/agent-0/templates/ds.yaml"]
    connection = {"simulated": {"nodes": 4}}
    for number in range(GROUPS):
        files[f"fleet/groups/g-{number}.yaml"] = doc("ClusterGroup", f"g-{number}", {})
        files[f"components/agent-0/values/groups/g-{number}.yaml"] = f"group: g-{number}\n"
    for number in range(CLUSTERS):
        name = f"c-{number}"
        spec = {"group": f"g-{number % GROUPS}", "connection": connection}
        files[f"fleet/clusters/{name}.yaml"] = doc("Cluster", name, spec)
        if everywhere:
            files[f"components/agent-0/values/clusters/{name}.yaml"] = f"cluster: {name}\n"
    files["components/agent-0/values/default.yaml"] = "group: none\ncluster: any\n"
    for number in range(OBJECTS):
        version = ', version: "{{ version }}"' if number == 0 else ""
        text = CONFIG.format(number=number, version=version)
        files[f"components/agent-0/templates/object-{number}.yaml"] = text
    commit(folder, files | release("agent-0", "1.0.0"), "A fleet")
    commit(folder, release("agent-0", "2.0.0"), "The next one", "pr/next")
    git(folder, "checkout", "-q", "main")


def _measure(
    words: str, host: LocalGitHost, planner: Planner, figures: Figures, *, everywhere: bool
) -> None:
    main_ = host.head() or ""
    planner.pull(main_, main_, now=NOW)
    made, compared = planner.renderings.made, planner.compared
    with timed() as clock:
        pull = planner.pull(main_, host.head("pr/next") or "", now=NOW)
    made, compared = planner.renderings.made - made, planner.compared - compared
    shown = pull.releases[0]
    print(f"{words}:")
    figures.seconds("render and diff", clock, 2.0)
    distinct = CLUSTERS if everywhere else GROUPS
    manifests = sum(len(unit.objects) for unit in shown.plan.units)
    figures.count("  manifests", manifests, CLUSTERS * OBJECTS)
    figures.count("  of them changed", sum(len(one.units) for one in shown.changes), CLUSTERS)
    figures.count("  renderings made (old and new)", made, 2 * distinct)
    figures.count("  pairs compared", compared, distinct)


if __name__ == "__main__":
    sys.exit(main())
