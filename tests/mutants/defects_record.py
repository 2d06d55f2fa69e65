"""Defects of what is recorded, noticed and told."""

from __future__ import annotations

from tests.mutants.defect import Defect, asked

IN_RECORD = (
    Defect(
        name="a note is answered twice",
        path="bot/adapters/sqlite.py",
        old='"UPDATE inbox SET answer = ? WHERE id = ? AND answer IS NULL"',
        new='"UPDATE inbox SET answer = ? WHERE id = ?"',
        first=(asked("contracts/test_store_records", "a_note_is_answered_once"),),
    ),
    Defect(
        name="a post of the outbox is forgotten",
        path="bot/reconciler/reporting.py",
        old="        ledger.put(post)\n        self._outbox[post.key] = post",
        new="        ledger.put(post)",
        first=(asked("stories/test_transcripts", "a_release_with_a_night_and_an_approval"),),
    ),
    Defect(
        name="a line of the audit does not cover what it says",
        path="bot/core/chain.py",
        old='        "data": dict(event.data),\n    }',
        new='        "data": {},\n    }',
        first=(asked("storage/test_chain", "a_changed_line_is_the_one_that_is_found"),),
    ),
    Defect(
        name="what another process wrote is overwritten",
        path="bot/adapters/sqlite.py",
        old='                " WHERE key = ? AND version = ?",',
        new='                " WHERE key = ? AND version <= ? + 1000000",',
        first=(
            asked("contracts/test_store", "the_second_of_two_writers_is_told_that_the_row_changed"),
        ),
    ),
    Defect(
        name="a release that came without a pull request begins",
        path="bot/reconciler/noticing.py",
        old="        if pull is None or plan.release not in pull.plans:",
        new="        if False:",
        first=(
            asked(
                "stories/test_ways_to_main",
                "a_release_without_a_pull_request_is_held_until_an_approver_accepts_it",
            ),
        ),
    ),
    Defect(
        name="an edit of a merged release is not seen",
        path="bot/reconciler/noticing.py",
        old="            if merged.specs[name] == active.index.plan.spec:",
        new="            if True:",
        first=(asked("stories/test_ways_to_main", "an_edit_on_main_is_a_hold"),),
    ),
    Defect(
        name="a rewritten main is walked on",
        path="bot/reconciler/noticing.py",
        old='            set_hold(\n                self._board, ledger, "main/rewritten"',
        new='            (lambda *_: None)(\n                self._board, ledger, "main/rewritten"',
        first=(
            asked(
                "stories/test_stores", "a_rewritten_main_holds_everything_until_an_admin_goes_on"
            ),
        ),
    ),
    Defect(
        name="a release that waits for its first write never expires",
        path="bot/core/endings.py",
        old="        and t.s.now >= t.state.expires\n",
        new="        and t.s.now < t.state.merged\n",
        first=(asked("stories/test_windows", "a_release_without_a_first_write_in_time_is_held"),),
    ),
    Defect(
        name="a write leaves before its intent is recorded",
        path="bot/reconciler/recording.py",
        old="            ledger.put(intent)\n            ledger.events.append(",
        new="            ledger.events.append(",
        first=(
            asked(
                "stories/test_restarts", "a_crash_at_any_moment_neither_loses_nor_doubles_anything"
            ),
        ),
    ),
    Defect(
        name="people without a role may steer",
        path="bot/core/commands.py",
        old='    if not allowed and command.verb not in ("approve", "reject"):',
        new="    if False:",
        first=(asked("stories/test_snooze", "who_may_snooze_and_what_it_needs"),),
    ),
    Defect(
        name="the digest of what joins covers no unit",
        path="bot/core/additions.py",
        old='    return digest({"before": before, "units": facts})',
        new='    return digest({"before": before, "units": []})',
        first=(asked("stories/test_fleet_changes", "the_digest_of_what_joins_covers_all_of_it"),),
    ),
    Defect(
        name="the digest of what joins is of no plan",
        path="bot/core/additions.py",
        old='    return digest({"before": before, "units": facts})',
        new='    return digest({"before": "", "units": facts})',
        first=(asked("stories/test_fleet_changes", "a_digest_is_of_the_plan_that_it_is_added_to"),),
    ),
    Defect(
        name="what joined may be edited in the store",
        path="bot/core/soundness.py",
        old="    elif not sound(plan):",
        new="    elif False:",
        first=(asked("stories/test_fleet_changes", "the_digest_of_what_joins_covers_all_of_it"),),
    ),
    Defect(
        name="a stop is heard after main was looked at",
        path="bot/reconciler/tick.py",
        old="        self._take_notes(stops(notes), now, ticked)\n"
        "        ledger = self._notice(now, ledger, ticked)\n",
        new="        ledger = self._notice(now, ledger, ticked)\n"
        "        self._take_notes(stops(notes), now, ticked)\n",
        first=(asked("stories/test_small_faults", "a_stop_is_heard_before_main_is_looked_at"),),
    ),
    Defect(
        name="an older resume lifts a newer stop",
        path="bot/reconciler/hearing.py",
        old='                command = refusal("overtaken", scope=command.scope)',
        new="                pass",
        first=(asked("stories/test_small_faults", "an_older_resume_never_lifts_a_newer_stop"),),
    ),
    Defect(
        name="what came of a write is not in the chain",
        path="bot/reconciler/recording.py",
        old="            ledger.events += chain_rows.outcome_of(intent)\n",
        new="",
        first=(asked("stories/test_tampering", "an_untouched_record_holds"),),
    ),
    Defect(
        name="that a crash hid what came of a write is not in the chain",
        path="bot/reconciler/tick.py",
        old="                ledger.events += chain_rows.outcome_of(lost)\n",
        new="",
        first=(asked("stories/test_tampering", "a_crash_leaves_a_record_that_holds"),),
    ),
    Defect(
        name="what is only looked at again goes before what was waited for",
        path="bot/reconciler/tick.py",
        old="    return [*found, rest] if rest else found",
        new="    return [rest, *found] if rest else found",
        first=(asked("stories/test_two_releases", "what_was_waited_for_goes_first"),),
    ),
)
