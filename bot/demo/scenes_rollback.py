"""The end: the rollback, why it sticks, the version that may not come again, and the record of it
all.

Tells and proves; decides nothing that the engine decides.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import zip_longest

from bot.core import chain
from bot.core.messages_text import table
from bot.core.messages_words import length, many
from bot.demo.files import COMPONENT, NEW, OLD, release_file, release_path
from bot.demo.play import RELEASE, YOU, Play, pods_on
from bot.model.state import Blocked, Certificate, Event, UnitPhase

REVERT = f"pr/revert-{RELEASE}"
AGAIN = f"{RELEASE}-again"
WHY = "crash loop in eu-4"


def rolled_back(play: Play) -> None:
    """Newest first, everything as before."""
    teller, engine = play.teller, play.engine
    play.clock.at += timedelta(minutes=3)
    teller.scene(play.clock.at, "back, newest first")
    teller.say(
        "A rollback is ready since the pull request: what every cluster ran before is kept. It "
        "needs no approval and waits for no window."
    )
    worst = play.running()
    began = play.clock.at
    play.says(YOU, f'rollback {RELEASE} --reason "{WHY}"')
    play.decided.append(f"{YOU}: roll back")
    done = engine.run(lambda: engine.phase(RELEASE) == "ROLLED_BACK")
    play.hears()
    play.proves("the release is rolled back", done)
    after = play.running()
    teller.say("What the clusters run:")
    play.fleet(("before the release", play.before), ("at the stop", worst), ("now", after))
    play.proves("every cluster runs what it ran before the release", after == play.before)
    touched = [c for c in after if engine.unit(RELEASE, c).phase is UnitPhase.ROLLED_BACK]
    play.proves("only what was touched was written", set(touched) == set(after) - {"eu-1", "eu-2"})
    teller.say(
        f"All back in {length(play.clock.at - began)}; the two untouched clusters were left alone."
    )


def it_sticks(play: Play) -> None:
    """The block, the revert pull request, its merge that plans nothing, and the second attempt."""
    teller, engine, place = play.teller, play.engine, play.place
    play.clock.at += timedelta(minutes=4)
    teller.scene(play.clock.at, "it sticks")
    engine.tick()
    play.proves("the revert pull request is open", REVERT in place.branches())
    teller.say(
        f"Git still says {NEW}, and the next merge could bring it back. So the bot has blocked "
        "the version, and has opened a pull request that takes the release out of main:"
    )
    teller.types("dana", f"git diff --stat main...{REVERT}")
    teller.shows(place.stat(REVERT))
    teller.types("dana", f"git diff main...{REVERT} policy/policy.yaml")
    teller.shows(place.diff(REVERT, "policy/policy.yaml"))
    blocked = engine.store.rows(Blocked)
    play.proves(
        "the version is blocked", [(b.component, b.version) for b in blocked] == [(COMPONENT, NEW)]
    )
    writes = _writes(play)
    teller.types("dana", f"git merge --no-ff origin/{REVERT} && git push origin main")
    place.merges(REVERT, by="dana")
    engine.tick()
    play.proves("the Release file is gone from main", place.reads(release_path(RELEASE)) is None)
    play.proves("main names the block", NEW in (place.reads("policy/policy.yaml") or ""))
    play.proves("merging the revert plans nothing", not engine.bot.board.releases)
    play.proves("and writes nothing", _writes(play) == writes)
    teller.say("Merged: no plan, no write, no card. Main says what runs again.")
    _tried_again(play)


def _tried_again(play: Play) -> None:
    teller, engine = play.teller, play.engine
    play.clock.at += timedelta(minutes=6)
    branch, path = f"pr/{AGAIN}", release_path(AGAIN)
    teller.say(f"Ben is sure that it was the cluster's fault, and proposes {NEW} once more:")
    teller.types("ben", f"git push origin HEAD:{branch}")
    text = release_file(AGAIN, NEW, "It was the cluster, not us")
    head = play.place.proposes(branch, path, text, by="ben", why=f"Release {COMPONENT} {NEW} again")
    engine.tick()
    teller.shows(engine.chat.cards.get(f"pull/{branch}", ""))
    plan = engine.plan(head)
    errors = [f for f in plan.findings if f.level == "error"]
    play.proves("the version may not come again", any("blocked" in f.code for f in errors))
    play.proves("nothing is planned for it", not plan.releases and engine.state(AGAIN) is None)
    teller.say(
        "The way on is a version 2.5.1 that is mended, or somebody who takes the block away by "
        "name."
    )


def the_record(play: Play) -> None:
    """What an auditor gets, and the figures that a manager asks for."""
    teller, engine = play.teller, play.engine
    play.clock.at += timedelta(minutes=10)
    teller.scene(play.clock.at, "the record of it all")
    events: tuple[Event, ...] = engine.store.events(release=RELEASE)
    certificates = engine.store.rows(Certificate, parent=RELEASE)
    broken = chain.verify(engine.store.events())
    kinds = Counter(event.kind for event in events)
    teller.say(
        "Every decision, write and check is a line of the audit, each chained to the one before "
        f"it, and every batch that was done has a certificate. (`sluice audit {RELEASE} "
        "--verify` prints them all.) Counted by kind:"
    )
    kept = [f"{count} {kind}" for kind, count in sorted(kinds.items())]
    columns = [kept[n : n + 5] for n in range(0, len(kept), 5)]
    teller.shows(table([[*row] for row in zip_longest(*columns, fillvalue="")]))
    teller.shows(
        f"{many(len(events), 'event')}, {many(len(certificates), 'certificate')}; "
        + ("the chain holds from its first line" if broken is None else f"broken at {broken.seq}")
    )
    play.proves("the audit's chain holds from its first line", broken is None)
    play.proves("the audit names who decided", {YOU, "chris"} <= {event.who for event in events})
    intents = engine.intents(RELEASE)
    play.proves(
        "every write has an intent that names plan and commit",
        bool(intents) and all(i.plan_hash and i.commit for i in intents),
    )
    teller.say("And what it came to:")
    teller.shows(table(_figures(play)))


def _figures(play: Play) -> list[tuple[str, str]]:
    state = play.engine.state(RELEASE)
    assert state is not None, "the release is in the store"
    purposes = Counter(intent.purpose for intent in play.engine.intents(RELEASE))
    total = pods_on(play.before, OLD)
    touched = [cluster for cluster, pods in play.widest.items() if pods]
    refused = Counter(
        write["outcome"] for c in play.before for write in play.engine.fleet.writes(c)
    )
    play.proves("every write that left was taken by its cluster", set(refused) == {"done"})
    figures = [
        *(("" if n else "Decisions", said) for n, said in enumerate(play.decided)),
        (
            "Exposure",
            f"{sum(play.widest.values())} of {total} pods ran {NEW}, "
            f"in {len(touched)} of {len(play.before)} clusters; 1 pod met the fault",
        ),
        ("Writes", ", ".join(f"{count} {purpose}" for purpose, count in sorted(purposes.items()))),
    ]
    if state.merged and state.began and state.ended and play.stopped_at:
        figures += [
            ("Merge → first batch", f"{length(state.began - state.merged)} (the night)"),
            ("First batch → stop", length(_minutes(play.stopped_at - state.began))),
            ("Stop → all as before", length(_minutes(state.ended - play.stopped_at))),
        ]
    return figures


def _minutes(span: timedelta) -> timedelta:
    return timedelta(minutes=round(span.total_seconds() / 60))


def _writes(play: Play) -> int:
    return sum(len(play.engine.fleet.writes(cluster)) for cluster in play.before)
