"""What proves that a version of an operator works in a namespace, and what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.cluster.drive import Goal, Mode, drive
from bot.cluster.own_kinds import row_from, with_rows
from bot.cluster.sharding import ALL, Moves, moves_of, placed, reach, routed, shard_look
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import ObjectSeen, UnitSeen
from tests.cluster_rules.unit import NINE

MOVED = "2026-11-24T09:00:30+00:00"
SPEC: dict[str, Any] = {
    "target": {"apiVersion": "mesh.example.com/v1", "kind": "Router"},
    "shardedOperator": {
        "list": ["spec", "limits", 0, "values"],
        "means": "keptOld",
        "manager": "spec.version",
        "resources": [{"apiVersion": "example.com/v1", "kind": "Tenant"}],
    },
}


def row(**changed: Any) -> Any:
    return row_from(SPEC | {"shardedOperator": SPEC["shardedOperator"] | changed})


def router(*kept: str, version: str = "op-2", note: str | None = None) -> JSON:
    noted = note or f'{{"by": "op-2", "at": {{"a": "{MOVED}"}}}}'
    metadata = {"name": "op", "annotations": {"sluice/moved": noted}}
    spec = {"version": version, "limits": [{"values": list(kept)}]}
    return {
        "apiVersion": "mesh.example.com/v1",
        "kind": "Router",
        "metadata": metadata,
        "spec": spec,
    }


def namespace(name: str, **metadata: Any) -> JSON:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name} | metadata}


def tenant(*written: tuple[str, str], status: JSON = None, **metadata: Any) -> JSON:
    """A tenant of namespace a, and who wrote it when."""
    entries = [{"manager": who, "time": f"2026-11-24T09:{at}Z"} for who, at in written]
    kept = {"name": "main", "namespace": "a", "managedFields": entries} | metadata
    return {"apiVersion": "example.com/v1", "kind": "Tenant", "metadata": kept, "status": status}


def ready(*children: JSON, live: JSON = None, **changed: Any) -> bool:
    """Whether namespace a is proved to be served by op-2."""
    look = shard_look(row(**changed), live or router("b"), (namespace("a"), *children), "op-2")
    (pod,) = look.pods
    return pod.ready and pod in look.new


@pytest.mark.parametrize(
    ("written", "proved"),
    [
        ([("op-2", "00:35")], True),
        ([("op-2", "00:30")], True),
        ([("op-2", "00:29")], False),
        ([("op-1", "05:00")], False),
        ([("kubectl", "05:00"), ("op-1", "04:00")], False),
        ([("op-1", "05:00"), ("op-2", "00:31")], True),
        ([], False),
    ],
    ids=["after", "in that second", "before it moved", "by the old one", "by a person",
         "by both", "by nobody"],
)  # fmt: skip
def test_only_what_the_new_version_wrote_since_is_a_proof(
    written: list[tuple[str, str]], proved: bool
) -> None:
    """A version that was there in an earlier release has left its name everywhere."""
    assert ready(tenant(*written)) is proved


def test_every_object_has_to_be_written() -> None:
    assert not ready(tenant(("op-2", "00:35")), tenant(("op-1", "00:35"), name="side"))


def test_an_empty_namespace_has_nothing_to_prove() -> None:
    assert ready()


def test_what_is_on_its_way_out_is_not_waited_for() -> None:
    assert ready(tenant(("op-1", "00:00"), deletionTimestamp="2026-11-24T09:00:00Z"))


def test_a_user_agent_is_known_by_its_first_word() -> None:
    """So the API server names it in managedFields."""
    look = shard_look(
        row(),
        router("b", version="op-2/v9", note=f'{{"by": "op-2/v9", "at": {{"a": "{MOVED}"}}}}'),
        (namespace("a"), tenant(("op-2", "00:35"))),
        "op-2/v9",
    )
    assert look.pods[0].ready


def test_a_field_may_tell_who_it_was() -> None:
    field = {"reconciledBy": "status.by"}
    assert ready(tenant(status={"by": "op-2"}), **field)
    assert not ready(tenant(("op-2", "00:35"), status={"by": "op-1"}), **field)


@pytest.mark.parametrize(
    ("after", "proved"),
    [
        ({}, True),
        ({"b": "2026-11-24T09:00:59+00:00"}, True),
        ({"a": "2026-11-24T08:50:34+00:00"}, True),
        ({"a": "2026-11-24T08:50:35+00:00"}, False),
        ({"*": "2026-11-24T08:50:35+00:00"}, False),
    ],
    ids=["never before", "elsewhere", "before", "nothing since", "nothing since, of all"],
)
def test_what_the_cluster_said_is_held_against_what_the_cluster_says(
    after: dict[str, str], proved: bool
) -> None:
    """Its clock is ten minutes behind ours: the move is noted later than what came of it."""
    note = json.dumps({"by": "op-2", "at": {"a": MOVED}, "after": after})
    written = tenant(("op-2", "00:35"))
    written["metadata"]["managedFields"][0]["time"] = "2026-11-24T08:50:35Z"
    assert ready(written, live=router("b", note=note)) is proved


@pytest.mark.parametrize(
    ("other", "proved"),
    [([], True), ([("op-1", "00:09")], True), ([("op-1", "00:11")], False)],
    ids=["never", "before it", "after it"],
)
def test_what_the_other_version_never_wrote_needs_no_second_proof(
    other: list[tuple[str, str]], proved: bool
) -> None:
    """On the way back: an operator writes what differs, and there nothing does."""
    one = tenant(("op-2", "00:10"), *other)
    children = (namespace("a"), one)
    (pod,) = shard_look(row(), router("b"), children, "op-2", rival="op-1").pods
    assert pod.ready is proved
    (pod,) = shard_look(row(), router("b"), children, "op-2").pods
    assert not pod.ready, "forward it is asked for, whatever stands there"


def test_another_version_in_the_object_serves_nothing_of_ours() -> None:
    assert not ready(tenant(("op-2", "00:35")), live=router("b", version="op-1"))


def test_namespaces_on_their_way_out_are_not_counted() -> None:
    gone = namespace("z", deletionTimestamp="2026-11-24T09:00:00Z")
    look = shard_look(row(), router(), (namespace("a"), gone), "op-2")
    assert look.total == 1


@pytest.mark.parametrize("note", ["", "no json", "[]", '{"by": 1}', '{"by": "x", "at": {"a": 7}}'])
def test_a_note_that_somebody_spoilt_is_no_note(note: str) -> None:
    """It is then asked for any proof, never taken for one."""
    assert moves_of(router("b", note=note or "{}")).at == {}


def test_the_list_means_what_the_row_says() -> None:
    names = ("a", "b", "c")
    kept, updated = row().sharding, row(means="updated", open=["*"]).sharding
    assert routed(kept, router("b"), names) == {"a", "c"}
    assert routed(updated, router("b"), names) == {"b"}
    assert routed(updated, router("*"), names) == set(names)
    assert routed(kept, {"spec": {}}, names) == set(names)


def test_a_path_leads_through_lists_and_makes_none() -> None:
    obj = {"spec": {"limits": [{"values": ["a"]}, {"values": ["b"]}]}}
    path = ("spec", "limits", 1, "values")
    assert reach(obj, path) == ["b"]
    assert placed(obj, path, []) == {"spec": {"limits": [{"values": ["a"]}, {"values": []}]}}
    assert obj["spec"]["limits"][1]["values"] == ["b"]
    assert reach(obj, ("spec", "limits", 2, "values")) is None
    assert placed(obj, ("spec", "limits", 2, "values"), []) == obj


def test_what_a_release_made_stays_until_its_namespaces_are_back() -> None:
    """Also where a person wants installs undone: till then nobody else serves them."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "op-2"}}
    made = ObjectRef("v1", "ConfigMap", "", "op-2")
    routes = ObjectRef("mesh.example.com/v1", "Router", "", "op")
    stood = router(version="op-1")
    del stood["metadata"]["annotations"]
    goal = Goal(
        mode=Mode.RESTORE,
        objects=((made, config), (routes, router())),
        last={routes.key: stood},
        before={made.key: None, routes.key: stood},
        applied=frozenset([routes.key]),
        undo_installs=True,
        since=NINE,
        rows=with_rows([row()]),
    )

    def sent(live: JSON, *written: tuple[str, str]) -> list[tuple[str, str]]:
        there = ObjectSeen(ref=routes, live=live, children=(namespace("a"), tenant(*written)))
        own = ObjectSeen(ref=made, live=config)
        seen = UnitSeen(unit="op@x", at=NINE, objects={made.key: own, routes.key: there})
        return [(write.verb, write.ref.kind) for write in drive(goal, seen, NINE).writes]

    served = [("op-1", "00:01"), ("op-2", "00:40")]
    assert sent(router(), *served) == [("patch", "Router")]
    note = Moves("op-1", {"a": MOVED}, {ALL: "2026-11-24T09:00:01+00:00"}).text()
    back = router(version="op-1", note=note)
    assert sent(back, *served) == [], "op-1 has not written since"
    returned = [("op-1", "01:02"), ("op-2", "00:40")]
    assert sent(back, *returned) == [("patch", "Router")], "the note goes first"
    assert sent(stood, *returned) == [("delete", "ConfigMap")]
