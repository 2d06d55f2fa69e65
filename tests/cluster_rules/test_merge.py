"""The three-way merge: ours goes, theirs stays, and the second time there is nothing to do."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.drive import baseline
from bot.cluster.merge import merge3, merge_patch


def obj(**fields: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x"}, **fields}


def test_a_field_that_we_applied_and_no_longer_want_is_deleted() -> None:
    """Else a setting that left the repo would stay in the clusters for ever."""
    last, live = obj(spec={"a": 1, "b": 2}), obj(spec={"a": 1, "b": 2})
    assert merge3(last, live, obj(spec={"a": 1})) == {"spec": {"b": None}}


def test_a_field_of_somebody_else_stays() -> None:
    """An autoscaler's replicas are not ours to take away."""
    assert merge3(obj(spec={"a": 1}), obj(spec={"a": 1, "replicas": 7}), obj(spec={"a": 1})) is None


def test_a_field_that_left_takes_the_server_s_defaults_along() -> None:
    """A probe of which only the defaulted timeout stayed would be refused."""
    last = obj(spec={"probe": {"port": 1}})
    live = obj(spec={"probe": {"port": 1, "timeoutSeconds": 1}})
    assert merge3(last, live, obj(spec={})) == {"spec": {"probe": None}}


def test_labels_that_left_leave_those_of_others() -> None:
    """What others label is theirs, also when our last label goes."""
    last, live = obj(), obj()
    last["metadata"]["labels"] = {"ours": "1"}
    live["metadata"]["labels"] = {"ours": "1", "theirs": "2"}
    assert merge3(last, live, obj()) == {"metadata": {"labels": {"ours": None}}}


def test_a_sidecar_that_was_injected_survives_a_new_image() -> None:
    """Lists of named things are merged by name: injectors write into the same list."""
    ours, theirs = {"name": "agent", "image": "a:1"}, {"name": "mesh", "image": "m:1"}
    patch = merge3(
        obj(spec={"containers": [ours]}),
        obj(spec={"containers": [theirs, ours]}),
        obj(spec={"containers": [{"name": "agent", "image": "a:2"}]}),
    )
    assert patch == {"spec": {"containers": [theirs, {"name": "agent", "image": "a:2"}]}}


def test_our_own_container_that_left_is_taken_out() -> None:
    one, two = {"name": "one"}, {"name": "two"}
    patch = merge3(obj(c=[one, two]), obj(c=[one, two]), obj(c=[one]))
    assert patch == {"c": [one]}


def test_the_order_of_the_author_counts() -> None:
    """Environment variables may refer to those before them."""
    a, b = {"name": "a"}, {"name": "b"}
    assert merge3(obj(c=[a, b]), obj(c=[a, b]), obj(c=[b, a])) == {"c": [b, a]}


def test_a_list_without_names_is_replaced() -> None:
    assert merge3(None, obj(args=["-v", "-x"]), obj(args=["-v"])) == {"args": ["-v"]}


def test_what_the_server_owns_is_never_in_a_patch() -> None:
    """A status or a uid in a patch would be refused, or worse, believed."""
    live = obj(status={"ready": 1})
    live["metadata"] |= {"uid": "u", "resourceVersion": "7", "generation": 3}
    target = obj(status={"ready": 9})
    target["metadata"] |= {"uid": "other", "resourceVersion": "1", "labels": {}}
    assert merge3(live, live, target) is None


def test_null_in_the_target_means_without_it() -> None:
    assert merge3(None, obj(spec={"a": 1}), obj(spec={"a": None, "b": None})) == {
        "spec": {"a": None}
    }


def test_a_baseline_holds_what_people_wrote_and_nothing_of_the_server() -> None:
    live = obj(spec={"a": 1}, status={"ready": 1})
    live["metadata"] |= {"uid": "u", "annotations": {"sluice/fence": "1.1", "team": "net"}}
    assert baseline(live) == {
        "metadata": {"name": "x", "annotations": {"team": "net"}},
        "spec": {"a": 1},
    }


LEAVES = st.none() | st.integers(0, 3) | st.sampled_from(["", "x"]) | st.just([1, 2])
NAMED = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"v": st.integers(0, 2)}),
    unique_by=lambda e: e["name"],
    max_size=3,
)
TREES = st.recursive(
    LEAVES | NAMED, lambda t: st.dictionaries(st.sampled_from("pqr"), t, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(st.sampled_from("pqr"), TREES, max_size=3).map(lambda o: obj(**o))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return value


@given(OBJECTS.map(without_nulls), OBJECTS.map(without_nulls), OBJECTS)
def test_after_the_patch_there_is_nothing_left_to_do(last: Any, live: Any, target: Any) -> None:
    """A merge that never settles would be sent on every tick, for ever."""
    patch = merge3(last, live, target)
    after = merge_patch(live, patch) if patch else live
    assert merge3(target, after, target) is None
    assert merge3(last, after, target) is None


@given(OBJECTS.map(without_nulls), OBJECTS)
def test_every_value_that_we_want_is_there_afterwards(live: Any, target: Any) -> None:
    patch = merge3(None, live, target)
    after = merge_patch(live, patch) if patch else live

    def held(want: Any, have: Any) -> bool:
        if isinstance(want, dict):
            return isinstance(have, dict) and all(
                (k not in have) if v is None else (k in have and held(v, have[k]))
                for k, v in want.items()
            )
        if isinstance(want, list) and want and isinstance(want[0], dict):
            return all(any(e.get("name") == w["name"] and held(w, e) for e in have) for w in want)
        return bool(want == have)

    assert held(target, after)
