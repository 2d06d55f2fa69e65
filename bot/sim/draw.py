"""A seed becomes a script: fleet, rules, releases, people, faults. The same seed, the same script.

Every few seeds one is for coverage (`draw_crowd`): it aims at the pairs (fault × phase of a unit)
whose turn it is, so that every pair is struck often enough in a run. The others draw freely.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.model.plan import JSON
from bot.sim import docs as make
from bot.sim.draw_addons import brought, depend
from bot.sim.draw_crowd import PAIRS, crowd
from bot.sim.draw_fleet import baseline, changes, joining
from bot.sim.draw_leftovers import leave, left
from bot.sim.draw_parts import narrow
from bot.sim.draw_people import commands
from bot.sim.draw_probing import probing
from bot.sim.draw_tasks import work
from bot.sim.oracle import units_of
from bot.sim.script import (
    AT_PORTS,
    FAULTS,
    OF_THE_WORLD,
    RARE,
    Act,
    Script,
)

T = TypeVar("T")
KINDS = ("agent", "conf", "dns", "net", "store")
CROWDED = 5
"""Every so many seeds one is for coverage only."""
AIMED = 4
"""Pairs that another seed aims at, whichever they are."""
NARROW = 0.3
"""Share of the others in which components are released by parts of clusters."""
SEVERAL = 0.4
"""Share of those with several components in which releases bring several at once."""
WORK = 0.25
"""Share of the others in which stages hold tasks."""
FLEET = 0.4
"""Share of the others in which clusters come, go or are labelled anew."""
LEFT = 0.25
"""Share of the others in which components leave objects behind."""
BAD = "2.5.0"
"""A version whose pods do not come up, where a history has one."""


class Chance(random.Random):
    """Drawn numbers of one history."""

    def one(self, *options: T) -> T:
        return self.choice(options)

    def often(self, probability: float) -> bool:
        return self.random() < probability


def script_of(seed: int) -> Script:
    """The whole history of a seed."""
    chance = Chance(f"sluice/{seed}")
    start = datetime(2026, 11, 23, 7, 30, tzinfo=UTC) + timedelta(
        days=chance.randrange(5), minutes=15 * chance.randrange(30)
    )
    if seed % CROWDED == 0:
        return crowd(seed, seed // CROWDED, start, chance)
    components = chance.sample(KINDS, chance.one(1, 1, 2, 2, 2, 3, 3))
    clusters = _clusters(chance, components)
    documents = _documents(chance, start, components, clusters)
    addon = len(components) > 1 and chance.often(SEVERAL)
    if addon or chance.often(0.2):
        depend(chance, documents, components)
    tasks = work(chance, documents) if chance.often(WORK) else []
    if chance.often(NARROW):
        narrow(chance, documents, components, staged=not (addon or tasks))
    acts = _releases(chance, components, addon=addon, tasks=tasks)
    moved = chance.often(FLEET)
    if moved:
        acts += baseline(chance, acts)
        joining(chance, acts)
    names = [act.data["release"] for act in acts if act.do == "propose"]
    brings = [*components, *tasks]
    units = [unit for c in brings for k in clusters for unit in units_of(documents, c, k)]
    acts += commands(chance, names, units, chance.randrange(12))
    acts += probing(chance, names, documents)
    # Drawn apart: what else a seed has stays what it was.
    apart = Chance(f"leftovers/{seed}")
    if apart.often(LEFT):
        acts += left(apart, documents, leave(apart, documents, components), acts)
    if moved:
        # Last of all that changes documents: who comes back is as it was.
        acts += changes(chance, documents, acts)
    acts += _aimed(chance, names, units, clusters, components)
    for _ in range(chance.one(0, 1, 2, 4)):
        acts += _fault(chance, chance.choice(FAULTS), "", names, clusters, components)
    acts.sort(key=lambda act: act.at)
    return Script(seed=seed, start=start, docs=documents, acts=tuple(acts))


def _clusters(chance: Chance, components: Sequence[str]) -> dict[str, JSON]:
    names = ["st-1"] if chance.often(0.5) else []
    names += [f"eu-{n}" for n in range(1, chance.one(2, 2, 3) + 1)]
    found = {}
    guest = chance.often(0.2)
    for name in names:
        group = "staging" if name.startswith("st") else "prod"
        labels = {"haPair": chance.one("a", "b"), "size": chance.one("small", "large")}
        faults: list[JSON] = []
        if chance.often(0.12):
            image = f"registry.local/{chance.choice(components)}:{BAD}"
            faults.append({"do": chance.one("crashLoop", "neverReady"), "image": image})
        found[name] = make.cluster(name, group, chance.one(1, 2, 2, 3), labels, faults,
                                   host="eu-1" if guest and name == "eu-2" else "")  # fmt: skip
    return found


def _documents(
    chance: Chance, start: datetime, components: Sequence[str], clusters: dict[str, JSON]
) -> dict[str, JSON]:
    found: dict[str, JSON] = make.groups()
    found |= {f"fleet/clusters/{name}.yaml": one for name, one in clusters.items()}
    for name in components:
        found |= make.component(name, chance.one("0", "1"), _component(chance))
    found["checks/steady.yaml"] = make.doc(
        "Check", "steady",
        {"cel": {}, "successCondition": "result.total >= 0", "interval": "20s", "count": 2},
    )  # fmt: skip
    found["pipelines/standard.yaml"] = make.doc("Pipeline", "standard", _pipeline(chance, clusters))
    found["policy/policy.yaml"] = make.doc("Policy", "policy", policy(chance, components))
    found["people.yaml"] = make.people()
    for name, spec in windows(chance).items():
        found[f"calendar/{name}.yaml"] = make.doc("Window", name, spec)
    if chance.often(0.25):
        found["calendar/freezes/early.yaml"] = freeze(chance, start)
    return found


def _component(chance: Chance) -> dict[str, JSON]:
    after = chance.one(["workload"], ["workload", "steady"], ["steady"])
    spec: dict[str, JSON] = {
        "batches": chance.one([1, "100%"], ["100%"], [1, "50%", "100%"]),
        "batchSoak": chance.one("1m", "2m"),
        "soak": chance.one("2m", "3m", "4m"),
        "batchTakes": chance.one("2m", "5m"),
        "batchDeadline": chance.one("6m", "10m"),
        "checks": {"after": after, "before": chance.one([], [], ["steady"])},
        "onFailure": chance.one("hold", "hold", "hold", "rollbackUnit", "rollbackRelease"),
    }
    if chance.often(0.15):
        spec["irreversible"] = [{"from": "2.4.*", "to": "2.5.0", "reason": "schema"}]
    return spec


def _pipeline(chance: Chance, clusters: dict[str, JSON]) -> JSON:
    staging = {"name": "staging", "units": {"matchLabels": {"environment": "staging"}}}
    stages: list[Any] = [staging] if "st-1" in clusters else []
    production: dict[str, JSON] = {"name": "production", "units": {}}
    if chance.often(0.4):
        production["maxConcurrency"] = chance.one(1, 2)
    if chance.often(0.5):
        production["maxFailures"] = 1
    if chance.often(0.5):
        production["waves"] = [1, "100%"]
    if chance.often(0.25):
        production["spread"] = ["haPair"]
    if chance.often(0.25):
        production["soak"] = "5m"
    if chance.often(0.3):
        production["maxUnreachable"] = chance.one(0, 2)
    production["order"] = chance.one("score", "name")
    stages.append(production)
    for stage in stages:
        if chance.often(0.3):
            when = chance.one("before", "after", "eachWave")
            stage["approval"] = {"when": when, "roles": ["approver"], "count": chance.one(1, 1, 2)}
    return {"stages": stages}


def policy(chance: Chance, components: Sequence[str]) -> JSON:
    spec: dict[str, JSON] = {
        "windows": {"whenNoneMatches": chance.one("open", "closed"), "attended": "2m"}
    }
    if chance.often(0.3):
        spec["approvals"] = [
            {
                "components": chance.one({}, {"matchLabels": {"tier": "0"}}),
                "count": chance.one(1, 2),
                "roles": ["approver"],
                "expires": chance.one("30m", "24h"),
            }
        ]
    if chance.often(0.3):
        spec["limits"] = {"unitsInFlight": chance.one(1, 2, 3)}
    limits: dict[str, JSON] = spec.setdefault("limits", {})
    if chance.often(0.1):
        limits["failureBudget"] = chance.one(0, 1)
    if chance.often(0.1):
        limits["unitsPerDay"] = chance.one(2, 3, 4)
    if chance.often(0.1):
        rule = {"name": "few", "when": "inFlight.total > 0", "verdict": "wait", "reason": "R"}
        spec["riskRules"] = [rule]
    if chance.often(0.2):
        spec["floors"] = [{"components": {}, "soak": "2m", "batchSoak": "1m"}]
    if chance.often(0.05):
        spec["blocked"] = [{"component": chance.choice(components), "version": BAD, "reason": "R"}]
    return spec


def windows(chance: Chance) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    if chance.often(0.8):
        found["day"] = chance.one(
            {"zone": "UTC"},
            {"from": "08:00", "to": "18:00", "zone": "UTC"},
            {"days": ["Mon-Fri"], "from": "09:00", "to": "17:00", "zone": "Europe/Berlin"},
            {"from": "22:00", "to": "06:00", "zone": "America/New_York"},
        )
    if chance.often(0.25):
        found["lunch"] = chance.one(
            {"effect": "Deny", "from": "12:00", "to": "12:45", "zone": "Europe/Berlin"},
            {"effect": "Deny", "from": "10:30", "to": "11:00", "zone": "UTC",
             "actions": ["advance", "rollback"]},
            {"effect": "Deny", "from": "13:10", "to": "13:40", "zone": "UTC",
             "units": {"matchLabels": {"environment": "production"}}},
        )  # fmt: skip
    return found


def freeze(chance: Chance, start: datetime) -> JSON:
    begins = start + timedelta(minutes=15 * chance.randrange(16))
    ends = begins + timedelta(minutes=chance.one(20, 45, 90))
    spec = {
        "from": f"{begins:%Y-%m-%dT%H:%M}",
        "to": f"{ends:%Y-%m-%dT%H:%M}",
        "zone": "UTC",
        "units": chance.one({}, {"matchLabels": {"environment": "production"}}),
        "actions": chance.one(["advance"], ["advance", "rollback"]),
        "reason": "Trading",
        "owner": "ana",
    }
    return make.doc("Freeze", "early", spec)


def _releases(
    chance: Chance, components: Sequence[str], *, addon: bool, tasks: Sequence[str]
) -> list[Act]:
    """Releases that overlap, wait for each other, replace each other; some are closed unmerged."""
    acts: list[Act] = []
    at = chance.randrange(60)
    before: dict[str, str] = {}
    for number in range(chance.one(1, 2, 2, 3)):
        # Of several components one after another: units are then in different phases.
        mine = brought(chance, components, number, addon=addon)
        component = mine[0] if len(mine) == 1 else "addons"
        version, name = f"2.{5 + number}.0", f"{component}-2-{5 + number}-0"
        spec: dict[str, JSON] = {}
        if tasks and chance.often(0.15):
            # An operation: nothing but the tasks of its stages.
            mine, component = [], "operation"
            spec["components"] = []
        if len(mine) > 1:
            spec["components"] = [{"name": one, "version": version} for one in mine]
        old = list(dict.fromkeys(before[one] for one in mine if one in before))
        if old and chance.often(0.5):
            spec["supersedes"] = old
        if chance.often(0.05):
            spec["expires"] = "1h"
        document = make.release(name, component, version, **spec)
        author = chance.one("cleo", "cleo", "eve", "ana", "zoe")
        proposed = {"release": name, "doc": document, "by": author}
        acts.append(Act(at=at, do="propose", data=proposed))
        at += chance.one(5, 60, 600)
        if chance.often(0.04):
            acts.append(Act(at=at, do="close", data={"release": name}))
        else:
            how = chance.one("merge", "merge", "squash", "fast-forward")
            acts.append(Act(at=at, do="merge", data={"release": name, "how": how, "by": "ben"}))
            before |= dict.fromkeys(mine, name)
        at += chance.one(30, 30, 90, 600, 1800)
    return acts


def _aimed(
    chance: Chance, names: Sequence[str], units: Sequence[str],
    clusters: dict[str, JSON], components: Sequence[str],
) -> list[Act]:  # fmt: skip
    """Faults for some pairs, and what brings units into those phases."""
    acts: list[Act] = []
    for _ in range(AIMED):
        fault, phase = chance.choice(PAIRS)
        acts += _towards(chance, phase, names, units, clusters)
        if fault in RARE:
            acts += _towards(chance, "ROLLING_BACK", names, units, clusters)
        acts += _fault(chance, fault, phase, names, clusters, components)
    return acts


def _towards(
    chance: Chance, phase: str, names: Sequence[str], units: Sequence[str],
    clusters: dict[str, JSON],
) -> list[Act]:  # fmt: skip
    at = chance.randrange(300, 2400)
    release = chance.choice(names)
    match phase:
        case "ROLLING_BACK" | "ROLLED_BACK":
            # One unit that is back leaves its release ahead.
            what = release if phase == "ROLLING_BACK" else chance.choice(units)
            say = f"rollback {what} --reason odd"
            when = chance.one("SOAKING", "SUCCEEDED", "VERIFYING")
            return [Act(at=at, do="says", data={"text": say, "by": "ana"}, phase=when)]
        case "SKIPPED":
            say = f"skip {chance.choice(units)} --reason later"
            return [Act(at=chance.randrange(120, 600), do="says", data={"text": say, "by": "ana"})]
        case "QUARANTINED":
            data = {"cluster": chance.choice(sorted(clusters)), "seconds": 3600}
            return [Act(at=chance.randrange(60), do="outage", data=data)]
        case "FAILED":
            # Its cluster answers: what failed is stopped there, by a write.
            cluster = chance.choice(sorted(clusters))
            spoilt = {"cluster": cluster, "component": chance.choice(units).partition("@")[0]}
            return [Act(at=0, do="spoilt", data=spoilt)]
    return []


def _fault(
    chance: Chance, fault: str, phase: str, names: Sequence[str], clusters: dict[str, JSON],
    components: Sequence[str],
) -> list[Act]:  # fmt: skip
    at = chance.randrange(30, 3600) if not phase else chance.randrange(30, 600)
    if fault in AT_PORTS:
        return [_armed(chance, fault, phase, at)]
    assert fault in OF_THE_WORLD
    data: dict[str, JSON] = {"cluster": chance.choice(sorted(clusters))}
    data["component"] = chance.choice(components)
    match fault:
        case "outage" | "bot-down" | "slow-controller":
            data["seconds"] = chance.one(20, 120, 600, 1500)
        case "clock-forward" | "clock-back":
            data["seconds"] = chance.one(1, 30, 140, 900, 3600)
        case "second-process":
            data["gaps"] = [chance.one(1, 60, 600) for _ in range(3)]
        case "note-twice":
            data["text"] = chance.one(f"approve {chance.choice(names)}", "pause all", "resume all")
            data["by"] = chance.one("ana", "ben")
        case "manual-edit":
            data["what"] = chance.one("image", "note", "replicas", "open")
        case "rules-changed":
            data |= rule_change(chance, components)
        case _:
            pass
    return [Act(at=at, do=fault, data=data, phase=phase)]


def _armed(chance: Chance, fault: str, phase: str, at: int) -> Act:
    """A fault that waits at its port, and for its phase."""
    nth = chance.one(1, 1, 1, 2) if phase else chance.one(1, 2, 3, 5)
    if fault in RARE:
        at, nth = 30, 1
    data: dict[str, JSON] = {"fault": fault, "nth": nth, "times": chance.one(1, 1, 2)}
    if phase:
        data |= {"phase": phase}
    return Act(at=at if phase != "PENDING" else chance.randrange(300), do="arm", data=data)


def rule_change(chance: Chance, components: Sequence[str]) -> dict[str, JSON]:
    """What a change on main brings: `docs`, or `freeze` minutes from the moment it comes."""
    match chance.randrange(5):
        case 0:
            return _new_policy(policy(chance, components))
        case 1:
            actions = chance.one(["advance"], ["advance", "rollback"])
            return {"freeze": chance.one(10, 40), "actions": actions}
        case 2:
            roles = dict(make.ROLES)
            roles["approver"] = chance.one(("ben", "cleo"), ("ana", "dan"), ("ben", "eve"))
            roles["admin"] = chance.one(("ana", "dan"), ("dan",))
            return {"docs": {"people.yaml": make.people(roles)}}
        case 3:
            found: dict[str, JSON] = {"calendar/day.yaml": None, "calendar/lunch.yaml": None}
            for name, spec in windows(chance).items():
                found[f"calendar/{name}.yaml"] = make.doc("Window", name, spec)
            return {"docs": found}
        case _:
            one = {"component": chance.choice(components), "version": BAD, "reason": "INC"}
            return _new_policy({**policy(chance, components), "blocked": [one]})


def _new_policy(spec: JSON) -> dict[str, JSON]:
    return {"docs": {"policy/policy.yaml": make.doc("Policy", "policy", spec)}}
