"""Defects of what left the template: what is deleted that must stay, what never comes back."""

from __future__ import annotations

from tests.mutants.defect import Defect, asked

JUDGED = "bot/cluster/leftovers.py"


IN_LEFTOVERS = (
    Defect(
        name="a leftover that somebody edited is deleted",
        path=JUDGED,
        old='return "edited" if edits(',
        new='return "" if edits(',
        first=(asked("stories/test_leftovers", "what_somebody_edited_meanwhile_stays"),),
    ),
    Defect(
        name="another object of a leftover's name is deleted",
        path=JUDGED,
        old='if one.uid and meta.get("uid") != one.uid:',
        new='if not one.uid and meta.get("uid") != one.uid:',
        first=(asked("stories/test_leftovers", "another_object_of_its_name_is_not_deleted"),),
    ),
    Defect(
        name="what was never written by the component is deleted",
        path=JUDGED,
        old="if not fence_of(live) or owner != one.component:",
        new="if owner != one.component:",
        first=(
            asked("stories/test_leftovers", "what_the_component_never_wrote_is_not_its_to_delete"),
        ),
    ),
    Defect(
        name="all leftovers of a unit are deleted in one go",
        path=JUDGED,
        old="        held = held or bool(step.waiting)\n",
        new="        held = held and bool(step.waiting)\n",
        first=(asked("stories/test_leftovers", "a_pause_is_heard_between_two_deletions"),),
    ),
    Defect(
        name="a rollback leaves deleted what the release deleted",
        path="bot/core/goals.py",
        old="            if gone.fate in (Fate.LEAVING, Fate.DELETED):\n",
        new="            if gone.fate is Fate.OPEN:\n",
        first=(asked("stories/test_leftovers", "a_rollback_creates_again_what_was_deleted"),),
    ),
    Defect(
        name="what another component brings is deleted",
        path="bot/core/goals.py",
        old="    found += [name for name, brought in rows.items() if wanted in brought]\n",
        new="    found += [name for name, brought in rows.items() if not brought]\n",
        first=(asked("stories/test_leftovers", "what_another_component_brings_now_stays"),),
    ),
    Defect(
        name="what a node set has still is deleted with another one's release",
        path="bot/reconciler/loading.py",
        old="        brought = dict.fromkeys(left_out, lock) | brought\n",
        new="        brought = dict.fromkeys(left_out, brought) and brought\n",
        first=(
            asked(
                "stories/test_leftovers_parts",
                "a_release_of_one_set_alone_deletes_nothing_under_the_others",
            ),
        ),
    ),
    Defect(
        name="what was kept by a no is asked about after a rollback",
        path="bot/core/leftovers_rows.py",
        old="    return {key: by for key, by in found.items() if key not in rendered}\n",
        new="    return {key: by for key, by in found.items() if key in rendered}\n",
        first=(
            asked(
                "stories/test_leftovers_said",
                "a_no_holds_after_a_rollback_until_it_is_rendered_again",
            ),
        ),
    ),
    Defect(
        name="what a release added is forgotten on the way back",
        path="bot/core/begin.py",
        old="            if added.note(t, u):\n",
        new="            if added.note(t, u) and False:\n",
        first=(asked("stories/test_added", "what_somebody_edited_meanwhile_stays_and_is_told"),),
    ),
    Defect(
        name="what a release added goes without a yes",
        path="bot/core/added.py",
        old='if said == "allow" and not lost else one\n',
        new='if said != "allow" and not lost else one\n',
        first=(
            asked(
                "stories/test_added",
                "the_workload_goes_back_at_once_and_one_question_is_about_all_that_was_added",
            ),
        ),
    ),
    Defect(
        name="a first install is deleted whatever others made of it",
        path="bot/cluster/drive.py",
        old=" or ref.key in goal.spared:\n",
        new=":\n",
        first=(
            asked(
                "stories/test_first_install_others", "what_somebody_edited_since_stays_and_is_told"
            ),
        ),
    ),
    Defect(
        name="what a restored store has forgotten is taken for what stood before",
        path="bot/core/adopting.py",
        old="fence_of(live) > _fence(t, u)\n\n\ndef met_later",
        new="not fence_of(live)\n\n\ndef met_later",
        first=(
            asked(
                "stories/test_added_restored", "a_no_that_the_copy_does_not_know_is_asked_for_again"
            ),
        ),
    ),
    Defect(
        name="what may be forgotten goes unasked",
        path="bot/core/added.py",
        old='if said == "allow" and not lost else one\n',
        new='if said == "allow" else one\n',
        first=(
            asked(
                "stories/test_added_restored",
                "what_may_go_unasked_is_asked_about_where_an_answer_may_be_lost",
            ),
        ),
    ),
    Defect(
        name="what somebody created after first contact is taken for ours",
        path="bot/core/lifecycle.py",
        old="        adopting.met_later(t, name)\n",
        new="",
        first=(
            asked(
                "stories/test_added_others",
                "what_somebody_created_after_first_contact_is_never_deleted",
            ),
        ),
    ),
    Defect(
        name="what waits for an answer counts as what stood before",
        path="bot/core/adopting.py",
        old="    nobodys = stood.half_way | siblings.left_over(t.s, u.plan)\n",
        new="    nobodys = stood.half_way\n",
        first=(
            asked(
                "stories/test_added_others",
                "a_fix_that_renders_it_and_goes_back_asks_about_it_again",
            ),
        ),
    ),
)
