"""The plan hash: what it covers changes it, what it does not cover never does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.plan import spec_json
from release_repo_schema.models import ReleaseSpec
from tests.plan.world import BASE, NOW, PULL, Files, World, document, release

RELEASE = "releases/2026/node-agent-2-5-0.yaml"
COMPONENT = "components/node-agent/component.yaml"
TEMPLATE = "components/node-agent/templates/ds.yaml"
VALUES = "components/node-agent/values/default.yaml"
PIPELINE = "pipelines/standard.yaml"


def hash_of(files: Files) -> str:
    world = World()
    world.starts_with({path: text for path, text in files.items() if path != RELEASE})
    world.proposes({RELEASE: files[RELEASE]})
    pull = world.planner.pull("c1", PULL, now=NOW)
    assert not pull.has_errors, [str(finding) for finding in pull.findings]
    return pull.hashes["node-agent-2-5-0"]


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {**BASE, **release("node-agent-2-5-0")}


@pytest.fixture(scope="module")
def known(files: dict[str, str]) -> str:
    return hash_of(files)


COVERED = {
    "the version": (RELEASE, "2.5.0}", "2.5.1}"),
    "the reason": (RELEASE, "Fixes the leak", "Fixes another leak"),
    "the units": (RELEASE, "reason:", "units: {names: [eu-*, st-1]}\n  reason:"),
    "when it may begin": (
        RELEASE,
        "reason:",
        'notBefore: {at: "2026-11-24T09:00", zone: Europe/Berlin}\n  reason:',
    ),
    "an object": (TEMPLATE, "cpu: ", "memory: 1Gi, cpu: "),
    "a value": (VALUES, "100m", "200m"),
    "a value of one cluster": ("components/node-agent/values/clusters/eu-3.yaml", "300m", "301m"),
    "the batches": (COMPONENT, "50%", "60%"),
    "the soak": (COMPONENT, "owners:", "soak: 31m, owners:"),
    "the silence between batches": (COMPONENT, "owners:", "batchSoak: 6m, owners:"),
    "the deadline": (COMPONENT, "owners:", "batchDeadline: 21m, owners:"),
    "what a failure does": (COMPONENT, "owners:", "onFailure: rollbackUnit, owners:"),
    "the checks": (COMPONENT, "owners:", "checks: {before: [workload]}, owners:"),
    "the waves": (PIPELINE, "[1, 100%]", "[2, 100%]"),
    "the order": (PIPELINE, "waves:", "order: name\n      waves:"),
    "the soak of a stage": (PIPELINE, "soak: 1h", "soak: 2h"),
    "how many at once": (PIPELINE, "waves:", "maxConcurrency: 1\n      waves:"),
    "how many may fail": (PIPELINE, "waves:", "maxFailures: 1\n      waves:"),
    "an approval of a stage": (PIPELINE, "count: 1", "count: 2"),
    "an approval of the policy": ("policy/policy.yaml", "count: 2", "count: 3"),
    "a label that moves a unit": ("fleet/clusters/eu-2.yaml", "size: large", "size: tiny"),
}


@pytest.mark.parametrize("what", COVERED)
def test_it_changes_with(files: dict[str, str], known: str, what: str) -> None:
    """What people approved is what rolls out: anything else voids their yes."""
    path, old, new = COVERED[what]
    assert old in files[path]
    if what == "the order":  # two of one score stand in another order by name only with more units
        files = {**files, "fleet/clusters/eu-2.yaml": files["fleet/clusters/eu-2.yaml"].replace(
            "size: large", "size: tiny")}  # fmt: skip
        known = hash_of(files)

    assert hash_of({**files, path: files[path].replace(old, new, 1)}) != known


def test_it_changes_with_the_definition_of_a_check(files: dict[str, str]) -> None:
    """A check that was made weaker after the approval would have been approved by nobody."""
    check = document(
        "kind: Check\nmetadata: {name: ready}\nspec: {workload: {}, count: 2, interval: 30s}"
    )
    component = files[COMPONENT].replace("owners:", "checks: {after: [ready]}, owners:")
    files = {**files, "checks/ready.yaml": check, COMPONENT: component}

    weaker = {**files, "checks/ready.yaml": check.replace("count: 2", "count: 1")}

    assert hash_of(files) != hash_of(weaker)


NOT_COVERED = {
    "a comment in a template": (TEMPLATE, "apiVersion:", "# why\napiVersion:"),
    "a comment in values": (VALUES, "cpu:", "# why\ncpu:"),
    "a comment in the release": (RELEASE, "spec:", "# why\nspec:"),
    "a default written out": (RELEASE, "reason:", "allowDowngrade: false\n  reason:"),
    "a duration spelled otherwise": (PIPELINE, "soak: 1h", "soak: 60m"),
    "a label that moves nobody": ("fleet/clusters/eu-1.yaml", "size:", "owner: x, size:"),
    "the number of nodes": ("fleet/clusters/eu-1.yaml", "nodes: 6", "nodes: 60"),
    "the calendar": ("calendar/windows.yaml", "16:00", "17:00"),
    "who looks after it": (COMPONENT, "[network]", "[ana]"),
    "a limit": ("policy/policy.yaml", "spec:", "spec:\n  limits: {unitsInFlight: 7}"),
}


@pytest.mark.parametrize("what", NOT_COVERED)
def test_it_does_not_change_with(files: dict[str, str], known: str, what: str) -> None:
    """Approvals that are void for no reason teach people to approve without reading."""
    path, old, new = NOT_COVERED[what]
    assert old in files[path]

    assert hash_of({**files, path: files[path].replace(old, new, 1)}) == known


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_it_knows_no_order_of_files_and_no_file_that_is_none_of_its_business(
    data: st.DataObject, files: dict[str, str], known: str
) -> None:
    """A file system may list as it likes, and a repo grows every day."""
    paths = data.draw(st.permutations(sorted(files)))
    more = data.draw(
        st.dictionaries(
            st.sampled_from(["README.md", "docs/x.yaml", "components/node-agent/notes.md"]),
            st.text("abc\n", max_size=9),
        )
    )

    assert hash_of({**{path: files[path] for path in paths}, **more}) == known


def test_the_frozen_spec_reads_back_as_the_spec_that_was_written(files: dict[str, str]) -> None:
    """A running release is judged by its frozen spec, never by the file again."""
    spec = ReleaseSpec.model_validate(
        {
            "components": [{"name": "a", "version": "1.10"}],
            "stages": [{"name": "all", "units": {"names": ["x"]}, "waves": [1, "50%", "100%"]}],
            "notBefore": {"at": "2026-11-24T09:00", "zone": "Europe/Berlin"},
            "expires": "2d",
        }
    )

    frozen = spec_json(spec)

    assert ReleaseSpec.model_validate(frozen) == spec
    assert frozen["expires"] == "2d"
    assert frozen["units"] == {}
    assert frozen["supersedes"] == []
