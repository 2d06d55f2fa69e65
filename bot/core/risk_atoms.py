"""Comparisons in risk rules that have one answer whatever happens: a slip that nothing else shows.

Reads the words of a rule: `a == 'b'`, `3 < a`, `a in ['b']`. Asks nothing, and judges no rule as a
whole: what it finds is worth a warning.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.risk import VARIABLES, WEEKDAYS

_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<number>\d+(?:\.\d+)?)
    |(?P<name>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)|(?P<sign>==|!=|<=|>=|&&|\|\||[^\s])""",
    re.VERBOSE,
)
_TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ENDS = frozenset(("&&", "||", "(", ")", "!", "?", ":", ",", "[", "]", ""))
"""What may stand around a comparison: beside a sign of arithmetic it would be another one."""
_WHOLE = frozenset(
    (
        *("release.units", "release.failed", "unit.wave", "unit.batch", "now.hour"),
        *(name for name in VARIABLES if re.fullmatch(r"inFlight\.\w+", name)),
    )
) - {"inFlight.units", "inFlight.same", "inFlight.byComponent"}
_YES_OR_NO = frozenset(("component.versionChanged", "unit.begun"))
_NO_SCALAR = ("tiers", "components", "supersedes", "units", "labels", "componentLabels", "same",
              "byComponent")  # fmt: skip
_LEAST = {"unit.wave": 1, "unit.batch": 1}
_MOST = {"now.hour": 23}
_ONE_OF: Mapping[str, Sequence[str]] = {
    "now.weekday": WEEKDAYS,
    "release.phase": ("SCHEDULED", "PROGRESSING"),
    "unit.scope": ("cluster", "nodeSet", "namespace", "node"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A comparison that is always or never true, and what its name really is: `kind` text, whole
    number or boolean; or one of `choices`; or a number from `least` to `most`.
    """

    written: str
    always: bool
    name: str
    literal: str
    kind: str = ""
    choices: Sequence[str] = ()
    least: int | None = None
    most: int | None = None


def settled(expression: str, known: Mapping[str, Collection[str]] | None = None) -> list[Settled]:
    """Every comparison with one answer. `known`: name → all values that it can have here."""
    tokens = [(str(one.lastgroup), _tidy(one[0])) for one in _TOKEN.finditer(expression)]
    choices = {**_ONE_OF, **(known or {})}
    return [
        found
        for name, sign, literal, written in _comparisons(tokens)
        if (found := _judged(name, sign, literal, written, choices)) is not None
    ]


def _tidy(token: str) -> str:
    return token if token[0] in "\"'" else re.sub(r"\s", "", token)


Token = tuple[str, str]


def _comparisons(tokens: Sequence[Token]) -> Iterator[tuple[str, str, Token, str]]:
    """(name, sign, literal, as written) of each comparison of a name with a literal."""
    for at in range(len(tokens) - 2):
        left, sign, right = tokens[at : at + 3]
        before = tokens[at - 1][1] if at else ""
        after = tokens[at + 3][1] if at + 3 < len(tokens) else ""
        if sign[1] == "in" and left[0] == "name" and right[1] == "[" and before in _ENDS:
            yield from _listed(left[1], tokens[at + 3 :])
        if sign[1] not in _TURNED or before not in _ENDS or after not in _ENDS:
            continue
        written = f"{left[1]} {sign[1]} {right[1]}"
        if _is_name(left) and _is_literal(right):
            yield left[1], sign[1], right, written
        elif _is_name(right) and _is_literal(left):
            yield right[1], _TURNED[sign[1]], left, written


def _listed(name: str, rest: Sequence[Token]) -> Iterator[tuple[str, str, Token, str]]:
    for token in rest:
        if token[1] == "]":
            return
        if _is_literal(token):
            yield name, "==", token, f"{name} in [{token[1]}]"


def _is_literal(token: Token) -> bool:
    return token[0] in ("text", "number") or token[1] in ("true", "false")


def _is_name(token: Token) -> bool:
    return token[0] == "name" and "." in token[1]


def _judged(
    name: str, sign: str, literal: Token, written: str, choices: Mapping[str, Collection[str]]
) -> Settled | None:
    kind, value = _kind(name), literal[1]
    facts: dict[str, Any] = {"written": written, "name": name, "literal": value}
    if kind is None:
        return None
    other = {"text": "text", "number": "whole number"}.get(literal[0], "boolean")
    if kind != other:
        # What is smaller or larger than another kind has no answer at all, and is found as that.
        return Settled(always=sign == "!=", kind=kind, **facts) if sign in ("==", "!=") else None
    if kind == "text" and sign in ("==", "!=") and name in choices:
        if value[1:-1] in choices[name] or "\\" in value:
            return None
        return Settled(always=sign == "!=", choices=tuple(choices[name]), **facts)
    if kind == "whole number" and "." not in value:
        answer = _of_numbers(name, sign, int(value))
        if answer is not None:
            least, most = _LEAST.get(name, 0), _MOST.get(name)
            return Settled(always=answer, least=least, most=most, **facts)
    return None


def _kind(name: str) -> str | None:
    """What a name is; None: a list, a mapping, or something that nobody here knows."""
    if name in _WHOLE or name.startswith(("inFlight.same.", "inFlight.byComponent.")):
        return "whole number"
    if name in _YES_OR_NO:
        return "boolean"
    parts = name.split(".")
    if parts[-1] in _NO_SCALAR or parts[-1] in ("size", "startsWith", "endsWith", "contains"):
        return None
    # A name of one's own is one unit in flight: `u.tier`; all that it has is text.
    of_flight = len(parts) <= 3 and parts[0] not in {one.partition(".")[0] for one in VARIABLES}
    return "text" if name in VARIABLES or ".labels." in name or of_flight else None


def _of_numbers(name: str, sign: str, value: int) -> bool | None:
    """The one answer for all numbers that the name can be; None where there are two."""
    least, most = _LEAST.get(name, 0), _MOST.get(name)
    tried = {least, value - 1, value, value + 1, most if most is not None else value + 2}
    answers = {
        _compare(sign, one, value)
        for one in tried
        if one >= least and (most is None or one <= most)
    }
    return answers.pop() if len(answers) == 1 else None


def _compare(sign: str, left: int, right: int) -> bool:
    match sign:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case _:
            return left >= right
