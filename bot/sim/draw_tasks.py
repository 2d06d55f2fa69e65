"""Tasks in the stages of a pipeline: Jobs and calls before and after the components, with undo.

Changes the documents that it is given; draws with the chance that it is given.
"""

from __future__ import annotations

import random

from bot.model.plan import JSON
from bot.sim import docs as make

NAMES = ("drain", "notify", "warm")
IMAGE = "registry.local/ops"


def work(chance: random.Random, documents: dict[str, JSON]) -> list[str]:
    """Puts one or two tasks into the stages; their names."""
    names = chance.sample(NAMES, chance.choice((1, 1, 2)))
    held: dict[str, list[str]] = {"before": [], "after": []}
    for name in names:
        documents[f"tasks/{name}.yaml"] = make.doc("Task", name, _task(chance, name))
        held[chance.choice(("before", "before", "after"))].append(name)
    one = documents["pipelines/standard.yaml"]
    stages = [{**stage, "tasks": held} for stage in one["spec"]["stages"]]
    documents["pipelines/standard.yaml"] = {**one, "spec": {**one["spec"], "stages": stages}}
    if chance.random() < 0.2:
        _fails(chance, documents, chance.choice(names))
    return sorted(names)


def _task(chance: random.Random, name: str) -> JSON:
    call = name == "notify"
    does, undo = (_call(name), _call(f"un{name}")) if call else (_job(name), _job(f"{name}-undo"))
    spec: dict[str, JSON] = {
        "owners": [make.TEAM],
        "takes": "1m",
        "deadline": chance.choice(("5m", "10m")),
        "soak": chance.choice(("0s", "1m")),
        "onFailure": chance.choice(("hold", "hold", "rollbackUnit", "rollbackRelease")),
        **does,
    }
    if chance.random() < 0.6:
        spec["undo"] = undo
    return spec


def _job(name: str) -> dict[str, JSON]:
    return {"job": {"image": f"{IMAGE}:{name}", "args": ["{{ cluster.name }}"], "namespace": "ops"}}


def _call(name: str) -> dict[str, JSON]:
    return {"webhook": {"url": f"https://ops.example.com/{name}/{{{{ cluster.name }}}}"}}


def _fails(chance: random.Random, documents: dict[str, JSON], task: str) -> None:
    """In one cluster its Job does not end well, until people mend that."""
    path = chance.choice([path for path in documents if path.startswith("fleet/clusters/")])
    spec = documents[path]["spec"]
    simulated = dict(spec["connection"]["simulated"])
    fault = {"do": "crashLoop", "image": f"{IMAGE}:{task}"}
    simulated["faults"] = [*simulated.get("faults", ()), fault]
    connection = {"connection": {"simulated": simulated}}
    documents[path] = {**documents[path], "spec": {**spec, **connection}}
