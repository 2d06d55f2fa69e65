"""Risk rules: conditions in CEL over what is in flight, bounded so that each answers at once.

A rule is asked for every unit that wants to begin, so it may walk the list of units in flight and
nothing more: no list of lists, no list inside a list, no regular expression. Knows no release.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

from checks.cel import Unclear, cel_problems, holds, without_texts

MAX_LENGTH = 500
"""Characters of a rule."""
MAX_LISTS = 3
"""How often a rule may name the list of units."""

_COSTLY = re.compile(r"\b(map|filter|matches)\s*\(")
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne)\s*\(|[()]")


def rule_problems(
    expression: str, variables: Collection[str], holder: str, many: str
) -> str | None:
    """What is wrong with a rule before it meets facts, in one line; None when nothing is.

    `holder` is the variable that has the long list, `many` the name of the list in it.
    """
    try:
        _refuse_costly(expression, holder, many)
    except Unclear as problem:
        return str(problem)
    return cel_problems(expression, variables)


def rule_holds(expression: str, facts: Mapping[str, Any], holder: str, many: str) -> bool:
    """True or false; raises Unclear for everything else, and before it would take long."""
    _refuse_costly(expression, holder, many)
    return holds(expression, facts, numbers=False)


def names(expression: str, word: str) -> bool:
    """Whether a rule names a word at all: what it does not name need not be gathered for it."""
    return re.search(rf"\b{re.escape(word)}\b", expression) is not None


@lru_cache(maxsize=512)
def _refuse_costly(expression: str, holder: str, many: str) -> None:
    if len(expression) > MAX_LENGTH:
        raise Unclear(f"longer than {MAX_LENGTH} characters")
    text = without_texts(expression)
    if found := _COSTLY.search(text):
        raise Unclear(f"`{found[1]}` is not for risk rules: use exists, all or exists_one")
    if len(re.findall(rf"\b{re.escape(many)}\b", expression)) > MAX_LISTS:
        raise Unclear(f"names `{many}` more than {MAX_LISTS} times")
    for body in _bodies(text):
        if _MACRO.search(body) and any(found[0] not in "()" for found in _MACRO.finditer(body)):
            raise Unclear("a list inside a list: one macro may not stand in another")
        if re.search(rf"\b{re.escape(holder)}\b", body):
            raise Unclear(f"`{holder}` inside a macro: it would be walked once for every unit")


def _bodies(text: str) -> Iterator[str]:
    """What stands between the brackets of each macro."""
    for found in _MACRO.finditer(text):
        if found[0] in "()":
            continue
        depth, end = 1, found.end()
        while end < len(text) and depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[found.end() : end]
