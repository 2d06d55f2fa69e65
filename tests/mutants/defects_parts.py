"""Defects of parts of a cluster, of tasks, of several components, and of their way back."""

from __future__ import annotations

from tests.mutants.defect import Defect, asked

GATES = "bot/core/gates.py"

IN_PARTS = (
    Defect(
        name="the first of several sets gives the strategy back",
        path="bot/cluster/forward.py",
        old="    arrived = not by_node or _all_new(goal, everywhere)",
        new="    arrived = True",
        first=(asked("cluster_rules/test_chosen_nodes", "a_unit_of_two_nodes_touches_two_nodes"),),
    ),
    Defect(
        name="the rest of the nodes means all of them",
        path="bot/cluster/choice.py",
        old="            if not any(other.matches(labels, name) for other in others)",
        new="            if True",
        first=(
            asked("stories/test_node_sets", "the_canary_set_comes_first_and_the_rest_after_it"),
        ),
    ),
    Defect(
        name="a node in two sets is nobody's worry",
        path=GATES,
        old="        guard,\n        node_sets,\n",
        new="        guard,\n",
        first=(asked("stories/test_node_sets", "a_node_in_two_sets_holds_the_unit_and_says_so"),),
    ),
    Defect(
        name="a first install comes to all nodes unasked",
        path=GATES,
        old="        node_sets,\n        whole_install,\n",
        new="        node_sets,\n",
        first=(
            asked(
                "stories/test_node_sets",
                "a_first_install_is_asked_about_since_it_reaches_every_node",
            ),
        ),
    ),
    Defect(
        name="sets of one cluster go back at once",
        path=GATES,
        old="        later_sibling,\n        dependents_first,\n",
        new="        dependents_first,\n",
        first=(asked("stories/test_node_units", "nodes_go_back_together_the_last_one_first"),),
    ),
    Defect(
        name="what others lean on goes back first",
        path=GATES,
        old="        dependents_first,\n        unit_free,\n",
        new="        unit_free,\n",
        first=(asked("stories/test_addons_back", "the_whole_release_goes_back_dependents_first"),),
    ),
    Defect(
        name="what a newer release has in hand is taken back under it",
        path=GATES,
        old="        unit_free,\n        reversible,\n",
        new="        reversible,\n",
        first=(
            asked("properties/test_gates", "nothing_is_put_back_where_a_newer_release_is_at_work"),
        ),
    ),
    Defect(
        name="what has no way back is put back all the same",
        path=GATES,
        old="        reversible,\n        undo_decided,\n",
        new="        undo_decided,\n",
        first=(asked("stories/test_no_way_back", "such_a_unit_holds_and_says_why"),),
    ),
    Defect(
        name="no limit holds a rollback",
        path=GATES,
        old="        rollback_limit,\n        reachable,\n",
        new="        reachable,\n",
        first=(asked("stories/test_rollback_pace", "a_rollback_keeps_its_own_limit"),),
    ),
    Defect(
        name="a restored store is believed before it is compared",
        path=GATES,
        old="        compared,\n        not_fenced,\n",
        new="        not_fenced,\n",
        first=(
            asked(
                "stories/test_review_gates",
                "nothing_is_put_back_while_a_restored_store_is_not_compared",
            ),
        ),
    ),
    Defect(
        name="a freeze that names rollback does not stop it",
        path=GATES,
        old="        rollback_window,\n        newer_first,\n",
        new="        newer_first,\n",
        first=(
            asked("stories/test_rollback", "a_freeze_that_names_rollback_stops_it_and_says_so"),
        ),
    ),
    Defect(
        name="a Job that failed is done",
        path="bot/cluster/tasks.py",
        old='    if (why := _condition(live, "Failed")) is not None:\n',
        new='    if (why := _condition(live, "Failed")) is not None:\n'
        "        return Step(ref=ref)\n",
        first=(
            asked(
                "stories/test_tasks",
                "a_task_that_fails_stops_what_follows_it_and_is_tried_again",
            ),
        ),
    ),
    Defect(
        name="a Job that failed before the retry fails it again",
        path="bot/cluster/tasks.py",
        old="        if _made_before(live, goal.since):",
        new="        if False:",
        first=(
            asked(
                "stories/test_tasks",
                "a_task_that_fails_stops_what_follows_it_and_is_tried_again",
            ),
        ),
    ),
    Defect(
        name="a webhook that was answered is called again",
        path="bot/reconciler/loading.py",
        old="        and row.objects.get(planned.ref.key) == planned.digest\n",
        new="        and False\n",
        first=(asked("stories/test_tasks", "a_webhook_is_called_once_a_cluster"),),
    ),
    Defect(
        name="a webhook that takes something back is called again",
        path="bot/reconciler/recording.py",
        old='    return intent.purpose in ("forward", "go-on") or is_call(intent.ref)',
        new='    return intent.purpose in ("forward", "go-on")',
        first=(asked("stories/test_tasks", "a_rollback_calls_what_undoes_it"),),
    ),
    Defect(
        name="a baseline takes what was applied and never proved",
        path="bot/core/baseline.py",
        old='row.version if row.certified else "")',
        new="row.version)",
        first=(asked("stories/test_baseline", "what_was_not_proved_is_not_the_group_s"),),
    ),
    Defect(
        name="a rollback takes back what a newer release has written",
        path="bot/core/endings.py",
        old="(ours(t, n) if only is None else n in only)]",
        new="(only is None or n in only)]",
        first=(
            asked(
                "stories/test_combinations",
                "a_catch_up_that_fails_takes_nothing_of_a_newer_release_back",
            ),
        ),
    ),
    Defect(
        name="the hold of a failure stops writes of other releases",
        path="bot/reconciler/recording.py",
        old="not hold.finish_batch and reaches(hold, what) for hold in holds)",
        new="not hold.finish_batch and (hold.release or reaches(hold, what)) for hold in holds)",
        first=(
            asked(
                "stories/test_combinations",
                "a_failure_hold_stops_no_write_of_another_release",
            ),
        ),
    ),
    Defect(
        name="a namespace counts that the new version has not reconciled",
        path="bot/cluster/sharding.py",
        old="    missing = len(there) - len(done)",
        new="    missing = 0",
        first=(
            asked(
                "stories/test_sharded_operator",
                "a_version_that_reconciles_nothing_fails_the_first_batch",
            ),
        ),
    ),
    Defect(
        name="what was reconciled before a namespace moved is a proof",
        path="bot/cluster/sharding.py",
        old="before is None or wrote > moment(before)",
        new="True",
        first=(
            asked(
                "cluster_rules/test_sharding",
                "what_the_cluster_said_is_held_against_what_the_cluster_says",
            ),
        ),
    ),
)
