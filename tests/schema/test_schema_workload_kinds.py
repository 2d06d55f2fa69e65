"""Rows that a release repo adds: what is sound, what is refused, what a release may not bring."""

from __future__ import annotations

import pytest

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
