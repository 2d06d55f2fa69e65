"""`sluice demo`: one release from its pull request to its rollback, on this machine, on a virtual
clock.

The same engine, store and clusters as under `sluice run`, on a bare Git repo in a temporary
folder. Asks the person at the terminal to decide; every step is proved, and nothing is left
behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from bot.demo.engine import Engine, VirtualClock
from bot.demo.files import repo_files
from bot.demo.place import GitFailed, Place
from bot.demo.play import NotSo, Over, Play, berlin
from bot.demo.scenes_proposal import (
    last_week,
    mended_and_planned,
    merged_in_the_evening,
    proposed_with_mistakes,
)
from bot.demo.scenes_rollback import it_sticks, rolled_back, the_record
from bot.demo.scenes_rollout import a_pause, it_stops_itself, staging, two_people_for_production
from bot.demo.teller import Teller, teller_for
from bot.ports import PortError

SCENES: tuple[Callable[[Play], None], ...] = (
    proposed_with_mistakes,
    mended_and_planned,
    merged_in_the_evening,
    staging,
    two_people_for_production,
    a_pause,
    it_stops_itself,
    rolled_back,
    it_sticks,
    the_record,
)
LEFT = 130
"""Exit code after Ctrl-C, as shells have it."""


def run(*, auto: bool, speed: float | None, stream: TextIO) -> int:
    """Show the whole story. 0: every step happened; 1: one did not, and it is named."""
    teller = teller_for(stream, auto=auto, speed=speed)
    return show(teller)


def show(teller: Teller, files: Mapping[str, bytes] | None = None) -> int:
    """The story with a given narrator, in a folder that is gone afterwards. `files`: another
    repo.
    """
    try:
        with tempfile.TemporaryDirectory(
            prefix="sluice-demo-", ignore_cleanup_errors=True
        ) as folder:
            _play(Path(folder), teller, files or repo_files())
    except NotSo as step:
        teller.failed(str(step))
        return 1
    except (GitFailed, PortError) as error:
        teller.failed(f"{type(error).__name__}: {error}")
        return 1
    except KeyboardInterrupt:
        teller.left()
        return LEFT
    except BrokenPipeError:  # who watched has gone, as `head` does
        return 1
    return 0


def _play(folder: Path, teller: Teller, files: Mapping[str, bytes]) -> None:
    clock = VirtualClock(berlin(19, 8, 30))
    place = Place(folder, clock)
    place.begins(files, by="dana")
    engine = Engine(folder, place.bare, clock)
    try:
        play = Play(teller, place, engine, clock)
        _opens(teller)
        last_week(play)
        try:
            for scene in SCENES:
                scene(play)
        except Over:
            pass
        _ends(play)
    finally:
        engine.close()


def _opens(teller: Teller) -> None:
    teller.say(
        "Sluice releases infrastructure components to many Kubernetes clusters, a little at a "
        "time. This is one release, from its pull request to its end: the real bot, a real Git "
        "repo in a temporary folder, six simulated clusters (two staging, four production), and "
        "a clock that jumps."
    )
    teller.say(
        "Ana, Ben, Chris and Dana work here; you are Ana. Last week Sluice has brought "
        "node-agent 2.4.1 to every node. Lines with a $ are what people type; indented text is "
        "the output."
    )


def _ends(play: Play) -> None:
    play.teller.say(
        f"The end. {len(play.steps)} steps, each one proved in the store, the clusters or Git "
        "while it was told. For a release repo of your own: `sluice init DIR`, then "
        "docs/first-release.md."
    )
