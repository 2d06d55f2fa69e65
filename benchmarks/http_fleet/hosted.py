"""One cluster behind an HTTP API: a request on one of its resources → an answer.

What is decided is decided by the embedded cluster; here it is only put into the words of HTTP.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from benchmarks.http_fleet import answers
from benchmarks.http_fleet.answers import Answer
from benchmarks.http_fleet.resources import SERVED, Resource, defined
from benchmarks.http_fleet.selectors import chosen_by
from bot.adapters.simulated.cluster import Cluster
from bot.adapters.simulated.pods import uid_of
from bot.model.effects import PatchType, Purpose, Write
from bot.model.plan import ObjectRef
from bot.ports import Conflict, Refused

PATCHES = {
    "application/merge-patch+json": PatchType.MERGE,
    "application/strategic-merge-patch+json": PatchType.STRATEGIC,
    "application/json-patch+json": PatchType.JSON,
}
CRDS = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
BY_SERVER = frozenset({"Pod", "ReplicaSet", "ControllerRevision", "Node"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request below a cluster's base path."""

    method: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: dict[str, str] = field(default_factory=dict)
    content_type: str = ""
    body: bytes = b""

    @property
    def dry(self) -> bool:
        return self.query.get("dryRun") == "All"

    @property
    def ref(self) -> ObjectRef:
        one = self.resource
        return ObjectRef(one.api_version, one.kind, self.namespace, self.name)


