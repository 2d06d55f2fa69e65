"""A small second opinion on rules: windows, freezes, selectors, scopes, roles, durations.

Reads documents as they were written and looks minute by minute; shares nothing with the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.model.plan import JSON

Docs = Mapping[str, JSON]
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
RIGHTS: Mapping[str, tuple[str, ...]] = {
    "pause": ("anyone",),
    "stop": ("anyone",),
    "resume": ("operator", "owner"),
    "retry": ("operator", "owner"),
    "rollback": ("operator", "owner"),
    "cancel": ("operator", "owner"),
    "skip": ("approver",),
    "accept": ("approver",),
    "override": ("admin",),
    "freeze": ("admin",),
    "unfreeze": ("admin",),
    "snooze": ("operator", "owner"),
}
"""The contract's table of roles; approve and reject go by the roles of their decision."""


def seconds(text: str) -> timedelta:
    return timedelta(seconds=int(text[:-1]) * _SECONDS[text[-1]])


def spec_of(docs: Docs, path: str) -> JSON:
    found = docs.get(path)
    return found["spec"] if isinstance(found, dict) else {}


def of_kind(docs: Docs, kind: str) -> Iterator[JSON]:
    for one in docs.values():
        if isinstance(one, dict) and one["kind"] == kind:
            yield one


def policy(docs: Docs) -> JSON:
    return spec_of(docs, "policy/policy.yaml")


def clusters_of(docs: Docs) -> list[str]:
    return [one["metadata"]["name"] for one in of_kind(docs, "Cluster")]


def unit_labels(docs: Docs, cluster: str) -> dict[str, str]:
    found = docs[f"fleet/clusters/{cluster}.yaml"]
    group = found["spec"]["group"]
    wide = docs[f"fleet/groups/{group}.yaml"]["metadata"].get("labels", {})
    own = found["metadata"].get("labels", {})
    return {**wide, **own, "group": group, "cluster": cluster}


def labels_of(docs: Docs, unit: str) -> dict[str, str]:
    """Labels of group, cluster and part, narrow wins; and the built-in ones."""
    cluster = parts(unit)[1]
    found = unit_labels(docs, cluster)
    scope, place = part(unit)
    if not scope:
        return found
    spec = docs[f"fleet/clusters/{cluster}.yaml"]["spec"]
    if scope != "node":
        known = {one["name"]: one for one in spec.get(f"{scope}s", ())}
        found |= known.get(place, {}).get("labels", {})
    return found | {scope: place}


def units_of(docs: Docs, component: str, cluster: str) -> list[str]:
    """The units that a component has in a cluster."""
    scope = spec_of(docs, f"components/{component}/component.yaml").get("scope", "cluster")
    spec = docs[f"fleet/clusters/{cluster}.yaml"]["spec"]
    match scope:
        case "nodeSet":
            places = [one["name"] for one in spec.get("nodeSets", ())] + ["rest"]
        case "namespace":
            places = [one["name"] for one in spec.get("namespaces", ())]
        case "node":
            places = list(spec.get("nodes", ()))
        case _:
            return [f"{component}@{cluster}"]
    return [f"{component}@{cluster}/{scope}:{place}" for place in places]


def nodes_of(docs: Docs, unit: str, nodes: Mapping[str, Mapping[str, str]]) -> set[str]:
    """Of the nodes of a cluster (name → labels) those of a unit."""
    scope, place = part(unit)
    if scope == "node":
        return {place} & set(nodes)
    sets = docs[f"fleet/clusters/{parts(unit)[1]}.yaml"]["spec"].get("nodeSets", ())
    mine = {
        one["name"]: {name for name, labels in nodes.items() if selected(one["selector"], labels)}
        for one in sets
    }
    return mine[place] if place in mine else set(nodes).difference(*mine.values())


def kin(docs: Docs, cluster: str) -> set[str]:
    """The cluster that hosts one, and those that it hosts."""
    hosts = {
        one["metadata"]["name"]: one["spec"].get("hostedBy") for one in of_kind(docs, "Cluster")
    }
    return {guest for guest, host in hosts.items() if host == cluster} | {hosts.get(cluster) or ""}


