"""From a path to what is asked of which cluster: the routes of an API server.

Finds the way only. What is answered is the cluster's to say.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote

import msgspec

from benchmarks.http_fleet import answers
from benchmarks.http_fleet.answers import Answer
from benchmarks.http_fleet.connection import Request
from benchmarks.http_fleet.hosted import Asked, Hosted
from benchmarks.http_fleet.resources import group_list, resource_list

BASE = "/clusters/"
VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.3", "platform": "linux/amd64"}


def answer_of(there: Hosted, request: Request, path: str, now: float) -> Answer:
    """What a cluster says to a request on a path below its base."""
    if there.token is not None and request.token != there.token:
        raise answers.unauthorized()
    match path.split("/"):
        case ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"]:
            return _reviewed(there, request)
        case ["api", version, first, *rest]:
            return there.answer(_asked(there, request, "", version, [first, *rest]), now)
        case ["apis", group, version, first, *rest]:
            return there.answer(_asked(there, request, group, version, [first, *rest]), now)
    return _discovered(there, path)


def _discovered(there: Hosted, path: str) -> Answer:
    """What it serves, and that it lives."""
    match path.split("/"):
        case ["version"]:
            return Answer(200, VERSION)
        case ["healthz" | "readyz" | "livez"]:
            return Answer(200, b"ok", content_type="text/plain; charset=utf-8")
        case ["api"]:
            return Answer(200, {"kind": "APIVersions", "versions": ["v1"]})
        case ["apis"]:
            return Answer(200, group_list(there.all_resources()))
        case ["api", version]:
            found = resource_list("", version, there.all_resources())
        case ["apis", group, version]:
            found = resource_list(group, version, there.all_resources())
        case _:
            raise answers.no_such_path()
    if not found["resources"]:
        raise answers.no_such_path()
    return Answer(200, found)


def split(path: str) -> tuple[str, str]:
    """(cluster, path below its base)."""
    if not path.startswith(BASE):
        return "", path.lstrip("/")
    cluster, _, rest = path[len(BASE) :].partition("/")
    return cluster, rest.rstrip("/")


def verb_in(request: Request, path: str) -> str:
    if request.method == "GET":
        depth = len(path.split("/")) - (2 if path.startswith("api/") else 3)
        if not path.startswith(("api/", "apis/")) or depth < 1:
            return "other"
        named = "/namespaces/" in path
        return "list" if depth in ((1, 3) if named and depth >= 3 else (1,)) else "get"
    if "dryRun=All" in request.query:
        return "dry"
    return {"POST": "create", "PATCH": "patch", "DELETE": "delete"}.get(request.method, "other")


def _asked(there: Hosted, request: Request, group: str, version: str, rest: list[str]) -> Asked:
    """`namespaces/NS/plural/NAME/subresource` and what may be left out of it."""
    namespace, words = "", [unquote(word) for word in rest]
    if words[0] == "namespaces" and len(words) > 2 and words[2] not in ("status", "finalize"):
        namespace, words = words[1], words[2:]
    resource = there.resource(group, version, words[0])
    if resource is None or len(words) > 3:
        raise answers.no_such_path()
    name, subresource = [*words[1:], "", ""][:2]
    return Asked(
        method=request.method,
        resource=resource,
        namespace=namespace,
        name=name,
        subresource=subresource,
        query=dict(parse_qsl(request.query)) if request.query else {},
        content_type=request.content_type,
        body=request.body,
    )


def _reviewed(there: Hosted, request: Request) -> Answer:
    """What a SelfSubjectAccessReview asks."""
    body = msgspec.json.decode(request.body)
    wanted = body["spec"].get("resourceAttributes") or {}
    allowed = there.allows(wanted.get("verb", ""), wanted.get("resource", ""))
    return Answer(201, body | {"status": {"allowed": allowed}})
