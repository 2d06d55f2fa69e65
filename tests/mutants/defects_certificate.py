"""Defects of a certificate: revision, counts, availability, restarts, collateral, leak.

Beside those of defects_clusters.py; each makes one condition hold that does not.
"""

from __future__ import annotations

from tests.mutants.defect import Defect, asked

FORWARD = "bot/cluster/forward.py"
ROLLOUT = "bot/cluster/rollout.py"
DONE = "cluster_rules/test_done"
COUNT = "cluster_rules/test_pods_that_count"

IN_CERTIFICATES = (
    Defect(
        name="the revision of a status older than the spec is taken for ours",
        path=ROLLOUT,
        old="    if row.revision and not lag:",
        new="    if row.revision:",
        first=(asked(DONE, "the_health_of_the_version_before_is_not_ours"),),
    ),
    Defect(
        name="a template that nothing carries yet is a known revision",
        path=FORWARD,
        old='    if not look.revision:\n        return "other-revision", {}\n',
        new="",
        first=(asked(DONE, "a_template_that_nothing_carries_is_another_revision"),),
    ),
    Defect(
        name="pods of every revision are of ours",
        path=ROLLOUT,
        old="        return same_revision(self.row, self.revision, pod)\n",
        new="        return True\n",
        first=(asked("cluster_rules/test_chosen_nodes", "a_unit_of_two_nodes_touches_two_nodes"),),
    ),
    Defect(
        name="a change by hand is taken for our revision",
        path=FORWARD,
        old="    applied = changes is None or at(changes.patch, row.template, MISSING) is MISSING",
        new="    applied = True",
        first=(asked(DONE, "a_change_by_hand_is_not_taken_for_our_version"),),
    ),
    Defect(
        name="a batch is done with fewer good pods than wanted",
        path=FORWARD,
        old="    if len(good) < want or (full",
        new="    if (full",
        first=(asked(DONE, "a_slow_pod_is_waited_for"),),
    ),
    Defect(
        name="a release ends while old pods stand",
        path=FORWARD,
        old="(full and (look.old or look.leaving))",
        new="False",
        first=(
            asked(
                "cluster_rules/test_drive_properties",
                "from_anywhere_the_last_batch_brings_everything_and_leaves_nothing_behind",
            ),
        ),
    ),
    Defect(
        name="pods on their way out count",
        path=ROLLOUT,
        old="if self._is_new(p) and not p.deleting)",
        new="if self._is_new(p))",
        first=(asked(COUNT, "a_pod_on_its_way_out_does_not_count"),),
    ),
    Defect(
        name="pods that are not ready are available",
        path="bot/cluster/pods.py",
        old="        if not self.ready or self.deleting:",
        new="        if self.deleting:",
        first=(asked(DONE, "a_slow_pod_is_waited_for"),),
    ),
    Defect(
        name="a pod beyond those wanted may fall over in the silence",
        path=FORWARD,
        old="        and not any(p.restarted_since(goal.since) for p in look.new)\n",
        new="",
        first=(asked(COUNT, "a_pod_beyond_those_wanted_that_restarts_is_a_sign_of_illness"),),
    ),
    Defect(
        name="old pods may break in the silence",
        path=FORWARD,
        old="        and broken <= goal.unavailable_before\n",
        new="",
        first=(asked(DONE, "health_in_the_soak_is_lost_with_an_old_pod"),),
    ),
    Defect(
        name="pods of the new version beyond those wanted are not told",
        path=FORWARD,
        old="    if not full and len(look.new) > want:",
        new="    if False:",
        first=(
            asked(
                "cluster_rules/test_daemon_set",
                "a_node_that_joins_gets_the_new_version_and_is_shown_as_a_leak",
            ),
        ),
    ),
    Defect(
        name="a gate that somebody opened stays open while old pods are ill",
        path=FORWARD,
        old="    safe = _install(goal, ref) or closes(look.row, changes.patch, look.live)\n",
        new="    safe = _install(goal, ref)\n",
        first=(
            asked(
                "cluster_rules/test_beyond_the_batch",
                "an_opened_gate_is_closed_also_while_old_pods_are_ill",
            ),
        ),
    ),
    Defect(
        name="a batch that got larger than wanted is written down as any other",
        path="bot/core/begin.py",
        old='        **({"leak": leak} if leak else {}),\n',
        new="",
        first=(
            asked(
                "stories/test_beyond_the_batch",
                "a_node_that_joins_in_the_middle_is_told_where_its_batch_is_done",
            ),
        ),
    ),
    Defect(
        name="any new number in a gate goes ahead of ill old pods",
        path="bot/cluster/stage.py",
        old="    return number < have if row.gate is Gate.UPDATED else number > have\n",
        new="    return True\n",
        first=(
            asked(
                "cluster_rules/test_beyond_the_batch",
                "a_batch_still_does_not_begin_while_old_pods_are_ill",
            ),
        ),
    ),
    Defect(
        name="the deadline that the version before missed fails ours",
        path=FORWARD,
        old="    if look.lag or not look.revision:\n        return None\n    for",
        new="    for",
        first=(
            asked(
                "cluster_rules/test_deployment",
                "the_deadline_of_the_version_before_is_no_failure_of_ours",
            ),
        ),
    ),
)