class Hosted:
    """A cluster, what it serves, and what it lets nobody do."""

    def __init__(self, name: str, simulated: Any, now: float) -> None:
        self.cluster = Cluster(name, int(now))
        self.token: str | None = None
        """Whoever has another one is not known; None lets everybody in."""
        self.denied: set[tuple[str, str]] = set()
        """(verb, plural): rights that are missing; `*` is any."""
        self.warnings: list[str] = []
        self.flow = f"X-Kubernetes-Pf-Flowschema-Uid: {uid_of(self.cluster.uid, 'flow')}\r\n"
        """A real server says with every answer by which of its rules it took the request."""
        self._defined: tuple[int, dict[tuple[str, str, str], Resource]] = (-1, {})
        self.configure(simulated, now)

    def configure(self, simulated: Any, now: float) -> None:
        t = int(now)
        self.cluster.runs_controllers(list(simulated.get("workloadKinds") or ()), t)
        faults = list(simulated.get("faults") or ())
        self.cluster.resize(int(simulated.get("nodes", 3)), faults, t, simulated.get("nodeLabels"))

    def seed(self, objects: Iterable[Any], now: float, manager: str = "kubectl") -> None:
        """Objects that stood for an hour."""
        for obj in objects:
            metadata = obj["metadata"]
            place = (metadata.get("namespace", ""), metadata["name"])
            ref = ObjectRef(obj["apiVersion"], obj["kind"], *place)
            write = Write(ref=ref, verb="create", purpose=Purpose.FORWARD, body=obj)
            self.cluster.write(write, int(now) - 3600, fence="", manager=manager)
        self.cluster.advance(int(now))

    def served(self) -> dict[tuple[str, str, str], Resource]:
        """What its definitions add to the kinds that all serve; theirs come first."""
        stamp = self.cluster.version
        if self._defined[0] != stamp:
            crds = [o for a, o in self.cluster.plain.items() if a[1] == CRDS[1]]
            self._defined = (stamp, defined(crds, self.cluster.kinds))
        return self._defined[1]

    def resource(self, group: str, version: str, plural: str) -> Resource | None:
        key = (group, version, plural)
        return SERVED.get(key) or self.served().get(key)

    def all_resources(self) -> list[Resource]:
        return [*SERVED.values(), *self.served().values()]

    # -- one request

    def answer(self, asked: Asked, now: float) -> Answer:
        """What the API server says. A write that is answered with an error changed nothing."""
        try:
            self._allow(asked)
            self.cluster.advance(int(now))
            if asked.subresource:
                raise answers.no_such_path()
            match asked.method:
                case "GET":
                    return self._get(asked, now) if asked.name else self._list(asked, now)
                case "POST" if not asked.name:
                    return self._create(asked, now)
                case "PATCH" if asked.name:
                    return self._patch(asked, now)
                case "DELETE" if asked.name:
                    return self._delete(asked, now)
            raise answers.not_allowed()
        except answers.Failed as failed:
            return failed.answer

    def _allow(self, asked: Asked) -> None:
        verb = verb_of(asked)
        if {(verb, asked.resource.plural), (verb, "*"), ("*", "*")} & self.denied:
            raise answers.forbidden(asked.resource, asked.name, verb, asked.namespace)

    def allows(self, verb: str, plural: str) -> bool:
        return not {(verb, plural), (verb, "*"), ("*", "*")} & self.denied

    # -- reading

    def _live(self, asked: Asked, now: float) -> Any:
        live = self.cluster.get(asked.ref, int(now))
        if live is None:
            raise answers.not_found(asked.resource, asked.name)
        return live

    def _get(self, asked: Asked, now: float) -> Answer:
        return Answer(200, self._live(asked, now))

    def _list(self, asked: Asked, now: float) -> Answer:
        resource, query = asked.resource, asked.query
        choose = chosen_by(query.get("labelSelector", ""), query.get("fieldSelector", ""))
        found = [
            one
            for one in self.cluster.every(resource.api_version, resource.kind, int(now))
            if asked.namespace in ("", one["metadata"].get("namespace", "")) and choose(one)
        ]
        stamp, start = self.cluster.version, 0
        if token := query.get("continue"):
            stamp, start = _place(token)
        limit = int(query.get("limit") or 0)
        page = found[start : start + limit] if limit else found[start:]
        metadata: dict[str, Any] = {"resourceVersion": str(stamp)}
        left = len(found) - start - len(page)
        if left > 0:
            where = json.dumps([stamp, start + len(page)]).encode()
            metadata |= {"continue": base64.urlsafe_b64encode(where).decode()}
            if not query.get("labelSelector") and not query.get("fieldSelector"):
                metadata["remainingItemCount"] = left
        if not resource.custom:
            page = [_untyped(one) for one in page]
        body = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}
        return Answer(200, body | {"metadata": metadata, "items": page})

    # -- writing

    def _create(self, asked: Asked, now: float) -> Answer:
        body, resource = _object(asked.body), asked.resource
        told = (body.get("apiVersion"), body.get("kind"))
        if told != (resource.api_version, resource.kind):
            raise answers.bad_request(
                f"{told[1]} in version {told[0]} cannot be handled as a {resource.kind}"
            )
        metadata = body.get("metadata") or {}
        name = metadata.get("name", "")
        if not name:
            raise answers.invalid(
                resource, "", "metadata.name: Required value: name or generateName is required"
            )
        if metadata.get("namespace", asked.namespace) != asked.namespace:
            raise answers.bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request"
            )
        if asked.namespace and "namespace" not in metadata:
            body = {**body, "metadata": {**metadata, "namespace": asked.namespace}}
        ref = ObjectRef(resource.api_version, resource.kind, asked.namespace, name)
        if self.cluster.get(ref, int(now)) is not None:
            raise answers.exists(resource, name)
        if resource.kind in BY_SERVER:
            raise answers.forbidden(resource, name, "create", asked.namespace, "made by the server")
        write = Write(ref=ref, verb="create", purpose=Purpose.FORWARD, body=body)
        return Answer(201, self._written(asked, write, now), self._warned())

    def _patch(self, asked: Asked, now: float) -> Answer:
        resource, name = asked.resource, asked.name
        patch_type = PATCHES.get(asked.content_type.partition(";")[0].strip())
        if patch_type is None or (patch_type is PatchType.STRATEGIC and resource.custom):
            raise answers.unsupported(resource)
        live, body = self._live(asked, now), _json(asked.body)
        if patch_type is PatchType.JSON:
            metadata, body = _conditions(body)
        elif isinstance(body, dict):
            metadata = body.get("metadata") or {}
        else:
            raise answers.bad_request("the patch is no object")
        found = live["metadata"]
        if (uid := metadata.get("uid")) not in (None, found["uid"]):
            raise answers.other_uid(resource, name, uid, found["uid"])
        if metadata.get("resourceVersion") not in (None, "", found["resourceVersion"]):
            raise answers.modified(resource, name)
        purpose = Purpose.FORWARD
        write = Write(
            ref=asked.ref, verb="patch", purpose=purpose, body=body, patch_type=patch_type
        )
        return Answer(200, self._written(asked, write, now), self._warned())

    def _delete(self, asked: Asked, now: float) -> Answer:
        resource, live = asked.resource, self._live(asked, now)
        options = _object(asked.body) if asked.body.strip() else {}
        wanted, found = options.get("preconditions") or {}, live["metadata"]
        if wanted.get("uid") not in (None, found["uid"]):
            raise answers.other_uid(resource, asked.name, wanted["uid"], found["uid"])
        version = wanted.get("resourceVersion")
        if version not in (None, found["resourceVersion"]):
            raise answers.other_version(resource, asked.name, version, found["resourceVersion"])
        if resource.kind == "Namespace" and asked.name in ("kube-system", "default"):
            why = "this namespace may not be deleted"
            raise answers.forbidden(resource, asked.name, "delete", "", why)
        write = Write(ref=asked.ref, verb="delete", purpose=Purpose.RESTORE)
        self._written(asked, write, now, dry=asked.dry or options.get("dryRun") == ["All"])
        if resource.kind == "Pod":
            return Answer(200, self.cluster.get(asked.ref, int(now)) or live)
        return answers.deleted(resource, asked.name, found["uid"])

    def _written(self, asked: Asked, write: Write, now: float, *, dry: bool | None = None) -> Any:
        dry = asked.dry if dry is None else dry
        cluster = self._copy() if dry else self.cluster
        manager = asked.query.get("fieldManager") or "unknown"
        try:
            return cluster.write(write, int(now), fence="", manager=manager)
        except Conflict as conflict:
            raise answers.conflict(asked.resource, asked.name, conflict.why) from conflict
        except Refused as refused:
            why = refused.why.removeprefix(f"{write.ref.short}").removeprefix(":").strip()
            raise answers.invalid(asked.resource, write.ref.name, why) from refused

    def _copy(self) -> Cluster:
        """Another cluster in the same state, to try something on."""
        kept = msgspec.json.decode(msgspec.json.encode(self.cluster.dump()))
        return Cluster.load(self.cluster.name, kept)

    def _warned(self) -> dict[str, str]:
        told = ", ".join(f'299 - "{warning}"' for warning in self.warnings)
        return {"Warning": told} if told else {}


