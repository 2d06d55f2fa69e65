"""Conditions in CEL: the only door of the library. Asks an expression about facts: true or false.

The language has no loops but its macros and no way out of its facts; length and nesting are bounded
here, so an expression of a stranger ends soon. Anything but a clear boolean is never a yes.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection, Mapping
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from checks.verdict import Verdict

if TYPE_CHECKING:
    import cel

MAX_LENGTH = 1000
"""Characters of an expression."""
MAX_MACROS = 8
MAX_NESTING = 2
"""`all(w, w.pods.all(p, …))` is two deep: the cost of one more is a product of three lists."""

VARIABLES = ("unit", "component", "version", "cluster", "batch", "when", "workloads", "result")
"""What an expression may name. `result` is all facts."""

_SKIPPED = re.compile(
    r'[rRbB]{0,2}("""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\''
    r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')|//[^\n]*',
    re.DOTALL,
)
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*\(|[()]")
_ERRORS = (LookupError, ArithmeticError, RuntimeError, TypeError, ValueError, MemoryError)


_SAID = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"Syntax error: ", ""),
        (r"(?:mismatched|extraneous) input '<EOF>'.*", "it ends too soon"),
        (r"missing (.+) at '<EOF>'", r"it ends without \1"),
        (r"(?:mismatched|extraneous) input '(.*)' expecting .*", r"`\1` is not expected here"),
        (r"no viable alternative at input '(.*)'", r"`\1` is not expected here"),
        (r"token recognition error at: '(.*)'", r"`\1` cannot be read"),
        (
            r"No such overload.*",
            "an operation does not fit its values: a number, a text in quotes, a list and a "
            "boolean are not compared or reckoned with each other",
        ),
        (r"Undefined variable or function: '(.*?)'.*", r"there is no variable or function `\1`"),
        (r"\. (?:Check|Convert) .*", ""),
    )
)
"""The library's sentences → ours. It explains itself to programmers of other languages."""
_LONGEST = 200


class Unclear(Exception):
    """The expression gave no clear true or false; the text says why."""


def cel_problems(expression: str, variables: Collection[str] = VARIABLES) -> str | None:
    """What is wrong with an expression before it meets facts, in one line; None when nothing is."""
    try:
        program = _compiled(expression)
        free = set(program.variables()) - set(variables) - _bound(expression)
    except Unclear as problem:
        return str(problem)
    except _ERRORS as error:
        return _first_line(error)
    if free:
        known = ", ".join(variables)
        return f"unknown variable {', '.join(sorted(free))}; known are {known}"
    return None


def holds(expression: str, facts: Mapping[str, Any], *, numbers: bool = True) -> bool:
    """True or false; raises Unclear for everything else. `numbers`: whether facts were measured,
    and some may be none.
    """
    try:
        program = _compiled(expression)
        variables = {**facts, "result": facts}
        named = {name: variables[name] for name in program.variables() if name in variables}
        for name, value in named.items() if numbers else ():
            _refuse_unordered(name, value)
        answer = program.execute(named)
    except _ERRORS as error:
        raise Unclear(_error(error)) from error
    if answer is True or answer is False:
        return bool(answer)
    raise Unclear(f"gave {type(answer).__name__}, not true or false")


def without_texts(expression: str) -> str:
    """The expression without its text literals and comments: what is left is code."""
    return _SKIPPED.sub(" ", expression)


def named_in(expression: str) -> frozenset[str]:
    """The variables that an expression names; raises Unclear when it cannot be read."""
    try:
        return frozenset(_compiled(expression).variables())
    except _ERRORS as error:
        raise Unclear(_error(error)) from error


def judged(definition: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[Verdict, str]:
    """What successCondition and failureCondition say of the facts, by the rules of Argo Rollouts.

    Both: a failure counts first, neither is INCONCLUSIVE. One alone: the other is its opposite.
    """
    success = definition.get("successCondition")
    failure = definition.get("failureCondition")
    if not success and not failure:
        return Verdict.ERRORED, "the check has neither successCondition nor failureCondition"
    try:
        failed = holds(str(failure), facts) if failure else None
        passed = holds(str(success), facts) if success else None
    except Unclear as error:
        return Verdict.ERRORED, f"condition not answered: {error}"
    if failed:
        return Verdict.FAILED, f"failureCondition holds: {failure}"
    if passed or passed is None:
        return Verdict.PASSED, "conditions hold"
    if failed is None:
        return Verdict.FAILED, f"successCondition does not hold: {success}"
    return Verdict.INCONCLUSIVE, "neither successCondition nor failureCondition holds"


@lru_cache(maxsize=512)
def _compiled(expression: str) -> cel.Program:
    _refuse_boundless(expression)
    # Lazily: the library costs start-up time that most commands need not pay. Its package imports
    # a command line of its own, half a second of terminal libraries that nobody here calls.
    sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
    from cel import compile as compile_cel

    return compile_cel(expression)


def _refuse_boundless(expression: str) -> None:
    if len(expression) > MAX_LENGTH:
        raise Unclear(f"longer than {MAX_LENGTH} characters")
    depth, macros, open_parens = 0, 0, [False]
    for match in _MACRO.finditer(_SKIPPED.sub(" ", expression)):
        if match[0] == ")":
            if len(open_parens) > 1:
                depth -= open_parens.pop()
            continue
        is_macro = match[0] != "("
        macros += is_macro
        depth += is_macro
        open_parens.append(is_macro)
        if depth > MAX_NESTING:
            raise Unclear(f"more than {MAX_NESTING} macros inside each other")
        if macros > MAX_MACROS:
            raise Unclear(f"more than {MAX_MACROS} macros")


def _bound(expression: str) -> set[str]:
    """Names bound by macros, which the library reports as variables too."""
    text = _SKIPPED.sub(" ", expression)
    return set(re.findall(r"\.\s*\w+\s*\(\s*([A-Za-z_]\w*)\s*,", text))


def _refuse_unordered(name: str, value: Any) -> None:
    """NaN is unequal to everything, so `x != 1.0` would be a yes about nothing."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Unclear(f"{name} is not a finite number")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_unordered(f"{name}.{key}", item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse_unordered(f"{name}[{index}]", item)


def _error(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"no such key {error}"
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    # The parser repeats the whole expression before its message; the message is what helps.
    _, _, tail = text.partition("ERROR: ")
    line = (tail or text).splitlines()[0].replace("<input>:", "at ")
    for pattern, said in _SAID:
        line = pattern.sub(said, line)
    # What is too long ends with a whole word.
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST].rpartition(' ')[0]} …"
