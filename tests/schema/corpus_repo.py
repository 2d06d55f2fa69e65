"""A corpus of mistakes between files: references, cycles, floors, stages, calendar, people.

Each case changes some files of the sound repo; the findings stand in tests/golden/problems/.
"""

from __future__ import annotations

from tests.schema.corpus_files import COMPONENT, RELEASE, Case, component, release

POLICY = "policy/policy.yaml"
PIPELINE = "pipelines/standard.yaml"
PEOPLE = "people.yaml"
WINDOWS = "calendar/windows.yaml"
AGENT = "components: [{name: agent, version: 2.0.0}]"


def policy(spec: str) -> Case:
    """The policy with these lines as its spec."""
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    return {POLICY: f"kind: Policy\nmetadata: {{name: policy}}\nspec:\n{lines}"}


def pipeline(stages: str) -> Case:
    """The pipeline `standard` with these lines as its stages."""
    lines = "".join(f"    {line}\n" for line in stages.splitlines())
    return {PIPELINE: f"kind: Pipeline\nmetadata: {{name: standard}}\nspec:\n  stages:\n{lines}"}


def window(spec: str) -> Case:
    """The one window with this spec in flow style."""
    return {WINDOWS: f"kind: Window\nmetadata: {{name: weekdays}}\nspec: {{{spec}}}\n"}


REFERENCES: dict[str, Case] = {
    "a group that does not exist": {
        "fleet/clusters/s1.yaml": (
            "kind: Cluster\nmetadata: {name: s1, labels: {environment: staging}}\n"
            "spec: {group: stagin, connection: {simulated: {nodes: 3}}}"
        )
    },
    "owners, dependencies and checks that do not exist": component(
        "dependsOn: [prox]\nchecks: {before: [redy], after: [workload, other]}"
    )
    | {
        "components/proxy/component.yaml": (
            "kind: Component\nmetadata: {name: proxy}\nspec: {owners: [anna]}"
        )
    },
    "nobody owns it": {COMPONENT: "kind: Component\nmetadata: {name: agent}\nspec: {}"},
    "a component that depends on itself": component("dependsOn: [agent]"),
    "a circle of dependencies": component("dependsOn: [proxy]")
    | {
        "components/proxy/component.yaml": (
            "kind: Component\nmetadata: {name: proxy}\nspec: {owners: [ana], dependsOn: [agent]}"
        )
    },
    "no templates": {"components/agent/templates/ds.yaml": None},
    "a release of what does not exist": release(
        "components: [{name: agnet, version: 2.0.0}]\npipeline: standart\nsupersedes: [agent-1]"
    ),
    "a release that supersedes itself and a stranger": release(
        f"{AGENT}\npipeline: standard\nsupersedes: [agent-2, proxy-1]"
    )
    | {
        "releases/2026/proxy-1.yaml": (
            "kind: Release\nmetadata: {name: proxy-1}\n"
            "spec: {components: [{name: proxy, version: 1}], pipeline: standard}"
        )
    },
    "values for nobody": {
        "components/agent/values/groups/prd.yaml": "a: b\n",
        "components/agent/values/clusters/p3.yaml": "a: b\n",
        "components/agnet/values/default.yaml": "a: b\n",
    },
    "a version of nobody": {
        "components/agnet/versions/1.yaml": (
            "kind: ComponentVersion\nmetadata: {name: agnet-1}\n"
            "spec: {component: agnet, version: 1}"
        )
    },
    "the policy names what does not exist": policy(
        "floors: [{checks: [redy]}]\nblocked: [{component: agnet, version: 1, reason: x}]"
    ),
    "references to a broken file are no mistakes": {
        "checks/ready.yaml": "kind: Check\nmetadata: {name: ready}\nspec: {\n",
        **component("checks: {after: [ready]}"),
    },
    "links that leave the repo": {
        "components/agent/values/clusters/p1.yaml": "-> ../../../../../secrets.yaml",
        "checks/host.yaml": "-> /etc/hostname",
        "checks/lost.yaml": "-> nowhere.yaml",
        "checks/loop.yaml": "-> loop.yaml",
    },
    "a secret written out": {
        "components/agent/templates/secret.yaml": (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: hunter2\n"
            "---\nkind: Secret\ndata: {}\n---\nkind: ConfigMap\ndata: {a: b}\n"
        ),
        "components/proxy/manifests/s.json": '{"kind": "Secret", "data": {"a": "b"}}',
    },
}

