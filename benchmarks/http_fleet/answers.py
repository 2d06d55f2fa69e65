"""What an API server answers when it says no: Status objects, word for word as the real one's.

Makes answers only. Never looks at a cluster.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from benchmarks.http_fleet.resources import Resource

JSON_TYPE = "application/json"
_PATCHES = ["application/json-patch+json", "application/merge-patch+json"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. `body`: JSON, or bytes as they are."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE


class Failed(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def status(code: int, reason: str, message: str, details: Any = None, **headers: str) -> Answer:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        **({"details": details} if details else {}),
        "code": code,
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(code, body, named)


def details(resource: Resource, name: str, **more: Any) -> dict[str, Any]:
    grouped = {"group": resource.group} if resource.group else {}
    return {"name": name, **grouped, "kind": resource.plural, **more}


def not_found(resource: Resource, name: str) -> Failed:
    message = f'{resource.full} "{name}" not found'
    return Failed(status(404, "NotFound", message, details(resource, name)))


def no_such_path() -> Failed:
    """A kind that is not served: plain text, no Status."""
    return Failed(Answer(404, b"404 page not found\n", content_type="text/plain; charset=utf-8"))


def exists(resource: Resource, name: str) -> Failed:
    message = f'{resource.full} "{name}" already exists'
    return Failed(status(409, "AlreadyExists", message, details(resource, name)))


def modified(resource: Resource, name: str) -> Failed:
    why = (
        "the object has been modified; please apply your changes to the latest version "
        "and try again"
    )
    return conflict(resource, name, why)


def other_uid(resource: Resource, name: str, asked: str, found: str) -> Failed:
    why = f"Precondition failed: UID in precondition: {asked}, UID in object meta: {found}"
    return conflict(resource, name, why)


def other_version(resource: Resource, name: str, asked: str, found: str) -> Failed:
    why = (
        f"Precondition failed: ResourceVersion in precondition: {asked}, "
        f"ResourceVersion in object meta: {found}"
    )
    return conflict(resource, name, why)


def conflict(resource: Resource, name: str, why: str) -> Failed:
    message = f'Operation cannot be fulfilled on {resource.full} "{name}": {why}'
    return Failed(status(409, "Conflict", message, details(resource, name)))


def invalid(resource: Resource, name: str, why: str) -> Failed:
    """`why`: `spec.replicas: Invalid value …`."""
    place, colon, words = why.partition(": ")
    cause = {"reason": "FieldValueInvalid", "message": words or why}
    causes = [cause | ({"field": place} if colon else {})]
    told = {
        "name": name,
        **({"group": resource.group} if resource.group else {}),
        "kind": resource.kind,
        "causes": causes,
    }
    message = f'{resource.full_kind} "{name}" is invalid: {why}'
    return Failed(status(422, "Invalid", message, told))


def bad_request(message: str) -> Failed:
    return Failed(status(400, "BadRequest", message))


def unsupported(resource: Resource) -> Failed:
    taken = _PATCHES if resource.custom else [*_PATCHES, "application/strategic-merge-patch+json"]
    listed = ", ".join([*taken, "application/apply-patch+yaml"])
    message = (
        f"the body of the request was in an unknown format - accepted media types include: {listed}"
    )
    return Failed(status(415, "UnsupportedMediaType", message))


def not_allowed() -> Failed:
    message = "the server does not allow this method on the requested resource"
    return Failed(status(405, "MethodNotAllowed", message))


def unauthorized() -> Failed:
    return Failed(status(401, "Unauthorized", "Unauthorized"))


def forbidden(resource: Resource, name: str, verb: str, namespace: str, why: str = "") -> Failed:
    where = f' in the namespace "{namespace}"' if namespace else " at the cluster scope"
    own = f' "{name}"' if name else ""
    said = why or (
        f'User "sluice" cannot {verb} resource "{resource.plural}" '
        f'in API group "{resource.group}"{where}'
    )
    message = f"{resource.full}{own} is forbidden: {said}"
    return Failed(status(403, "Forbidden", message, details(resource, name)))


def expired() -> Failed:
    message = "The provided continue parameter is too old to display a consistent list result."
    return Failed(status(410, "Expired", message))


def deleted(resource: Resource, name: str, uid: str) -> Answer:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    return Answer(200, body | {"details": details(resource, name, uid=uid)})
