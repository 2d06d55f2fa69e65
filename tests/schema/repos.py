"""Release repos for tests: a sound one in memory, and what a change to its files makes of it.

Only files; no rule of the product is repeated here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from release_repo_schema.findings import Finding
from release_repo_schema.load import Cache, Repo, load_repo
from release_repo_schema.rules import lint
from release_repo_schema.tree import Entry

HEAD = "apiVersion: sluice/v1\n"

SOUND: dict[str, str] = {
    "fleet/groups/staging.yaml": """\
kind: ClusterGroup
metadata: {name: staging, labels: {environment: staging}}
""",
    "fleet/groups/prod.yaml": """\
kind: ClusterGroup
metadata: {name: prod, labels: {environment: production}}
""",
    "fleet/clusters/s1.yaml": """\
kind: Cluster
metadata: {name: s1}
spec: {group: staging, connection: {simulated: {nodes: 3}}}
""",
    "fleet/clusters/p1.yaml": """\
kind: Cluster
metadata: {name: p1, labels: {haPair: a}}
spec: {group: prod, connection: {simulated: {nodes: 3}}}
""",
    "fleet/clusters/p2.yaml": """\
kind: Cluster
metadata: {name: p2, labels: {haPair: a}}
spec: {group: prod, connection: {simulated: {nodes: 3}}}
""",
    "components/agent/component.yaml": """\
kind: Component
metadata: {name: agent, labels: {tier: "0"}}
spec:
  owners: [network]
""",
    "components/agent/templates/ds.yaml": "kind: DaemonSet\nimage: {{ values.image }}\n",
    "components/agent/values/default.yaml": 'image: "agent:{{ version }}"\n',
    "components/proxy/component.yaml": """\
kind: Component
metadata: {name: proxy, labels: {tier: "1"}}
spec:
  owners: [ana]
""",
    "components/proxy/templates/deploy.yaml": "kind: Deployment\n",
    "checks/ready.yaml": """\
kind: Check
metadata: {name: ready}
spec: {workload: {}}
""",
    "pipelines/standard.yaml": """\
kind: Pipeline
metadata: {name: standard}
spec:
  stages:
    - {name: staging, units: {matchLabels: {environment: staging}}}
    - {name: production, units: {}, spread: [haPair]}
""",
    "releases/2026/agent-2.yaml": """\
kind: Release
metadata: {name: agent-2}
spec:
  components: [{name: agent, version: 2.0.0}]
  pipeline: standard
  reason: Better
""",
    "calendar/windows.yaml": """\
kind: Window
metadata: {name: weekdays}
spec: {days: [Mon-Fri], from: "09:00", to: "16:00", zone: Europe/Berlin}
""",
    "policy/policy.yaml": """\
kind: Policy
metadata: {name: policy}
spec: {}
""",
    "people.yaml": """\
kind: People
metadata: {name: people}
spec:
  members: [{name: ana, emails: [ana@example.com]}, {name: ben}, {name: chris}]
  teams: [{name: network, members: [ana, ben]}]
  roles: {operator: [network], approver: [ana, ben, chris], admin: [ana]}
""",
}


class MemoryTree:
    """A tree of texts, bytes and links (`-> target`); it counts what is read."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        self.reads: list[str] = []
        self._data: dict[str, bytes] = {}
        self._entries: dict[str, Entry] = {}
        for path, content in sorted(files.items()):
            data = content.encode() if isinstance(content, str) else content
            link = data.decode()[3:] if data.startswith(b"-> ") else None
            self._data[path] = data
            key = hashlib.sha256(data).hexdigest()
            self._entries[path] = Entry(key, link, len(data))

    def entries(self) -> Mapping[str, Entry]:
        return self._entries

    def read(self, path: str) -> bytes:
        self.reads.append(path)
        return self._data[path]


def headed(path: str, content: str | bytes) -> str | bytes:
    """The content with `apiVersion`, where it stands in a kind's folder and is a text."""
    plain = "/templates/" in path or "/manifests/" in path or "/values/" in path
    if isinstance(content, bytes) or plain or content.startswith(("-> ", "apiVersion")):
        return content
    return HEAD + content.replace("\n---\n", f"\n---\n{HEAD}")


def tree(changes: Mapping[str, str | bytes | None] | None = None) -> MemoryTree:
    """The sound repo with some files written otherwise; None takes a file away."""
    files: dict[str, str | bytes | None] = {**SOUND, **(changes or {})}
    return MemoryTree(
        {path: headed(path, content) for path, content in files.items() if content is not None}
    )


def repo(
    changes: Mapping[str, str | bytes | None] | None = None, cache: Cache | None = None
) -> Repo:
    """The sound repo with some changes, loaded."""
    return load_repo(tree(changes), cache)


def problems(
    changes: Mapping[str, str | bytes | None],
    *,
    now: datetime | None = None,
    base: Repo | None = None,
) -> list[Finding]:
    """What lint finds in the sound repo with some changes."""
    return lint(repo(changes), now=now, base=base)


def codes(findings: list[Finding]) -> list[str]:
    """Only the codes, for stories that are about what is found, not how it is said."""
    return [finding.code for finding in findings]
