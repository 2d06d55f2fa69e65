"""The text of a document → its model, or the problems and what can be understood without them.

A draft is for linting only: it lets one run tell every mistake. Nothing is ever released from one.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from release_repo_schema.explain import Problem, explain
from release_repo_schema.findings import Pointer
from release_repo_schema.models import API_VERSION, KindModel

_ROUNDS = 12
AGAIN = "--again"
"""What a name that is there twice ends with in a draft."""
_OF_ONE_ENTRY = frozenset(("duplicate-name", "coverage-by-hand"))
"""Problems of one field of one entry: what else the list says can be understood without it, and
pydantic tells only the first of them.
"""


def validate(
    kind: type[KindModel], value: dict[str, Any]
) -> tuple[KindModel | None, list[Problem]]:
    """The model, and every problem. With problems it is a draft; None: too little is left."""
    # What is wrong with apiVersion is told by the reader of the document's head.
    tree: Any = {**value, "apiVersion": API_VERSION}
    problems: list[Problem] = []
    for attempt in range(_ROUNDS):
        try:
            return kind.model_validate(tree, by_alias=True, by_name=False), problems
        except ValidationError as error:
            errors = error.errors(include_url=False)
        told = [explain(kind, one) for one in errors]
        if attempt:
            told = [one for one in told if one.code in _OF_ONE_ENTRY and AGAIN not in one.message]
        problems += told
        for one in errors:
            if one["type"] == "missing":
                return None, problems
            tree = _understood(tree, explain(kind, one), tuple(one["loc"]))
    return None, problems


def _understood(tree: Any, problem: Problem, loc: Pointer) -> Any:
    """The tree without what the problem is about: its one field, or all that it spoils."""
    if problem.code not in _OF_ONE_ENTRY or problem.pointer == loc:
        return _without(tree, _place(loc))
    if problem.code == "duplicate-name":
        return _renamed(tree, problem.pointer)
    return _without(tree, problem.pointer)


def _renamed(tree: Any, loc: Pointer) -> Any:
    """A copy in which a name that is there twice is another one."""
    if not loc:
        return f"{tree}{AGAIN}"
    key, rest = loc[0], loc[1:]
    if isinstance(tree, dict) and key in tree:
        return {**tree, key: _renamed(tree[key], rest)}
    if isinstance(tree, list) and isinstance(key, int) and key < len(tree):
        return [*tree[:key], _renamed(tree[key], rest), *tree[key + 1 :]]
    return tree


def _place(loc: Pointer) -> Pointer:
    """What to take out: a bad entry spoils its whole list, since the others count by position."""
    while loc and isinstance(loc[-1], int):
        loc = loc[:-1]
    return loc


def _without(tree: Any, loc: Pointer) -> Any:
    """A copy without one node; aliases share nodes, so nothing is changed in place."""
    if not loc:
        return {}
    key, rest = loc[0], loc[1:]
    if isinstance(tree, dict) and key in tree:
        if not rest:
            return {k: v for k, v in tree.items() if k != key}
        return {**tree, key: _without(tree[key], rest)}
    if isinstance(tree, list) and isinstance(key, int) and key < len(tree):
        return [*tree[:key], _without(tree[key], rest), *tree[key + 1 :]]
    return tree