RELEASES: dict[str, Case] = {
    "a stage that selects nobody": pipeline(
        "- {name: staging, units: {matchLabels: {environment: stagin}}}\n- {name: rest, units: {}}"
    ),
    "a stage behind one that takes everybody": pipeline(
        "- {name: all, units: {}}\n- {name: staging, units: {matchLabels: {environment: staging}}}"
    ),
    "units in no stage": pipeline(
        "- {name: staging, units: {matchLabels: {environment: staging}}}"
    ),
    "a release that selects nobody": release(
        f"{AGENT}\npipeline: standard\nunits: {{matchLabels: {{enviroment: production}}}}"
    ),
    "stages of its own that miss somebody": release(
        f"{AGENT}\nstages:\n  - {{name: one, units: {{names: [p*]}}, waves: [1]}}"
    ),
    "labels that no cluster has": {
        PIPELINE: (
            "kind: Pipeline\nmetadata: {name: standard}\nspec:\n  weights: {userLevel: 10}\n"
            "  stages: [{name: all, units: {}, spread: [haPiar]}]\n"
        )
    },
    "a blocked version": policy(
        "blocked:\n"
        "  - {component: agent, version: 2.0.0, reason: INC-1, until: 2026-12-01}\n"
        "  - {component: agent, version: 2.0.0, reason: over, until: 2026-11-23}\n"
        "  - component: agent\n"
        "    version: 2.0.0\n"
        "    reason: only its content\n"
        f'    content: "sha256:{"0" * 64}"'
    ),
    "evidence that is missing": component("releasable: {evidence: required}"),
    "evidence that did not pass": component("releasable: {evidence: required}")
    | {
        "components/agent/versions/2.0.0.yaml": (
            "kind: ComponentVersion\nmetadata: {name: agent-2.0.0}\nspec:\n  component: agent\n"
            "  version: 2.0.0\n"
            "  evidence: [{name: unit, passed: true}, {name: soak, passed: false}]\n"
        )
    },
    "a version that is not among those known": {
        "components/agent/versions/2.0.1.yaml": (
            "kind: ComponentVersion\nmetadata: {name: agent-2.0.1}\n"
            "spec: {component: agent, version: 2.0.1}"
        )
    },
    "a component below the floor": policy(
        'floors: [{components: {matchLabels: {tier: "0"}}, soak: 45m, batchSoak: 10m, '
        "checks: [ready]}]"
    )
    | component("soak: 40m"),
    "a stage below the floor": policy(
        'floors: [{components: {matchLabels: {tier: "0"}}, soak: 20m, firstWave: 1}]'
    )
    | pipeline("- {name: all, units: {}, soak: 10m, waves: [50%, 100%]}"),
    "a stage that soaks less than the component": pipeline("- {name: all, units: {}, soak: 10m}"),
    "a zone that does not exist": release(
        f'{AGENT}\npipeline: standard\nnotBefore: {{at: "2026-11-24T09:00", zone: Europe/Berln}}'
    ),
    "more approvals than people": policy("approvals: [{count: 4}]")
    | pipeline("- {name: all, units: {}, approval: {roles: [admin], count: 2}}"),
    "an approval that needs everybody": policy("approvals: [{count: 3}]"),
}

CALENDAR_AND_PEOPLE: dict[str, Case] = {
    "a window with a zone and holidays that do not exist": window(
        "zone: Europe/Berln, holidays: DE-XX"
    ),
    "a window with a country that does not exist": window("zone: UTC, holidays: GERMANY"),
    "a zone that leads out of the data base": window("zone: ../../etc/passwd"),
    "a window too short for a batch": window('zone: UTC, from: "09:00", to: "09:30"'),
    "a window too short beside one that is not": {
        WINDOWS: (
            "kind: Window\nmetadata: {name: short}\n"
            'spec: {zone: UTC, from: "09:00", to: "09:30"}\n'
            "---\nkind: Window\nmetadata: {name: long}\n"
            'spec: {zone: UTC, from: "12:00", to: "16:00"}\n'
        )
    },
    "two short windows that touch": {
        WINDOWS: (
            'kind: Window\nmetadata: {name: a}\nspec: {zone: UTC, from: "09:00", to: "09:30"}\n'
            "---\nkind: Window\nmetadata: {name: b}\n"
            'spec: {zone: UTC, from: "09:30", to: "10:00"}\n'
        )
    },
    "a window that wraps around the week": window(
        'zone: UTC, days: [Fri-Mon], from: "23:45", to: "00:15"'
    ),
    "a window that never opens": window(
        "zone: UTC, days: [Mon], starts: 2026-11-24, ends: 2026-11-27"
    ),
    "a window that is over": window("zone: UTC, ends: 2026-11-01"),
    "a window for nobody": window(
        "zone: UTC, units: {names: [x*]}, components: {matchLabels: {tier: '9'}}"
    ),
    "a freeze of nobody": {
        "calendar/freezes/f.yaml": (
            "kind: Freeze\nmetadata: {name: f}\n"
            "spec: {from: 2026-12-24T00:00, to: 2026-12-26T00:00, zone: Mars/Base, "
            "reason: x, owner: anna}"
        )
    },
    "people who do not exist": {
        PEOPLE: (
            "kind: People\nmetadata: {name: people}\nspec:\n  members: [{name: ana}]\n"
            "  teams: [{name: network, members: [ana, bne]}]\n"
            "  roles: {operator: [netwrk], approver: [ana], admin: [ana]}\n"
        )
    },
    "one identity of two people": {
        PEOPLE: (
            "kind: People\nmetadata: {name: people}\nspec:\n  members:\n"
            "    - {name: ana, emails: [a@example.com], github: ana, slack: U1, os: ana}\n"
            "    - name: ben\n      emails: [b@example.com, A@Example.com]\n"
            "      github: Ana\n      slack: U1\n      os: ana\n"
            "    - {name: ana}\n"
            "  teams: [{name: network, members: [ana]}, {name: ben}]\n"
        )
    },
}

__all__ = ["CALENDAR_AND_PEOPLE", "REFERENCES", "RELEASE", "RELEASES"]
