"""A corpus of mistakes in workload kinds: rows that would make a batch too large, or never end.

Each case is one file; the findings stand in tests/golden/problems/.
"""

from __future__ import annotations

from tests.schema.corpus_files import Case

WIDGET = """\
target: {apiVersion: example.com/v1, kind: Widget}
replicas: spec.replicas
partition: {path: spec.partition, means: keptOld}
paused: spec.paused
observedGeneration: status.observedGeneration
updateRevision: status.updateRevision
podLabel: controller-revision-hash
"""


def row(spec: str = WIDGET, name: str = "widget", path: str = "") -> Case:
    """A workload kind with these lines as its spec."""
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    body = f"kind: WorkloadKind\nmetadata: {{name: {name}}}\nspec:\n{lines}"
    return {path or f"workloadkinds/{name}.yaml": body}


SHARDED = """\
target: {apiVersion: mesh.example.com/v1, kind: Router}
shardedOperator:
  list: [spec, limits, 0, values]
  means: keptOld
  manager: spec.version
  resources: [{apiVersion: example.com/v1, kind: Tenant}]
"""


def sharded(old: str, new: str) -> Case:
    assert old in SHARDED
    return row(SHARDED.replace(old, new))


def changed(old: str, new: str) -> Case:
    assert old in WIDGET
    return row(WIDGET.replace(old, new))


KINDS: dict[str, Case] = {
    "a field that nobody knows": changed("paused:", "pausd:"),
    "a partition without a meaning": changed(", means: keptOld", ""),
    "a meaning that nobody knows": changed("keptOld", "kept"),
    "a path that begins nowhere": changed("spec.paused", "paused"),
    "a path with a slip in its root": changed("status.updateRevision", "stauts.updateRevision"),
    "a path into a list": changed("spec.paused", "spec.pools[0].paused"),
    "a path that is no text": changed("spec.paused", "7"),
    "an empty part in a path": changed("spec.paused", "spec..paused"),
    "a partition in the status": changed("path: spec.partition", "path: status.partition"),
    "a paused that is an annotation": changed("spec.paused", "[metadata, annotations, a.b/c]"),
    "a generation in the spec": changed("status.observedGeneration", "spec.generation"),
    "replicas in the metadata": changed("spec.replicas", "metadata.replicas"),
    "no replicas": changed("replicas: spec.replicas\n", ""),
    "no way to know the pods": changed(
        "updateRevision: status.updateRevision\npodLabel: controller-revision-hash\n", ""
    ),
    "a label without a revision": changed("updateRevision: status.updateRevision\n", ""),
    "positions without pods": row(
        WIDGET.replace("keptOld", "ordinalFloor").replace(
            "podLabel: controller-revision-hash",
            "updated: status.updated\nready: status.ready",
        )
    ),
    "deletions without pods": row(
        WIDGET.replace(
            "podLabel: controller-revision-hash",
            "updated: status.updated\nready: status.ready\nonDelete: true",
        )
    ),
    "the gate inside the template": row(
        WIDGET.replace("spec.partition", "spec.roll.partition") + "template: spec.roll\n"
    ),
    "a template that is everything": row(f"{WIDGET}template: spec\n"),
    "only one count of the status": changed(
        "podLabel: controller-revision-hash", "updated: status.updated"
    ),
    "one field for two gates": changed("spec.paused", "spec.partition"),
    "an open gate that is shut": changed("means: keptOld", "means: updated, open: 0"),
    "a row of a kind that is built in": changed(
        "example.com/v1, kind: Widget", "apps.kruise.io/v1beta1, kind: CloneSet"
    ),
    "a row of a kind of Kubernetes": changed(
        "example.com/v1, kind: Widget", "apps/v1, kind: ReplicaSet"
    ),
    "a target without a version": changed("example.com/v1", "example.com"),
    "two rows of one kind": {**row(), **row(name="widget-2")},
    "a row in another place": row(path="checks/widget.yaml"),
    "another kind among the rows": {
        "workloadkinds/check.yaml": "kind: Check\nmetadata: {name: x}\nspec: {workload: {}}\n"
    },
    "a sharded operator with fields of pods": row(f"{SHARDED}podLabel: x\nreplicas: spec.x\n"),
    "a sharded operator that reconciles nothing": sharded(
        "resources: [{apiVersion: example.com/v1, kind: Tenant}]", "resources: []"
    ),
    "a list that is in the status": sharded("[spec, limits, 0, values]", "[status, limits]"),
    "a list that is an entry": sharded("[spec, limits, 0, values]", "[spec, limits, 0]"),
    "a manager in the status": sharded("manager: spec.version", "manager: status.version"),
    "an open list with those that are kept": sharded("keptOld", 'keptOld\n  open: ["*"]'),
    "shards that leave later namespaces behind": sharded(
        "keptOld",
        "updated\n  shards: {apiVersion: apps/v1, kind: Deployment, matchLabels: {a: b}, "
        "identity: metadata.labels.version}",
    ),
    "shards that are every workload": sharded(
        "keptOld",
        "keptOld\n  shards: {apiVersion: apps/v1, kind: Deployment, matchLabels: {}, "
        "identity: metadata.labels.version}",
    ),
    "shards without an identity": sharded(
        "keptOld", "keptOld\n  shards: {apiVersion: apps/v1, kind: Deployment, matchLabels: {a: b}}"
    ),
    "several mistakes at once": row(
        "target: {apiVersion: v1, knd: Widget}\n"
        "replicas: replicas\n"
        "partition: {path: status.partition, means: old, opne: 3}\n"
        "podLabel: [a]\n"
        "counts: cores\n"
        "onDelete: maybe\n"
    ),
}
