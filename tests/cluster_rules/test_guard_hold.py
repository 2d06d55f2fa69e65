"""Writes that the guard keeps back: forward all of the unit's, on the way back one object's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.cluster.drive import drive
from bot.cluster.goal import Goal, Mode, Progress
from bot.cluster.guard import Allowance
from bot.cluster.guard_hold import after, ahead, as_left
from bot.model.effects import PatchType, Purpose, Write
from bot.model.plan import GuardLists, ObjectRef
from bot.model.seen import ObjectSeen, UnitSeen
from tests.cluster_rules.unit import KRUISE, NINE, config_map, ref_of, workload

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "dns", "namespace": "infra"},
    "spec": {"type": "ClusterIP", "selector": {"app": "dns"}},
}


def service(**spec: Any) -> dict[str, Any]:
    return {**SERVICE, "spec": {**SERVICE["spec"], **spec}}


def goal(
    old: list[Any], new: list[Any], mode: Mode = Mode.FORWARD, lists: GuardLists | None = None
) -> Goal:
    """From what we applied and what runs to what is wanted."""
    kept = {ref_of(one).key: one for one in old}
    return Goal(
        mode=mode,
        objects=tuple((ref_of(one), one) for one in new),
        last=kept,
        before=kept,
        applied=frozenset(kept),
        final=True,
        since=NINE,
        allowed=Allowance(lists=lists or GuardLists()),
    )


def seen(*live: Any) -> UnitSeen:
    refs = {ref_of(one).key: (ref_of(one), one) for one in live}
    return UnitSeen(
        unit="dns@k",
        at=NINE,
        objects={key: ObjectSeen(ref=ref, live=one) for key, (ref, one) in refs.items()},
    )


def sent(progress: Progress) -> list[str]:
    return [write.ref.kind for write in progress.writes]


def test_one_blocked_change_keeps_all_writes_of_the_unit_back() -> None:
    """Half of a change is worse than none: the ConfigMap does not go without the Service."""
    old = [config_map(a="1"), service(clusterIP="10.0.0.1")]
    wanted = goal(old, [config_map(a="2"), service(clusterIP="10.0.0.2")])
    progress = drive(wanted, seen(*old), NINE)
    assert sent(progress) == []
    assert (progress.waiting, progress.converged) == ("guarded", False)
    assert [one.path for one in progress.guarded] == ["spec.clusterIP"]


def test_a_yes_to_one_change_lets_no_other_go() -> None:
    """Two questions: the answer to one is not the answer to the other."""
    old = [service()]
    wanted = goal(old, [service(type="NodePort", selector={"app": "other"})])
    both = {one.path: one.mark for one in ahead(wanted, seen(*old))}
    assert set(both) == {"spec.type", "spec.selector.app"}
    one = Allowance(granted=frozenset([both["spec.type"]]))
    assert sent(drive(replace(wanted, allowed=one), seen(*old), NINE)) == []
    every = Allowance(granted=frozenset(both.values()))
    assert sent(drive(replace(wanted, allowed=every), seen(*old), NINE)) == ["Service"]


def test_a_yes_is_to_the_value_that_was_there() -> None:
    """Somebody makes it a LoadBalancer meanwhile: what would be taken away is another thing."""
    wanted = goal([service()], [service(type="NodePort")])
    marks = frozenset(one.mark for one in ahead(wanted, seen(service())))
    granted = replace(wanted, allowed=Allowance(granted=marks))
    assert sent(drive(granted, seen(service()), NINE)) == ["Service"]
    assert sent(drive(granted, seen(service(type="LoadBalancer")), NINE)) == []


def test_no_yes_covers_a_block() -> None:
    """A mark that was granted while the field was only asked about opens no block."""
    wanted = goal([service()], [service(type="NodePort")])
    marks = frozenset(one.mark for one in ahead(wanted, seen(service())))
    blocked = Allowance(lists=GuardLists(block=("Service:spec.type",)), granted=marks)
    assert sent(drive(replace(wanted, allowed=blocked), seen(service()), NINE)) == []


def test_the_way_back_keeps_back_only_what_no_api_server_takes() -> None:
    """The type comes back unasked, and so does the ConfigMap; an address of before cannot."""
    old = [config_map(a="1"), service(type="NodePort", clusterIP="10.0.0.1")]
    new = [config_map(a="2"), service()]
    live = [config_map(a="2"), service(clusterIP="10.0.0.9")]
    progress = drive(goal(old, new, Mode.RESTORE), seen(*live), NINE)
    assert sent(progress) == ["ConfigMap"]
    assert progress.waiting == "guarded"
    kept = [config_map(a="1"), service(type="NodePort")]
    free = drive(goal(kept, new, Mode.RESTORE), seen(config_map(a="2"), service()), NINE)
    assert sent(free) == ["ConfigMap", "Service"]


def test_the_fields_by_which_batches_are_made_are_ours() -> None:
    """A component may guard its strategy, and is still released in batches."""
    old, new = (workload(KRUISE, "DaemonSet", version) for version in "12")
    lists = GuardLists(block=("spec.updateStrategy",))
    live = {**old, "spec": {**old["spec"], "updateStrategy": {"rollingUpdate": {"partition": 3}}}}
    assert ahead(goal([old], [new], lists=lists), seen(live)) == ()
    strategy = {"rollingUpdate": {"maxUnavailable": 9}}
    other = {**new, "spec": {**new["spec"], "updateStrategy": strategy}}
    assert ahead(goal([old], [other], lists=lists), seen(live))


def test_what_an_autoscaler_set_stays_through_a_release_and_through_its_way_back() -> None:
    """At night the load is another one than when the template was written."""
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "agent", "namespace": "infra"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "agent"}},
    }
    old, new = (workload("apps/v1", "Deployment", version, replicas=3) for version in "12")
    live = {**old, "spec": {**old["spec"], "replicas": 12}}
    for mode in (Mode.FORWARD, Mode.RESTORE):
        made = as_left(goal([old, scaler], [new, scaler], mode), seen(live, scaler))
        assert dict(made.objects)[ref_of(new)]["spec"]["replicas"] == 12
        assert made.before[ref_of(new).key]["spec"]["replicas"] == 12


def test_every_way_of_writing_a_patch_is_understood() -> None:
    """What leaves as a strategic or a JSON patch is judged by what it makes, too."""
    ref = ObjectRef("v1", "Service", "infra", "dns")
    bodies: dict[PatchType, Any] = {
        PatchType.MERGE: {"spec": {"type": None}},
        PatchType.STRATEGIC: {"spec": {"type": None}},
        PatchType.JSON: [{"op": "remove", "path": "/spec/type"}],
    }
    for patch_type, body in bodies.items():
        write = Write(
            ref=ref, verb="patch", purpose=Purpose.FORWARD, body=body, patch_type=patch_type
        )
        assert after(write, service()) == {**SERVICE, "spec": {"selector": {"app": "dns"}}}
