"""Defects of the gates, the calendar, the order of units and what people decide."""

from __future__ import annotations

from tests.mutants.defect import Defect, asked

GATES = "bot/core/gates.py"


IN_GATES = (
    Defect(
        name="holds do not stop a batch from beginning",
        path=GATES,
        old="        merged,\n        holds,\n",
        new="        merged,\n",
        first=(asked("stories/test_pause", "a_pause_that_lets_the_batch_finish"),),
    ),
    Defect(
        name="risk rules are not asked",
        path=GATES,
        old="        risk,\n        releasable,\n",
        new="        releasable,\n",
        first=(asked("stories/test_risk_rules", "one_tier_0_release_at_a_time"),),
    ),
    Defect(
        name="evidence of a version is not asked for",
        path=GATES,
        old="        releasable,\n        not_blocked,\n",
        new="        not_blocked,\n",
        first=(asked("stories/test_rules_in_flight", "evidence_that_is_required_is_awaited"),),
    ),
    Defect(
        name="blocked versions go forward",
        path=GATES,
        old="        not_blocked,\n        earlier,\n",
        new="        earlier,\n",
        first=(
            asked(
                "stories/test_rules_in_flight",
                "a_version_blocked_in_flight_begins_no_further_batch",
            ),
        ),
    ),
    Defect(
        name="waves do not wait for each other",
        path="bot/core/fronts.py",
        old="        return next(left, None)\n",
        new="        return max(left, default=None)\n",
        first=(asked("stories/test_two_releases", "a_wave_begins_when_the_one_before_has_ended"),),
    ),
    Defect(
        name="every wave has its turn at once",
        path="bot/core/gates_begin.py",
        old="    if front is None or u.state.in_flight or (u.plan.stage, u.plan.wave) <= front:",
        new="    if True or front is None or u.state.in_flight:",
        first=(asked("stories/test_two_releases", "a_wave_begins_when_the_one_before_has_ended"),),
    ),
    Defect(
        name="a later wave does not say what it waits for",
        path=GATES,
        old="        earlier,\n        dependencies,\n",
        new="        dependencies,\n",
        first=(
            asked("stories/test_ways_to_main", "a_relabelled_cluster_stays_where_it_was_planned"),
        ),
    ),
    Defect(
        name="components do not wait for what they need",
        path=GATES,
        old="        dependencies,\n        host_free,\n",
        new="        host_free,\n",
        first=(
            asked("stories/test_addons", "what_is_needed_ends_well_before_what_needs_it_begins"),
        ),
    ),
    Defect(
        name="host and guest may be in flight together",
        path=GATES,
        old="        host_free,\n        unit_free,\n        shared_object,\n",
        new="        unit_free,\n        shared_object,\n",
        first=(asked("stories/test_hosts", "host_and_guest_of_one_wave_go_one_after_the_other"),),
    ),
    Defect(
        name="two releases work on one component in one cluster",
        path=GATES,
        old="        unit_free,\n        shared_object,\n",
        new="        shared_object,\n",
        first=(
            asked(
                "stories/test_ways_to_main", "two_releases_of_one_component_go_one_after_the_other"
            ),
        ),
    ),
    Defect(
        name="node sets that share an object go at once",
        path=GATES,
        old="        shared_object,\n        first_wave,\n",
        new="        first_wave,\n",
        first=(
            asked("stories/test_node_sets", "the_canary_set_comes_first_and_the_rest_after_it"),
        ),
    ),
    Defect(
        name="no limit holds units in flight",
        path=GATES,
        old="        concurrency,\n        units_per_day,\n",
        new="        units_per_day,\n",
        first=(asked("stories/test_two_releases", "the_limit_in_flight_is_over_all_releases"),),
    ),
    Defect(
        name="units per day are not counted",
        path=GATES,
        old="        units_per_day,\n        failure_budget,\n",
        new="        failure_budget,\n",
        first=(asked("stories/test_limits", "so_many_units_a_day_over_all_releases"),),
    ),
    Defect(
        name="a stage goes on past its failures",
        path=GATES,
        old="        failure_budget,\n        not_before,\n",
        new="        not_before,\n",
        first=(
            asked(
                "properties/test_gates",
                "nothing_begins_in_a_stage_that_failed_more_often_than_it_tolerates",
            ),
        ),
    ),
    Defect(
        name="notBefore is not kept",
        path=GATES,
        old="        not_before,\n        window,\n",
        new="        window,\n",
        first=(asked("stories/test_windows", "not_before_holds_until_its_local_time"),),
    ),
    Defect(
        name="batches begin outside windows",
        path=GATES,
        old="        window,\n        reachable,\n",
        new="        reachable,\n",
        first=(asked("stories/test_windows", "nothing_begins_at_night_and_why_says_until_when"),),
    ),
    Defect(
        name="checks before a batch are not asked",
        path=GATES,
        old="        checks_before,\n        approval,\n",
        new="        approval,\n",
        first=(
            asked(
                "stories/test_failing_checks",
                "a_check_before_a_batch_stops_it_before_the_first_write",
            ),
        ),
    ),
    Defect(
        name="nobody has to approve",
        path=GATES,
        old="        approval,\n        replaces,\n",
        new="        replaces,\n",
        first=(asked("stories/test_approvals", "two_people_and_never_the_author"),),
    ),
    Defect(
        name="a pause does not stop what rolls in a cluster",
        path=GATES,
        old="UnitPhase.APPLYING: (not_stopped, reachable, unguarded, converged)",
        new="UnitPhase.APPLYING: (reachable, unguarded, converged)",
        first=(asked("stories/test_pause", "a_pause_stops_what_rolls_and_resume_lets_it_go_on"),),
    ),
    Defect(
        name="nobody looks at health during the soak",
        path=GATES,
        old="UnitPhase.SOAKING: (reachable, healthy, soaked)",
        new="UnitPhase.SOAKING: (reachable, soaked)",
        first=(asked("stories/test_failing_checks", "falling_sick_in_the_silence_fails_the_unit"),),
    ),
    Defect(
        name="there is no soak",
        path=GATES,
        old="UnitPhase.SOAKING: (reachable, healthy, soaked)",
        new="UnitPhase.SOAKING: (reachable, healthy)",
        first=(asked("stories/test_happy_path", "a_release_reaches_every_cluster_batch_by_batch"),),
    ),
    Defect(
        name="checks after a batch are not asked",
        path=GATES,
        old="(reachable, healthy, still_converged, checks_after)",
        new="(reachable, healthy, still_converged)",
        first=(
            asked(
                "stories/test_failing_checks",
                "a_check_that_says_no_stops_after_the_batch_it_was_asked_of",
            ),
        ),
    ),
    Defect(
        name="a rollback takes old waves back first",
        path=GATES,
        old="        newer_first,\n        later_sibling,\n",
        new="        later_sibling,\n",
        first=(asked("stories/test_rollback", "newest_wave_first_and_one_patch_a_workload"),),
    ),
    Defect(
        name="a first install is undone unasked",
        path=GATES,
        old="        undo_decided,\n        rollback_limit,\n",
        new="        rollback_limit,\n",
        first=(asked("stories/test_first_install", "undoing_a_first_install_waits_for_a_person"),),
    ),
    Defect(
        name="verdicts merge in another order",
        path="checks/verdict.py",
        old="    ERRORED = 2\n    INCONCLUSIVE = 3\n    FAILED = 4\n",
        new="    FAILED = 2\n    INCONCLUSIVE = 3\n    ERRORED = 4\n",
        first=(asked("checks/test_workload", "a_workload_that_cannot_be_read_hides_no_sick_one"),),
    ),
    Defect(
        name="an inconclusive check is enough",
        path="bot/core/gates_shared.py",
        old="ENOUGH = {Verdict.PASSED}",
        new="ENOUGH = {Verdict.PASSED, Verdict.INCONCLUSIVE}",
        first=(
            asked(
                "stories/test_failing_checks",
                "neither_condition_holds_is_inconclusive_and_a_person_decides",
            ),
        ),
    ),
    Defect(
        name="a window is open at the moment of its end",
        path="bot/core/calendar/timeline.py",
        old="                if high <= start:",
        new="                if high < start:",
        first=(asked("calendar/test_calendar_stories", "a_window_is_half_open"),),
    ),
    Defect(
        name="an Allow window beats a Deny",
        path="bot/core/calendar/calendar.py",
        old="        by = denying or timeline.allowing(at) or timeline.allows",
        new="        by = timeline.allowing(at) or denying or timeline.allows",
        first=(
            asked(
                "calendar/test_calendar_stories",
                "a_freeze_over_new_year_beats_the_window_and_names_its_owner",
            ),
        ),
    ),
    Defect(
        name="a batch begins although it does not fit before the close",
        path="bot/core/calendar/answers.py",
        old="    return opening.next_close is None or need <= opening.next_close - at",
        new="    return opening.next_close is None or need >= opening.next_close - at",
        first=(
            asked(
                "calendar/test_calendar_stories",
                "a_batch_at_friday_1550_does_not_fit_and_starts_on_monday",
            ),
        ),
    ),
    Defect(
        name="one unit more than the stage allows is in flight",
        path="bot/core/gates_begin.py",
        old="t.in_flight_of(u.plan.stage) >= limit:",
        new="t.in_flight_of(u.plan.stage) > limit:",
        first=(asked("stories/test_two_releases", "a_stage_has_as_many_in_flight_as_it_says"),),
    ),
    Defect(
        name="one failure more than the stage tolerates",
        path="bot/core/gates_begin.py",
        old="        if len(failed) > u.stage.max_failures:",
        new="        if len(failed) > u.stage.max_failures + 1:",
        first=(
            asked(
                "properties/test_gates",
                "nothing_begins_in_a_stage_that_failed_more_often_than_it_tolerates",
            ),
        ),
    ),
    Defect(
        name="an approval outlives a change of the plan",
        path="bot/core/decisions.py",
        old="    if decision.plan_hash != t.s.plan.plan_hash:",
        new="    if False:",
        first=(
            asked(
                "stories/test_approvals",
                "a_plan_that_changes_makes_a_yes_void_and_the_card_says_what",
            ),
        ),
    ),
    Defect(
        name="an approval outlives the verdicts that were shown",
        path="bot/core/decisions.py",
        old="    if decision.shown != shown(t):",
        new="    if False:",
        first=(
            asked(
                "stories/test_approvals",
                "a_verdict_that_changes_makes_a_yes_void_and_the_card_says_which",
            ),
        ),
    ),
    Defect(
        name="an author's own yes counts",
        path="bot/core/votes.py",
        old="            if vote.by not in authors and directory.roles(vote.by)",
        new="            if directory.roles(vote.by)",
        first=(
            asked(
                "stories/test_review_gates_people",
                "the_yes_of_who_is_an_author_since_the_merge_is_none",
            ),
        ),
    ),
    Defect(
        name="a yes counts after the role was taken away",
        path="bot/core/votes.py",
        old="vote.by not in authors and directory.roles(vote.by) & set(decision.roles):",
        new="vote.by not in authors:",
        first=(
            asked("stories/test_rules_in_flight", "who_left_after_voting_does_not_count_any_more"),
        ),
    ),
    Defect(
        name="one person votes twice",
        path="bot/core/commands_decide.py",
        old="    if decision.status is DecisionStatus.OPEN and any(vote.by == ask.by for vote in",
        new="    if False and any(vote.by == ask.by for vote in",
        first=(asked("stories/test_approvals", "two_people_and_never_the_author"),),
    ),
    Defect(
        name="a percentage of pods is rounded down",
        path="bot/core/batches.py",
        old='    return -(-total * int(written.rstrip("%")) // 100)',
        new='    return total * int(written.rstrip("%")) // 100',
        first=(asked("properties/test_batches", "a_share_is_never_less_than_it_says"),),
    ),
    Defect(
        name="a later batch may be smaller than the one before",
        path="bot/core/batches.py",
        old="        key: max(before.get(key, 0), cumulative(written, total)) for key, total",
        new="        key: cumulative(written, total) for key, total",
        first=(asked("properties/test_batches", "no_batch_is_smaller_than_the_one_before"),),
    ),
    Defect(
        name="two of one HA pair go in one wave",
        path="bot/core/order.py",
        old="        return next((pair for pair in pairs if pair in self.taken[wave]), None)",
        new="        return None",
        first=(
            asked("plan/test_order", "whatever_of_several_labels_they_share_they_are_kept_apart"),
        ),
    ),
)
