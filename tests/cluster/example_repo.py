"""The example release repo in a bare Git repository, its clusters being real ones.

What it says is kept, but for how long it waits, and the OpenKruise version that these clusters
serve.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from release_repo_schema.example import write_example
from tests.run.release_repo import ReleaseRepo

_CLUSTER = """
apiVersion: sluice/v1
kind: Cluster
metadata:
  name: {name}
  labels: {{business: shop, networkDomain: internal, userLevel: internal, size: small}}
spec:
  group: {group}
  connection:
    kubeconfig: {{name: {name}}}
"""
_ALWAYS = """
apiVersion: sluice/v1
kind: Window
metadata: {name: always}
spec: {zone: Europe/Berlin}
"""
_PACE = """
  batches: [1, 100%]
  batchSoak: 1s
  soak: 2s
  batchTakes: 10s
  batchDeadline: {deadline}
"""
_VERSION = """
apiVersion: sluice/v1
kind: ComponentVersion
metadata: {{name: {component}-{version}}}
spec:
  component: {component}
  version: {version}
  evidence: [{{name: conformance, passed: true, url: "https://ci.example.com"}}]
"""
_RELEASE = """
apiVersion: sluice/v1
kind: Release
metadata: {{name: {name}}}
spec:
  components:
{components}
  pipeline: standard
  reason: A story
"""


class ExampleRepo(ReleaseRepo):
    """`groups`: cluster name → its group in the example (staging, prod-eu)."""

    def __init__(self, folder: Path, groups: Mapping[str, str]) -> None:
        self.work, self.bare = folder / "work", folder / "release-repo.git"
        write_example(self.work)
        for gone in ("fleet/clusters", "releases/2026", "calendar/freezes"):
            for file in (self.work / gone).iterdir():
                file.unlink()
        (self.work / "components/node-agent/values/clusters/eu-1.yaml").unlink()
        for name, group in groups.items():
            self.write(f"fleet/clusters/{name}.yaml", _CLUSTER.format(name=name, group=group))
        self.write("calendar/windows.yaml", _ALWAYS)
        self._make_hasty()
        self.git("init", "-q", "-b", "main")
        self.commit("The fleet", "ben")
        self.git("clone", "-q", "--bare", str(self.work), str(self.bare))
        self.git("remote", "add", "origin", str(self.bare))

    def publish(self, component: str, version: str) -> None:
        """A version that may be released."""
        path = f"components/{component}/versions/{version}.yaml"
        self.write(path, _VERSION.format(component=component, version=version))
        self.commit(f"{component} {version} is published", "ben")
        self.git("push", "-q", "origin", "main")

    def releases(self, name: str, components: Mapping[str, str]) -> None:
        """A pull request that releases these versions."""
        lines = "\n".join(f"    - {{name: {c}, version: {v}}}" for c, v in components.items())
        self.git("switch", "-q", "-c", f"pr/{name}", "main")
        self.write(f"releases/2026/{name}.yaml", _RELEASE.format(name=name, components=lines))
        self.commit(f"Release {name}", "ben")
        self.git("push", "-q", "origin", f"pr/{name}")
        self.git("switch", "-q", "main")

    def _make_hasty(self) -> None:
        self._edit("pipelines/standard.yaml", (r"\n +spread:.*", ""), (r"soak: 1h.*", "soak: 2s"))
        self._edit(
            "policy/policy.yaml", (r"soak: 30m", "soak: 2s"), (r"batchSoak: 5m", "batchSoak: 1s")
        )
        slow = r"\n  (batches|batchSoak|soak|batchTakes|batchDeadline):.*"
        for name in ("node-agent", "ingress-proxy", "log-shipper"):
            file = f"components/{name}/component.yaml"
            self._edit(file, (slow, ""), (r"\Z", _PACE.format(deadline="90s").rstrip() + "\n"))
        self._edit("checks/no-restarts.yaml", (r"interval: \S+", "interval: 1s"))
        kruise = "components/node-agent/templates/daemonset.yaml"
        self._edit(kruise, ("apps.kruise.io/v1beta1", "apps.kruise.io/v1alpha1"))

    def _edit(self, path: str, *changes: tuple[str, str]) -> None:
        text = (self.work / path).read_text()
        for pattern, new in changes:
            text = re.sub(pattern, new, text)
        self.write(path, text)
