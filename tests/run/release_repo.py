"""A release repo whose rollouts take seconds, in a bare Git repository.

Windows are open, soaks are short, pods ready after a second: real processes run on the wall clock.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

FILES = {
    "fleet/groups/prod.yaml": """
apiVersion: sluice/v1
kind: ClusterGroup
metadata: {name: prod, labels: {environment: production}}
spec: {}
""",
    "components/agent/component.yaml": """
apiVersion: sluice/v1
kind: Component
metadata: {name: agent, labels: {tier: "1"}}
spec:
  owners: [network]
  batches: [1, 50%, 100%]
  batchSoak: 1s
  soak: 1s
  batchTakes: 5s
  batchDeadline: 5m
""",
    "components/agent/templates/daemonset.yaml": """
apiVersion: apps.kruise.io/v1beta1
kind: DaemonSet
metadata: {name: agent, namespace: infra}
spec:
  selector: {matchLabels: {app: agent}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 100%}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers:
        - {name: agent, image: "{{ values.image }}"}
""",
    "components/agent/values/default.yaml": """
image: "registry.local/agent:{{ version }}"
""",
    "pipelines/standard.yaml": """
apiVersion: sluice/v1
kind: Pipeline
metadata: {name: standard}
spec:
  stages:
    - name: production
      units: {}
      waves: [1, 100%]
""",
    "policy/policy.yaml": """
apiVersion: sluice/v1
kind: Policy
metadata: {name: policy}
spec:
  windows: {whenNoneMatches: open}
  approvals: [{components: {}, count: 1, roles: [approver]}]
""",
    "people.yaml": """
apiVersion: sluice/v1
kind: People
metadata: {name: people}
spec:
  members:
    - {name: ana, emails: [ana@example.com]}
    - {name: ben, emails: [ben@example.com]}
    - {name: chris, emails: [chris@example.com]}
    - {name: test, emails: [test@example.com]}
  teams: [{name: network, members: [ana, test], channel: C01NET}]
  roles: {operator: [ana], approver: [ana, ben], admin: [ana, ben]}
""",
}
VERSION = """
apiVersion: sluice/v1
kind: ComponentVersion
metadata: {{name: agent-{version}}}
spec: {{component: agent, version: {version}}}
"""
CLUSTER = """
apiVersion: sluice/v1
kind: Cluster
metadata: {{name: {name}}}
spec:
  group: prod
  connection: {{simulated: {{nodes: {nodes}, faults: [{{do: slow, takes: 1s}}]}}}}
"""
RELEASE = """
apiVersion: sluice/v1
kind: Release
metadata: {{name: {name}}}
spec:
  components: [{{name: agent, version: {version}}}]
  pipeline: standard
  reason: {reason}
"""


class ReleaseRepo:
    """A work tree and the bare repository that the bot reads."""

    def __init__(self, folder: Path, *, clusters: int = 2, nodes: int = 4) -> None:
        self.work, self.bare = folder / "work", folder / "release-repo.git"
        self.work.mkdir()
        for path, text in FILES.items():
            self.write(path, text)
        for number in range(1, clusters + 1):
            name = f"eu-{number}"
            self.write(f"fleet/clusters/{name}.yaml", CLUSTER.format(name=name, nodes=nodes))
        for version in ("1.0.0", "2.0.0", "3.0.0"):
            text = VERSION.format(version=version)
            self.write(f"components/agent/versions/{version}.yaml", text)
        self.git("init", "-q", "-b", "main")
        self.commit("The fleet")
        subprocess.run(["git", "clone", "-q", "--bare", self.work, self.bare], check=True)
        self.git("remote", "add", "origin", str(self.bare))

    def write(self, path: str, text: str) -> None:
        target = self.work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.lstrip("\n"))

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.work, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, subject: str, author: str = "chris") -> str:
        self.git("add", "-A")
        who = f"{author} <{author}@example.com>"
        self.git("commit", "-q", "-m", subject, f"--author={who}")
        return self.git("rev-parse", "HEAD")

    def propose(self, version: str, *, name: str | None = None) -> str:
        """A pull request for a version of the agent, opened; the name of its release."""
        name = name or f"agent-{version.replace('.', '-')}"
        self.git("switch", "-q", "-c", f"pr/{name}", "main")
        text = RELEASE.format(name=name, version=version, reason=f"Agent {version}")
        self.write(f"releases/2026/{name}.yaml", text)
        self.commit(f"Release agent {version}")
        self.git("push", "-q", "origin", f"pr/{name}")
        return name

    def merge(self, name: str) -> str:
        """The pull request merged into main; the merge commit."""
        self.git("switch", "-q", "main")
        self.git("pull", "-q", "--ff-only", "origin", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"Merge pr/{name}", f"pr/{name}")
        self.git("push", "-q", "origin", "main")
        return self.git("rev-parse", "HEAD")