def is_task(docs: Docs, component: str) -> bool:
    return f"tasks/{component}.yaml" in docs


def component_labels(docs: Docs, component: str) -> dict[str, str]:
    folder = f"components/{component}/component.yaml"
    path = f"tasks/{component}.yaml" if is_task(docs, component) else folder
    return dict(docs[path]["metadata"].get("labels", {}))


def selected(selector: JSON, labels: Mapping[str, str]) -> bool:
    wanted: Mapping[str, str] = (selector or {}).get("matchLabels", {})
    names = (selector or {}).get("names")
    if names is not None and labels.get("cluster") not in names:
        return False
    return all(labels.get(key) == value for key, value in wanted.items())


def parts(unit: str) -> tuple[str, str]:
    """Component and cluster of a unit."""
    component, _, place = unit.partition("@")
    return component, place.partition("/")[0]


def part(unit: str) -> tuple[str, str]:
    """Scope and name of the part of its cluster that a unit is; two empty texts: all of it."""
    scope, _, place = unit.partition("@")[2].partition("/")[2].partition(":")
    return scope, place


def image_of(pod: JSON) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def is_ready(pod: JSON) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


# the calendar


def _weekdays(days: list[str]) -> set[int]:
    found: set[int] = set()
    for entry in days:
        low, _, high = entry.partition("-")
        first, last = _DAYS.index(low), _DAYS.index(high or low)
        found |= {day % 7 for day in range(first, last + 1 + (7 if last < first else 0))}
    return found


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def window_covers(spec: JSON, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(spec["zone"]))
    low, high = _minute(spec.get("from", "00:00")), _minute(spec.get("to", "24:00"))
    high += 1440 if high <= low else 0
    days = _weekdays(spec.get("days", ["Mon-Sun"]))
    for back in (0, 1):
        begins = local.date() - timedelta(days=back)
        passed = local.hour * 60 + local.minute + 1440 * back
        if begins.weekday() in days and low <= passed < high:
            return True
    return False


def freeze_covers(spec: JSON, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(spec["zone"])).replace(tzinfo=None)
    return datetime.fromisoformat(spec["from"]) <= local < datetime.fromisoformat(spec["to"])


def _meant(docs: Docs, kind: str, unit: str, action: str) -> Iterator[JSON]:
    labels = labels_of(docs, unit)
    of_component = component_labels(docs, parts(unit)[0])
    for one in of_kind(docs, kind):
        spec = one["spec"]
        if (
            action in spec.get("actions", ["advance"])
            and selected(spec.get("units"), labels)
            and selected(spec.get("components"), of_component)
        ):
            yield spec


def closed(docs: Docs, unit: str, at: datetime, action: str = "advance") -> str:
    """Why the calendar is closed for a unit at a moment; "" when it is open."""
    for spec in _meant(docs, "Freeze", unit, action):
        if freeze_covers(spec, at):
            return f"a freeze until {spec['to']}"
    windows = list(_meant(docs, "Window", unit, action))
    for spec in windows:
        if spec.get("effect") == "Deny" and window_covers(spec, at):
            return "a Deny window"
    if action == "rollback":
        return ""
    allows = [spec for spec in windows if spec.get("effect", "Allow") == "Allow"]
    if allows:
        return "" if any(window_covers(spec, at) for spec in allows) else "no Allow window is open"
    rule = policy(docs).get("windows", {}).get("whenNoneMatches", "closed")
    return "" if rule == "open" else "no window matches"


def closes_within(docs: Docs, unit: str, at: datetime, need: timedelta) -> str:
    """Why a batch that needs so long does not fit; "" when it does."""
    moment = at
    while moment < at + need:
        if why := closed(docs, unit, moment):
            return f"{why} at {moment:%H:%M}"
        moment = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return ""


# what is asked of a batch


def component_spec(docs: Docs, unit: str) -> JSON:
    """What a component asks of its units; a task in the same words."""
    name = parts(unit)[0]
    if not is_task(docs, name):
        return spec_of(docs, f"components/{name}/component.yaml")
    spec = spec_of(docs, f"tasks/{name}.yaml")
    one = {"batches": ["100%"], "batchSoak": "0s", "batchTakes": spec["takes"]}
    return {**spec, **one, "checks": {"before": [], "after": []}}


