"""Objects as YAML text and the diff between two of them: what a reviewer trusts."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.render import digest, ref_of
from bot.core.diff import HIDDEN, Differ, manifest, unified
from bot.model.plan import PlannedObject

texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(["yes", "0x1f", "1e3", "a: b", "- a", "#", "null", "100m", "~", "a\nb\n", "é"]),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-99, 99), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(texts.filter(bool), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(value=st.dictionaries(texts, values, max_size=4))
def test_the_text_of_an_object_says_exactly_what_the_object_is(value: dict[str, Any]) -> None:
    """A diff of something else than what is applied would be worse than none."""
    assert yaml.safe_load(manifest(value)) == (value or {})


@given(
    before=st.lists(st.sampled_from("abcdef"), max_size=30),
    after=st.lists(st.sampled_from("abcdef"), max_size=30),
)
def test_a_diff_applied_to_what_was_gives_what_will_be(before: list[str], after: list[str]) -> None:
    """Line numbers and all: `patch` must be able to use it."""
    assert _patched(before, unified(before, after)) == after


def _patched(before: list[str], diff: str) -> list[str]:
    result: list[str] = []
    at = 0
    for line in diff.split("\n")[:-1]:
        if line.startswith("@@"):
            start, _, length = line.split(" ")[1][1:].partition(",")
            first = int(start) if length == "0" else int(start) - 1
            result += before[at:first]
            at = first
        elif line[0] == "-":
            assert before[at] == line[1:]
            at += 1
        elif line[0] == "+":
            result.append(line[1:])
        else:
            assert before[at] == line[1:]
            result.append(before[at])
            at += 1
    return result + before[at:]


def _secret(value: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "infra"},
        "stringData": {"password": value},
    }


def _objects(differ_blobs: dict[str, Any], *objects: dict[str, Any]) -> tuple[PlannedObject, ...]:
    found = []
    for obj in objects:
        differ_blobs[digest(obj)] = obj
        found.append(PlannedObject(ref_of(obj), digest(obj)))
    return tuple(found)


def test_data_of_a_secret_is_never_shown_but_its_change_is_told() -> None:
    """A pull request is read by more people than a cluster."""
    blobs: dict[str, Any] = {}
    before, after = _objects(blobs, _secret("hunter2")), _objects(blobs, _secret("correct horse"))

    (change,) = Differ(blobs).changes([("a@b", before, after)])

    assert change.diff == f"  # data of the Secret changed: {HIDDEN}\n"
    (new,) = Differ(blobs).changes([("a@b", None, after)])
    assert HIDDEN in new.diff
    assert "horse" not in new.diff + change.diff


def test_equal_pairs_are_compared_once_and_told_as_one() -> None:
    """A thousand clusters with one change are one entry."""
    blobs: dict[str, Any] = {}
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": value}}
        for value in ("1", "2")
    ]
    (before, after) = (_objects(blobs, one) for one in maps)
    differ = Differ(blobs)

    changes = differ.changes((f"c@{n}", before, after) for n in range(1000))

    assert differ.compared == 1
    assert [(change.verb, len(change.units)) for change in changes] == [("change", 1000)]
    assert changes[0].diff == (
        '@@ -3,4 +3,4 @@\n metadata:\n   name: c\n data:\n-  a: "1"\n+  a: "2"\n'
    )


def test_what_is_no_longer_rendered_is_told_and_equal_objects_are_not() -> None:
    """Leaving an object out deletes nothing: somebody has to know."""
    blobs: dict[str, Any] = {}
    one = _objects(blobs, _secret("x"))

    assert Differ(blobs).changes([("a@b", one, one)]) == ()
    assert [c.verb for c in Differ(blobs).changes([("a@b", one, ())])] == ["keep"]


def test_a_huge_change_is_told_by_its_size() -> None:
    """A generated file of a hundred thousand lines must not stop the plan."""
    said = unified([f"a{n}" for n in range(50_000)], [f"b{n}" for n in range(50_000)])

    assert said == "@@ 50000 lines become 50000 lines @@\n"
