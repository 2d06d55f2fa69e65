"""Laws of people: who may what, whose yes counts, that a decision is made once and binds."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model.state import Decision, Event
from bot.sim import oracle
from bot.sim.laws import Docs, Seen, law
from bot.sim.laws_batches import begun, named, plan_of
from bot.sim.place import Asked


@law("rights", "Only who may do it is heard.")
def rights(seen: Seen) -> Iterator[str]:
    for asked in seen.answered:
        assert asked.answer is not None
        if asked.answer.code != 0:
            continue
        verb, _, _ = oracle.words(asked.text)
        if verb in ("approve", "reject"):
            continue
        if not any(oracle.may(docs, asked.by, verb) for docs in seen.rules):
            yield f"{asked.by} was heard with {asked.text!r}"


@law("answered", "A note is answered once, and its answer stays.")
def answered(seen: Seen) -> Iterator[str]:
    if not seen.answered:
        return
    for asked in seen.place.notes.values():
        if asked.answer is not None and seen.place.store.answer(asked.note) != asked.answer:
            yield f"{asked.text!r} of {asked.by} has another answer now"


@law("votes", "Every vote is a person's own, who may give it, was heard, and is no author.")
def votes(seen: Seen) -> Iterator[str]:
    if not seen.answered:
        return
    said: dict[str, set[str]] = seen.keep("said", dict)
    for asked in seen.answered:
        if asked.answer is not None and asked.answer.code == 0:
            verb, _, flags = oracle.words(asked.text)
            if verb == "approve" or (verb == "override" and flags.get("gate") == "window"):
                said.setdefault(str(asked.answer.body.get("decision")), set()).add(asked.by)
                yield from _may_vote(seen, asked)
    for row in seen.place.store.rows(Decision):
        people = [vote.by for vote in row.votes]
        if len(people) != len(set(people)) and row.status.value != "VOID":
            yield f"{row.id} has two votes of one person: {people}"
        heard = said.get(row.id, set())
        wide = {by for names in said.values() for by in names}
        for person in people:
            if person not in heard and not (row.what == "override-window" and person in wide):
                yield f"{row.id} has a vote of {person}, who was not heard with it"


def _may_vote(seen: Seen, asked: Asked) -> Iterator[str]:
    assert asked.answer is not None
    row = seen.place.store.get(Decision, str(asked.answer.body.get("decision")))
    if row is None:
        return
    if asked.by == _author(seen, row.release):
        yield f"{asked.by} is an author and was heard with {asked.text!r}"
    if not any(oracle.roles(docs, asked.by) & set(row.roles) for docs in seen.rules):
        yield f"{asked.by} holds none of {row.roles} and was heard with {asked.text!r}"


@law("approval", "No batch begins before everybody who is asked has said yes.")
def approval(seen: Seen) -> Iterator[str]:
    for event in begun(seen):
        missing = [_missing(seen, docs, event) for docs in seen.rules]
        if all(missing):
            yield f"{named(event)} begins: {missing[-1]}"


def _missing(seen: Seen, docs: Docs, event: Event) -> str:
    author = _author(seen, event.release)
    extra = 0 if oracle.known(docs, author) else 1
    for what, subject, count, roles in _asked(seen, docs, event):
        rows = [
            row
            for row in seen.place.store.rows(Decision, parent=event.release)
            if (row.what, row.subject) == (what, subject) and row.status.value == "APPROVED"
        ]
        best = max((_yes(docs, row, roles, author) for row in rows), default=0)
        if best < count + extra:
            return f"{what} {subject} has {best} of {count + extra}"
    return ""


def _author(seen: Seen, release: str) -> str:
    """Who wrote it. A squash of a pull request that the bot never saw is its merger's own."""
    state = seen.releases.get(release)
    unseen = state is not None and state.pull is None and state.merged is not None
    if unseen and release in seen.place.squashed:
        return seen.place.squashed[release]
    return seen.place.authors.get(release, "")


def _yes(docs: Docs, row: Decision, roles: set[str], author: str) -> int:
    return len(
        {vote.by for vote in row.votes if vote.by != author and oracle.roles(docs, vote.by) & roles}
    )


def _asked(seen: Seen, docs: Docs, event: Event) -> Iterator[tuple[str, str, int, set[str]]]:
    plan = plan_of(seen, event.release)
    unit = next(one for one in plan.units if one.unit == event.unit)
    stages = {one["name"]: one for one in oracle.spec_of(docs, "pipelines/standard.yaml")["stages"]}
    written = [stages[stage.name].get("approval") for stage in plan.stages]
    first = _policy_counts(seen, docs, event)
    if written[0] and written[0].get("when", "before") == "before":
        first.append(written[0].get("count", 1))
    if first:
        yield "release", "", max(first), {"approver"}
    for number, ask in enumerate(written[: unit.stage + 1]):
        if ask is None:
            continue
        name, when, roles = plan.stages[number].name, ask["when"], set(ask["roles"])
        if when == "after" and number < unit.stage:
            yield "after-stage", name, ask["count"], roles
        if when == "before" and number == unit.stage and number > 0:
            yield "stage", name, ask["count"], roles
        if when == "eachWave" and number == unit.stage:
            yield "wave", f"{name}/{unit.wave + 1}", ask["count"], roles


def _policy_counts(seen: Seen, docs: Docs, event: Event) -> list[int]:
    """What the policy asked at the merge; before anything began, what it asks now as well."""
    labels = [
        oracle.component_labels(docs, one.name) for one in plan_of(seen, event.release).components
    ]
    state = seen.old_releases.get(event.release)
    then = seen.merged.get(event.release)
    rules = [then] if then is not None else []
    if state is None or state.began is None:
        rules.append(docs)
    return [
        one.get("count", 1)
        for each in rules
        for one in oracle.policy(each).get("approvals", ())
        if any(oracle.selected(one.get("components"), held) for held in labels)
    ]


@law("binds", "A yes is of what was shown: when a verdict changes before its use, it is void.")
def binds(seen: Seen) -> Iterator[str]:
    shown: dict[str, list[str]] = seen.keep("shown", dict)
    used: set[str] = seen.keep("used", set)
    for event in begun(seen):
        for row in seen.place.store.rows(Decision, parent=event.release):
            if row.status.value != "APPROVED" or row.id in used or row.id not in shown:
                continue
            if not _opens(seen, row, event):
                continue
            used.add(row.id)
            state = seen.old_releases.get(event.release)
            if row.what == "release" and state is not None and state.began is not None:
                continue
            if not set(shown[row.id]) & set(_red(seen, event.release)):
                yield f"{named(event)} begins on {row.id}, of which the verdicts changed"
    for event in seen.events:
        if event.kind == "decision.asked":
            shown[str(event.data["id"])] = _red(seen, event.release)


def _opens(seen: Seen, row: Decision, event: Event) -> bool:
    unit = next(one for one in plan_of(seen, event.release).units if one.unit == event.unit)
    stage = plan_of(seen, event.release).stages[unit.stage].name
    mine = (("release", ""), ("stage", stage), ("wave", f"{stage}/{unit.wave + 1}"))
    return (row.what, row.subject) in mine


def _red(seen: Seen, release: str) -> list[str]:
    """What is not green before and after this step, as two texts."""
    found = []
    for rows in (seen.old_units, seen.units):
        red = sorted(
            f"{row.unit} {row.phase.value}"
            for row in rows.values()
            if row.release == release and row.phase.value in ("FAILED", "SKIPPED", "QUARANTINED")
        )
        found.append(" ".join(red))
    return found
