"""sim: seeded histories with faults against the real engine, every law checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, emit, note, wrong_usage

if TYPE_CHECKING:
    from bot.sim.drive import Summary

SHRUNK = 3
"""So many failing seeds are made smaller; the others are only named."""
WANTED = 20
"""How often every pair (fault × phase) is to be struck in a run of CI."""
ENOUGH = 600
"""Histories from which on a pair that is struck less often is a fault of the simulation: on a
slow machine fewer fit into the time, and that is no fault."""


@click.command("sim", cls=Verb, asks=False, help="Seeded histories with faults; every law checked.")
@click.option("--seeds", type=click.IntRange(min=1), help="How many histories. Default 100.")
@click.option("--first", type=click.IntRange(min=0), default=0, help="The first seed. Default 0.")
@click.option(
    "--seconds", type=click.IntRange(min=1), help="As many histories as fit, instead of --seeds."
)
@click.option("--jobs", type=click.IntRange(1, 64), default=1, help="Processes beside each other.")
@click.option("--profile", "profiled", is_flag=True, help="Tell what the time is spent on.")
@click.option(
    "--covers",
    is_flag=True,
    help=f"Exit 1 when a pair (fault × phase) is struck less than {WANTED} times"
    f" in {ENOUGH} histories or more.",
)
@pass_flags
def sim(
    flags: Flags, seeds: int | None, first: int, seconds: int | None, jobs: int,
    profiled: bool, covers: bool,
) -> int:  # fmt: skip
    from bot.sim.drive import run
    from bot.sim.profile import profile

    if seeds is not None and seconds is not None:
        raise wrong_usage("--seconds is as many histories as fit, instead of --seeds: give one")
    shares: dict[str, float] = {}
    if profiled:
        summary, shares = profile(first, seeds or 40)
    else:
        summary = run(first, seeds or (None if seconds else 100), jobs=jobs, seconds=seconds)
    _shrink(summary)
    body: dict[str, Any] = summary.to_json()
    if shares:
        body["profile"] = shares
    emit(body, _text(summary, shares), as_json=flags.json)
    missed = covers and summary.seeds >= ENOUGH and bool(summary.under(WANTED))
    return FOUND if summary.violations or missed else GOOD


def _shrink(summary: Summary) -> None:
    """The first failing histories, with as little in them as still fails."""
    from bot.sim.draw import script_of
    from bot.sim.shrink import shrink

    for one in summary.violations[:SHRUNK]:
        note(f"seed {one['seed']} breaks the law {one['law']}; making its script smaller")
        one["script"] = str(shrink(script_of(one["seed"]), one["law"]))


def _text(summary: Summary, shares: dict[str, float]) -> str:
    lines = [f"{fault} × {phase}: {n}" for (fault, phase), n in summary.pairs().items()]
    for part, share in shares.items():
        lines.append(f"{share:6.1%} {part}")
    for one in summary.violations:
        lines += ["", f"seed {one['seed']} breaks the law {one['law']}: {one['what']}"]
        lines += [one["script"]] if "script" in one else []
        lines.append(f"again: sluice sim --first {one['seed']} --seeds 1")
    lines += [
        "",
        f"{summary.seeds} histories, {summary.ticks} ticks"
        f" ({summary.ticks_per_second:.0f} a second), {len(summary.violations)} violations",
        _coverage(summary),
    ]
    return "\n".join(lines)


def _coverage(summary: Summary) -> str:
    pairs = summary.pairs()
    (fault, phase), least = min(pairs.items(), key=lambda one: (one[1], one[0]))
    return (
        f"coverage: {len(pairs) - len(summary.under(WANTED))} of {len(pairs)} pairs"
        f" at least {WANTED} times (rarest: {fault} × {phase}, {least})"
    )


VERBS = {"sim": sim}
