"""A small release repo in memory, its history, and a renderer: the words that plan stories use."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import jinja2
import yaml

from bot.ports import MainCommit, MergeTry, Rendering, RenderJob, RenderProblem
from bot.reconciler.planner import Planner
from release_repo_schema.tree import Entry

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # a Monday
PULL = "pr/change"
_JINJA = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Files = Mapping[str, str]


def document(text: str) -> str:
    return "apiVersion: sluice/v1\n" + textwrap.dedent(text).strip() + "\n"


def cluster(name: str, group: str = "prod", nodes: int = 6, labels: str = "{}") -> dict[str, str]:
    return {
        f"fleet/clusters/{name}.yaml": document(
            f"""
            kind: Cluster
            metadata: {{name: {name}, labels: {labels}}}
            spec: {{group: {group}, connection: {{simulated: {{nodes: {nodes}}}}}}}
            """
        )
    }


def release(
    name: str, version: str = "2.5.0", extra: str = "", pipeline: str = "pipeline: standard"
) -> dict[str, str]:
    return {
        f"releases/2026/{name}.yaml": document(
            f"""
            kind: Release
            metadata: {{name: {name}}}
            spec:
              components: [{{name: node-agent, version: {version}}}]
              {pipeline}
              reason: Fixes the leak
              {extra}
            """
        )
    }


DAEMON_SET = """\
apiVersion: apps.kruise.io/v1alpha1
kind: DaemonSet
metadata: {name: node-agent, namespace: infra}
spec:
  selector: {matchLabels: {app: node-agent}}
  template:
    metadata: {labels: {app: node-agent}}
    spec:
      containers:
        - name: agent
          image: "{{ values.image }}"
          resources: {requests: {cpu: "{{ values.cpu }}"}}
