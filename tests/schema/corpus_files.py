"""A corpus of mistakes that one file can hold: hostile YAML, wrong fields, wrong places.

Each case changes some files of the sound repo; the findings stand in tests/golden/problems/.
"""

from __future__ import annotations

from collections.abc import Mapping

Case = Mapping[str, str | bytes | None]
COMPONENT = "components/agent/component.yaml"
RELEASE = "releases/2026/agent-2.yaml"


def component(spec: str, metadata: str = '{name: agent, labels: {tier: "0"}}') -> Case:
    """The component `agent` with these lines as its spec."""
    owned = spec if "owners:" in spec else f"owners: [network]\n{spec}"
    lines = "".join(f"  {line}\n" for line in owned.splitlines())
    return {COMPONENT: f"kind: Component\nmetadata: {metadata}\nspec:\n{lines}"}


def release(spec: str) -> Case:
    """The release `agent-2` with these lines as its spec."""
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    return {RELEASE: f"kind: Release\nmetadata: {{name: agent-2}}\nspec:\n{lines}"}


YAML: dict[str, Case] = {
    "a tab instead of spaces": {COMPONENT: "kind: Component\nmetadata:\n\tname: agent\n"},
    "a colon in an unquoted text": release(
        "components: [{name: agent, version: 2.0.0}]\npipeline: standard\nreason: fix: the leak"
    ),
    "a bracket that is never closed": component("batches: [1, 100%"),
    "a template without quotes in values": {
        "components/agent/values/default.yaml": "image: {{ version }}\n"
    },
    "the same key twice": component("soak: 30m\nsoak: 1h"),
    "a merge key": component("<<: {soak: 1h}"),
    "an explicit tag": component("soak: !!str 1h"),
    "a Python object": component("owners: !!python/object/apply:os.system [id]"),
    "keys that are no texts": component("1: a\non: b\n2026-01-01: c\n~: d\n[x]: e"),
    "an alias without an anchor": component("owners: *nobody"),
    "an anchor inside itself": component("dependsOn: &a [*a]"),
    "a billion laughs": component(
        "\n".join(
            f"x{k}: &x{k} [{', '.join([f'*x{k - 1}' if k else 'ha'] * 10)}]" for k in range(9)
        )
    ),
    "nested a hundred thousand deep": {COMPONENT: b"a: " + b"[" * 100_000},
    "nested a hundred thousand deep by dashes": {COMPONENT: b"- " * 100_000},
    "a byte order mark and Windows line endings": {
        "checks/ready.yaml": (
            "\ufeffapiVersion: sluice/v1\r\nkind: Check\r\n"
            "metadata: {name: ready}\r\nspec: {workload: {}}\r\n"
        ).encode()
    },
    "a zero byte": {"checks/ready.yaml": b"apiVersion: sluice/v1\x00\nkind: Check\n"},
    "a text written from right to left": release(
        "components: [{name: agent, version: 2.0.0}]\npipeline: standard\nreason: a\u202eb"
    ),
    "a right to left mark as an escape": release(
        'components: [{name: agent, version: 2.0.0}]\npipeline: standard\nreason: "a\\u202eb"'
    ),
    "bytes that are no UTF-8": {"checks/ready.yaml": b"apiVersion: sluice/v1\nkind: \xff\n"},
    "UTF-16": {"checks/ready.yaml": "kind: Check".encode("utf-16")},
    "a file of two megabytes": {"checks/ready.yaml": "# " + "x" * 2_000_000},
    "more documents than a file may have": {"checks/many.yaml": "---\na: b\n" * 2_100},
    "several documents in a values file": {
        "components/agent/values/default.yaml": "a: 1\n---\nb: 2\n"
    },
    "values that are a list": {"components/agent/values/default.yaml": "- a\n"},
    "values that readers of YAML take differently": {
        "components/agent/values/default.yaml": (
            "a: no\nb: 0644\nc: 1_000\nd: 0x1F\ne: 1e3\nf: .inf\ng: 09:30:00\nh: 12:30\n"
        )
    },
    "a version among the values that loses its zero": {
        "components/agent/values/default.yaml": "version: 1.10\n"
    },
}