def depends_on(docs: Docs, component: str) -> set[str]:
    return set(spec_of(docs, f"components/{component}/component.yaml").get("dependsOn", ()))


def upstream(docs: Docs, component: str) -> set[str]:
    """All that a component depends on, by whatever way."""
    before, after = tasks_of(docs)
    if component in before:
        return set(before[: before.index(component)])
    found = set(before)
    if component in after:
        found |= set(after[: after.index(component)])
        return found | {one["metadata"]["name"] for one in of_kind(docs, "Component")}
    left = depends_on(docs, component)
    while left:
        found |= left
        left = {far for near in left for far in depends_on(docs, near)} - found
    return found


def tasks_of(docs: Docs) -> tuple[list[str], list[str]]:
    """Tasks before and after the components of a cluster; every stage has the same."""
    held = spec_of(docs, "pipelines/standard.yaml")["stages"][0].get("tasks", {})
    return held.get("before", []), held.get("after", [])


def stage_of(docs: Docs, unit: str) -> tuple[int, JSON]:
    """Number and text of the first stage that selects a unit."""
    labels = labels_of(docs, unit)
    for number, stage in enumerate(spec_of(docs, "pipelines/standard.yaml")["stages"]):
        if selected(stage.get("units"), labels):
            return number, stage
    raise LookupError(unit)


def soak(docs: Docs, now: Docs, unit: str, *, final: bool) -> timedelta:
    """The silence that is asked after a batch: what was planned, or the floors of now."""
    spec = component_spec(docs, unit)
    least = [seconds(spec["soak"] if final else spec["batchSoak"])]
    if final:
        _, stage = stage_of(docs, unit)
        least += [seconds(stage["soak"])] if "soak" in stage else []
    labels = component_labels(docs, parts(unit)[0])
    # Floors are of components.
    floors = () if is_task(docs, parts(unit)[0]) else policy(now).get("floors", ())
    for floor in floors:
        field = "soak" if final else "batchSoak"
        if selected(floor.get("components"), labels) and field in floor:
            least.append(seconds(floor[field]))
    return max(least)


# people


def roles(docs: Docs, person: str) -> frozenset[str]:
    spec = spec_of(docs, "people.yaml")
    teams = {team["name"]: team["members"] for team in spec["teams"]}
    if person not in {member["name"] for member in spec["members"]}:
        return frozenset()
    return frozenset(
        role
        for role, names in spec["roles"].items()
        if any(person in teams.get(name, [name]) for name in names)
    )


def known(docs: Docs, person: str) -> bool:
    return person in {member["name"] for member in spec_of(docs, "people.yaml")["members"]}


def owns(docs: Docs, person: str) -> bool:
    """Every component belongs to the one team that there is."""
    spec = spec_of(docs, "people.yaml")
    return any(person in team["members"] for team in spec["teams"])


def may(docs: Docs, person: str, verb: str) -> bool:
    if not known(docs, person):
        return False
    held = {*roles(docs, person), "anyone", *(("owner",) if owns(docs, person) else ())}
    return bool(held & set(RIGHTS.get(verb, ("approver", "admin", "operator"))))


def covers(docs: Docs, scope: str, release: str, unit: str) -> bool:
    """Whether a scope reaches a unit of a release."""
    component, cluster = parts(unit)
    kind, _, name = scope.partition(":")
    if scope in ("all", release, unit, f"{component}@{cluster}"):
        return True
    match kind:
        case "component":
            return name == component
        case "cluster":
            return name == cluster
        case "group":
            return labels_of(docs, unit)["group"] == name
        case "label":
            key, _, value = name.partition("=")
            return labels_of(docs, unit).get(key) == value
    return False


def words(text: str) -> tuple[str, str, dict[str, Any]]:
    """Verb, scope and flags of a note that was taken."""
    split = text.split()
    verb, scope = split[0], split[1] if len(split) > 1 else "all"
    if verb == "stop":
        verb, scope = "pause", "all"
    flags: dict[str, Any] = {"finish": "--finish-batch" in split}
    if "--gate" in split:
        flags["gate"] = split[split.index("--gate") + 1]
    return verb, scope.partition("#")[0], flags
