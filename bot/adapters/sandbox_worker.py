"""The render worker: a process of its own that reads jobs from its parent and answers in order.

Gives up files, network, processes and most of the system before it reads the first template;
never has an environment, and ends when its parent does.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import sys
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any, BinaryIO

import jinja2

from bot.adapters import sandbox_templates as templates
from bot.adapters.sandbox_limits import Blocked, give_up
from bot.adapters.sandbox_yaml import Mistake, documents

SETS_KEPT = 32
STRINGS_KEPT = 4096
TEXTS_KEPT = 8 * 1024 * 1024
OUTPUT_NAME = re.compile(r"(?!_)[^/]*\.(ya?ml|json)(\.(j2|jinja2?))?")
"""Files that become objects; others (and `_partials.yaml`) are there to be included."""

Problem = dict[str, Any]


class OutOfTime(BaseException):
    """The job's time is over. No Exception, so that nothing on the way takes it for one."""


class OutOfSpace(Exception):
    """The job writes more than it may."""


class Worker:
    """Renders one job after another. `limits`: seconds, output (bytes), memory (bytes)."""

    def __init__(self, limits: Mapping[str, Any], answers: BinaryIO) -> None:
        self._limits = limits
        self._answers = answers
        self._sets: OrderedDict[str, templates.Templates] = OrderedDict()
        self._strings = templates.Templates({})
        self._compiled: OrderedDict[str, jinja2.Template] = OrderedDict()
        self._parsed: OrderedDict[str, tuple[list[int], list[str]]] = OrderedDict()
        self._parsed_size = 0
        self._written = 0
        self._at = ""

    def serve(self, requests: BinaryIO) -> None:
        self._send('{"ready":true}')
        for line in requests:
            batch = json.loads(line)
            for values, context in batch["jobs"]:
                self._send(self.answer(batch, values, context))

    def warm_up(self) -> None:
        """Uses everything once, so that all modules are there before files are out of reach."""
        texts = (
            "{{ values.a | toyaml | indent(2) }}",
            "a: {{ values.a | tojson }}",
            "{{ 'é' | b64encode }}",
            "{{ nothing }}",
            "{{ 1 | nothing }}",
            "{% include 'nothing' %}",
            "{% if",
            "a: : b",
        )
        # Newer interpreters load a module for numbers of this size.
        assert 10**30000 // 10**15000 == 10**15000
        files = [[f"{at}.yaml", text] for at, text in enumerate(texts)]
        batch = {"set": "", "kind": "jinja", "files": files}
        self.answer(batch, {"a": {"b": ["{{ version }}", 1.5, "é", "y"]}}, {"version": "1"})

    def _send(self, text: str) -> None:
        self._answers.write(text.encode("utf-8", "surrogatepass") + b"\n")
        self._answers.flush()

    def answer(self, batch: Mapping[str, Any], values: Any, context: Any) -> str:
        signal.setitimer(signal.ITIMER_REAL, self._limits["seconds"])
        documents_made: list[str] = []
        problems: list[Problem] = []
        self._written = 0
        self._at = batch["files"][0][0] if batch["files"] else ""
        try:
            self._render(batch, values, context, documents_made, problems)
        except OutOfTime as late:
            problems.append(self._late(late))
        except MemoryError:
            self._forget()
            problems.append(self._problem(self._at, None, self._too_much_memory))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            templates.current.clear()
        if problems:
            documents_made = []
        return f'{{"documents":[{",".join(documents_made)}],"problems":{json.dumps(problems)}}}'

    def _render(
        self,
        batch: Mapping[str, Any],
        values: Any,
        context: Any,
        documents_made: list[str],
        problems: list[Problem],
    ) -> None:
        jinja, values_alone = batch["kind"] == "jinja", batch["kind"] == "helm"
        seen = dict(context)
        if jinja or values_alone:
            templates.current.update(seen)
            seen["values"] = self._values(values, seen, problems)
            templates.current.update(seen)
            if problems:
                return
        if values_alone:
            # The chart is another program's to render; all that it sees of ours is the values.
            documents_made.append(f'["",1,{json.dumps(seen["values"])}]')
            return
        for path, text in batch["files"]:
            if not OUTPUT_NAME.fullmatch(path.rpartition("/")[2]):
                continue
            self._at = path
            self._send(json.dumps({"at": path}))
            lines = _Lines()
            try:
                made = self._text(batch, path, seen, lines) if jinja else text
                self._count(len(made))
                starts, values_made = self._documents(made)
            except Mistake as mistake:
                line = lines.source(mistake.line)
                problems.append(self._problem(path, line, mistake.message, mistake.hint))
            except Exception as error:  # noqa: BLE001 - whatever a template does is a finding of the template
                problems.append(self._failed(path, error))
            else:
                documents_made += [
                    f"[{json.dumps(path)},{lines.source(start)},{value}]"
                    for start, value in zip(starts, values_made, strict=True)
                ]

    def _text(
        self, batch: Mapping[str, Any], path: str, seen: Mapping[str, Any], lines: _Lines
    ) -> str:
        template = self._environment(batch).get_template(path)
        lines.template = template
        parts: list[str] = []
        for text, line in templates.chunks(template, seen):
            lines.add(text, line)
            parts.append(text)
            self._count(len(text))
        self._written -= sum(map(len, parts))
        return "".join(parts)

    def _count(self, size: int) -> None:
        self._written += size
        if self._written > self._limits["output"]:
            raise OutOfSpace(f"it writes more than {_size(self._limits['output'])}")

    def _documents(self, text: str) -> tuple[list[int], list[str]]:
        """Parsed once for equal text: most objects of a component are the same in every cluster."""
        found = self._parsed.get(text)
        if found is None:
            made = list(documents(text))
            found = ([line for line, _ in made], [json.dumps(value) for _, value in made])
            self._parsed[text] = found
            self._parsed_size += len(text) + sum(map(len, found[1]))
            while self._parsed_size > TEXTS_KEPT and self._parsed:
                old, (_, values) = self._parsed.popitem(last=False)
                self._parsed_size -= len(old) + sum(map(len, values))
        return found

    def _forget(self) -> None:
        """After a job that took all memory nothing is kept that could be short for the next one."""
        self._parsed_size = 0
        for kept in (self._parsed, self._compiled, self._sets):
            kept.clear()

    def _values(self, value: Any, seen: Mapping[str, Any], problems: list[Problem]) -> Any:
        def rendered(item: Any, path: str) -> Any:
            if isinstance(item, str):
                return self._string(item, seen, path, problems) if "{" in item else item
            if isinstance(item, dict):
                return {key: rendered(inner, f"{path}.{key}") for key, inner in item.items()}
            if isinstance(item, list):
                return [rendered(inner, f"{path}[{at}]") for at, inner in enumerate(item)]
            return item

        return rendered(value, "values")

    def _string(
        self, source: str, seen: Mapping[str, Any], path: str, problems: list[Problem]
    ) -> str:
        try:
            template = self._compiled.get(source)
            if template is None:
                template = self._compiled[source] = self._strings.from_string(source)
                if len(self._compiled) > STRINGS_KEPT:
                    self._compiled.popitem(last=False)
            parts = []
            for text, _ in templates.chunks(template, seen):
                parts.append(text)
                self._count(len(text))
            return "".join(parts)
        except Exception as error:  # noqa: BLE001 - whatever a template does is a finding of the template
            found = self._failed("", error)
            found |= {"line": None, "code": "values", "message": f"{path}: {found['message']}"}
            problems.append(found)
            return ""

    def _environment(self, batch: Mapping[str, Any]) -> templates.Templates:
        key = batch["set"]
        found = self._sets.get(key)
        if found is None:
            found = self._sets[key] = templates.Templates(dict(map(tuple, batch["files"])))
            if len(self._sets) > SETS_KEPT:
                self._sets.popitem(last=False)
        return found

    def _failed(self, path: str, error: Exception) -> Problem:
        name, line = templates.place_of(error.__traceback__)
        message, _, hint = str(error).partition("\n")
        match error:
            case jinja2.TemplateSyntaxError():
                name, line, message, hint = error.name or name, error.lineno, str(error.message), ""
            case jinja2.TemplateNotFound():
                message, hint = f"there is no template `{error.name}` in this component", ""
            case jinja2.UndefinedError() | OutOfSpace() | OverflowError() | TypeError():
                message = message or "it cannot be rendered"
            case jinja2.exceptions.SecurityError():
                hint = "templates see plain data only"
            case RecursionError():
                message = "it calls itself without end"
            case MemoryError():
                self._forget()
                message = self._too_much_memory
            case Blocked():
                message, hint = "it reaches for what templates cannot have", ""
            case _:
                message = f"{type(error).__name__}: {message}"
        return self._problem(name or path, line, message, hint)

    def _late(self, late: OutOfTime) -> Problem:
        name, line = templates.place_of(late.__traceback__)
        seconds = self._limits["seconds"]
        return self._problem(name or self._at, line, f"it did not finish within {seconds:g} s")

    @property
    def _too_much_memory(self) -> str:
        return f"it needs more than {_size(self._limits['memory'])} of memory"

    @staticmethod
    def _problem(path: str, line: int | None, message: str, hint: str = "") -> Problem:
        return {"path": path, "line": line, "message": message, "hint": hint, "code": "render"}


