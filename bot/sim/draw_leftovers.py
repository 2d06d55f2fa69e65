"""Components that leave an object behind with every version, and people who say what becomes of it.

Changes the documents that it is given; draws with the chance that it is given.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from bot.model.plan import JSON
from bot.sim import docs as make
from bot.sim.script import Act

LAST = "2.9.0"
"""A version that comes when all others have: then there is something that it leaves."""
SAYS: tuple[JSON, ...] = (
    *({}, {}, {}),
    {"allow": ["ConfigMap/NAME-*"]},
    {"keep": ["ConfigMap/NAME-*"]},
    {"allow": ["ConfigMap"], "ask": ["ConfigMap/NAME-2.5.0"]},
)
"""What components say of it in `guard.delete`."""


def leave(
    chance: random.Random, documents: dict[str, JSON], components: Sequence[str]
) -> tuple[str, ...]:
    """Some components render an object whose name has their version in it."""
    found = tuple(name for name in components if chance.random() < 0.6) or (components[0],)
    for name in found:
        path = f"components/{name}/component.yaml"
        one = documents[path]
        spec = {**one["spec"], **_guard(name, chance.choice(SAYS))}
        documents[path] = {**one, "spec": spec}
        documents[f"components/{name}/templates/{name}.yaml"] += make.versioned(
            name, spec.get("scope", "cluster")
        )
    return found


def _guard(name: str, said: JSON) -> dict[str, JSON]:
    written = {
        says: [one.replace("NAME", name) for one in objects] for says, objects in said.items()
    }
    return {"guard": {"delete": written}} if written else {}


def left(
    chance: random.Random, documents: dict[str, JSON], components: Sequence[str],
    acts: Sequence[Act],
) -> list[Act]:  # fmt: skip
    """A last release of one of them, answers, and a component that says something else later."""
    merged = [act for act in acts if act.do == "merge"]
    at = max((act.at for act in merged), default=0) + chance.choice((600, 1800, 3000))
    name = chance.choice(components)
    document = make.release(f"{name}-2-9-0", name, LAST)
    data: dict[str, JSON] = {"release": document["metadata"]["name"]}
    found = [
        Act(at=at, do="propose", data={**data, "doc": document, "by": "cleo"}),
        Act(at=at + 30, do="merge", data={**data, "how": "merge", "by": "ben"}),
    ]
    for one in (*merged, found[-1]):
        found += _answers(chance, str(one.data["release"]), one.at)
    if chance.random() < 0.3:
        found.append(_said_anew(chance, documents, name, at + chance.choice((0, 300, 1500))))
    return found


def _answers(chance: random.Random, release: str, merged: int) -> list[Act]:
    """Somebody looks at it now and then; most say yes."""
    found = []
    for _ in range(chance.choice((2, 4, 6))):
        verb = chance.choice(("approve", "approve", "approve", "reject"))
        text = f"{verb} {release}" + (" --reason keep" if verb == "reject" else "")
        by = chance.choice(("ben", "ben", "ana", "cleo", "mallory"))
        at = merged + chance.randrange(120, 4800)
        found.append(Act(at=at, do="says", data={"text": text, "by": by}))
    return found


def _said_anew(chance: random.Random, documents: dict[str, JSON], name: str, at: int) -> Act:
    """Main says something else of what may be deleted, while a release runs."""
    path = f"components/{name}/component.yaml"
    one = documents[path]
    spec: dict[str, Any] = {key: value for key, value in one["spec"].items() if key != "guard"}
    spec |= _guard(name, chance.choice(SAYS))
    return Act(at=at, do="rules-changed", data={"docs": {path: {**one, "spec": spec}}})
