"""fleet: what the clusters have of what we own. Reads only.

Embedded clusters are read from their file; real ones are asked for the objects that we wrote there.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import GOOD, emit, note
from bot.cli.refusing import unknown_cluster

if TYPE_CHECKING:
    from bot.adapters.sqlite import SqliteStore
    from bot.app.routed import RoutedFleet
    from bot.model.plan import ObjectRef

AT_ONCE = 16
"""Clusters that are asked side by side."""


@click.command("fleet", cls=Verb, help="What the clusters run of what we own.")
@click.argument("cluster", required=False)
@pass_flags
def fleet(flags: Flags, cluster: str | None) -> int:
    from bot.core.messages_terminal import repo_unread
    from bot.failures import GitError, Unreachable

    looked: Any
    try:
        looked, links = _fleet_of_main(flags)
    except (GitError, Unreachable) as gone:
        from bot.app.opening import fleet_as_kept

        kept = fleet_as_kept(flags.settings.db) if flags.ref is None else None
        if kept is None:
            raise
        looked, links = kept[0], {name: {"simulated": {}} for name in kept[1]}
        note(repo_unread(gone.why))
    with closing(looked):
        if cluster is not None and cluster not in links:
            raise unknown_cluster(cluster, links)
        asked = {name: link for name, link in links.items() if cluster in (None, name)}
        known = ours(flags) if any(map(is_real, asked.values())) else {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            look = partial(_cluster, looked, known)
            found = list(pool.map(look, asked, asked.values()))
    emit({"clusters": found}, "\n".join(map(_cluster_text, found)), as_json=flags.json)
    return GOOD


def _fleet_of_main(flags: Flags) -> tuple[RoutedFleet, dict[str, Any]]:
    """The clusters of main, and how it says that each is reached."""
    from bot.app.opening import fleet_for_looking, git_host
    from bot.reconciler.rules import connections
    from release_repo_schema.load import load_repo

    with git_host(flags.settings) as git:
        links = connections(load_repo(git.tree(flags.ref or _processed(flags) or "main")))
    looked = fleet_for_looking(flags.settings, links)
    return looked, {one.cluster: one.connection for one in links}


def ours(flags: Flags) -> dict[str, list[ObjectRef]]:
    """Cluster → the objects that the store knows to be ours there."""
    if flags.store is None:
        return {}
    from bot.app.opening import reader
    from bot.model.plan import ObjectRef
    from bot.model.state import Applied, Intent

    found: dict[str, set[ObjectRef]] = {}
    with reader(flags.store) as store:
        rows = [
            (row.unit, ObjectRef(*key.rsplit("/", 3)))
            for row in store.rows(Applied)
            for key in row.objects
        ]
        rows += [(intent.unit, intent.ref) for intent in store.rows(Intent, live=True)]
    for unit, ref in rows:
        found.setdefault(unit.partition("@")[2].partition("/")[0], set()).add(ref)
    return {cluster: sorted(refs) for cluster, refs in found.items()}


def is_real(connection: Any) -> bool:
    """Whether a cluster is reached over the network."""
    return "simulated" not in (connection or {})


def _processed(flags: Flags) -> str | None:
    """The main that the bot goes by; its clusters are those that were written to."""
    if flags.store is None:
        return None
    from bot.app.opening import reader
    from bot.reconciler.noticing import GOOD as RULES
    from bot.reconciler.noticing import MAIN

    store: SqliteStore
    with reader(flags.store) as store:
        return store.mark(RULES) or store.mark(MAIN)


def _cluster(
    looked: Any, ours: dict[str, list[ObjectRef]], name: str, connection: Any
) -> dict[str, Any]:
    if is_real(connection):
        return _real(looked, ours.get(name, []), name)
    return {
        "cluster": name,
        "reachable": looked.reachable(name),
        "objects": list(looked.objects(name)),
        "writes": looked.writes(name),
    }


def _real(looked: Any, ours: list[ObjectRef], name: str) -> dict[str, Any]:
    """What a real cluster has of the objects that we wrote there; data of a Secret is not told."""
    from bot.ports import PortError

    found: dict[str, Any] = {"cluster": name, "reachable": True, "objects": []}
    try:
        looked.uid(name)
        lives = [looked.get(name, ref) for ref in ours if ref.kind not in ("Pod", "Webhook")]
    except PortError as error:
        return {**found, "reachable": False, "why": error.why}
    hidden = ("data", "stringData")
    found["objects"] = [
        {key: value for key, value in live.items() if live["kind"] != "Secret" or key not in hidden}
        for live in lives
        if live is not None
    ]
    return found


def _cluster_text(found: dict[str, Any]) -> str:
    why = f" ({found['why']})" if found.get("why") else ""
    head = f"{found['cluster']}: {'reachable' if found['reachable'] else 'not reachable'}{why}"
    rows = [f"  {_object(one)}" for one in found["objects"]] or ["  nothing of ours"]
    writes = found.get("writes")
    from bot.core.messages_words import many

    received = [f"  {many(len(writes), 'write')} received"] if writes else []
    return "\n".join([head, *rows, *received])


def _object(obj: Any) -> str:
    metadata, status = obj.get("metadata", {}), obj.get("status") or {}
    where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    spec = obj.get("spec") or {}
    template = spec.get("template")
    pods = template.get("spec") if isinstance(template, dict) else None
    containers = pods.get("containers") if isinstance(pods, dict) else None
    images = ", ".join(str(one.get("image")) for one in containers or [])
    images = images or str(spec.get("version", ""))
    counts = [key for key in _COUNTS if key in status]
    counts = counts or sorted(key for key, value in status.items() if _is_count(key, value))
    told = " ".join(f"{key}={status[key]}" for key in counts)
    return " ".join(
        part for part in (obj["kind"], f"{where}{metadata['name']}", images, told) if part
    )


_COUNTS = (
    "updatedReplicas",
    "readyReplicas",
    "replicas",
    "updatedNumberScheduled",
    "numberReady",
    "desiredNumberScheduled",
    "updatedReadyNodes",
    "readyNodes",
    "desiredNodes",
)


def _is_count(key: str, value: Any) -> bool:
    """Whether it counts pods or nodes: custom resources name theirs as they like."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and key not in ("observedGeneration", "collisionCount")


VERBS = {"fleet": fleet}