class _Lines:
    """Which line of the template a line of the text came from."""

    def __init__(self) -> None:
        self.template: jinja2.Template | None = None
        self._starts: list[int] = []
        self._compiled: list[int] = []
        self._line = 0

    def add(self, text: str, compiled: int) -> None:
        self._starts.append(self._line)
        self._compiled.append(compiled)
        self._line += text.count("\n")

    def source(self, line: int) -> Any:
        """Counted from 1. A text without a template is its own source."""
        if self.template is None or not self._starts:
            return line + 1
        at = bisect_right(self._starts, line) - 1
        begins = self.template.get_corresponding_lineno(self._compiled[at])
        last = len(self._starts) - 1
        after = (
            self.template.get_corresponding_lineno(self._compiled[at + 1]) if at < last else None
        )
        guess = begins + line - self._starts[at]
        return guess if after is None or after < begins else min(guess, after)


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"


def _on_alarm(_signal: int, _frame: FrameType | None) -> None:
    raise OutOfTime


def main(arguments: Sequence[str]) -> None:
    """`arguments`: the limits as JSON."""
    limits = json.loads(arguments[0])
    signal.signal(signal.SIGALRM, _on_alarm)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    with open(os.devnull, "wb") as nowhere:
        Worker(limits, nowhere).warm_up()
    give_up(memory=limits["memory"], library=ctypes.CDLL(None, use_errno=True))
    with suppress(BrokenPipeError):
        Worker(limits, answers).serve(requests)
    # The parent is gone, or needs no more. Nothing to tidy up: there is nothing of ours outside.
    os._exit(0)
