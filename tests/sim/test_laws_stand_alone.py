"""The laws share nothing with the engine: who judges may not ask the judged."""

from __future__ import annotations

import ast
from pathlib import Path

import bot.sim
from bot.sim import laws_all
from bot.sim.laws import AT_THE_END, LAWS
from tests.sim import test_laws_see as gates
from tests.sim import test_laws_see_batches as batches
from tests.sim import test_laws_see_gates as more
from tests.sim import test_laws_see_record as record

HERE = Path(bot.sim.__file__).parent
MAY = ("bot.model", "bot.ports", "bot.failures", "bot.core.chain", "bot.sim")
JUDGES = sorted([*HERE.glob("laws*.py"), HERE / "oracle.py"])
SEEN_BY_JUDGES = ("place.py", "faulty.py", "script.py", "docs.py", "memory_git.py")


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            if node.module in ("bot.core", "bot"):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.partition(".")[0] in ("bot", "checks")}


def test_laws_import_nothing_of_the_engine() -> None:
    """No gate, no calendar, no turn: only nouns, ports and the chain of the audit."""
    for path in JUDGES:
        wrong = {
            name
            for name in imported(path)
            if name != "bot.core" and not any(f"{name}.".startswith(f"{may}.") for may in MAY)
        }
        assert not wrong, f"{path.name} imports {wrong}"


def test_what_laws_look_at_decides_nothing_either() -> None:
    """The tape and the documents are made without the engine too."""
    for name in SEEN_BY_JUDGES:
        wrong = {one for one in imported(HERE / name) if one.startswith(("bot.core", "bot.recon"))}
        assert not wrong, f"{name} imports {wrong}"


def test_every_law_has_a_break_that_makes_it_speak() -> None:
    """A law that nothing can break says nothing when it holds: a new one brings its break along."""
    planted = {*gates.BREAKS, *more.BREAKS, *record.BREAKS, *batches.BREAKS}
    assert {name.partition(",")[0] for name in planted} == {*LAWS, *AT_THE_END}


def test_every_law_is_stated_in_the_docs() -> None:
    """What is promised is listed where people look for it."""
    assert laws_all
    page = (HERE.parent.parent / "docs" / "simulation.md").read_text()
    for name, (says, _) in {**LAWS, **AT_THE_END}.items():
        assert f"| `{name}` | {says} |" in page
