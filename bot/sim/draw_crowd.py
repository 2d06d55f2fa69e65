"""Histories for coverage: a fleet in which units stand in every phase beside each other.

One cluster is silent, one spoils what is new, one is left out, one goes back; the others move on,
slowly, and meanwhile the faults whose turn it is strike. Draws with the chance that it is given.
"""

from __future__ import annotations

import random
from datetime import datetime

from bot.model.plan import JSON
from bot.sim import docs as make
from bot.sim.script import AT_PORTS, FAULTS, PHASES, RARE, Act, Script

PAIRS = tuple((fault, phase) for phase in PHASES for fault in FAULTS)
IN_TURN = tuple((fault, phase) for fault, phase in PAIRS if fault not in RARE)
AIMED = 28
"""Pairs that such a history aims at."""
STEP = 27
"""From one pair to the next: no divisor of their number, so that all have their turn."""
SILENT, SPOILT, BACK, DONE = "eu-1", "eu-2", "eu-3", "eu-4"
LATER = ("eu-5", "eu-6", "eu-7")
LEFT_OUT, AWAY = "eu-8", "eu-9"
CLUSTERS = (SILENT, SPOILT, BACK, DONE, *LATER, LEFT_OUT, AWAY)
MAIN: dict[str, JSON] = {"units": {"matchLabels": {"part": "main"}}}
CALM = (SILENT, SPOILT, BACK, DONE, LEFT_OUT)
"""Clusters in which a fault does not keep the others from moving on."""
FULL = 905
"""When the silent cluster is given up: from then on every phase has its unit."""
LASTS = FULL + 900
SOAKS, ASKED, UNDONE = "rules", "quotas", "conf"
"""Components beside: one is silent for long, one is asked for long, one goes back as a whole."""


def crowd(seed: int, turn_: int, start: datetime, chance: random.Random) -> Script:
    """The history of a seed, whose turn among those for coverage is `turn_`."""
    component = chance.choice(("agent", "dns", "store", "net"))
    aims = [turn(turn_, number) for number in range(AIMED)]
    acts = [*_release(f"{component}-2-5-0", component, 0, **MAIN), *_roles(component)]
    acts += _beside(SOAKS, LEFT_OUT, FULL - 240) + _beside(ASKED, BACK, FULL - 120)
    acts += _undone(chance)
    for fault, phase in aims:
        acts += _strike(chance, fault, phase, component)
    acts.sort(key=lambda act: act.at)
    return Script(seed=seed, start=start, docs=_documents(chance, component),
                  acts=tuple(acts), lasts=LASTS)  # fmt: skip


def turn(history: int, number: int) -> tuple[str, str]:
    """The pair whose turn it is: round and round through all of them."""
    return IN_TURN[(history * AIMED + number) * STEP % len(IN_TURN)]


def _documents(chance: random.Random, component: str) -> dict[str, JSON]:
    found: dict[str, JSON] = make.groups()
    for name in CLUSTERS:
        slow: list[JSON] = []
        if name not in (SILENT, SPOILT, LEFT_OUT):
            slow = [{"do": "slow", "takes": chance.choice(("20s", "45s", "60s"))}]
        labels = {"name": name, "part": "away" if name == AWAY else "main"}
        found[f"fleet/clusters/{name}.yaml"] = make.cluster(name, "prod", 1, labels, slow)
    spec: dict[str, JSON] = {
        "batches": chance.choice(([1, "100%"], [1, 2, "100%"])),
        "batchSoak": "1m",
        "soak": "1m",
        "batchTakes": "1m",
        "batchDeadline": "3m",
        "checks": {"after": ["steady"], "before": chance.choice(([], ["steady"]))},
        "onFailure": "hold",
    }
    once: dict[str, JSON] = {**spec, "batches": ["100%"]}
    found |= make.component(component, "1", spec)
    found |= make.component(SOAKS, "1", {**once, "soak": "15m"})
    found |= make.component(ASKED, "1", {**once, "checks": {"after": ["long"]}})
    found |= make.component(UNDONE, "1", once)
    long = {"cel": {}, "successCondition": "result.total >= 0", "interval": "60s", "count": 11}
    found["checks/long.yaml"] = make.doc("Check", "long", long)
    found["checks/steady.yaml"] = make.doc(
        "Check", "steady",
        {"cel": {}, "successCondition": "result.total >= 0", "interval": "15s", "count": 2},
    )  # fmt: skip
    stage: dict[str, JSON] = {
        "name": "production", "units": {}, "order": "name", "waves": [4, "100%"],
        "maxFailures": 7, "maxUnreachable": 7, "maxConcurrency": chance.choice((2, 3)),
    }  # fmt: skip
    found["pipelines/standard.yaml"] = make.doc("Pipeline", "standard", {"stages": [stage]})
    windows = {"windows": {"whenNoneMatches": "open", "attended": "1m"}}
    found["policy/policy.yaml"] = make.doc("Policy", "policy", windows)
    found["people.yaml"] = make.people()
    return found