def _conditions(steps: Any) -> tuple[dict[str, Any], list[Any]]:
    """What a JSON patch says of identity and version, and the steps that are about the rest."""
    if not isinstance(steps, list):
        raise answers.bad_request("the patch is no list of operations")
    said = {"/metadata/resourceVersion": "resourceVersion", "/metadata/uid": "uid"}
    told = {said[one["path"]]: one.get("value") for one in steps if one.get("path") in said}
    return told, [one for one in steps if one.get("path") not in said]


def verb_of(asked: Asked) -> str:
    if asked.method == "GET":
        return "get" if asked.name else "list"
    return {"POST": "create"}.get(asked.method, asked.method.lower())


def _untyped(obj: Any) -> Any:
    """The items of a list of a built-in kind say neither what they are nor of which version."""
    return {name: value for name, value in obj.items() if name not in ("apiVersion", "kind")}


def _place(token: str) -> tuple[int, int]:
    try:
        stamp, start = json.loads(base64.urlsafe_b64decode(token))
        return int(stamp), int(start)
    except (ValueError, TypeError) as broken:
        raise answers.expired() from broken


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as broken:
        raise answers.bad_request(f"the object provided is unrecognized: {broken}") from broken


def _object(body: bytes) -> dict[str, Any]:
    found = _json(body)
    if not isinstance(found, dict):
        raise answers.bad_request("the object provided is unrecognized: it is no object")
    return found
