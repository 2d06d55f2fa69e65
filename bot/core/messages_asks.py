"""What a decision asks, in one sentence. State in, words out; nothing else."""

from __future__ import annotations

from bot.core.messages_tasks import named
from bot.core.messages_words import row
from bot.model.plan import ReleasePlan

MORE_SILENT = "more clusters do not answer"
"""Why a question about silent clusters is void."""


def asks(plan: ReleasePlan, what: str, subject: str) -> str:
    """The question of a decision: `Begin node-agent 2.5.0 on 6 units in 3 waves?`."""
    component = row([named(one) for one in plan.components], most=3, joint=" and ")
    match what:
        case "release":
            waves = sum(len(stage.waves) for stage in plan.stages)
            return f"Begin {component} on {_units(len(plan.units))} in {_waves(waves)}?"
        case "stage":
            stage = next(stage for stage in plan.stages if stage.name == subject)
            count = sum(len(wave) for wave in stage.waves)
            where = f"{_units(count)} in {_waves(len(stage.waves))}"
            return f"Begin stage {subject}: {component} on {where}?"
        case "wave":
            name, _, number = subject.rpartition("/")
            stage = next(stage for stage in plan.stages if stage.name == name)
            count = len(stage.waves[int(number) - 1])
            return f"Begin wave {number} of stage {name}: {component} on {_units(count)}?"
        case "after-stage":
            return f"Is stage {subject} good with {component}, and may the release go on?"
        case "unreachable":
            where, _, silent = subject.partition(" ")
            units = silent.split(",")
            return (
                f"Leave out {_units(len(units))} of stage {where} whose clusters do not answer"
                f" ({row(units, most=5)}), and go on? They are owed"
            )
        case "install":
            own = [c for c in plan.components if c.name == subject.partition("@")[0]]
            installed = row([named(one) for one in own], most=3) or component
            return (
                f"Install {installed} as {subject}? It is not there yet, and a first install"
                " reaches all nodes of the cluster at once"
            )
        case "override-window":
            return f"Go on with {subject} outside its windows and freezes?"
        case _:
            return f"Go on with {component}?"


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"


def _waves(count: int) -> str:
    return "1 wave" if count == 1 else f"{count} waves"
