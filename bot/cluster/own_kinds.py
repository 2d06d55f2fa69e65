"""Rows that a release repo adds for custom resources of its own, read from their JSON.

All mistakes are told at once. Never reads a file, and never guesses where a field lives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from bot.cluster.fields import Path
from bot.cluster.kinds import BUILT_IN, Gate, Rows, WorkloadKind, by_deletion
from bot.cluster.sharded_rows import sharded_row
from bot.model.plan import JSON

MEANS = {"keptOld": Gate.KEPT_OLD, "updated": Gate.UPDATED, "ordinalFloor": Gate.ORDINAL}
"""What the number in `partition` may mean."""

_FIELDS = frozenset(
    {
        "target",
        "counts",
        "replicas",
        "template",
        "strategy",
        "partition",
        "paused",
        "maxUnavailable",
        "minReadySeconds",
        "observedGeneration",
        "updateRevision",
        "updated",
        "ready",
        "podLabel",
        "onDelete",
        "shardedOperator",
    }
)


class RowError(ValueError):
    """A row that cannot be used; `problems` has every reason, each with the field it is about."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


def row_from(spec: Mapping[str, Any]) -> WorkloadKind:
    """The row that a `spec` describes, or RowError.

    Paths are texts with dots (`spec.updateStrategy.partition`) or lists of names. Its pods are
    known by `podLabel`, the label that holds their revision; without it `updated` and `ready`
    count them in the status.
    """
    read = _Reader(spec)
    api_version, kind = read.target()
    if spec.get("shardedOperator") is not None:
        if read.problems:
            raise RowError(read.problems)
        return sharded_row(api_version, kind, spec["shardedOperator"])
    gate, partition, open_value = read.partition()
    on_delete = read.flag("onDelete")
    replicas = read.path("replicas", needed=True)
    label = read.text("podLabel")
    updated, ready = read.path("updated"), read.path("ready")
    if not label and not (updated and ready):
        read.problems.append("podLabel: needed, or both updated and ready")
    revision = read.path("updateRevision")
    if label and revision is None:
        read.problems.append("updateRevision: needed to know which pods are new")
    if gate is Gate.ORDINAL and not label:
        read.problems.append("podLabel: needed, positions are read from the names of pods")
    if on_delete and not label:
        read.problems.append("podLabel: needed, pods are deleted one by one")
    observed = read.path("observedGeneration", needed=True)
    counts = read.one_of("counts", ("pods", "nodes"))
    template = read.path("template") or ("spec", "template")
    strategy = read.path("strategy") or ("spec", "updateStrategy")
    paused, limit = read.path("paused"), read.path("maxUnavailable")
    min_ready = read.path("minReadySeconds") or ("spec", "minReadySeconds")
    if read.problems:
        raise RowError(read.problems)
    assert replicas is not None
    assert observed is not None
    row = WorkloadKind(
        api_version=api_version,
        kind=kind,
        gate=gate,
        counts=counts,
        desired=(replicas,),
        revision=(revision,) if revision else (),
        revision_label=label,
        strategy=strategy,
        keeps_strategy=True,
        deletable=on_delete,
        replicas_default=None,
        partition=partition,
        open_value=open_value,
        paused=paused,
        max_unavailable=limit,
        template=template,
        observed=observed,
        min_ready=min_ready,
        updated_count=updated,
        ready_count=ready,
    )
    return by_deletion(row) if on_delete and gate is Gate.WHOLE else row


def with_rows(added: Iterable[WorkloadKind]) -> Rows:
    """The built-in rows and those of a release repo; RowError where two are of one kind."""
    rows = dict(BUILT_IN)
    problems = []
    for row in added:
        name = (row.api_version, row.kind)
        if name in rows:
            problems.append(f"target: {row.api_version} {row.kind} has a row already")
        rows[name] = row
    if problems:
        raise RowError(problems)
    return MappingProxyType(rows)


def rows_of(specs: Iterable[Mapping[str, Any]]) -> Rows:
    """The built-in rows with those that these specs describe."""
    added = [row_from(spec) for spec in specs]
    return with_rows(added) if added else BUILT_IN


class _Reader:
    """Reads one field after the other and keeps what is wrong with them."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self.spec = spec
        self.problems: list[str] = []
        for name in spec:
            self._known(str(name), _FIELDS, "")

    def _known(self, name: str, fields: Iterable[str], where: str) -> None:
        names = sorted(fields)
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f", did you mean {close[0]}?" if close else f" (one of {', '.join(names)})"
            self.problems.append(f"{where}{name}: unknown field{hint}")

    def target(self) -> tuple[str, str]:
        told = self.spec.get("target")
        if not isinstance(told, Mapping):
            self.problems.append("target: needed, an apiVersion and a kind")
            return "", ""
        for name in told:
            self._known(str(name), ("apiVersion", "kind"), "target.")
        names = [told.get(name) for name in ("apiVersion", "kind")]
        for name, value in zip(("apiVersion", "kind"), names, strict=True):
            if not isinstance(value, str) or not value:
                self.problems.append(f"target.{name}: needed, a text")
        return str(names[0]), str(names[1])

    def partition(self) -> tuple[Gate, Path | None, JSON]:
        """How it stops part-way, where the number is, and what it holds when all is open."""
        told = self.spec.get("partition")
        if told is None:
            return Gate.WHOLE, None, None
        if not isinstance(told, Mapping):
            self.problems.append("partition: a path and what it means: {path: …, means: …}")
            return Gate.WHOLE, None, None
        for name in told:
            self._known(str(name), ("path", "means", "open"), "partition.")
        path = self._read(told.get("path"), "partition.path", needed=True)
        means = told.get("means")
        gate = MEANS.get(means) if isinstance(means, str) else None
        if gate is None:
            self.problems.append(f"partition.means: {means!r} is none of {', '.join(MEANS)}")
            return Gate.WHOLE, path, None
        open_value = told.get("open", None if gate is Gate.UPDATED else 0)
        number = isinstance(open_value, int) and not isinstance(open_value, bool)
        if open_value is not None and not number and not isinstance(open_value, str):
            self.problems.append(f"partition.open: {open_value!r} is neither a number nor a text")
        return gate, path, open_value

    def path(self, name: str, *, needed: bool = False) -> Path | None:
        return self._read(self.spec.get(name), name, needed=needed)

    def _read(self, told: JSON, name: str, *, needed: bool) -> Path | None:
        if told is None:
            if needed:
                self.problems.append(f"{name}: needed, a path such as spec.replicas")
            return None
        parts = told.split(".") if isinstance(told, str) else told
        whole = isinstance(parts, list) and all(isinstance(p, str) and p for p in parts)
        if not whole or len(parts) < 2 or parts[0] not in ("spec", "status", "metadata"):
            self.problems.append(f"{name}: {told!r} is no path such as spec.replicas")
            return None
        return tuple(parts)

    def text(self, name: str) -> str:
        return self._checked(name, "", lambda value: isinstance(value, str), "a text")

    def flag(self, name: str) -> bool:
        value = self.spec.get(name, False)
        if not isinstance(value, bool):
            self.problems.append(f"{name}: {value!r} is neither true nor false")
        return value is True

    def one_of(self, name: str, values: tuple[str, ...]) -> str:
        return self._checked(name, values[0], lambda v: v in values, " or ".join(values))

    def _checked(self, name: str, default: str, good: Callable[[JSON], bool], wanted: str) -> str:
        value = self.spec.get(name, default)
        if good(value):
            return str(value)
        self.problems.append(f"{name}: {value!r} is not {wanted}")
        return default