"""

BASE: Files = {
    "fleet/groups/all.yaml": document(
        "kind: ClusterGroup\nmetadata: {name: staging, labels: {environment: staging}}\nspec: {}"
    )
    + "---\n"
    + document(
        "kind: ClusterGroup\nmetadata: {name: prod, labels: {environment: production}}\nspec: {}"
    ),
    **cluster("st-1", "staging", 3),
    **cluster("eu-1", labels="{size: small, haPair: a}"),
    **cluster("eu-2", labels="{size: large, haPair: a}"),
    **cluster("eu-3", labels="{size: large, haPair: b}"),
    "components/node-agent/component.yaml": document(
        """
        kind: Component
        metadata: {name: node-agent, labels: {tier: "0"}}
        spec: {owners: [network], batches: [1, 50%, 100%]}
        """
    ),
    "components/node-agent/templates/ds.yaml": DAEMON_SET,
    "components/node-agent/values/default.yaml": 'image: "agent:{{ version }}"\ncpu: 100m\n',
    "components/node-agent/values/clusters/eu-3.yaml": "cpu: 300m\n",
    "pipelines/standard.yaml": document(
        """
        kind: Pipeline
        metadata: {name: standard}
        spec:
          stages:
            - {name: staging, units: {matchLabels: {environment: staging}}}
            - name: production
              units: {}
              waves: [1, 100%]
              soak: 1h
              approval: {when: before, roles: [approver], count: 1}
        """
    ),
    "calendar/windows.yaml": document(
        """
        kind: Window
        metadata: {name: weekdays}
        spec: {days: [Mon-Fri], from: "09:00", to: "16:00", zone: Europe/Berlin}
        """
    ),
    "policy/policy.yaml": document(
        """
        kind: Policy
        metadata: {name: policy}
        spec:
          approvals: [{components: {matchLabels: {tier: "0"}}, count: 2, roles: [approver]}]
        """
    ),
    "people.yaml": document(
        """
        kind: People
        metadata: {name: people}
        spec:
          members:
            - {name: ana, emails: [ana@example.com]}
            - {name: ben, emails: [ben@example.com]}
            - {name: cem, emails: [cem@example.com]}
          teams: [{name: network, members: [ana, ben]}]
          roles: {operator: [network], approver: [ana, ben, cem], admin: [ana]}
        """
    ),
    **release("node-agent-2-4-0", "2.4.0"),
}


@dataclass(frozen=True)
class FileTree:
    """Files in memory, with the ids that Git gives."""

    files: Files
    reads: list[str] = field(default_factory=list)

    def entries(self) -> Mapping[str, Entry]:
        return {path: Entry(_key(text), None, len(text)) for path, text in self.files.items()}

    def read(self, path: str) -> bytes:
        self.reads.append(path)
        return self.files[path].encode()


def _key(text: str) -> str:
    data = text.encode()
    return hashlib.sha1(b"blob %d\x00" % len(data) + data, usedforsecurity=False).hexdigest()


@dataclass
class History:
    """A GitHost of one branch in memory: `c1`, `c2`, … on main, and one pull request."""

    commits: list[Files] = field(default_factory=list)
    proposed: Files = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def files(self, commit: str) -> Files:
        return self.proposed if commit == PULL else self.commits[int(commit[1:]) - 1]

    def head(self, ref: str = "main") -> str | None:
        return PULL if ref == PULL else f"c{len(self.commits)}"

    def commit(self, commit: str) -> MainCommit:
        number = len(self.commits) + 1 if commit == PULL else int(commit[1:])
        return MainCommit(
            id=commit,
            parents=(f"c{number - 1}",) if number > 1 else (),
            position=number,
            tree=_key(repr(sorted(self.files(commit).items()))),
            authors=("ana@example.com",),
            at=NOW,
            subject="",
        )

    def tree(self, commit: str) -> FileTree:
        return FileTree(self.files(commit), self.reads)

    def merged(self, base: str, head: str) -> MergeTry:
        start, ours, theirs = self.commits[0], self.files(base), self.files(head)
        merged, conflicts = dict(ours), []
        for path in {*start, *theirs}:
            if theirs.get(path) == start.get(path):
                continue
            if ours.get(path) not in (start.get(path), theirs.get(path)):
                conflicts.append(path)
            elif path in theirs:
                merged[path] = theirs[path]
            else:
                del merged[path]
        if conflicts:
            return MergeTry(tree=None, tree_id="", conflicts=tuple(sorted(conflicts)))
        tree = FileTree(merged, self.reads)
        return MergeTry(tree=tree, tree_id=_key(repr(sorted(merged.items()))))

    def authors(self, base: str, head: str) -> tuple[str, ...]:
        return ("ana@example.com",)


@dataclass
class Rendered:
    """A renderer without a sandbox, for templates that this test wrote."""

    jobs: list[RenderJob] = field(default_factory=list)

    def render(self, jobs: Sequence[RenderJob]) -> tuple[Rendering, ...]:
        self.jobs += jobs
        return tuple(self._one(job) for job in jobs)

    def _one(self, job: RenderJob) -> Rendering:
        def strings(value: object) -> object:
            if isinstance(value, dict):
                return {key: strings(item) for key, item in value.items()}
            if isinstance(value, list):
                return [strings(item) for item in value]
            if isinstance(value, str):
                return _JINJA.from_string(value).render(job.context)
            return value

        objects: list[object] = []
        values = strings(job.values)
        for path, data in job.files:
            text = data.decode()
            if job.kind == "jinja":
                try:
                    text = _JINJA.from_string(text).render(job.context | {"values": values})
                except jinja2.UndefinedError as error:
                    problem = RenderProblem(path=path, line=1, message=str(error))
                    return Rendering(key=job.key, problems=(problem,))
            objects += [one for one in yaml.load_all(text, _LOADER) if one]
        return Rendering(key=job.key, objects=tuple(objects))


@dataclass
class World:
    """Main with a history, a pull request, and the planner that looks at them."""

    git: History = field(default_factory=lambda: History([dict(BASE)]))
    renderer: Rendered = field(default_factory=Rendered)

    def __post_init__(self) -> None:
        self.planner = Planner(self.git, self.renderer)  # type: ignore[arg-type]

    def starts_with(self, files: Files) -> None:
        """Main is these files, and nothing was looked at yet."""
        self.git.commits[:] = [dict(files)]
        self.__post_init__()

    def proposes(self, *changes: Files, without: Iterable[str] = ()) -> None:
        """The pull request changes these files of the first commit."""
        files = dict(self.git.commits[0])
        for change in changes:
            files |= change
        for path in without:
            del files[path]
        self.git.proposed = files

    def lands(self, *changes: Files) -> str:
        """A commit on main with these changes; its id."""
        files = dict(self.git.commits[-1])
        for change in changes:
            files |= change
        self.git.commits.append(files)
        return f"c{len(self.git.commits)}"
