"""Rows of a release repo's own: a custom resource rolls like a kind that was always known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.adapters.simulated.api_rules import CONTROLLERS
from bot.adapters.simulated.row_controller import RowController
from bot.cluster.drive import Mode, drive, up_to_date
from bot.cluster.kinds import KINDS, Gate, kind_of, stops_part_way, unknown_workload
from bot.cluster.own_kinds import RowError, row_from, with_rows
from tests.cluster_rules.unit import KRUISE, NINE, Unit, ref_of, workload

SQUAD = ("example.com/v1", "Squad")
CLONE_SET: dict[str, Any] = {
    "target": {"apiVersion": KRUISE, "kind": "CloneSet"},
    "replicas": "spec.replicas",
    "partition": {"path": "spec.updateStrategy.rollingUpdate.partition", "means": "keptOld"},
    "paused": "spec.updateStrategy.rollingUpdate.paused",
    "maxUnavailable": "spec.updateStrategy.rollingUpdate.maxUnavailable",
    "observedGeneration": "status.observedGeneration",
    "updateRevision": "status.updateRevision",
    "podLabel": "controller-revision-hash",
}


def squad(means: str, *, pods: bool = True, **changed: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "target": {"apiVersion": SQUAD[0], "kind": SQUAD[1]},
        "replicas": "spec.replicas",
        "partition": {"path": "spec.roll.number", "means": means},
        "paused": "spec.roll.halt",
        "observedGeneration": "status.observedGeneration",
        "updateRevision": "status.newest",
        "updated": "status.changed",
        "ready": "status.serving",
    }
    return spec | ({"podLabel": "controller-revision-hash"} if pods else {}) | changed


def release_of(spec: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Unit:
    row = row_from(spec)
    monkeypatch.setitem(CONTROLLERS, ("example.com", "Squad"), RowController(row))
    old, new = (workload(*SQUAD, version) for version in "12")
    return Unit(old=[old], new=[new], rows=with_rows([row]))


def test_a_built_in_row_written_down_is_the_built_in_row() -> None:
    built_in = kind_of(KRUISE, "CloneSet")
    assert built_in is not None
    # What an unknown API server makes of replicas that nobody wrote, nobody knows.
    assert row_from(CLONE_SET | {"onDelete": True}) == replace(built_in, replicas_default=None)


@pytest.mark.parametrize("pods", [True, False], ids=["its pods are seen", "its status tells"])
@pytest.mark.parametrize(
    ("means", "number"), [("keptOld", 7), ("updated", 3)], ids=["kept old", "updated"]
)
def test_a_custom_resource_is_moved_part_way_and_back(
    means: str, number: int, pods: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = release_of(squad(means, pods=pods), monkeypatch)
    progress = unit.forward(3)
    assert progress.converged
    assert (progress.updated, progress.total) == (3, 10)
    assert unit.live()["spec"]["roll"]["number"] == number
    assert unit.images() == {"1": 7, "2": 3}
    assert unit.restore().converged
    assert unit.images() == {"1": 10}
    assert unit.finish().converged
    assert unit.images() == {"2": 10}
    assert up_to_date(unit.objects, unit.last, unit.look(), rows=unit.rows)


@pytest.mark.parametrize("pods", [True, False], ids=["its pods are seen", "its status tells"])
@pytest.mark.parametrize("means", ["keptOld", "updated"])
def test_a_custom_resource_can_be_stopped(
    means: str, pods: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = release_of(squad(means, pods=pods), monkeypatch)
    unit.run(unit.goal(Mode.FORWARD, 8), seconds=10)
    assert unit.stop(8).converged
    unit.clock.pass_by(60)
    there = unit.images()
    unit.clock.pass_by(600)
    assert unit.images() == there
    assert 0 < there["2"] < 8
    assert unit.live()["spec"]["roll"]["halt"] is True
    assert unit.forward(8).converged


def test_where_only_the_status_counts_what_is_not_ready_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody knows which: the careful reading is that the new ones are broken."""
    unit = release_of(squad("keptOld", pods=False), monkeypatch)
    unit.forward(3)
    sick = next(p for p in unit.pods() if unit.version(p) == "1")
    unit.fleet.sicken("c", [sick["metadata"]["name"]])
    unit.clock.pass_by(1)
    assert not unit.step(unit.goal(Mode.FORWARD, 3)).healthy


