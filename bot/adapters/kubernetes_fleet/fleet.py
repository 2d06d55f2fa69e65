"""The `Fleet` port on real API servers: one client a cluster, kept. Decides nothing.

Opens no connection before it is asked something, and none that main does not name.
"""

from __future__ import annotations

import os
import resource
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import RLock

from bot.adapters.kubernetes_fleet import owned, writing
from bot.adapters.kubernetes_fleet.client import Client, Patience
from bot.adapters.kubernetes_fleet.credentials import Credentials
from bot.adapters.kubernetes_fleet.examining import Examined, examined
from bot.adapters.kubernetes_fleet.exec_plugin import SECONDS, run_plugin
from bot.adapters.kubernetes_fleet.kubeconfig import Access, in_cluster, kubeconfig
from bot.adapters.kubernetes_fleet.ownership import taken
from bot.adapters.kubernetes_fleet.server import Server, by_place
from bot.adapters.kubernetes_fleet.writing import Version
from bot.failures import PortError, Refused, Unreachable
from bot.model.effects import Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Clock, Connection

REMEMBERED = 2048
"""Versions of objects that are kept in mind between a look and the write that follows it."""
FEWEST_OPEN = 64
"""Clusters whose connections stay open, however few files the system gives us."""


class KubernetesFleet:
    """`folder`: SLUICE_KUBECONFIG_DIR. `account`: where a pod's service account lies."""

    def __init__(
        self,
        clock: Clock,
        folder: str | None,
        *,
        environment: Mapping[str, str] | None = None,
        patience: Patience | None = None,
        plugin_seconds: float = SECONDS,
        account: Path | None = None,
    ) -> None:
        self._clock, self._folder, self._account = clock, folder, account
        self._environment = dict(os.environ if environment is None else environment)
        self._patience, self._plugin_seconds = patience or Patience(), plugin_seconds
        self._links: dict[str, JSON] = {}
        self._workloads: dict[str, frozenset[tuple[str, str]]] = {}
        self._servers: dict[str, Server] = {}
        self._uids: dict[str, str] = {}
        """Cluster → who it was when it was asked last."""
        self._names: dict[str, dict[str, None]] = {}
        """The same turned: who → the clusters that were it, in the order in which they said so."""
        self._seen: OrderedDict[tuple[str, ObjectRef], Version] = OrderedDict()
        self._lock = RLock()
        # A connection is a file to the system; what else we open must find room beside them.
        self._most_open = max(FEWEST_OPEN, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)

    # -- the port

    def connect(self, connections: Iterable[Connection]) -> None:
        with self._lock:
            links = list(connections)
            before, self._links = self._links, {c.cluster: c.connection for c in links}
            self._workloads = {c.cluster: c.workloads for c in links}
            for cluster in [*self._servers]:
                if self._links.get(cluster) != before.get(cluster):
                    self._servers.pop(cluster).client.close()
                    self._known_as(cluster, "")
            for key in [key for key in self._seen if key[0] not in self._servers]:
                del self._seen[key]

    def uid(self, cluster: str) -> str:
        """Two names for one cluster are refused: their units would not wait for each other."""
        uid = self._server(cluster).uid()
        with self._lock:
            self._known_as(cluster, uid)
            same = [name for name in self._names[uid] if name != cluster]
        if same:
            why = f"is the same cluster as {same[0]}: one of the connections points elsewhere"
            raise Unreachable(f"{cluster}: {why}")
        return uid

    def get(self, cluster: str, ref: ObjectRef) -> JSON | None:
        live = self._server(cluster).get(ref)
        self._remember(cluster, ref, live)
        return live

    def children(self, cluster: str, owner: JSON) -> tuple[JSON, ...]:
        own = self._workloads.get(cluster, frozenset())
        return owned.children(self._server(cluster), owner, own)

    def nodes(self, cluster: str) -> tuple[JSON, ...]:
        return by_place(self._server(cluster).listed("v1", "Node"))

    def every(self, cluster: str, api_version: str, kind: str) -> tuple[JSON, ...]:
        return by_place(self._server(cluster).listed(api_version, kind))

    def write(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> JSON | None:
        server, key = self._server(cluster), (cluster, write.ref)
        server.same()
        with self._lock:
            # Known for one write only: after it, whatever came of it, the object is another.
            seen = self._seen.pop(key, None)
        match write.verb:
            case "create":
                made = writing.create(server, write, fence=fence, manager=manager).body
            case "patch":
                made = writing.patch(server, write, seen, fence=fence, manager=manager)[0].body
            case "delete":
                writing.delete(server, write, seen, fence=fence)
                return None
            case verb:
                raise Refused(f"{server.what(write.ref)}: unknown verb {verb!r}")
        self._remember(cluster, write.ref, made)
        return made

    def dry_run(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> tuple[str, ...]:
        server = self._server(cluster)
        server.same()
        if write.verb == "create":
            answer = writing.create(server, write, fence=fence, manager=manager, dry=True)
            return answer.warnings
        with self._lock:
            seen = self._seen.get((cluster, write.ref))
        answer, before = writing.patch(server, write, seen, fence=fence, manager=manager, dry=True)
        after = (answer.body.get("metadata") or {}).get("managedFields") or ()
        return (*answer.warnings, *taken(before.managed, after, manager))

    # -- beside the port

    def reachable(self, cluster: str) -> bool:
        """Whether it answers now."""
        try:
            self._server(cluster).uid(afresh=True)
        except PortError:
            return False
        return True

    def examine(self, cluster: str, namespaces: Iterable[str] = ()) -> Examined:
        """Everything about the connection that a person would want to know before a release."""
        return examined(self._server(cluster), self._now, tuple(namespaces))

    def close(self) -> None:
        with self._lock:
            for server in self._servers.values():
                server.client.close()
            self._servers.clear()

    # -- inside

    def _server(self, cluster: str) -> Server:
        with self._lock:
            found = self._servers.get(cluster)
            if found is None:
                if cluster not in self._links:
                    raise Unreachable(f"{cluster}: no such cluster")
                found = self._servers[cluster] = self._made(cluster, self._links[cluster] or {})
            if not found.client.open:
                self._make_room()
            return found

    def _made(self, cluster: str, link: JSON) -> Server:
        client = Client(
            cluster,
            self._reader(cluster, link),
            partial(self._credentials, cluster),
            self._patience,
        )
        return Server(cluster, client)

    def _reader(self, cluster: str, link: JSON) -> Callable[[], Access]:
        if "inCluster" in link:
            return partial(in_cluster, cluster, self._environment, self._account)
        if "kubeconfig" in link:
            name = str((link["kubeconfig"] or {}).get("name", ""))
            return partial(kubeconfig, cluster, name, self._folder)
        raise Unreachable(f"{cluster}: neither a kubeconfig nor inCluster")

    def _credentials(self, cluster: str, access: Access) -> Credentials:
        environment, seconds = self._environment, self._plugin_seconds
        return Credentials(
            cluster,
            access,
            lambda plugin: run_plugin(cluster, plugin, environment, seconds),
            self._now,
        )

    def _known_as(self, cluster: str, uid: str) -> None:
        """Remember who a cluster is; "": it is not connected any more."""
        before = self._uids.get(cluster, "")
        if before == uid:
            return
        if before:
            del self._names[before][cluster]
            if not self._names[before]:
                del self._names[before]
            del self._uids[cluster]
        if uid:
            self._uids[cluster] = uid
            self._names.setdefault(uid, {})[cluster] = None

    def _now(self) -> datetime:
        return self._clock.now().astimezone(UTC)

    def _make_room(self) -> None:
        """Close the connections that were used longest ago, where there are too many."""
        if len(self._servers) <= self._most_open:
            return
        used = [one.client for one in self._servers.values() if one.client.open]
        if len(used) >= self._most_open:
            min(used, key=lambda client: client.used).put_down()

    def _remember(self, cluster: str, ref: ObjectRef, live: JSON | None) -> None:
        with self._lock:
            self._seen.pop((cluster, ref), None)
            if live is None or ref.kind == "Pod":
                return
            self._seen[cluster, ref] = Version.of(live)
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
