"""The guard in words: which field may not change, why, and what can be done. Never decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.messages_words import many, row, sentence, short

Facts = Mapping[str, Any]
SHOWN = 3
CHANGE_CHANGED = "the change that it was asked of is another one now, or none"
PLAN_CHANGED = "the plan has changed"

REASONS: Mapping[str, str] = {
    "selector": "the API server never changes a selector, and with another one its pods would"
    " be nobody's",
    "stateful": "the API server takes this once: the pods and their volumes hang on it",
    "job": "the API server takes this of a Job once",
    "claim": "the API server takes this of a claim once: its data is in the volume that it has",
    "claim-shrinks": "a claim never shrinks",
    "volume": "the API server takes this of a volume once: its data is there",
    "storage-class": "the API server takes this of a StorageClass once",
    "role-ref": "the API server never changes whom a binding gives",
    "crd-identity": "the API server takes this of a CRD once: every object of it hangs on it",
    "crd-stored": "objects may still be stored in this version, and could not be read any more",
    "secret-type": "the API server never changes the type of a Secret",
    "class": "the API server takes this once",
    "quota": "the API server takes this once",
    "cluster-ip": "the API server keeps the address of a Service, and clients hold on to it",
    "load-balancer": "the API server takes this of a Service once",
    "sealed": "it is immutable, for good",
    "sealed-data": "it is immutable: give the new content a new name",
    "host": "the pods would use the node's own network or processes, or stop doing so: ports"
    " collide and addresses change",
    "nodes-at-once": "the controller takes pods off nodes that do not match at once, whatever the"
    " batch",
    "priority": "pods that lose their priority are the first to be evicted",
    "to-nothing": "nothing of it would run",
    "recreate": "all pods stop before the first new one starts",
    "claims-of-a-set": "pods that exist keep the claims that they have",
    "claims-go": "data would be deleted that is kept now",
    "service-type": "addresses from outside come or go",
    "service-pods": "traffic goes to other pods at once, in one step",
    "service-port": "what sends traffic from outside uses the old one",
    "ingress": "another controller would serve it, and the old one lets go",
    "hook": "a hook that refuses or does not answer can stop the API of the whole cluster",
    "api-service": "a part of the API would be answered by something else",
    "disruption": "it decides whether nodes can be drained, and how many pods may be missing",
    "isolation": "connections are cut at once",
    "pod-security": "new pods of the namespace may be refused",
    "owner": "another component brought the object and writes it too: each would undo the other",
    "global-default": "every pod without a class is touched",
    "default-class": "every claim without a class is touched",
    "crd-conversion": "every read of an object in another version hangs on it",
    "crd-pruning": "unknown fields of objects would be dropped when they are written next",
    "crd-served": "clients of this version stop working, or objects are stored in another one",
    "delete-namespace": "everything in a namespace goes with it",
    "delete-crd": "every object of a CRD goes with it, in all namespaces",
    "delete-claim": "the data of a claim goes with it",
    "delete-volume": "the data of a volume may go with it",
    "autoscaled": "an autoscaler sets it",
    "component": "its component says so",
}
"""Why, for each reason that the guard gives; a clause."""


def blocked(f: Facts, _: str) -> str:
    """The closed gate that nobody overrides."""
    return sentence(
        f"Stopped by the guard: {changes(f.get('changes'))}",
        "Nothing is written there, and nobody overrides this",
        _way_on(f),
    )


def blocked_cause(f: Facts) -> str:
    return f"the guard blocks {changes(f.get('changes'))}"


def asked(f: Facts, _: str) -> str:
    """The closed gate that waits for a yes."""
    approve = f" (approve {f['id']})" if f.get("id") else ""
    no = (
        "It was rejected; approve lifts that, skip leaves the unit out" if f.get("rejected") else ""
    )
    return sentence(
        f"Needs decision: the guard asks about {changes(f.get('changes'))}{approve}",
        no or "A yes is to this change in every unit of the release where it is the same",
    )


def asks(unit: str, shown: Sequence[Mapping[str, Any]]) -> str:
    """The question of a decision: names path, from and to."""
    return (
        f"Change {changes(shown)}? The yes counts wherever this release makes the same change;"
        f" first in {unit}"
    )


def changes(given: Any) -> str:
    """The first changes, each with its object, path, values and reason."""
    rows = given if isinstance(given, list | tuple) else ()
    found = [one for one in rows if isinstance(one, Mapping)]
    more = len(found) - SHOWN
    told = row([change(one) for one in found[:SHOWN]], joint="; ")
    return told + (f"; and {many(more, 'more change')}" if more > 0 else "")


def change(one: Facts) -> str:
    """`Service infra/dns spec.type: ClusterIP → NodePort (addresses … come or go)`."""
    why = REASONS.get(str(one.get("reason")), "")
    because = f" ({why})" if why else ""
    if not one.get("path"):
        return f"the deletion of {one.get('object', '')}{because}"
    was, now = (_value(one.get(side)) for side in ("from", "to"))
    return f"{one.get('object', '')} {one['path']}: {was} → {now}{because}"


def _value(value: Any) -> str:
    if value is None:
        return "not there"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return short(text, 60) if text else '""'


def _way_on(f: Facts) -> str:
    given = f.get("changes")
    rows = given if isinstance(given, list | tuple) else ()
    if all(isinstance(one, Mapping) and one.get("builtIn") for one in rows):
        return "Take the change back, or give the object a new name; skip leaves the unit out"
    return "Take the change back, or change the component's guard; skip leaves the unit out"


def kept_back(d: Facts) -> str:
    """Why an object stays as it is while the rest goes on: a clause."""
    return f"the guard keeps back {changes(d.get('changes'))}"


def granted(changes_given: Any, decision: str, by: Any) -> str:
    """What the audit and the thread say of a yes that was used."""
    return f"Guarded, with the yes of {row(by)} ({decision}): {changes(changes_given)}."


def guard_lines(given: Sequence[tuple[Facts, int]]) -> list[str]:
    """What a plan says of its guarded changes: those that stop it or are asked about."""
    lines = [
        f"{_ACTS[str(shown.get('act'))]} {change(shown)}, in {many(units, 'unit')}"
        for shown, units in given
        if shown.get("act") in _ACTS
    ]
    more = len(lines) - MOST
    return lines[:MOST] + ([f"and {many(more, 'more change')}: --json has all"] if more > 0 else [])


_ACTS = {"block": "blocked:", "ask": "asked about:"}
MOST = 12
"""As many guarded changes as a plan lists."""


def finding(shown: Facts, units: int) -> str:
    """An error of a pull request: what no batch would write."""
    return f"the guard blocks {change(shown)} in {many(units, 'unit')}"


FINDING_HINT = (
    "take the change back, or give the object a new name; what the component itself blocks can be"
    " changed in its guard, in a pull request before this one"
)


def left(shown: Facts, units: int) -> str:
    """A warning of a plan: a change that does not arrive."""
    why = REASONS.get(str(shown.get("reason")), "")
    if shown.get("reason") == "component":
        why = "its component ignores it"
    return (
        f"{shown.get('object', '')} {shown.get('path', '')} is left as it is in the cluster"
        f" ({why}): {_value(shown.get('from'))} → {_value(shown.get('to'))} is not brought to"
        f" {many(units, 'unit')}"
    )


def matches_nothing(component: str, path: str) -> str:
    """A warning of a plan: a path of a guard that is most likely a slip."""
    return f"the guard of {component} names {path}, and none of its objects has anything there"


def on_the_way_back(object_: str) -> str:
    return f"{object_} cannot be put back by any API server"


LOOSENED = "a release that comes with it would be judged by the looser guard"
LOOSENED_HINT = "change the guard in a pull request of its own, before the release"


def never_looser(path: str) -> str:
    """A finding: a built-in block cannot become a question."""
    return (
        f"{path} is on the built-in list of what is blocked, and an approval does not change that"
    )


NEVER_LOOSER_HINT = "take it out of `ask`; `ignore` leaves the field as it is in the cluster"
