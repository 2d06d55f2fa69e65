"""Defects of the guard: what it is not asked about, and what leaves all the same."""

from __future__ import annotations

from tests.mutants.defect import Defect, asked

GATES = "bot/core/gates.py"


IN_GUARD = (
    Defect(
        name="the guard is not asked before a unit begins",
        path=GATES,
        old="        drift,\n        guard,\n",
        new="        drift,\n",
        first=(
            asked(
                "stories/test_guard",
                "a_guarded_change_is_asked_about_before_anything_is_written",
            ),
        ),
    ),
    Defect(
        name="a yes to one guarded change is a yes to all",
        path="bot/cluster/guard_hold.py",
        old="one.mark not in allowed.granted or one.act is Act.BLOCK",
        new="not allowed.granted or one.act is Act.BLOCK",
        first=(
            asked(
                "cluster_rules/test_guard_hold",
                "a_yes_to_one_change_lets_no_other_go",
            ),
        ),
    ),
    Defect(
        name="a write that changes a blocked field leaves",
        path="bot/cluster/drive.py",
        old="return kept_back(goal, seen, _progress(goal, steps))",
        new="return _progress(goal, steps)",
        first=(
            asked(
                "properties/test_guard_writes",
                "no_write_that_leaves_changes_a_guarded_field",
            ),
        ),
    ),
    Defect(
        name="what is left alone is written all the same",
        path="bot/cluster/guard_hold.py",
        old="objects[place] = (ref, left_alone(lists, ref, target, live, scaled=scaled))",
        new="objects[place] = (ref, target)",
        first=(
            asked(
                "stories/test_guard",
                "an_ignored_field_is_left_as_it_is_in_the_cluster",
            ),
        ),
    ),
)
