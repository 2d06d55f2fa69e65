"""The middle: staging batch by batch, two people for production, a pause, and the cluster that
fails.

Tells and proves; decides nothing that the engine decides.
"""

from __future__ import annotations

from datetime import timedelta

from bot.core.messages_words import length, moment
from bot.demo.files import COMPONENT, NEW, OLD, SICK
from bot.demo.play import RELEASE, YOU, NotSo, Over, Play, pods_on, versions
from bot.demo.scenes_proposal import PRODUCTION, STAGING
from bot.demo.teller import ZONE
from bot.model.state import Certificate, DecisionStatus, UnitPhase

FIRST_IN_PRODUCTION = "eu-3"
PAUSE = timedelta(minutes=25)


def staging(play: Play) -> None:
    """Two staging clusters, one after the other: a batch, a silence, checks, the next batch."""
    teller, engine = play.teller, play.engine
    teller.scene(play.clock.at, "the window opens: staging")
    teller.say(
        "One pod first, then five minutes of silence in which everything has to stay healthy, "
        "then the checks, then the next batch. This is the thread of the release as the team "
        "reads it:"
    )
    first = STAGING[0]
    soaks = engine.run(
        lambda: (u := engine.unit(RELEASE, first)).phase is UnitPhase.SOAKING and u.batch == 2
    )
    play.proves(f"{first} soaks after its second batch", soaks)
    play.hears()
    counts = play.running()
    play.proves("only what was begun has changed", counts[first] == {OLD: 1, NEW: 2})
    teller.say("In the middle of it, the card:")
    teller.shows(engine.card(RELEASE))
    asked = engine.run(lambda: _open(play) is not None)
    play.proves("both staging clusters are done and production is asked for", asked)
    counts = play.running()
    play.proves(
        f"staging runs {NEW}, production {OLD}",
        all(set(counts[c]) == {NEW} for c in STAGING)
        and all(counts[c] == play.before[c] for c in PRODUCTION),
    )
    teller.say(
        "Half an hour of silence after the last batch, the second staging cluster the same way, "
        "and:"
    )
    play.hears(brief=True)
    certificates = engine.store.rows(Certificate, parent=RELEASE)
    play.proves("each of the six staging batches has its certificate", len(certificates) == 6)


def two_people_for_production(play: Play) -> None:
    """The author may not, one is not enough, two are."""
    teller = play.teller
    teller.scene(play.clock.at, "production needs two people")
    teller.say(
        f"{COMPONENT} runs on every node of every cluster, so production wants two approvals. "
        "The author's own does not count. Ben tries anyway:"
    )
    number = _open(play)
    play.says("ben", f"approve {RELEASE}#{number}", code=3)
    chosen = teller.ask(
        f"You are Ana. Staging is healthy on {NEW}. Production?",
        {
            "approve": "your yes; one more person is needed",
            "reject": "your no; the release is held",
        },
        looks={"card": lambda: play.engine.card(RELEASE)},
    )
    if chosen == "reject":
        _rejected(play, number)
    play.says(YOU, f"approve {RELEASE}#{number}")
    one = play.engine.view(RELEASE).decisions[-1]
    play.proves("one approval is not enough", one.status is DecisionStatus.OPEN)
    play.says("chris", f"approve {RELEASE}#{number}")
    two = play.engine.view(RELEASE).decisions[-1]
    play.proves("the second opens production", two.status is DecisionStatus.APPROVED)
    play.proves("no author is among them", {v.by for v in two.votes} == {YOU, "chris"})
    play.decided.append(f"{YOU}, chris: approve production (ben, the author, was refused)")


def a_pause(play: Play) -> None:
    """Somebody stops everything in the middle of a batch, and lets it go on."""
    teller, engine, cluster = play.teller, play.engine, FIRST_IN_PRODUCTION
    half = engine.run(
        lambda: (
            engine.unit(RELEASE, cluster).phase is UnitPhase.APPLYING
            and play.running()[cluster].get(NEW, 0) >= 4
        )
    )
    play.proves(f"{cluster} is in the middle of its last batch", half)
    teller.scene(play.clock.at, "production's first cluster, and a hand on the brake")
    teller.say("The least risky production cluster goes first, and alone:")
    play.hears()
    chosen = teller.ask(
        f"{cluster} has {versions(play.running()[cluster])}; the last batch is under way. The "
        "network team calls: a switch in rack 4 acts up.",
        {"pause": "stop, also inside the cluster", "go-on": "it is not our rack"},
    )
    if chosen == "pause":
        _paused(play)
    else:
        play.decided.append(f"{YOU}: no pause")
    done = engine.run(lambda: engine.unit(RELEASE, cluster).phase is UnitPhase.SUCCEEDED)
    play.proves(f"{cluster} is done", done and set(play.running()[cluster]) == {NEW})
    play.hears(brief=True)