FIELDS: dict[str, Case] = {
    "a typo in a field": component("batchSoka: 10m"),
    "a field in snake case": component("batch_soak: 10m"),
    "a field indented too deep": component("checks:\n  after: [ready]\n  soak: 1h"),
    "a field nobody knows": component("colour: blue"),
    "a typo at the top": {
        "checks/ready.yaml": "kind: Check\nmetadta: {name: ready}\nspec: {workload: {}}"
    },
    "more samples than a check may take": {
        "checks/ready.yaml": "apiVersion: sluice/v1\nkind: Check\nmetadata: {name: ready}\n"
        "spec: {workload: {}, count: 1001}"
    },
    "wrong types": component(
        "owners: network\nchecks: [ready]\nsoak: [1h]\nbatches: 1\nrender: templates/\nscope: {}"
    ),
    "numbers in quotes and words for numbers": {
        "fleet/clusters/s1.yaml": (
            "kind: Cluster\nmetadata: {name: s1}\n"
            'spec: {group: staging, connection: {simulated: {nodes: "3"}}}'
        ),
        "fleet/clusters/p1.yaml": (
            "kind: Cluster\nmetadata: {name: p1, labels: {haPair: a}}\n"
            "spec: {group: prod, connection: {simulated: {nodes: 010}}}"
        ),
    },
    "labels that are no texts": component(
        "soak: 1h", "{name: agent, labels: {tier: 0, a: yes, b: 2026-01-01, c: 1.10, d: [x]}}"
    ),
    "nothing where something is expected": component("soak:\nchecks: ~\nbatches: [1, null, 100%]"),
    "yes for true": release(
        "components: [{name: agent, version: 2.0.0}]\npipeline: standard\nallowDowngrade: yes"
    ),
    "durations that are none": component(
        "soak: 30\nbatchSoak: 1h30m\nbatchTakes: PT5M\nbatchDeadline: 9999999d"
    ),
    "a word that is not one of the choices": component("onFailure: rollback\nscope: Cluster"),
    "batches that shrink": component("batches: [5, 5, 100%]"),
    "batches that stop half-way": component("batches: [1, 50%]"),
    "batches that are no steps": component("batches: [0, 10 %, 150%, 100%]"),
    "no version, no kind": {"checks/ready.yaml": b"metadata: {name: ready}\nspec: {workload: {}}"},
    "another version and kind": {
        "checks/ready.yaml": (
            "apiVersion: v1\nkind: Chekc\nmetadata: {name: ready}\nspec: {workload: {}}"
        )
    },
    "a name that is no DNS label": {
        "checks/ready.yaml": "kind: Check\nmetadata: {name: Ready_Now}\nspec: {workload: {}}"
    },
    "a version that is no image tag": release(
        "components: [{name: agent, version: 2.0.0+build}]\npipeline: standard"
    ),
    "a document that is a list": {"checks/ready.yaml": b"- a\n"},
    "a pipeline and stages": release(
        "components: [{name: agent, version: 2.0.0}]\npipeline: standard\n"
        "stages: [{name: all, units: {}}]"
    ),
    "neither pipeline nor stages": release("components: [{name: agent, version: 2.0.0}]"),
    "no components": release("pipeline: standard"),
    "two kinds of question in one check": {
        "checks/ready.yaml": "kind: Check\nmetadata: {name: ready}\nspec: {workload: {}, cel: {}}"
    },
    "a cel check without a condition": {
        "checks/ready.yaml": "kind: Check\nmetadata: {name: ready}\nspec: {cel: {}}"
    },
    "a selector that cannot be meant": release(
        "components: [{name: agent, version: 2.0.0}]\npipeline: standard\n"
        "units: {names: [], matchExpressions: [{key: a, operator: In}, "
        "{key: b, operator: Exists, values: [c]}]}"
    ),
    "two stages of one name": {
        "pipelines/standard.yaml": (
            "kind: Pipeline\nmetadata: {name: standard}\n"
            "spec: {stages: [{name: a, units: {}}, {name: a, units: {}}]}"
        )
    },
    "a window's own mistakes": {
        "calendar/windows.yaml": (
            "kind: Window\nmetadata: {name: weekdays}\nspec:\n  days: [Monday]\n  from: 9am\n"
            "  to: 25:00\n  zone: ''\n  starts: 2026-02-30\n"
        )
    },
    "a rollback in an Allow window": {
        "calendar/windows.yaml": (
            "kind: Window\nmetadata: {name: weekdays}\n"
            "spec: {zone: UTC, actions: [advance, rollback]}"
        )
    },
    "a freeze that ends before it begins": {
        "calendar/freezes/f.yaml": (
            "kind: Freeze\nmetadata: {name: f}\n"
            'spec: {from: "2026-12-24T00:00", to: "2026-12-20T00:00", zone: UTC, '
            "reason: x, owner: ana}"
        )
    },
    "a freeze with an offset": {
        "calendar/freezes/f.yaml": (
            "kind: Freeze\nmetadata: {name: f}\n"
            'spec: {from: "2026-12-24T00:00Z", to: "2026-12-26T00:00", zone: UTC, '
            "reason: x, owner: ana}"
        )
    },
    "a kind in the wrong folder": {
        "pipelines/ready2.yaml": "kind: Check\nmetadata: {name: ready2}\nspec: {workload: {}}",
        "fleet/stray.yaml": "kind: Cluster\nmetadata: {name: s9}\nspec: {}",
    },
    "the same name twice": {
        "checks/again.yaml": "kind: Check\nmetadata: {name: ready}\nspec: {workload: {}}",
        "policy/more.yaml": "kind: Policy\nmetadata: {name: more}\nspec: {}",
    },
    "a component in another's folder": {
        COMPONENT: "kind: Component\nmetadata: {name: agnet}\nspec: {owners: [network]}"
    },
    "a version in another component's folder": {
        "components/agent/versions/1.yaml": (
            "kind: ComponentVersion\nmetadata: {name: proxy-1}\n"
            "spec: {component: proxy, version: 1, images: {a: {ref: x, digest: 'sha256:12'}}}"
        )
    },
    "a values file where none is read": {"components/agent/values/prod.yaml": "a: b\n"},
    "what this version does not do": {
        "fleet/clusters/s1.yaml": (
            "kind: Cluster\nmetadata: {name: s1}\nspec:\n  group: staging\n"
            "  connection: {kubeconfig: {name: s1}}\n  hostedBy: p1\n  nodes: [n1]\n"
            "  namespaces: [{name: a}]\n  nodeSets: [{name: a, selector: {}}]\n"
        ),
        "fleet/clusters/p1.yaml": (
            "kind: Cluster\nmetadata: {name: p1, labels: {haPair: a}}\n"
            "spec: {group: prod, connection: {inCluster: {}}}"
        ),
        COMPONENT: (
            "kind: Component\nmetadata: {name: agent}\nspec:\n  owners: [network]\n"
            "  scope: node\n  render: {helm: chart/}\n  guard: {block: [spec.x]}\n"
        ),
        "checks/ready.yaml": (
            "kind: Check\nmetadata: {name: ready}\nspec: {prometheus: {address: a, query: b}}"
        ),
        RELEASE: (
            "kind: Release\nmetadata: {name: agent-2}\nspec:\n"
            "  components: [{name: agent, version: 1}, {name: proxy, version: 1}]\n"
            "  pipeline: standard\n  lateJoiners: join\n  baseline: true\n"
        ),
        "policy/policy.yaml": (
            "kind: Policy\nmetadata: {name: policy}\nspec:\n"
            "  limits: {unitsPerDay: 5, failureBudget: 3}\n"
            "  riskRules: [{name: a, when: 'true', verdict: wait, reason: x}]\n"
        ),
    },
    "many mistakes at once": {
        COMPONENT: (
            "kind: Component\nmetadata: {name: agent, lables: {tier: 0}}\nspec:\n"
            "  ownrs: [netwrok]\n  owners: [netwrok]\n  dependsOn: [prxy]\n  scope: nodeset\n"
            "  batches: [1, 5%, 50%]\n  soak: 30 minutes\n"
        ),
        RELEASE: (
            "kind: Release\nmetadata: {name: agent-2}\nspec:\n"
            "  components: [{name: agnet, verison: 2.0.0}]\n  pipelin: standard\n"
        ),
    },
}
