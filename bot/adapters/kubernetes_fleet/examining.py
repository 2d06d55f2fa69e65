"""A connection looked through: identity, clock, certificate, and every right by name. Reads only.

Rights are asked of the server itself (SelfSubjectAccessReview), nothing is tried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from bot.adapters.kubernetes_fleet.client import Call
from bot.adapters.kubernetes_fleet.rights import RIGHTS, Right
from bot.adapters.kubernetes_fleet.server import Server
from bot.model.plan import JSON

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_EVERYTHING = {"verb": "*", "group": "*", "resource": "*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found. `missing`: rights, each as a person would grant it."""

    uid: str
    version: str
    skew: float | None
    """Seconds by which the cluster's clock is ahead of ours."""
    certificate_ends: datetime | None
    proved: bool
    """Whether the server proves who it is: TLS with an authority that we know."""
    missing: tuple[str, ...]
    everything: bool
    """Whether we may do everything there."""


def examined(server: Server, now: Callable[[], datetime], namespaces: tuple[str, ...]) -> Examined:
    """Raises what asking raises: a cluster that does not answer has nothing to show."""
    uid = server.uid(afresh=True)
    answer = server.good(Call(method="GET", path="/version", what=f"{server.cluster}: version"))
    access = server.client.access()
    everything = _allowed(server, _EVERYTHING)
    return Examined(
        uid=uid,
        version=str((answer.body or {}).get("gitVersion") or "?"),
        skew=_skew(answer.date, now()),
        certificate_ends=server.client.certificate_ends(),
        proved=access.server.startswith("https://") and not access.insecure,
        missing=() if everything else tuple(_missing(server, namespaces)),
        everything=everything,
    )


def _skew(date: str, now: datetime) -> float | None:
    try:
        return (parsedate_to_datetime(date) - now).total_seconds() if date else None
    except (ValueError, TypeError):
        return None


def _missing(server: Server, namespaces: tuple[str, ...]) -> Iterator[str]:
    for right in RIGHTS:
        for resource in right.resources:
            lacks = [verb for verb in right.verbs if not _may(server, right, resource, verb)]
            where = [
                place
                for place in (namespaces if right.namespaced and lacks else ())
                if not all(_may(server, right, resource, verb, place) for verb in lacks)
            ]
            if lacks and (where or not (namespaces and right.namespaced)):
                name = f"{resource}.{right.group}" if right.group else resource
                inside = f" in namespace {', '.join(where)}" if where else ""
                yield f"{', '.join(lacks)} {name}{inside} ({right.why})"


def _may(server: Server, right: Right, resource: str, verb: str, namespace: str = "") -> bool:
    asked = {"verb": verb, "group": right.group, "resource": resource}
    return _allowed(server, asked | ({"namespace": namespace} if namespace else {}))


def _allowed(server: Server, attributes: dict[str, str]) -> bool:
    review: JSON = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    what = f"{server.cluster}: rights"
    answer = server.good(Call(method="POST", path=_REVIEWS, what=what, body=review))
    status = (answer.body or {}).get("status") or {}
    return bool(status.get("allowed"))
