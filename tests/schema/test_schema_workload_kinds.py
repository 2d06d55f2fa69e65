"""Rows that a release repo adds: what is sound, what is refused, what a release may not bring."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.kinds import BUILT_IN
from bot.cluster.own_kinds import row_from, with_rows
from release_repo_schema.layout import HOMES
from release_repo_schema.models import BUILT_IN_KINDS
from release_repo_schema.tree import FOLDERS
from tests.schema.corpus_kinds import KINDS, SHARDED, WIDGET, changed, row, sharded
from tests.schema.repos import codes, problems, repo
from tests.schema.test_schema_change import NEW

SOUND_ROWS = {
    "known by its pods": row(),
    "known by its status": row(
        WIDGET.replace(
            "podLabel: controller-revision-hash", "updated: status.updated\nready: status.ready"
        )
    ),
    "by deletion": row(
        WIDGET.replace("partition: {path: spec.partition, means: keptOld}", "onDelete: true")
    ),
    "counts nodes": changed("replicas: spec.replicas", "replicas: status.nodes\ncounts: nodes"),
    "positions": changed("keptOld", "ordinalFloor"),
    "all at once": changed("partition: {path: spec.partition, means: keptOld}\n", ""),
    "an open gate that is a text": changed("means: keptOld", 'means: updated, open: "100%"'),
    "a sharded operator": row(SHARDED),
    "a sharded operator by the moved ones": sharded("keptOld", "updated"),
    "a name with dots": changed("spec.paused", '[spec, "example.com/roll", paused]'),
    "another version of the same kind": {
        **row(),
        **row(WIDGET.replace("example.com/v1", "example.com/v2"), name="widget-2"),
    },
}


@pytest.mark.parametrize("name", SOUND_ROWS)
def test_a_sound_row_is_a_row_of_the_engine(name: str) -> None:
    """What lint lets through is never refused later: then it would be too late to mend."""
    changes = SOUND_ROWS[name]
    assert problems(changes) == []
    found = repo(changes).workload_kinds
    rows = with_rows(row_from(kind.row()) for kind in found.values())
    assert len(rows) == len(BUILT_IN) + len(changes)


def test_what_is_built_in_is_the_same_list_twice() -> None:
    """Lint knows no engine; a kind that became built in must be refused as a row from then on."""
    assert set(BUILT_IN) == BUILT_IN_KINDS


@pytest.mark.parametrize("name", KINDS)
def test_what_the_engine_would_refuse_is_told_at_lint(name: str) -> None:
    """With file and line, before anything is merged."""
    found = problems(KINDS[name])
    assert [f for f in found if f.level == "error"]
    assert all(f.line is not None for f in found)


def test_every_place_of_the_layout_is_read() -> None:
    """A folder that the loader passes by would be accepted and ignored."""
    assert {home.partition("/")[0] for home in HOMES.values() if "/" in home} == FOLDERS


def test_a_release_may_not_bring_the_row_that_moves_it() -> None:
    """A row says how large a batch really is: whoever judges the release must have it before."""
    found = problems({**NEW, **row()}, base=repo())
    assert codes(found) == ["release-with-rules"]
    assert "the workload kind widget" in found[0].message
    assert codes(problems(row(), base=repo())) == []


PATHS = ("spec.replicas", "spec.roll.number", "spec.template", "status.seen", "status.changed",
         "status", "paused", ["spec", "a.b/c"], ["status", "x"])  # fmt: skip
FIELDS = ("replicas", "template", "strategy", "paused", "maxUnavailable", "minReadySeconds",
          "observedGeneration", "updateRevision", "updated", "ready")  # fmt: skip


@given(
    paths=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(PATHS)),
    partition=st.none() | st.fixed_dictionaries(
        {"path": st.sampled_from(PATHS), "means": st.sampled_from(["keptOld", "updated",
                                                                   "ordinalFloor", "new"])},
        optional={"open": st.sampled_from([0, 5, "100%"])}),
    label=st.sampled_from([None, "revision"]),
    flags=st.fixed_dictionaries({}, optional={"onDelete": st.booleans(),
                                              "counts": st.sampled_from(["pods", "nodes"])}),
)  # fmt: skip
def test_whatever_passes_lint_is_a_row(
    paths: dict[str, Any], partition: Any, label: str | None, flags: dict[str, Any]
) -> None:
    """Else a merged row would be passed over in silence, and its objects refused for another."""
    spec = {"target": {"apiVersion": "example.com/v1", "kind": "Widget"}, **paths, **flags}
    spec |= {"partition": partition} if partition else {}
    spec |= {"podLabel": label} if label else {}
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in spec.items())
    files = row(lines)
    if not problems(files):
        (kind,) = repo(files).workload_kinds.values()
        assert row_from(kind.row()).kind == "Widget"
