"""Whether what a component renders fits the row of a sharded operator. Pure; words are said apart.

A slip here would move nothing and be taken for done: it is refused by the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.cluster.fields import at
from bot.cluster.kinds import Sharding
from bot.cluster.members import labels_of
from bot.cluster.sharding import reach, version_of
from bot.core import messages_sharded as say
from bot.model.plan import JSON


def sharded_problems(
    sharding: Sharding, router: JSON, objects: Iterable[JSON], version: str | None
) -> Iterator[tuple[str, str]]:
    """(field of the row, what is wrong with the rendered objects), all of them."""
    manager = version_of(sharding, router)
    where = ".".join(sharding.manager)
    if not manager:
        yield "manager", say.no_manager(where)
    elif version is not None and version not in manager:
        yield "manager", say.manager_without_version(manager, where, version)
    if not isinstance(reach(router, sharding.route), list):
        yield "list", say.no_list(".".join(map(str, sharding.route)))
    if sharding.shards is not None and manager and not _runs(sharding, router, objects, manager):
        yield "shards", say.no_shard(sharding.shards[1], ".".join(sharding.identity), manager)


def _runs(sharding: Sharding, router: JSON, objects: Iterable[JSON], manager: str) -> bool:
    """Whether some rendered workload is the version that the object routes to."""
    namespace = at(router, ("metadata", "namespace"), "")
    return any(
        (obj.get("apiVersion"), obj.get("kind")) == sharding.shards
        and at(obj, ("metadata", "namespace"), "") == namespace
        and sharding.shard_labels.items() <= labels_of(obj).items()
        and str(at(obj, sharding.identity) or "") == manager
        for obj in objects
    )