def test_without_a_partition_it_goes_all_at_once_and_is_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = squad("keptOld")
    del spec["partition"]
    unit = release_of(spec, monkeypatch)
    assert not stops_part_way(unit.new[0], unit.rows)
    assert unit.forward(3).converged
    assert unit.sent == []
    progress = unit.step(unit.goal(Mode.FORWARD, 10, final=True))
    assert not progress.converged
    assert unit.finish().converged
    assert unit.images() == {"2": 10}


def test_without_its_row_it_is_a_plain_object_and_people_are_told() -> None:
    """It would be applied to all pods at once and taken for done."""
    obj = workload(*SQUAD)
    assert unknown_workload(obj)
    assert not unknown_workload(obj, with_rows([row_from(squad("keptOld"))]))
    assert not any(unknown_workload(workload(row.api_version, row.kind)) for row in KINDS)


@pytest.mark.parametrize(
    ("obj", "unknown"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap", "data": {}}, False),
        ({"apiVersion": "v1", "kind": "Service", "spec": {"selector": {}}}, False),
        ({"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {}}}, False),
        ({"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"replicas": 2}}, True),
        ({"apiVersion": "apps.kruise.io/v1alpha1", "kind": "StatefulSet", "spec": {"replicas": 1}},
         True),
        ({"apiVersion": "example.com/v1", "kind": "Agent", "spec": {"template": {"spec": {}}}},
         True),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else str(value),
)  # fmt: skip
def test_what_looks_like_a_workload(obj: dict[str, Any], unknown: bool) -> None:
    assert unknown_workload(obj) is unknown


def test_all_mistakes_of_a_row_are_told_at_once() -> None:
    with pytest.raises(RowError) as told:
        row_from(
            {
                "target": {"apiVersion": "example.com/v1"},
                "replicas": "replicas",
                "partition": {"path": "spec.partition", "means": "old"},
                "pausd": "spec.paused",
                "counts": "cores",
                "podLabel": 7,
            }
        )
    problems = "\n".join(told.value.problems)
    for part in (
        "target.kind: needed",
        "replicas: 'replicas' is no path such as spec.replicas",
        "partition.means: 'old' is none of keptOld, updated, ordinalFloor",
        "pausd: unknown field, did you mean paused?",
        "counts: 'cores' is not pods or nodes",
        "podLabel: 7 is not a text",
        "observedGeneration: needed",
    ):
        assert part in problems


def test_a_path_may_be_a_list_where_a_name_has_dots() -> None:
    row = row_from(squad("keptOld", paused=["metadata", "annotations", "example.com/halt"]))
    assert row.paused == ("metadata", "annotations", "example.com/halt")


def test_a_kind_has_one_row() -> None:
    with pytest.raises(RowError, match="has a row already"):
        with_rows([row_from(CLONE_SET)])


def test_ordinal_floors_need_pods_with_names() -> None:
    with pytest.raises(RowError, match="positions"):
        row_from(squad("ordinalFloor", pods=False))
    assert row_from(squad("ordinalFloor")).gate is Gate.ORDINAL


def test_a_goal_without_the_row_applies_it_like_any_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    unit = release_of(squad("keptOld"), monkeypatch)
    unit.rows = with_rows([])
    progress = drive(unit.goal(Mode.FORWARD, 1), unit.look(), NINE)
    (write,) = progress.writes
    assert write.ref == ref_of(unit.new[0])
    assert write.body is not None
    assert "roll" not in write.body["spec"]
