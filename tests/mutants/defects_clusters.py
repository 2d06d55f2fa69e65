"""Defects of what is written into clusters, of how it is known to be done, and of the way back."""

from __future__ import annotations

from tests.mutants.defect import Defect

STORIES, RULES = "tests/stories", "tests/cluster_rules"

IN_CLUSTERS = (
    Defect(
        name="the soak's clock starts when the batch begins",
        path="bot/core/begin.py",
        old="    until = t.s.now + (after if _final(u) else between)",
        new="    until = (u.state.batch_began or t.s.now) + (after if _final(u) else between)",
        first=(f"{STORIES}/test_happy_path.py", f"{STORIES}/test_failing_checks.py"),
    ),
    Defect(
        name="a batch is certified although it is not converged any more",
        path="bot/core/begin.py",
        old="    if progress is None or not (progress.converged and progress.healthy):",
        new="    if progress is None:",
        first=(f"{STORIES}/test_certified.py", f"{STORIES}/test_bad_nights.py"),
    ),
    Defect(
        name="a controller that has not seen our spec is believed",
        path="bot/cluster/forward.py",
        old='    if look.lag:\n        return "controller-lag", {}\n    if not look.revision:',
        new="    if not look.revision:",
        first=(RULES,),
    ),
    Defect(
        name="pods that run another digest count",
        path="bot/cluster/rollout.py",
        old="self.is_available(p) and p.runs_digests() and not",
        new="self.is_available(p) and not",
        first=(RULES,),
    ),
    Defect(
        name="pods that restarted since count",
        path="bot/cluster/rollout.py",
        old="p.runs_digests() and not p.restarted_since(since)",
        new="p.runs_digests()",
        first=(RULES,),
    ),
    Defect(
        name="minReadySeconds is not waited for",
        path="bot/cluster/pods.py",
        old="        if min_ready <= 0 or not self.ready_since:",
        new="        if True:",
        first=(RULES,),
    ),
    Defect(
        name="a batch begins while old pods are unavailable",
        path="bot/cluster/forward.py",
        old="    if (coming_back or too_many) and not _install(goal, ref):",
        new="    if False:",
        first=(RULES,),
    ),
    Defect(
        name="old pods that broke with the batch are no failure",
        path="bot/cluster/forward.py",
        old="    if unavailable > goal.unavailable_before:",
        new="    if False:",
        first=(RULES,),
    ),
    Defect(
        name="a rollback leaves the gate of the batch where it was",
        path="bot/cluster/restore.py",
        old="    changes = merge3(ours, live, own)\n",
        new="    changes = merge3(ours, live, put(own, row.partition, at(live, row.partition)))"
        " if row.partition else merge3(ours, live, own)\n",
        first=(RULES, f"{STORIES}/test_rollback.py"),
    ),
    Defect(
        name="an older plan overwrites a newer one",
        path="bot/adapters/simulated/cluster.py",
        old="    if fence and fence_of(live) > numbers(fence):",
        new="    if False:",
        first=("tests/contracts/test_fleet_simulated.py",),
    ),
    Defect(
        name="all writes of a release have one fence",
        path="bot/reconciler/recording.py",
        old="            state = replace(state, seq=state.seq + 1)",
        new="            state = replace(state, seq=1)",
        first=(f"{STORIES}/test_restarts.py", f"{STORIES}/test_happy_path.py"),
    ),
    Defect(
        name="a stop is not heard between two writes",
        path="bot/reconciler/acting.py",
        old="            if not good or (errand.write.purpose.forward and stopped(errand)):",
        new="            if not good:",
        first=(f"{STORIES}/test_pause.py",),
    ),
    Defect(
        name="after a refused object the next one is written all the same",
        path="bot/reconciler/acting.py",
        old="            if not good or (errand.write.purpose.forward and stopped(errand)):",
        new="            if errand.write.purpose.forward and stopped(errand):",
        first=(f"{STORIES}/test_bad_nights.py", f"{STORIES}/test_unreachable.py"),
    ),
    Defect(
        name="a lost answer counts as done",
        path="bot/reconciler/acting.py",
        old="        return _ended(errand.intent, IntentStatus.UNKNOWN, lost.why, now())",
        new='        return _ended(errand.intent, IntentStatus.DONE, "", now())',
        first=(f"{STORIES}/test_restarts.py", f"{STORIES}/test_bad_nights.py"),
    ),
    Defect(
        name="a rebuilt cluster is taken for the old one",
        path="bot/core/gates_reachable.py",
        old="    if known is not None and known.uid != seen.uid:",
        new="    if False:",
        first=(f"{STORIES}/test_review_gates.py", f"{STORIES}/test_unreachable.py"),
    ),
    Defect(
        name="a rollback does not stick",
        path="bot/core/endings.py",
        old="    if t.state.sticks:\n        t.puts += _blocks(t)\n",
        new="",
        first=(f"{STORIES}/test_rollback.py",),
    ),
    Defect(
        name="a failure holds nobody",
        path="bot/core/endings.py",
        old="u.plan.component)) > u.stage.max_failures:\n        _hold_failed(t, u, why)",
        new="u.plan.component)) > u.stage.max_failures:\n        pass",
        first=(f"{STORIES}/test_failing_checks.py",),
    ),
    Defect(
        name="a unit is taken back by itself again and again",
        path="bot/core/endings.py",
        old='    return once_only(why) if u.state.back_once else ""',
        new='    return ""',
        first=(f"{STORIES}/test_rollback.py",),
    ),
)
