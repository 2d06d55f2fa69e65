"""One cluster as the port's questions need it: paths, pages, identity, kinds that are its own.

Reads only. Every list is read in pages, by the narrowest selector there is.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping

from bot.adapters.kubernetes_fleet.answers import Answer, error_of, kind_is_missing
from bot.adapters.kubernetes_fleet.client import Call, Client
from bot.adapters.kubernetes_fleet.paths import (
    KNOWN,
    Kind,
    Resource,
    collection,
    group_path,
    item,
    learned,
)
from bot.failures import Refused, Unreachable
from bot.model.plan import JSON, ObjectRef

PAGE = 500
"""Objects of one page of a list."""
MOST_PAGES = 400
REVISIONS_OF = 64
"""Workloads of one cluster whose revisions are kept in mind."""
KNOWN_FOR = 60.0
"""Seconds for which an identity is believed without asking again."""
GONE = 410
_IDENTITY = ObjectRef("v1", "Namespace", "", "kube-system")
_KINDS: dict[tuple[str, str, Resource], Resource] = {}
"""What clusters have learned of custom resources, each once: a thousand clusters know the same."""


class Server:
    """Asks one cluster through its client."""

    def __init__(self, cluster: str, client: Client) -> None:
        self.cluster, self.client = cluster, client
        self._own: dict[Kind, Resource] = {}
        self._uid, self._uid_until, self._reading = "", 0.0, 0
        self._revisions: OrderedDict[str, tuple[str, tuple[JSON, ...]]] = OrderedDict()
        """Workload → by what they are known, and its ControllerRevisions."""
        self._flows: frozenset[str] = frozenset()
        self._strange: frozenset[str] = frozenset()
        """Flow schemas that answered since the identity was asked for, and were not known then."""

    # -- who it is

    def uid(self, *, afresh: bool = False) -> str:
        """The identity, asked for again after a while, and at once when a stranger seems to answer.

        Every answer of an API server names the flow schema that took it, by a UID that no other
        cluster has: a new one may mean that another cluster answers at this address.
        """
        reading = self.client.reading()
        known = self._uid and not self._strange and reading == self._reading
        if known and not afresh and time.monotonic() < self._uid_until:
            return self._uid
        if reading != self._reading:
            self._own.clear()
            self._revisions.clear()
        live = self.get(_IDENTITY)
        if live is None:
            raise Unreachable(f"{self.cluster}: it has no namespace kube-system to know it by")
        uid = str(live["metadata"]["uid"])
        self._flows = self._flows | self._strange if uid == self._uid else self._strange
        self._strange = frozenset()
        self._uid, self._reading, self._uid_until = uid, reading, time.monotonic() + KNOWN_FOR
        return uid

    def same(self) -> None:
        """Before a write: the cluster that answers is still the one that was looked at."""
        before = self._uid
        doubt = bool(self._strange) or self.client.reading() != self._reading
        if before and doubt and self.uid() != before:
            raise Unreachable(f"{self.cluster}: another cluster answers at its address")

    # -- asking

    def ask(self, call: Call) -> Answer:
        answer = self.client.ask(call)
        if answer.flow and answer.flow not in self._flows:
            self._strange |= {answer.flow}
        return answer

    def good(self, call: Call) -> Answer:
        answer = self.ask(call)
        if not answer.good:
            raise error_of(answer, call.what, writes=call.writes)
        return answer

    def get(self, ref: ObjectRef) -> JSON | None:
        resource = self.resource(ref.api_version, ref.kind)
        if resource is None:
            return None
        what = self.what(ref)
        answer = self.ask(Call(method="GET", path=item(resource, ref), what=what))
        if answer.status == 404:
            if kind_is_missing(answer):
                self._own.pop((ref.api_version, ref.kind), None)
            return None
        if not answer.good:
            raise error_of(answer, what, writes=False)
        return _object(answer.body, what)

    def listed(
        self, api_version: str, kind: str, namespace: str = "", **selectors: str
    ) -> tuple[JSON, ...]:
        """The objects of a kind that the selectors choose; () where there is no such kind."""
        resource = self.resource(api_version, kind)
        if resource is None:
            return ()
        path = collection(resource, api_version, namespace)
        for _ in range(3):
            found = self._pages(path, f"{self.cluster}: {kind} objects", selectors)
            if found is not None:
                shown = {"apiVersion": api_version, "kind": kind}
                return tuple({**shown, **one} for one in found)
        raise Unreachable(f"{self.cluster}: {kind} objects change faster than they can be listed")

    def _pages(self, path: str, what: str, selectors: Mapping[str, str]) -> list[JSON] | None:
        """All pages; None when the list ran out while it was read and must begin anew."""
        found: list[JSON] = []
        further = ""
        for _ in range(MOST_PAGES):
            query: dict[str, str | int] = {"limit": PAGE, **selectors}
            if further:
                query["continue"] = further
            answer = self.ask(Call(method="GET", path=path, what=what, query=query))
            if answer.status == GONE and further:
                return None
            if kind_is_missing(answer):
                return []
            if not answer.good:
                raise error_of(answer, what, writes=False)
            body = answer.body
            if not isinstance(body, dict) or not isinstance(body.get("items") or [], list):
                raise Unreachable(f"{what}: the answer is no list of a Kubernetes API")
            found += body.get("items") or []
            further = str((body.get("metadata") or {}).get("continue") or "")
            if not further:
                return found
        raise Refused(f"{what}: more than {MOST_PAGES * PAGE}")

    # -- kinds

    def resource(self, api_version: str, kind: str, *, asked: bool = False) -> Resource | None:
        """How the API calls a kind; None: this cluster does not serve it (now). `asked`: by what
        it says itself, whatever every cluster should have.
        """
        known = KNOWN.get((api_version, kind)) or self._own.get((api_version, kind))
        if known is not None and not asked:
            return known
        what = f"{self.cluster}: kinds of {api_version}"
        answer = self.ask(Call(method="GET", path=group_path(api_version), what=what))
        if answer.status == 404:
            return None
        if not answer.good:
            raise error_of(answer, what, writes=False)
        for name, found in learned(answer.body).items():
            one = _KINDS.setdefault((api_version, name, found), found)
            if name == kind:
                self._own[api_version, name] = one
        return self._own.get((api_version, kind))

    def served(self, ref: ObjectRef) -> Resource:
        """The same for a write. Refused where the kind is missing."""
        found = self.resource(ref.api_version, ref.kind)
        if found is None:
            raise self.not_served(ref)
        return found

    def not_served(self, ref: ObjectRef) -> Refused:
        """That a kind is missing, with the versions of its group that have it."""
        group = ref.api_version.rpartition("/")[0]
        why = f"{self.what(ref)}: the cluster serves no {ref.kind} of {ref.api_version}"
        there = self._versions(group) if group else ()
        if not there:
            return Refused(f"{why}: its CustomResourceDefinition is missing")
        having = [one for one in there if self.resource(one, ref.kind, asked=True) is not None]
        if having:
            return Refused(f"{why}, but that of {', '.join(having)}")
        if ref.api_version in there:
            return Refused(f"{why}: its CustomResourceDefinition is missing")
        return Refused(f"{why}: of this group it serves {', '.join(there)}")

    def _versions(self, group: str) -> tuple[str, ...]:
        answer = self.ask(
            Call(method="GET", path=f"/apis/{group}", what=f"{self.cluster}: {group}")
        )
        found = (answer.body or {}).get("versions") if answer.good else None
        named = found if isinstance(found, list) else ()
        return tuple(str(one.get("groupVersion")) for one in named)

    def revisions(self, uid: str, mark: str) -> tuple[JSON, ...] | None:
        """A workload's ControllerRevisions, where they must be what they were."""
        kept = self._revisions.get(uid)
        return kept[1] if kept is not None and mark and kept[0] == mark else None

    def keep_revisions(self, uid: str, mark: str, found: tuple[JSON, ...]) -> None:
        self._revisions[uid] = (mark, found)
        self._revisions.move_to_end(uid)
        while len(self._revisions) > REVISIONS_OF:
            self._revisions.popitem(last=False)

    def what(self, ref: ObjectRef) -> str:
        return f"{self.cluster}: {ref.short}"


def _object(body: JSON, what: str) -> JSON:
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        raise Unreachable(f"{what}: the answer is no object of a Kubernetes API")
    return body


def by_place(objects: tuple[JSON, ...]) -> tuple[JSON, ...]:
    """In the order of namespace and name."""
    return tuple(sorted(objects, key=_place))


def _place(obj: JSON) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def owned_by(uids: frozenset[str], objects: tuple[JSON, ...]) -> Iterator[JSON]:
    """Those that name one of these as their owner."""
    for obj in objects:
        owners = obj["metadata"].get("ownerReferences") or ()
        if any(owner.get("uid") in uids for owner in owners):
            yield obj
