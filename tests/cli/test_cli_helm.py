"""A component that is a Helm chart: lint, render, plan and rehearse read it as any other."""

from __future__ import annotations

from tests.cli.terminal import Town, sluice
from tests.run.release_repo import CLUSTER

COMPONENT = """
apiVersion: sluice/v1
kind: Component
metadata: {name: agent, labels: {tier: "1"}}
spec:
  owners: [network]
  render: {helm: chart/, namespace: infra}
  batches: [1, 50%, 100%]
  batchSoak: 1s
  soak: 1s
  batchTakes: 5s
  batchDeadline: 5m
"""
CHART = "apiVersion: v2\nname: agent\nversion: 0.1.0\nappVersion: 0.0.1\n"
DAEMON_SET = """
apiVersion: apps.kruise.io/v1beta1
kind: DaemonSet
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
spec:
  selector: {matchLabels: {app: agent}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 100%}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      containers:
        - name: agent
          image: "{{ .Values.image | default "registry.local/agent" }}:{{ .Chart.AppVersion }}"
"""
TEST = """
apiVersion: v1
kind: Pod
metadata: {name: try, annotations: {helm.sh/hook: test}}
spec: {}
"""


def with_chart(town: Town, **more: str) -> None:
    repo = town.repo
    repo.write("components/agent/component.yaml", COMPONENT)
    (repo.work / "components/agent/templates/daemonset.yaml").unlink()
    repo.write("components/agent/values/default.yaml", "image: registry.local/agent\n")
    files = {"Chart.yaml": CHART, "templates/daemonset.yaml": DAEMON_SET} | more
    for inside, text in files.items():
        repo.write(f"components/agent/chart/{inside}", text)
    repo.commit("The agent is a chart")
    repo.git("push", "-q", "origin", "main")


def test_a_chart_is_linted_rendered_planned_and_rehearsed(town: Town) -> None:
    """From the file to the end of its rollout, without a cluster."""
    with_chart(town)
    lint = sluice("lint", town.repo.work, "--json")
    assert [f for f in lint.json["findings"] if f["level"] == "error"] == []
    shown = town.sluice("render", "agent@eu-1", "--version", "2.0.0", "--json")
    (made,) = shown.json["objects"]
    assert made["metadata"]["name"] == "agent"
    assert made["metadata"]["namespace"] == "infra"
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.local/agent:2.0.0"
    name = town.repo.propose("2.0.0")
    plan = town.sluice("plan", "--head", f"pr/{name}", "--json")
    assert plan.code == 0, plan.out
    again = town.sluice("plan", "--head", f"pr/{name}", "--json")
    (release,) = plan.json["releases"]
    assert release["planHash"] == again.json["releases"][0]["planHash"]
    words = ("rehearse", name, "--ref", f"pr/{name}", "--at", "2026-11-24T09:00:00Z", "--json")
    (told,) = town.sluice(*words).json["releases"]
    assert told["phase"] == "SUCCEEDED"


def test_a_mistake_in_a_chart_is_a_finding_at_its_line(town: Town) -> None:
    """An editor leads to it; a plan is refused by it."""
    with_chart(town, **{"templates/x.yaml": "a:\n  b: {{ .Values.image.tag.x }}\n"})
    lint = sluice("lint", town.repo.work, "--json")
    assert lint.code == 1
    (found,) = [f for f in lint.json["findings"] if f["level"] == "error"]
    assert found["path"] == "components/agent/chart/templates/x.yaml"
    assert (found["line"], found["code"]) == (2, "helm")


def test_a_chart_test_is_a_warning_and_no_object(town: Town) -> None:
    """It stands in the findings of lint and plan, and in nothing that is applied."""
    with_chart(town, **{"templates/tests/try.yaml": TEST})
    lint = sluice("lint", town.repo.work, "--json")
    assert [f["code"] for f in lint.json["findings"] if f["code"].startswith("helm")] == [
        "helm-test"
    ]
    assert lint.code == 0
    name = town.repo.propose("2.0.0")
    plan = town.sluice("plan", "--head", f"pr/{name}", "--json")
    assert plan.code == 0
    assert "helm-test" in {f["code"] for f in plan.json["findings"]}
    assert len(plan.json["releases"]) == 1
    shown = town.sluice("render", "agent@eu-1", "--version", "2.0.0", "--json")
    assert [o["kind"] for o in shown.json["objects"]] == ["DaemonSet"]


def test_a_missing_chart_and_a_namespace_without_one_are_found(town: Town) -> None:
    """Both are told before anything is rendered."""
    with_chart(town)
    (town.repo.work / "components/agent/chart/Chart.yaml").unlink()
    lint = sluice("lint", town.repo.work, "--json", "--no-render")
    assert "no-templates" in {f["code"] for f in lint.json["findings"]}
    jinja = COMPONENT.replace("helm: chart/", "jinja: chart/")
    town.repo.write("components/agent/component.yaml", jinja)
    lint = sluice("lint", town.repo.work, "--json", "--no-render")
    assert "only-with-helm" in {f["code"] for f in lint.json["findings"]}


def test_a_fleet_of_equal_values_is_rendered_by_one_process(town: Town) -> None:
    """What a rendering cannot see makes no rendering of its own."""
    from bot.core.candidates import candidates
    from bot.core.plan_jobs import source_of, wanted
    from release_repo_schema.load import load_repo
    from release_repo_schema.tree import FolderTree

    with_chart(town)
    for number in range(3, 40):
        text = CLUSTER.format(name=f"eu-{number}", nodes=1)
        town.repo.write(f"fleet/clusters/eu-{number}.yaml", text)
    own = "image: 'registry.local/agent-{{ cluster.name }}'\n"
    town.repo.write("components/agent/values/clusters/eu-7.yaml", own)
    repo = load_repo(FolderTree(town.repo.work))
    source = source_of(repo, "agent")
    keys = {wanted(source, "2.0.0", unit).key for unit in candidates(repo, "agent")}
    assert len(keys) == 2
