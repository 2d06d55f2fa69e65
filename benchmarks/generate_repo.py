"""Writes a release repo of a large fleet: 1,000 clusters, 400 components, about 7,000 files.

The same arguments write the same bytes. It is no example to copy from: see `sluice init`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

ENVIRONMENTS = ("staging", "pre-production", "production")
HEAD = "apiVersion: sluice/v1\n"
SCHEMA = "# yaml-language-server: $schema=../schemas/{}.json\n"
BUMPED = "node-agent"
VARIED = "edge-agent"
"""The component whose values differ in every cluster."""


def files(clusters: int = 1_000, components: int = 400) -> Iterator[tuple[str, str]]:
    """(path, content) of every file."""
    groups = [f"{environment}-{n}" for environment in ENVIRONMENTS for n in range(4)]
    for group in groups:
        environment = group.rpartition("-")[0]
        yield f"fleet/groups/{group}.yaml", HEAD + _group(group, environment)
    names = [f"c-{n:04}" for n in range(clusters)]
    for n, name in enumerate(names):
        yield f"fleet/clusters/{name}.yaml", HEAD + _cluster(name, groups[n % len(groups)], n)
    for n in range(components):
        name = (BUMPED, VARIED)[n] if n < 2 else f"component-{n:03}"
        yield from _component(name, n, groups, names)
    yield from _rules()
    yield f"releases/2026/{BUMPED}-2-4-0.yaml", release(BUMPED, "2.4.0")
    yield f"releases/2026/{VARIED}-2-4-0.yaml", release(VARIED, "2.4.0")


def release(component: str, version: str) -> str:
    """A Release file that brings one component to one version everywhere."""
    name = f"{component}-{version.replace('.', '-')}"
    return (
        f"{HEAD}kind: Release\nmetadata: {{name: {name}}}\nspec:\n"
        f"  components: [{{name: {component}, version: {version}}}]\n"
        "  pipeline: standard\n  reason: A figure\n"
    )


def write(folder: Path, *, clusters: int = 1_000, components: int = 400) -> int:
    """Write all files below a folder; how many."""
    count = 0
    for path, text in files(clusters, components):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        count += 1
    return count


def _group(name: str, environment: str) -> str:
    return (
        f"kind: ClusterGroup\nmetadata:\n  name: {name}\n"
        f"  labels: {{environment: {environment}, region: eu}}\nspec: {{}}\n"
    )


def _cluster(name: str, group: str, n: int) -> str:
    size = ("small", "medium", "large")[n % 3]
    level = ("bronze", "silver", "gold")[n // 3 % 3]
    return f"""\
kind: Cluster
metadata:
  name: {name}
  labels:
    business: business-{n % 20}
    networkDomain: {"public" if n % 2 else "private"}
    userLevel: {level}
    size: {size}
    haPair: pair-{n // 2}
spec:
  group: {group}
  connection:
    simulated: {{nodes: {3 + n % 9}}}
"""


def _component(
    name: str, n: int, groups: list[str], clusters: list[str]
) -> Iterator[tuple[str, str]]:
    home = f"components/{name}"
    yield (
        f"{home}/component.yaml",
        f'{HEAD}kind: Component\nmetadata: {{name: {name}, labels: {{tier: "{n % 3}"}}}}\n'
        "spec:\n  owners: [platform]\n  batches: [1, 10%, 50%, 100%]\n  batchSoak: 5m\n",
    )
    yield f"{home}/templates/workload.yaml", _template(name)
    yield (
        f"{home}/values/default.yaml",
        f'image: "registry.local/{name}:{{{{ version }}}}"\n'
        "resources:\n  cpu: 100m\n  memory: 128Mi\nlogLevel: info\nzone: none\n",
    )
    for k, group in enumerate(groups[n % 4 :: 4]):
        yield (
            f"{home}/values/groups/{group}.yaml",
            f"logLevel: debug\nresources: {{cpu: {100 + k}m}}\n",
        )
    some = clusters if n == 1 else [] if n == 0 else _ten(clusters, n)
    for k, cluster in enumerate(some):
        yield (
            f"{home}/values/clusters/{cluster}.yaml",
            f"zone: {cluster}\nresources: {{memory: {200 + k}Mi}}\n",
        )


def _ten(clusters: list[str], n: int) -> list[str]:
    return [clusters[(n * 7 + k * 97) % len(clusters)] for k in range(min(10, len(clusters)))]


def _template(name: str) -> str:
    return f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}-{{{{ version | replace(".", "-") }}}}
  namespace: infra
data:
  config.yaml: |
    logLevel: {{{{ values.logLevel }}}}
    zone: {{{{ values.zone }}}}
---
apiVersion: apps.kruise.io/v1alpha1
kind: DaemonSet
metadata:
  name: {name}
  namespace: infra
  labels: {{app: {name}}}
spec:
  selector:
    matchLabels: {{app: {name}}}
  updateStrategy:
    type: RollingUpdate
    rollingUpdate: {{maxUnavailable: 1}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      serviceAccountName: {name}
      containers:
        - name: agent
          image: "{{{{ values.image }}}}"
          args: ["--zone", "{{{{ values.zone }}}}", "--log-level", "{{{{ values.logLevel }}}}"]
          ports:
            - {{name: metrics, containerPort: 9100}}
          resources:
            requests:
              cpu: "{{{{ values.resources.cpu }}}}"
              memory: "{{{{ values.resources.memory }}}}"
          readinessProbe:
            httpGet: {{path: /ready, port: metrics}}
          volumeMounts:
            - {{name: config, mountPath: /etc/agent}}
      volumes:
        - name: config
          configMap: {{name: "{name}-{{{{ version | replace(".", "-") }}}}"}}
"""


def _rules() -> Iterator[tuple[str, str]]:
    yield (
        "pipelines/standard.yaml",
        HEAD
        + "kind: Pipeline\nmetadata: {name: standard}\nspec:\n  stages:\n"
        + "".join(
            f"    - name: {environment}\n"
            f"      units: {{matchLabels: {{environment: {environment}}}}}\n"
            "      spread: [haPair]\n"
            for environment in ENVIRONMENTS
        )
        + "  weights: {environment: 100, userLevel: 10, size: 5}\n",
    )
    yield (
        "calendar/windows.yaml",
        HEAD
        + "kind: Window\nmetadata: {name: weekdays}\nspec:\n  days: [Mon-Fri]\n"
        + '  from: "09:00"\n  to: "16:00"\n  zone: Europe/Berlin\n',
    )
    yield (
        "policy/policy.yaml",
        HEAD
        + "kind: Policy\nmetadata: {name: policy}\nspec:\n"
        + '  approvals: [{components: {matchLabels: {tier: "0"}}, count: 2, roles: [approver]}]\n',
    )
    yield (
        "people.yaml",
        HEAD
        + "kind: People\nmetadata: {name: people}\nspec:\n  members:\n"
        + "".join(f"    - {{name: {one}, emails: [{one}@example.com]}}\n" for one in _PEOPLE)
        + "  teams: [{name: platform, members: [ana, ben]}]\n"
        + "  roles: {operator: [platform], approver: [ana, ben, cem, dana], admin: [ana]}\n",
    )


_PEOPLE = ("ana", "ben", "cem", "dana")


def main() -> None:
    """Write the repo into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clusters", type=int, default=1_000)
    parser.add_argument("--components", type=int, default=400)
    asked = parser.parse_args()
    count = write(asked.folder, clusters=asked.clusters, components=asked.components)
    print(f"{count} files below {asked.folder}")


if __name__ == "__main__":
    main()
