"""The first scenes: a release is proposed with mistakes, mended, planned, merged, and waits for
the morning.

Tells and proves; decides nothing that the engine decides.
"""

from __future__ import annotations

from bot.core.messages_plan import plan_text
from bot.core.messages_words import moment
from bot.demo.files import COMPONENT, NEW, OLD, release_file, release_path
from bot.demo.play import BRANCH, RELEASE, YOU, Over, Play, berlin
from bot.demo.teller import ZONE

FIRST = f"{COMPONENT}-2-4-1"
REASON = "Fixes the conntrack leak (INC-1234)"
STAGING, PRODUCTION = ("staging-1", "staging-2"), ("eu-1", "eu-2", "eu-3", "eu-4")


def last_week(play: Play) -> None:
    """Before the story: Sluice itself brings the old version everywhere. Not shown."""
    place, engine = play.place, play.engine
    engine.tick()
    text = release_file(FIRST, OLD, "The version that runs today")
    place.proposes(f"pr/{FIRST}", release_path(FIRST), text, by="ben", why=f"Release {FIRST}")
    engine.tick()
    place.merges(f"pr/{FIRST}", by="dana")
    engine.run(lambda: bool(engine.bot.board.releases[FIRST].decisions))
    for person in ("ana", "chris"):
        engine.says(person, f"approve {FIRST}")
    engine.run(lambda: engine.phase(FIRST) == "SUCCEEDED")
    engine.run(lambda: False, until=berlin(23, 16, 40))
    play.clock.at = berlin(23, 16, 40)
    engine.chat.news()
    play.before = play.running()
    play.proves(
        f"every pod of {COMPONENT} runs {OLD}",
        all(set(counts) == {OLD} for counts in play.before.values()) and len(play.before) == 6,
    )


def proposed_with_mistakes(play: Play) -> None:
    """Ben's pull request has two mistakes; the bot answers with their places."""
    teller, engine, path = play.teller, play.engine, release_path(RELEASE)
    teller.scene(play.clock.at, "a pull request with mistakes")
    teller.say(
        f"Ben wants {COMPONENT} {NEW} on all six clusters. A release is one file in a Git repo; "
        "a branch below pr/ is a pull request. He was in a hurry."
    )
    good = release_file(RELEASE, NEW, REASON)
    bad = good.replace("pipeline: standard", "pipeline: standart").replace("reason:", "raeson:")
    teller.types("ben", f"cat {path}")
    teller.shows("\n".join(bad.splitlines()[1:]))
    teller.types("ben", f"git push origin HEAD:{BRANCH}")
    play.place.proposes(BRANCH, path, bad, by="ben", why=f"Release {COMPONENT} {NEW}")
    engine.tick()
    teller.say(
        "Seconds later the bot has read it, and tells both mistakes at once, each with its place:"
    )
    teller.shows(engine.chat.cards.get(f"pull/{BRANCH}", ""))
    lines = bad.splitlines()
    head = engine.git.head(BRANCH)
    found = {(f.path, f.line) for f in engine.plan(head).findings} if head else set()
    for wrong in ("standart", "raeson"):
        line = next(n for n, text in enumerate(lines, start=1) if wrong in text)
        play.proves(f"the mistake `{wrong}` is found in its line", (path, line) in found)
    pull = engine.pull(BRANCH)
    play.proves("nothing is planned while there are mistakes", pull is not None and not pull.plans)


def mended_and_planned(play: Play) -> None:
    """The author mends it: the plan, its calendar, the diff, who is asked."""
    teller, engine, path = play.teller, play.engine, release_path(RELEASE)
    play.clock.at = berlin(23, 16, 52)
    teller.scene(play.clock.at, "mended, and planned to the minute")
    teller.say(
        "Ben mends the two words and pushes again. Now there is a plan: which cluster follows "
        "which, when each wave would begin, what changes in the cluster, and who will be asked. "
        "Whoever merges knows what the merge will do."
    )
    teller.types("ben", f"git push origin HEAD:{BRANCH}")
    text = release_file(RELEASE, NEW, REASON)
    head = play.place.proposes(BRANCH, path, text, by="ben", why="Mend the two words")
    engine.tick()
    teller.types("ben", f"sluice plan --head {BRANCH}")
    plan = engine.plan(head)
    teller.shows(plan_text(plan))
    shown = plan.releases[0] if plan.releases else None
    play.proves(
        "the pull request has a plan for six clusters", bool(shown and len(shown.units) == 6)
    )
    pull = engine.pull(BRANCH)
    same = shown and pull and pull.plans == {RELEASE: shown.plan.plan_hash}
    play.proves("the bot holds the very plan that was shown", bool(same))


def merged_in_the_evening(play: Play) -> None:
    """Somebody merges after hours; no window is open; the release says until when it waits."""
    teller, engine = play.teller, play.engine
    play.clock.at = berlin(23, 17, 10)
    teller.scene(play.clock.at, "merged in the evening")
    chosen = teller.ask(
        "You are Ana, who looks after these clusters. It is ten past five, and Dana asks you: "
        "merge?",
        {
            "merge": "the release is on its way, by its gates",
            "close": "close the pull request; nothing changes",
        },
    )
    if chosen == "close":
        _closed(play)
    play.decided.append(f"{YOU}: merge")
    teller.types("dana", f"git merge --no-ff origin/{BRANCH} && git push origin main")
    play.place.merges(BRANCH, by="dana")
    engine.tick()
    play.proves("the release is scheduled", engine.phase(RELEASE) == "SCHEDULED")
    teller.say(
        "Nothing moves. Batches begin while people are there to watch: weekdays from 9 to 16 "
        "o'clock, in the time of Berlin. The card in the team's channel says so, and until "
        "when:"
    )
    teller.shows(engine.card(RELEASE))
    engine.chat.news()
    _night(play)


def _night(play: Play) -> None:
    teller, engine = play.teller, play.engine
    morning = berlin(24, 9)
    waiting = next((w for w in engine.view(RELEASE).waiting if w.unit.endswith(STAGING[0])), None)
    play.proves(
        "the first cluster waits for the window, until 9 in the morning",
        waiting is not None and (waiting.gate, waiting.wait.until) == ("window", morning),
    )
    teller.types(YOU, f"sluice why {RELEASE}")
    teller.shows(engine.why(RELEASE))
    engine.run(lambda: False, until=morning)
    play.proves("the night passed without a single write", not engine.intents(RELEASE))
    play.proves("every pod still runs the old version", play.running() == play.before)
    teller.say(f"The night passes. The clock jumps to {moment(morning, ZONE)}.")
    play.clock.at = morning


def _closed(play: Play) -> None:
    """The other answer: the pull request is closed, the release is forgotten."""
    play.decided.append(f"{YOU}: close the pull request")
    play.teller.types("dana", f"git push origin :{BRANCH}")
    play.place.closes(BRANCH, by="dana")
    play.engine.tick()
    play.proves("the release is forgotten", play.engine.state(RELEASE) is None)
    play.proves("every pod still runs the old version", play.running() == play.before)
    play.teller.say(
        f"The pull request is closed and the release forgotten. Every pod runs {OLD}, as before. "
        "That was the whole story of it; run the demo again and merge to see a release roll."
    )
    raise Over
