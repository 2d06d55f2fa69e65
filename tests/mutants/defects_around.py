"""Defects of what looks around a unit: rules, hosts, limits, silence, edits, what is put off."""

from __future__ import annotations

from tests.mutants.defect import Defect, asked

GATES, RISK = "bot/core/gates.py", "bot/core/gates_risk.py"

AROUND = (
    Defect(
        name="an error in a risk rule counts as no",
        path=RISK,
        old='        return Wait(code="risk-error", facts=facts',
        new='        return None and Wait(code="risk-error", facts=facts',
        first=(asked("stories/test_risk_rules", "an_error_in_a_rule_is_not_a_yes"),),
    ),
    Defect(
        name="a risk rule that says stop only waits",
        path=RISK,
        old='    return wait.code == "risk" and wait.facts.get("verdict") == "stop"',
        new="    return False",
        first=(asked("stories/test_risk_rules", "a_rule_that_says_stop_waits_for_a_person"),),
    ),
    Defect(
        name="what a risk rule said is kept though more is in flight since",
        path=RISK,
        old="    key = (number, alike, t.around.changes)",
        new="    key = (number, alike, 0)",
        first=(asked("stories/test_risk_rules", "never_both_of_a_pair"),),
    ),
    Defect(
        name="a guest waits for its host and no host for its guests",
        path=RISK,
        old="    for cluster in t.s.rules.kin.get(u.plan.cluster, ()):",
        new="    for cluster in filter(None, [t.s.rules.hosts.get(u.plan.cluster)]):",
        first=(asked("stories/test_hosts", "host_and_guest_of_one_wave_go_one_after_the_other"),),
    ),
    Defect(
        name="one unit a day more than the policy says",
        path=RISK,
        old="    if began < limit:",
        new="    if began <= limit:",
        first=(asked("stories/test_limits", "so_many_units_a_day_over_all_releases"),),
    ),
    Defect(
        name="units that begin are not written down for the day",
        path="bot/core/begin.py",
        old="        t.puts.append(Tally(what=BEGAN,",
        new="        (lambda _: None)(Tally(what=BEGAN,",
        first=(asked("stories/test_limits", "so_many_units_a_day_over_all_releases"),),
    ),
    Defect(
        name="failures are not written down for the budget",
        path="bot/core/endings.py",
        old="    t.puts.append(Tally(what=FAILED,",
        new="    (lambda _: None)(Tally(what=FAILED,",
        first=(
            asked(
                "stories/test_limits", "a_spent_budget_holds_everything_until_a_person_clears_it"
            ),
        ),
    ),
    Defect(
        name="a first wave that the floor forbids by now begins",
        path=GATES,
        old="        first_wave,\n        concurrency,\n",
        new="        concurrency,\n",
        first=(
            asked(
                "stories/test_review_gates_people", "a_first_wave_that_is_too_large_by_now_waits"
            ),
        ),
    ),
    Defect(
        name="a dependency that was left half-way is good enough",
        path="bot/core/gates_needs.py",
        old="    if applied is None or applied.certified:",
        new="    if True:",
        first=(
            asked("stories/test_dependencies", "a_dependency_that_failed_keeps_what_leans_on_it"),
        ),
    ),
    Defect(
        name="a release begins while the one that it replaces still rolls",
        path=GATES,
        old="        approval,\n        replaces,\n    ),",
        new="        approval,\n    ),",
        first=(
            asked("stories/test_superseding", "what_rolls_is_stopped_before_the_new_one_begins"),
        ),
    ),
    Defect(
        name="one silent cluster more than the stage tolerates is left out",
        path="bot/core/gates_reachable.py",
        old="    room = len(out) < most or",
        new="    room = len(out) <= most or",
        first=(
            asked(
                "stories/test_tolerance",
                "beyond_the_tolerance_the_stage_asks_instead_of_leaving_more_out",
            ),
        ),
    ),
    Defect(
        name="a workload of unknown size takes its batch",
        path=GATES,
        old="        whole_install,\n        counted,\n",
        new="        whole_install,\n",
        first=(
            asked(
                "stories/test_own_kinds_story",
                "nothing_begins_while_nobody_says_how_many_there_are",
            ),
        ),
    ),
    Defect(
        name="edits by hand are overwritten unasked",
        path=GATES,
        old="        reachable,\n        drift,\n",
        new="        reachable,\n",
        first=(asked("stories/test_drift", "an_edit_stops_the_unit_and_says_who_and_what"),),
    ),
    Defect(
        name="an answer about an edit counts for every later one",
        path="bot/core/drifting.py",
        old='    return bool({f"{KEEP}:{mark}", f"{OVERWRITE}:{mark}"} & set(state.overrides))',
        new='    return any(one.partition(":")[0] in (KEEP, OVERWRITE) for one in state.overrides)',
        first=(asked("stories/test_drift", "an_answer_is_to_the_edits_that_were_shown"),),
    ),
    Defect(
        name="an override of a block opens later blocks too",
        path="bot/core/gates_begin.py",
        old="if seen_block(wait) not in u.state.overrides]",
        new='if not any(one.startswith("blocked") for one in u.state.overrides)]',
        first=(
            asked(
                "stories/test_rules_in_flight",
                "an_override_of_a_block_is_of_that_block_and_of_no_later_one",
            ),
        ),
    ),
    Defect(
        name="a snooze lasts beyond its moment",
        path="bot/reconciler/snoozing.py",
        old="if hold.until is not None and hold.until <= now]",
        new="if hold.until is not None and hold.until < now]",
        first=(asked("stories/test_snooze", "a_snooze_is_over_at_its_moment"),),
    ),
    Defect(
        name="of two snoozes the later one wakes the bot",
        path="bot/reconciler/snoozing.py",
        old="    return min((hold.until",
        new="    return max((hold.until",
        first=(asked("stories/test_snooze", "of_two_snoozes_each_is_over_at_its_own_time"),),
    ),
    Defect(
        name="a yes counts for ever",
        path="bot/core/decisions.py",
        old="        if decision.status is DecisionStatus.APPROVED and t.s.now >= since",
        new="        if False and t.s.now >= since",
        first=(asked("stories/test_approvals", "a_yes_given_too_long_ago_is_asked_again"),),
    ),
    Defect(
        name="an opened window stays open",
        path="bot/core/votes.py",
        old="            and (decision.expires is None or self.s.now < decision.closed",
        new="            and (True or self.s.now < decision.closed",
        first=(
            asked(
                "stories/test_retry_skip_override",
                "two_admins_open_a_closed_window_and_it_closes_again",
            ),
        ),
    ),
)
