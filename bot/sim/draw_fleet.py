"""Clusters that come, go, come back and are labelled anew while releases run.

Draws with the chance that it is given; two such things in one history at most.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bot.model.plan import JSON
from bot.sim import docs as make
from bot.sim.script import Act

NEW = "eu-9"
"""A cluster that joins."""
FIRST_DAY = "first-day"
BASELINE = 0.4
"""Share of these histories that end with a baseline."""


def changes(chance: random.Random, documents: dict[str, JSON], acts: Sequence[Act]) -> list[Act]:
    """What happens to the fleet; releases may let new clusters join."""
    found: list[Act] = []
    files = {path: one for path, one in documents.items() if path.startswith("fleet/clusters/")}
    hosts = {one["spec"].get("hostedBy") for one in files.values()}
    groups = Counter(one["spec"]["group"] for one in files.values())
    # A stage that selects no cluster any more would be a mistake on main.
    free = [
        path
        for path, one in files.items()
        if one["metadata"]["name"] not in hosts and groups[one["spec"]["group"]] > 1
    ]
    merged = max((act.at for act in acts if act.do == "merge"), default=0)
    for what in chance.sample(("joins", "leaves", "relabelled"), chance.choice((1, 1, 2))):
        at = chance.randrange(60, 2400)
        match what:
            case "joins":
                found.append(_fleet(at, _like(chance.choice(list(files.values())))))
            case "leaves" if free:
                path = chance.choice(free)
                found.append(Act(at=at, do="leaves", data={"path": path}))
                if chance.random() < 0.5:
                    back = {"path": path, "doc": files[path]}
                    found.append(Act(at=at + chance.choice((300, 1800)), do="fleet", data=back))
            case "relabelled":
                # A release that is merged afterwards would have the new labels.
                one = files[chance.choice(list(files))]
                found.append(_fleet(merged + at, _relabelled(chance, one)))
    return found


def joining(chance: random.Random, acts: Sequence[Act]) -> None:
    """Half of the releases let clusters join."""
    for act in acts:
        if act.do == "propose" and chance.random() < 0.6:
            spec: dict[str, Any] = act.data["doc"]["spec"]
            spec["lateJoiners"] = "join"


def baseline(chance: random.Random, acts: Sequence[Act]) -> list[Act]:
    """In some histories the last release brings clusters to what their group has by then."""
    if chance.random() > BASELINE:
        return []
    at = max(act.at for act in acts) + chance.choice((900, 2400, 4800, 7200))
    document = make.release(FIRST_DAY, "", "", baseline=True)
    del document["spec"]["components"]
    document["spec"]["reason"] = "New clusters"
    data: dict[str, JSON] = {"release": FIRST_DAY}
    return [
        Act(at=at, do="propose", data={**data, "doc": document, "by": "cleo"}),
        Act(at=at + 60, do="merge", data={**data, "how": "merge", "by": "ben"}),
    ]


def _fleet(at: int, document: JSON) -> Act:
    path = f"fleet/clusters/{document['metadata']['name']}.yaml"
    return Act(at=at, do="fleet", data={"path": path, "doc": document})


def _like(one: JSON) -> JSON:
    spec = {key: value for key, value in one["spec"].items() if key != "hostedBy"}
    simulated = {k: v for k, v in spec["connection"]["simulated"].items() if k != "faults"}
    spec["connection"] = {"simulated": simulated}
    return {**one, "metadata": {**one["metadata"], "name": NEW}, "spec": spec}


def _relabelled(chance: random.Random, one: JSON) -> JSON:
    labels = {**one["metadata"]["labels"], "haPair": "c", "size": chance.choice(("small", "huge"))}
    return {**one, "metadata": {**one["metadata"], "labels": labels}}
