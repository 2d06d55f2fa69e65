"""What is still to be sent to an object, asked look after look, by the level-triggered driver.

`kubectl apply` writes a list again and again when the server or a webhook added something to its
elements. Done once that is harmless; done at every look a batch would never end. So what others
only added inside our lists is left alone as long as that list is not to be changed.
"""

from __future__ import annotations

from dataclasses import replace

from bot.cluster.keyed import interleaved
from bot.cluster.merge import Merge, merge3, merge_patch
from bot.cluster.merge_table import type_of_kind
from bot.cluster.two_way import CUSTOM, merge_between
from bot.model.plan import JSON


def pending(last: JSON | None, live: JSON, target: JSON) -> Merge | None:
    """The merge that is due; None when the object is as we left it, but for what others added."""
    merge = merge3(last, live, target)
    if merge is None:
        return None
    kind = type_of_kind(str(target.get("apiVersion")), str(target.get("kind"))) or CUSTOM
    added = _with_additions(last or {}, live, merge.result, custom=kind == CUSTOM)
    differs = merge_between(live, added, kind)
    if not differs:
        return None
    if kind != CUSTOM:
        return merge
    # A template that is as we left it must not be sent along: it would look like another one.
    sent = _where(merge.patch, differs)
    return replace(merge, patch=sent, result=merge_patch(live, sent))


def _where(patch: JSON, differs: JSON) -> JSON:
    """What of a merge patch changes something."""
    if not isinstance(patch, dict) or not isinstance(differs, dict):
        return patch
    return {name: _where(v, differs[name]) for name, v in patch.items() if name in differs}


def _with_additions(last: JSON, live: JSON, made: JSON, *, custom: bool) -> JSON:
    if isinstance(live, dict) and isinstance(made, dict):
        had = last if isinstance(last, dict) else {}
        return {
            name: _with_additions(had.get(name), live[name], value, custom=custom)
            if name in live and live[name] is not value
            else value
            for name, value in made.items()
        }
    if isinstance(live, list) and isinstance(made, list):
        return _list(last if isinstance(last, list) else [], live, made, custom=custom)
    return made


def _list(last: list[JSON], live: list[JSON], made: list[JSON], *, custom: bool) -> JSON:
    if not all(isinstance(one, dict) for one in (*live, *made)):
        return made
    if custom and _named(live) and _named(made):
        had = {one["name"]: one for one in last} if _named(last) else {}
        have = {one["name"]: one for one in live}
        ours = [
            (one["name"], _element(had.get(one["name"]), have.get(one["name"]), one, custom=custom))
            for one in made
        ]
        names = {name for name, _ in ours}
        theirs = [(n, one) for n, one in have.items() if n not in names and n not in had]
        return interleaved(ours, theirs, list(have))
    if len(live) != len(made):
        return made
    before = [*last, *[None] * len(live)] if len(last) <= len(live) else [None] * len(live)
    return [
        _element(had, have, one, custom=custom)
        for had, have, one in zip(before, live, made, strict=False)
    ]


def _element(had: JSON, have: JSON, one: JSON, *, custom: bool) -> JSON:
    if have is None:
        return one
    known = had if isinstance(had, dict) else {}
    foreign = {n: v for n, v in have.items() if n not in one and n not in known}
    inside = {
        name: _element(known.get(name), have[name], value, custom=custom)
        if isinstance(value, dict) and isinstance(have.get(name), dict)
        else _with_additions(known.get(name), have.get(name), value, custom=custom)
        for name, value in one.items()
    }
    return {**inside, **foreign}


def _named(elements: list[JSON]) -> bool:
    own = [one for one in elements if isinstance(one, dict)]
    names = [one["name"] for one in own if isinstance(one.get("name"), str)]
    return len(names) == len(elements) == len(set(names))
