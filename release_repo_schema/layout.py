"""Which file of a release repo is read as what. Pure: a path in, its role out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Role(StrEnum):
    """What a file is read as."""

    KINDS = "kinds"
    VALUES = "values"
    TEMPLATE = "template"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Place:
    """The role of a path, the kinds that may stand there, and the component whose folder it is in.

    `scope` of a values file is `default`, `groups/<group>` or `clusters/<cluster>`; "" where
    the contract knows no such place.
    """

    role: Role
    kinds: frozenset[str] = frozenset()
    component: str = ""
    scope: str = ""


_IGNORED = Place(Role.IGNORED)
_TOP = {
    "checks": frozenset(("Check",)),
    "pipelines": frozenset(("Pipeline",)),
    "workloadkinds": frozenset(("WorkloadKind",)),
    "tasks": frozenset(("Task",)),
    "releases": frozenset(("Release",)),
    "calendar": frozenset(("Window", "Freeze")),
    "policy": frozenset(("Policy",)),
}
_FLEET = {"groups": frozenset(("ClusterGroup",)), "clusters": frozenset(("Cluster",))}
HOMES = {
    "ClusterGroup": "fleet/groups/",
    "Cluster": "fleet/clusters/",
    "Component": "components/<name>/component.yaml",
    "ComponentVersion": "components/<name>/versions/",
    "Check": "checks/",
    "Pipeline": "pipelines/",
    "WorkloadKind": "workloadkinds/",
    "Task": "tasks/",
    "Release": "releases/<year>/",
    "Window": "calendar/",
    "Freeze": "calendar/",
    "Policy": "policy/",
    "People": "people.yaml",
}
"""Where each kind stands, for hints."""


@lru_cache(maxsize=65536)
def place_of(path: str) -> Place:
    """The role of a file by its path alone."""
    parts = path.split("/")
    if any(part.startswith(".") for part in parts):
        return _IGNORED
    is_yaml = path.endswith((".yaml", ".yml"))
    if len(parts) == 1:
        is_people = path in ("people.yaml", "people.yml")
        return Place(Role.KINDS, frozenset(("People",))) if is_people else _IGNORED
    top = parts[0]
    if top == "components":
        return _in_component(parts, is_yaml)
    if not is_yaml:
        return _IGNORED
    if top == "fleet":
        return Place(Role.KINDS, _FLEET.get(parts[1], frozenset()) if parts[2:] else frozenset())
    return Place(Role.KINDS, _TOP[top]) if top in _TOP else _IGNORED


def _in_component(parts: list[str], is_yaml: bool) -> Place:
    if len(parts) == 2:
        return Place(Role.KINDS) if is_yaml else _IGNORED
    component = parts[1]
    if len(parts) == 3:
        own = parts[2] in ("component.yaml", "component.yml")
        kinds = frozenset(("Component",)) if own else frozenset[str]()
        return Place(Role.KINDS, kinds, component) if is_yaml else _IGNORED
    match parts[2]:
        case "values":
            scope = _scope(parts[3:])
            return Place(Role.VALUES, component=component, scope=scope) if is_yaml else _IGNORED
        case "versions":
            kinds = frozenset(("ComponentVersion",))
            return Place(Role.KINDS, kinds, component) if is_yaml else _IGNORED
        case _:
            return Place(Role.TEMPLATE, component=component)


def _scope(rest: list[str]) -> str:
    stem = rest[-1].rsplit(".", 1)[0]
    if len(rest) == 1:
        return "default" if stem == "default" else ""
    if len(rest) == 2 and rest[0] in ("groups", "clusters"):
        return f"{rest[0]}/{stem}"
    return ""
