"""`deploy/rbac.yaml` and the list that doctor asks by are one; neither asks for too much."""

from __future__ import annotations

from pathlib import Path

import yaml

from bot.adapters.kubernetes_fleet.rights import RIGHTS

MANIFEST = Path(__file__).resolve().parents[2] / "deploy/rbac.yaml"


def granted() -> set[tuple[str, str, str]]:
    """(group, resource, verb) of every rule of the manifest."""
    documents = [one for one in yaml.safe_load_all(MANIFEST.read_text()) if one]
    return {
        (group, resource, verb)
        for one in documents
        if one["kind"] == "ClusterRole"
        for rule in one["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def test_the_manifest_grants_what_doctor_asks_for_and_nothing_else() -> None:
    """A right that is needed and not granted stops a release at night; one too many is a risk."""
    asked = {(r.group, name, verb) for r in RIGHTS for name in r.resources for verb in r.verbs}
    assert granted() == asked


def test_nothing_in_it_opens_a_way_to_more() -> None:
    """With Secrets, Roles or impersonation the bot could become anybody."""
    resources = {resource for _, resource, _ in granted()}
    assert resources.isdisjoint({"secrets", "roles", "clusterroles", "users", "pods/exec", "*"})
    verbs = {verb for _, _, verb in granted()}
    assert verbs.isdisjoint({"*", "escalate", "bind", "impersonate", "deletecollection"})