def _release(name: str, component: str, at: int, **spec: JSON) -> list[Act]:
    version = name.removeprefix(f"{component}-").replace("-", ".")
    document = make.release(name, component, version, **spec)
    return [
        Act(at=at, do="propose", data={"release": name, "doc": document, "by": "cleo"}),
        Act(at=at + 5, do="merge", data={"release": name, "how": "merge", "by": "ben"}),
    ]


def _says(at: int, text: str, phase: str = "") -> Act:
    return Act(at=at, do="says", data={"text": text, "by": "ana"}, phase=phase)


def _roles(component: str) -> list[Act]:
    """What brings each unit into its phase, and keeps it there."""
    going = f"{UNDONE}-2-4-9"
    only = {"matchLabels": {"name": AWAY}}
    return [
        Act(at=0, do="outage", data={"cluster": SILENT, "seconds": 3600}),
        Act(at=0, do="spoilt", data={"cluster": SPOILT, "component": component}),
        _says(30, f"skip {component}@{LEFT_OUT} --reason later"),
        _says(400, f"rollback {component}@{BACK} --reason odd"),
        *_release(going, UNDONE, FULL - 120, units=only),
        # It stays on its way back: its cluster does not answer.
        Act(at=FULL - 31, do="outage", data={"cluster": AWAY, "seconds": 600}),
        _says(FULL - 30, f"rollback {going} --reason odd"),
    ]


def _beside(component: str, cluster: str, at: int) -> list[Act]:
    only = {"matchLabels": {"name": cluster}}
    return _release(f"{component}-2-5-0", component, at, units=only)


def _undone(chance: random.Random) -> list[Act]:
    """Small releases that go back as a whole: each proposes its revert once."""
    acts: list[Act] = []
    at = FULL
    clusters = chance.sample(LATER, 2)
    for number, after in enumerate(("crash-after-propose", "propose-lost")):
        name = f"{UNDONE}-2-{5 + number}-0"
        only = {"matchLabels": {"name": clusters[number]}}
        acts += _release(name, UNDONE, FULL - 200 + 30 * number, units=only)
        at += 60 + chance.randrange(90)
        for fault in ("crash-before-propose", after):
            armed: dict[str, JSON] = {"fault": fault, "nth": 1, "times": 1}
            acts.append(Act(at=at - 1, do="arm", data=armed))
        acts.append(_says(at, f"rollback {name} --reason odd"))
    return acts


def _strike(chance: random.Random, fault: str, phase: str, component: str) -> list[Act]:
    at = FULL + chance.randrange(400)
    if fault in AT_PORTS:
        data: dict[str, JSON] = {"fault": fault, "nth": 1, "times": 1, "phase": phase}
        return [Act(at=at, do="arm", data=data)]
    where = {"cluster": chance.choice((*CALM, *CLUSTERS)), "component": component}
    acts = [Act(at=at, do=fault, data=where | _more(chance, fault), phase=phase)]
    if fault == "main-broken":
        mended = {"docs": {"checks/broken.yaml": None}}
        acts.append(Act(at=at + 120, do="main-mended", data=mended))
    return acts


def _more(chance: random.Random, fault: str) -> dict[str, JSON]:
    """What a fault of the world is about: small things, so that the others go on."""
    match fault:
        case "outage" | "bot-down":
            return {"seconds": chance.choice((20, 60))}
        case "slow-controller":
            return {"seconds": 60}
        case "clock-forward" | "clock-back":
            return {"seconds": chance.choice((1, 30, 140))}
        case "second-process":
            return {"gaps": [chance.choice((1, 60)) for _ in range(2)]}
        case "note-twice":
            return {"text": "resume all", "by": "ana"}
        case "manual-edit":
            return {"what": chance.choice(("note", "image")), "cluster": chance.choice(CALM)}
        case "rebuilt":
            return {"cluster": chance.choice(CALM)}
        case "rules-changed":
            windows = {"whenNoneMatches": "open", "attended": chance.choice(("1m", "2m"))}
            spec = {"windows": windows}
            return {"docs": {"policy/policy.yaml": make.doc("Policy", "policy", spec)}}
    return {}
