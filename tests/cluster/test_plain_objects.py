"""Objects without any status: applied, compared, taken back, and who else writes into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.cluster.drive import Mode, drive
from bot.ports import Conflict
from tests.cluster.api import Object
from tests.cluster.control_plane import Cluster
from tests.cluster.definitions import define
from tests.cluster.driven import COUNT, Driven

KINDS: dict[str, tuple[str, str]] = {
    "ConfigMap": ("v1", "data"),
    "Secret": ("v1", "stringData"),
    "Setting": ("example.com/v1", "spec"),
}


class Plain(Driven):
    """An object of that kind, which says version 1 and is to say version 2."""

    def __init__(self, cluster: Cluster, namespace: str, kind: str, **changed: Any) -> None:
        api, self.field = KINDS[kind]
        self.kept = "data" if kind == "Secret" else self.field
        old = {"version": "1", "old": "only"}
        super().__init__(
            cluster,
            self.object(api, kind, namespace, old),
            self.object(api, kind, namespace, {"version": "2", "new": "only"}),
            **changed,
        )

    def object(self, api: str, kind: str, namespace: str, values: dict[str, str]) -> Object:
        meta = {"name": "agent", "namespace": namespace}
        return {"apiVersion": api, "kind": kind, "metadata": meta, self.field: values}

    def values(self) -> dict[str, str]:
        found: dict[str, str] = self.live()[self.kept]
        return found

    def counts(self) -> dict[str, int]:
        return {"1": COUNT}

    def version(self, obj: Object) -> str:
        return "1"

    def pods(self) -> list[Object]:
        return []

    def apply_as(self, manager: str, **values: str) -> None:
        """Somebody's server-side apply, by force."""
        ref = self.ref
        theirs = self.object(ref.api_version, ref.kind, ref.namespace, dict(values))
        self.cluster.api.apply(theirs, manager=manager)


Release = Callable[..., Plain]


@pytest.fixture
def release(cluster: Cluster, namespace: str) -> Iterator[Release]:
    """`release("ConfigMap")`: it says version 1."""
    define(cluster, "Setting", "example.com/v1")
    made: list[Plain] = []

    def make(kind: str, **changed: Any) -> Plain:
        made.append(Plain(cluster, namespace, kind, **changed))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.parametrize("kind", ["ConfigMap", "Setting"])
def test_it_is_applied_once_among_others_and_taken_back(release: Release, kind: str) -> None:
    """What others keep in it stays theirs; who takes over what is ours is named, and gives it
    back; a write on a stale look does not happen."""
    unit = release(kind)
    unit.apply_as("gitops", theirs="x")
    assert unit.forward(COUNT, seconds=5).converged
    assert unit.values() == {"version": "2", "new": "only", "theirs": "x"}
    assert len(unit.sent) == 1
    unit.apply_as("gitops", theirs="x", version="9")
    goal = unit.goal(Mode.FORWARD, COUNT)
    (write,) = drive(goal, unit.look(), unit.since).writes
    (told,) = unit.fleet.dry_run(unit.cluster.name, write, fence="1.9")
    assert told == f"{unit.field}.version was set by gitops, and is ours now"
    unit.apply_as("gitops", theirs="y", version="9")
    with pytest.raises(Conflict):
        unit.fleet.write(unit.cluster.name, write, fence="1.9")
    assert unit.run(goal, 5).converged
    assert unit.values() == {"version": "2", "new": "only", "theirs": "y"}
    assert unit.restore(seconds=5).converged
    assert unit.values() == {"version": "1", "old": "only", "theirs": "y"}


def test_what_was_found_comes_back_and_what_was_made_goes_on_request(release: Release) -> None:
    """Nobody had applied it before: its baseline is what stood there. One that this release made
    stays, but where a person said that installs are undone."""
    unit = release("ConfigMap", applied=False)
    assert unit.forward(COUNT, seconds=5).converged
    assert unit.restore(seconds=5).converged
    assert unit.values() == {"version": "1", "old": "only"}
    unit.cluster.api.delete("ConfigMap", "agent", unit.namespace)
    unit.last, unit.before = {}, {unit.ref.key: None}
    assert unit.forward(COUNT, seconds=5).converged
    assert unit.restore(seconds=5).converged
    assert unit.values() == {"version": "2", "new": "only"}
    assert unit.run(unit.goal(Mode.RESTORE, undo_installs=True), 5).converged
    assert unit.look().objects[unit.ref.key].live is None


def test_what_the_server_keeps_under_another_name_is_written_once(release: Release) -> None:
    """`stringData` of a Secret is gone after the write: a batch must end all the same."""
    unit = release("Secret")
    assert unit.forward(COUNT, seconds=5).converged
    assert unit.values()["version"] == "Mg=="
    assert len(unit.sent) == 1
