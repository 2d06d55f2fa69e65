"""Defects of what is written into clusters, of how it is known to be done, and of the way back."""

from __future__ import annotations

from tests.mutants.defect import Defect, asked

IN_CLUSTERS = (
    Defect(
        name="the soak's clock starts when the batch begins",
        path="bot/core/begin.py",
        old="    until = t.s.now + (after if _final(u) else between)",
        new="    until = (u.state.batch_began or t.s.now) + (after if _final(u) else between)",
        first=(
            asked(
                "stories/test_certified",
                "every_silence_is_as_long_as_it_was_asked_from_when_its_batch_was_there",
            ),
        ),
    ),
    Defect(
        name="what converged once is not looked at again while checks are asked",
        path="bot/core/gates.py",
        old="(reachable, healthy, still_converged, checks_after)",
        new="(reachable, healthy, checks_after)",
        first=(
            asked(
                "stories/test_review_gates",
                "a_node_that_joins_while_checks_are_asked_is_waited_for",
            ),
        ),
    ),
    Defect(
        name="a controller that has not seen our spec is believed",
        path="bot/cluster/forward.py",
        old='    if look.lag:\n        return "controller-lag", {}\n    if not look.revision:',
        new="    if not look.revision:",
        first=(asked("cluster_rules/test_done", "a_status_older_than_our_write_proves_nothing"),),
    ),
    Defect(
        name="pods that run another digest count",
        path="bot/cluster/rollout.py",
        old="self.is_available(p) and p.runs_digests() and not",
        new="self.is_available(p) and not",
        first=(
            asked(
                "cluster_rules/test_pods_that_count",
                "a_pod_counts_by_the_digest_that_it_really_runs",
            ),
        ),
    ),
    Defect(
        name="pods that restarted since count",
        path="bot/cluster/rollout.py",
        old="p.runs_digests() and not p.restarted_since(since)",
        new="p.runs_digests()",
        first=(
            asked(
                "cluster_rules/test_pods_that_count",
                "a_pod_that_restarted_since_the_batch_began_does_not_count",
            ),
        ),
    ),
    Defect(
        name="minReadySeconds is not waited for",
        path="bot/cluster/pods.py",
        old="        if min_ready <= 0 or not self.ready_since:",
        new="        if True:",
        first=(
            asked("cluster_rules/test_done", "pods_must_have_been_ready_for_min_ready_seconds"),
        ),
    ),
    Defect(
        name="a batch begins while old pods are unavailable",
        path="bot/cluster/forward.py",
        old="    if (coming_back or too_many) and not safe:",
        new="    if False:",
        first=(
            asked(
                "cluster_rules/test_clone_set", "no_batch_begins_while_an_old_pod_is_unavailable"
            ),
        ),
    ),
    Defect(
        name="old pods that broke with the batch are no failure",
        path="bot/cluster/forward.py",
        old="    if unavailable > goal.unavailable_before:",
        new="    if False:",
        first=(asked("cluster_rules/test_done", "an_old_pod_that_breaks_meanwhile_is_collateral"),),
    ),
    Defect(
        name="a rollback leaves the gate of the batch where it was",
        path="bot/cluster/restore.py",
        old="    changes = pending(ours, live, own)\n",
        new="    changes = pending(ours, live, put(own, row.partition, at(live, row.partition)))"
        " if row.partition else pending(ours, live, own)\n",
        first=(
            asked(
                "cluster_rules/test_clone_set",
                "a_restore_is_old_template_and_open_partition_in_one_patch",
            ),
        ),
    ),
    Defect(
        name="an older plan overwrites a newer one",
        path="bot/adapters/simulated/api_rules.py",
        old="    if fence and fence_of(live) > numbers(fence):",
        new="    if False:",
        first=(asked("stories/test_stores", "an_older_plan_never_overwrites_a_newer_one"),),
    ),
    Defect(
        name="all writes of a release have one fence",
        path="bot/reconciler/recording.py",
        old="            state = replace(state, seq=state.seq + 1)",
        new="            state = replace(state, seq=1)",
        first=(asked("stories/test_tampering", "an_untouched_record_holds"),),
    ),
    Defect(
        name="a stop is not heard between two writes",
        path="bot/reconciler/acting.py",
        old="            if not good or (errand.write.purpose.forward and stopped(errand)):",
        new="            if not good:",
        first=(asked("stories/test_pause", "a_stop_is_heard_between_two_writes_of_one_tick"),),
    ),
    Defect(
        name="after a refused object the next one is written all the same",
        path="bot/reconciler/acting.py",
        old="            if not good or (errand.write.purpose.forward and stopped(errand)):",
        new="            if errand.write.purpose.forward and stopped(errand):",
        first=(
            asked(
                "stories/test_answers", "after_a_refused_object_nothing_more_of_the_unit_is_sent"
            ),
        ),
    ),
    Defect(
        name="a lost answer counts as done",
        path="bot/reconciler/acting.py",
        old="        return _ended(errand.intent, IntentStatus.UNKNOWN, lost.why, now())",
        new='        return _ended(errand.intent, IntentStatus.DONE, "", now())',
        first=(asked("stories/test_answers", "a_lost_answer_is_looked_after_and_not_sent_again"),),
    ),
    Defect(
        name="a rebuilt cluster is taken for the old one",
        path="bot/core/gates_reachable.py",
        old="    if t.is_another(u):\n        return Wait(",
        new="    if False:\n        return Wait(",
        first=(
            asked("stories/test_stores", "a_rebuilt_cluster_is_held_until_somebody_accepts_it"),
        ),
    ),
    Defect(
        name="a rollback does not stick",
        path="bot/core/endings.py",
        old="    if t.state.sticks:\n        t.puts += _blocks(t)\n",
        new="",
        first=(asked("stories/test_rollback", "the_version_is_blocked_afterwards"),),
    ),
    Defect(
        name="a failure holds nobody",
        path="bot/core/endings.py",
        old="u.plan.component)) > u.stage.max_failures:\n        _hold_failed(t, u, why)",
        new="u.plan.component)) > u.stage.max_failures:\n        pass",
        first=(
            asked("stories/test_failing_checks", "a_crash_loop_fails_the_unit_with_its_evidence"),
        ),
    ),
    Defect(
        name="a unit is taken back by itself again and again",
        path="bot/core/endings.py",
        old='    return once_only(why) if u.state.back_once else ""',
        new='    return ""',
        first=(asked("stories/test_once_only", "a_unit_is_taken_back_by_itself_once"),),
    ),
)