def it_stops_itself(play: Play) -> None:
    """The next cluster cannot run the version: one pod shows it, and nothing more begins."""
    teller, engine = play.teller, play.engine
    failed = engine.run(lambda: engine.unit(RELEASE, SICK).phase is UnitPhase.FAILED)
    play.stopped_at = play.clock.at
    play.proves(f"{SICK} failed", failed)
    teller.scene(play.clock.at, "a cluster says no")
    teller.say(
        f"The second production cluster, {SICK}, cannot run {NEW}: the new pod crashes again and "
        "again. (The demo planted that; neither plan nor bot knew.) The bot gave the batch its "
        "twenty minutes, then stopped the release by itself. Here is its evidence:"
    )
    play.hears()
    teller.shows(engine.card(RELEASE))
    teller.types(YOU, f"sluice why {RELEASE}")
    teller.shows(engine.why(RELEASE))
    counts = play.running()
    play.widest = {cluster: counts[cluster].get(NEW, 0) for cluster in counts}
    play.proves("one single pod met the fault", counts[SICK] == {OLD: 5, NEW: 1})
    held = any(hold.code.value == "failed" for hold in engine.view(RELEASE).holds)
    play.proves("the release holds itself", held)
    play.proves(
        "the other two clusters were not touched",
        all(counts[c] == play.before[c] for c in ("eu-1", "eu-2")),
    )
    evidence = engine.unit(RELEASE, SICK).failure or ""
    play.proves("the evidence names the crash", "CrashLoopBackOff" in evidence)
    teller.say(
        f"Of {pods_on(play.before, OLD)} pods, one met the fault. Two clusters never saw the "
        "version."
    )
    _what_now(play)


def _what_now(play: Play) -> None:
    """Roll back, or first try something else: each is done, and told as it turns out."""
    teller, engine = play.teller, play.engine
    while True:
        chosen = teller.ask(
            "What now?",
            {
                "rollback": "everything back to what it was before the release",
                "retry": "the failed batch once more",
                "skip": f"leave {SICK} out and go on with the others",
            },
            looks={"why": lambda: engine.why(RELEASE), "card": lambda: engine.card(RELEASE)},
        )
        if chosen == "rollback":
            return
        if chosen == "skip":
            _skipped(play)
        play.decided.append(f"{YOU}: retry {SICK}")
        play.says(YOU, f"retry {COMPONENT}@{SICK}")
        again = engine.run(lambda: engine.unit(RELEASE, SICK).phase is UnitPhase.FAILED)
        play.proves(f"{SICK} failed again", again)
        play.hears()
        teller.say(
            f"It is {moment(play.clock.at, ZONE)}, and the same again: a retry runs by the same "
            "gates, with the same plan, and the pod crashes as before."
        )


def _paused(play: Play) -> None:
    teller, engine, cluster = play.teller, play.engine, FIRST_IN_PRODUCTION
    began = play.clock.at
    play.says(YOU, f'pause {RELEASE} --reason "switch in rack 4"')
    engine.jump(began + timedelta(minutes=1))
    stood = play.running()[cluster]
    engine.jump(began + PAUSE)
    play.proves("the pause is on record", any(h.by == YOU for h in engine.view(RELEASE).holds))
    play.proves(
        "nothing moved inside the cluster while it was paused",
        play.running()[cluster] == stood and set(stood) == {OLD, NEW},
    )
    forward = [i for i in engine.intents(RELEASE, since=began) if i.purpose == "forward"]
    play.proves("no forward write began in the pause", not forward)
    play.hears()
    teller.say(
        f"{length(PAUSE)} later {cluster} still has {versions(stood)}: the bot did not only stop "
        "asking for more, it stopped what was rolling inside the cluster. The switch is fine "
        "again."
    )
    play.says(YOU, f"resume {RELEASE}")
    play.decided.append(f"{YOU}: pause, and resume {length(PAUSE)} later")


def _rejected(play: Play, number: int | None) -> None:
    """A no holds the release; a later yes of somebody lifts it, or it is taken back."""
    play.says(YOU, f'reject {RELEASE}#{number} --reason "not before the quarter ends"')
    play.decided.append(f"{YOU}: reject production")
    play.teller.shows(play.engine.card(RELEASE))
    held = any(hold.code.value == "rejected" for hold in play.engine.view(RELEASE).holds)
    play.proves("the release is held by the rejection", held)
    chosen = play.teller.ask(
        f"Staging runs {NEW}, production waits. A rejection holds until an approver says yes, or "
        "the release is rolled back.",
        {
            "approve": "you change your mind",
            "rollback": "staging back to what it was; the story ends there",
        },
    )
    if chosen == "rollback":
        play.says(YOU, f'rollback {RELEASE} --reason "not before the quarter ends"')
        back = play.engine.run(lambda: play.engine.phase(RELEASE) == "ROLLED_BACK")
        play.hears()
        play.proves("everything is as it was", back and play.running() == play.before)
        play.decided.append(f"{YOU}: roll back")
        play.teller.say(f"Every pod runs {OLD} again, and production never saw {NEW}.")
        raise Over


def _skipped(play: Play) -> None:
    """The others go on; what was left out is listed as owed."""
    teller, engine = play.teller, play.engine
    play.says(YOU, f'skip {COMPONENT}@{SICK} --reason "known fault, ticket opened"')
    play.decided.append(f"{YOU}: skip {SICK}")
    ended = engine.run(lambda: engine.phase(RELEASE) == "SUCCEEDED")
    play.hears(brief=True)
    if not ended:
        raise NotSo("the release ends without the cluster that was skipped")
    counts = play.running()
    play.proves(
        "all other clusters run the new version",
        all(set(counts[c]) == {NEW} for c in counts if c != SICK),
    )
    teller.say("What the clusters run:")
    play.fleet(("before", play.before), ("now", counts))
    teller.say(
        f"The release has ended, and says what it owes: {SICK} has {versions(counts[SICK])}, and "
        "its one new pod still crashes. A release with a mended version will bring it along. "
        "(With `rollback` you see the other end of this story.)"
    )
    raise Over


def _open(play: Play) -> int | None:
    """Number of the decision that is open, None when none is."""
    decisions = play.engine.bot.board.releases[RELEASE].decisions.values()
    return next((d.number for d in decisions if d.status is DecisionStatus.OPEN), None)
