"""The row of a sharded operator, read from its JSON: what lint let through. Never reads a file."""

from __future__ import annotations

from typing import Any

from bot.cluster.kinds import Gate, Sharding, WorkloadKind
from release_repo_schema.models.sharded_operator import ShardedOperator


def sharded_row(api_version: str, kind: str, told: Any) -> WorkloadKind:
    """Namespaces are its members, and its version is a name in the object."""
    spec = ShardedOperator.model_validate(told)
    shards = spec.shards
    sharding = Sharding(
        namespaces=spec.namespaces.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        route=spec.list,
        keeps=spec.means == "keptOld",
        opened=spec.open,
        manager=spec.manager,
        resources=tuple((one.api_version, one.kind) for one in spec.resources),
        reconciled_by=spec.reconciled_by,
        shards=(shards.api_version, shards.kind) if shards else None,
        shard_labels=dict(shards.match_labels) if shards else {},
        identity=shards.identity if shards else (),
    )
    return WorkloadKind(
        api_version=api_version,
        kind=kind,
        gate=Gate.NAMESPACES,
        counts="namespaces",
        desired=(),
        revision=(),
        revision_label="",
        strategy=("spec",),
        template=spec.manager,
        sharding=sharding,
    )
