"""One write as the API takes it: conditional, fenced, in our name, with no field of the server's.

A patch or a delete holds only for the version whose fence was seen, so that an older plan or a
second process never overwrites a newer one. Never retries a call whose answer was lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.adapters.kubernetes_fleet.answers import Answer, error_of, kind_is_missing, must_be_object
from bot.adapters.kubernetes_fleet.client import Call
from bot.adapters.kubernetes_fleet.paths import item, place
from bot.adapters.kubernetes_fleet.server import Server
from bot.cluster.fence import FENCE, fence_of, numbers
from bot.cluster.merge import SERVER_FIELDS
from bot.failures import Conflict, Fenced, Refused
from bot.model.effects import PatchType, Write
from bot.model.plan import JSON, ObjectRef

CONTENT = {
    PatchType.MERGE: "application/merge-patch+json",
    PatchType.STRATEGIC: "application/strategic-merge-patch+json",
    PatchType.JSON: "application/json-patch+json",
}
"""Kind of patch → its content type."""
TRIES = 5
"""How often a write is tried on an object that others write all the time."""


@dataclass(frozen=True, slots=True)
class Version:
    """What must be known of an object before it is written: of one reading of it."""

    uid: str
    resource_version: str
    fence: tuple[int, ...]
    annotated: bool
    managed: tuple[JSON, ...] = ()
    """Its managed fields: which manager set what."""

    @classmethod
    def of(cls, live: JSON) -> Version:
        metadata = live["metadata"]
        return cls(
            str(metadata["uid"]),
            str(metadata["resourceVersion"]),
            fence_of(live),
            bool(metadata.get("annotations")),
            tuple(metadata.get("managedFields") or ()),
        )


def create(server: Server, write: Write, *, fence: str, manager: str, dry: bool = False) -> Answer:
    ref = write.ref
    if not isinstance(write.body, dict):
        raise Refused(f"{server.what(ref)}: no object to create")
    resource = server.served(ref)
    call = Call(
        method="POST",
        path=place(resource, ref),
        what=server.what(ref),
        query=_query(manager, dry),
        body=_fenced(written(write.body), fence),
    )
    answer = server.ask(call)
    if kind_is_missing(answer):
        raise server.not_served(ref)
    if not answer.good:
        raise error_of(answer, call.what, writes=call.writes)
    must_be_object(answer, call.what, writes=call.writes)
    return answer


def patch(
    server: Server,
    write: Write,
    seen: Version | None,
    *,
    fence: str,
    manager: str,
    dry: bool = False,
) -> tuple[Answer, Version]:
    """The answer with the patched object, and the version that it was made of. `seen`: the version
    that the caller has read, where it is still known.
    """
    ref, what = write.ref, server.what(write.ref)
    resource = server.served(ref)
    for last in [False] * (TRIES - 1) + [True]:
        version = _current(server, write, seen)
        call = Call(
            method="PATCH",
            path=item(resource, ref),
            what=what,
            query=_query(manager, dry),
            body=_patch_body(server, write, version, fence),
            content_type=CONTENT[write.patch_type],
        )
        answer = server.ask(call)
        # Who named no version wants the object as it is, whoever else writes to it.
        if answer.status == 409 and write.resource_version is None and not last:
            seen = None
            continue
        if kind_is_missing(answer):
            raise server.not_served(ref)
        if not answer.good:
            raise error_of(answer, what, writes=call.writes)
        must_be_object(answer, what, writes=call.writes)
        return answer, version
    raise AssertionError("the last try has no next")


def delete(server: Server, write: Write, seen: Version | None, *, fence: str) -> None:
    ref, what = write.ref, server.what(write.ref)
    resource = server.served(ref)
    if ref.kind == "Pod":
        _delete_pod(server, write, item(resource, ref))
        return
    for last in [False] * (TRIES - 1) + [True]:
        version = _current(server, write, seen, fence=fence)
        conditions = {"uid": version.uid, "resourceVersion": version.resource_version}
        call = _deletion(item(resource, ref), what, conditions)
        answer = server.ask(call)
        if answer.status == 409 and write.resource_version is None and not last:
            seen = None
            continue
        if answer.status == 404:
            raise Conflict(f"{what} is already gone")
        if not answer.good:
            raise error_of(answer, what, writes=True)
        return


def _delete_pod(server: Server, write: Write, path: str) -> None:
    """A pod carries no fence: its identity is what it is deleted by."""
    what = server.what(write.ref)
    call = _deletion(path, what, {"uid": write.uid} if write.uid else {})
    answer = server.ask(call)
    if answer.status == 404:
        raise Conflict(f"{what} is already gone")
    if not answer.good:
        raise error_of(answer, what, writes=True)


def _deletion(path: str, what: str, conditions: dict[str, str]) -> Call:
    body: dict[str, JSON] = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        # A Job would leave its pods behind by itself.
        "propagationPolicy": "Background",
    }
    if conditions:
        body["preconditions"] = conditions
    return Call(method="DELETE", path=path, what=what, body=body)


def _current(server: Server, write: Write, seen: Version | None, fence: str = "") -> Version:
    """The version that the write is for, with everything that it asks for checked."""
    ref, what = write.ref, server.what(write.ref)
    if seen is None or write.resource_version not in (None, seen.resource_version):
        live = server.get(ref)
        if live is None:
            if write.verb == "delete" and write.uid is not None:
                raise Conflict(f"{what} is already gone")
            raise Refused(f"{what} not found")
        seen = Version.of(live)
    if write.resource_version not in (None, seen.resource_version):
        raise Conflict(f"{what} has been modified")
    if write.uid not in (None, seen.uid):
        raise Conflict(f"{what} is another object of this name")
    check_fence(server, ref, seen, fence)
    return seen


def check_fence(server: Server, ref: ObjectRef, seen: Version, fence: str) -> None:
    """Fenced where a newer plan has written."""
    if fence and seen.fence > numbers(fence):
        raise Fenced(f"{server.what(ref)} was written by a newer plan")


def _patch_body(server: Server, write: Write, version: Version, fence: str) -> JSON:
    check_fence(server, write.ref, version, fence)
    if write.patch_type is PatchType.JSON:
        return _json_patch(server, write, version, fence)
    if not isinstance(write.body, dict):
        raise Refused(f"{server.what(write.ref)}: the patch is no object")
    body = _fenced(written(write.body), fence)
    metadata = {**(body.get("metadata") or {}), "resourceVersion": version.resource_version}
    return {**body, "metadata": metadata}


def _json_patch(server: Server, write: Write, version: Version, fence: str) -> JSON:
    if not isinstance(write.body, list):
        raise Refused(f"{server.what(write.ref)}: the patch is no list of steps")
    note = "/metadata/annotations"
    before = [] if version.annotated else [{"op": "add", "path": note, "value": {}}]
    path = f"{note}/{FENCE.replace('~', '~0').replace('/', '~1')}"
    after = [{"op": "add", "path": path, "value": fence}] if fence else []
    condition = {
        "op": "replace",
        "path": "/metadata/resourceVersion",
        "value": version.resource_version,
    }
    return [*(before if fence else ()), *write.body, *after, condition]


def _query(manager: str, dry: bool) -> dict[str, str | int]:
    query: dict[str, str | int] = {"fieldManager": manager}
    if dry:
        # A field that no schema knows is told before anything is written, as kubectl does.
        query |= {"dryRun": "All", "fieldValidation": "Strict"}
    return query


def _fenced(obj: JSON, fence: str) -> JSON:
    if not fence:
        return obj
    metadata = obj.get("metadata") or {}
    notes = {**(metadata.get("annotations") or {}), FENCE: fence}
    return {**obj, "metadata": {**metadata, "annotations": notes}}


def written(body: JSON) -> JSON:
    """What a client may write of an object or patch: no status, none of the server's metadata."""
    kept = {name: value for name, value in body.items() if name != "status"}
    if isinstance(kept.get("metadata"), dict):
        kept["metadata"] = {
            name: value for name, value in kept["metadata"].items() if name not in SERVER_FIELDS
        }
    return kept
