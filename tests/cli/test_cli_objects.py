"""Objects that no plan should bring: of two components, of no place, with names of ours."""

from __future__ import annotations

from typing import Any

from tests.cli.terminal import Town, sluice

SHARED = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shared, namespace: infra}\n"
OTHER = """
apiVersion: sluice/v1
kind: Component
metadata: {name: other}
spec: {owners: [network], batchTakes: 5s}
"""
VERSION = """
apiVersion: sluice/v1
kind: ComponentVersion
metadata: {name: other-2.0.0}
spec: {component: other, version: 2.0.0}
"""


def findings(town: Town, code: str) -> list[dict[str, Any]]:
    lint = sluice("lint", town.repo.work, "--json")
    return [found for found in lint.json["findings"] if found["code"] == code]


def with_two_owners(town: Town, *texts: str) -> None:
    town.repo.write("components/other/component.yaml", OTHER)
    town.repo.write("components/other/versions/2.0.0.yaml", VERSION)
    for component, text in zip(("agent", "other"), texts, strict=True):
        town.repo.write(f"components/{component}/templates/shared.yaml", text)


def test_render_prints_what_would_be_applied_with_its_owner(town: Town) -> None:
    """What a person reads is what the cluster gets."""
    (shown,) = town.sluice("render", "agent@eu-1", "--version", "2.0.0", "--json").json["objects"]
    assert shown["metadata"]["labels"]["sluice/component"] == "agent"
    text = town.sluice("render", "agent@eu-1", "--version", "2.0.0").out
    assert "sluice/component: agent" in text
    assert f"sluice/applied: {shown['metadata']['annotations']['sluice/applied']}" in text


def test_one_object_of_two_components_is_a_warning_of_lint(town: Town) -> None:
    """They may be meant for clusters of different kinds: nobody is stopped by a name."""
    with_two_owners(town, SHARED, f"{SHARED}data: {{by: other}}\n")
    (found,) = findings(town, "same-object")
    assert found["level"] == "warning"
    assert "ConfigMap infra/shared" in found["message"]


def test_what_two_components_bring_alike_is_no_mistake(town: Town) -> None:
    """A namespace that both need is in both."""
    with_two_owners(town, SHARED, SHARED)
    assert findings(town, "same-object") == []


DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}}
"""
WIDGET = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: infra}\n"


def test_a_custom_resource_before_its_definition_is_a_warning_of_lint(town: Town) -> None:
    """Nothing keeps it from coming first: the cluster would refuse it in the middle of a night."""
    with_two_owners(town, WIDGET, DEFINITION)
    (found,) = findings(town, "kind-of-another")
    assert (found["level"], found["path"]) == ("warning", "components/agent/component.yaml")
    assert "Widget infra/w" in found["message"]
    assert found["hint"].startswith("add other to dependsOn")


def test_a_custom_resource_whose_definition_is_waited_for_is_no_mistake(town: Town) -> None:
    """By whatever way dependsOn leads there; and one that brings its own needs nobody."""
    with_two_owners(town, WIDGET, DEFINITION)
    agent = town.repo.work / "components/agent/component.yaml"
    alone = agent.read_text()
    agent.write_text(f"{alone}  dependsOn: [between]\n")
    between = OTHER.replace("name: other", "name: between")
    town.repo.write("components/between/component.yaml", f"{between[:-2]}, dependsOn: [other]}}\n")
    assert findings(town, "kind-of-another") == []
    agent.write_text(alone)
    town.repo.write("components/agent/templates/own.yaml", DEFINITION)
    assert findings(town, "kind-of-another") == []


def test_names_of_ours_in_a_template_are_refused(town: Town) -> None:
    """A forged fence would lock the bot out of the object."""
    forged = SHARED.replace("name: shared", "name: s, annotations: {sluice/fence: '9.9'}")
    town.repo.write("components/agent/templates/shared.yaml", forged)
    (found,) = findings(town, "reserved-name")
    assert "sluice/fence" in found["message"]


def test_an_object_without_a_place_is_refused_on_a_real_cluster(town: Town) -> None:
    """Its API server would refuse it at night; embedded clusters take it as it is."""
    text = SHARED.replace(", namespace: infra", "")
    text += "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ours, namespace: infra}\n"
    town.repo.write("components/agent/templates/shared.yaml", text)
    assert findings(town, "no-place") == []
    cluster = town.repo.work / "fleet/clusters/eu-1.yaml"
    real = cluster.read_text().partition("  connection:")[0]
    cluster.write_text(f"{real}  connection: {{kubeconfig: {{name: eu-1}}}}\n")
    told = findings(town, "no-place")
    assert [found["message"].split(" names")[0] for found in told] == [
        "ConfigMap shared",
        "Namespace infra/ours",
    ]
