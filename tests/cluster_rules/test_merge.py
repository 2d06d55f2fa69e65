"""The three-way merge: ours goes, theirs stays, and the second time there is nothing to do."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.drive import baseline
from bot.cluster.merge import merge3
from bot.model.effects import PatchType
from tests.cluster_rules.merging import (
    after,
    containers,
    custom,
    deployment,
    of_spec,
    patch_of,
    service,
)

WEB = {"name": "web", "image": "web:1"}
MESH = {"name": "mesh", "image": "mesh:1"}
NEWER = {"name": "web", "image": "web:2"}


def test_a_field_that_we_applied_and_no_longer_want_is_deleted() -> None:
    """Else a setting that left the repo would stay in the clusters for ever."""
    both = of_spec(minReadySeconds=5, paused=True)
    assert patch_of(both, both, of_spec(paused=True)) == {"spec": {"minReadySeconds": None}}


def test_a_field_of_somebody_else_stays() -> None:
    """An autoscaler's replicas are not ours to take away."""
    ours = of_spec(paused=True)
    assert merge3(ours, of_spec(paused=True, replicas=7), ours) is None


def test_without_what_was_last_applied_nothing_is_taken_away() -> None:
    """An object that we adopt: what stands in it may be somebody's."""
    live = deployment(WEB, MESH)
    live["spec"]["minReadySeconds"] = 5
    live["metadata"]["labels"] = {"team": "net"}
    assert after(None, live, deployment(NEWER)) == {
        **live,
        "spec": {**live["spec"], "template": {"spec": {"containers": [NEWER, MESH]}}},
    }


def test_a_sidecar_that_was_injected_survives_a_new_image() -> None:
    merge = merge3(deployment(WEB), deployment(MESH, WEB), deployment(NEWER))
    assert merge is not None
    assert merge.patch_type is PatchType.STRATEGIC
    assert merge.patch["spec"]["template"]["spec"]["containers"] == [NEWER]
    assert containers(merge.result) == [MESH, NEWER]


def test_our_own_container_that_left_is_taken_out() -> None:
    both = deployment(WEB, {"name": "old"})
    assert containers(after(both, both, deployment(WEB))) == [WEB]


def test_the_order_of_the_author_counts() -> None:
    """Environment variables may refer to those before them."""
    a, b = {"name": "a", "image": "a"}, {"name": "b", "image": "b"}
    assert containers(after(deployment(a, b), deployment(a, b), deployment(b, a))) == [b, a]


def test_arguments_are_replaced_as_a_whole() -> None:
    old, new = WEB | {"args": ["-v", "-x"]}, WEB | {"args": ["-v"]}
    assert containers(after(deployment(old), deployment(old), deployment(new))) == [new]


def test_a_list_that_leaves_the_manifest_goes_with_what_others_put_into_it() -> None:
    """As kubectl does it; an empty list takes only ours."""
    ours = WEB | {"env": [{"name": "A", "value": "1"}]}
    live = WEB | {"env": [{"name": "A", "value": "1"}, {"name": "MESH", "value": "on"}]}
    assert containers(after(deployment(ours), deployment(live), deployment(WEB))) == [WEB]
    emptied = after(deployment(ours), deployment(live), deployment(WEB | {"env": []}))
    assert containers(emptied)[0]["env"] == [{"name": "MESH", "value": "on"}]


def test_labels_that_leave_the_manifest_take_those_of_others_along_and_annotations_do_not() -> None:
    ours, live, target = (of_spec() for _ in range(3))
    for texts in ("labels", "annotations"):
        ours["metadata"][texts] = {"ours": "1"}
        live["metadata"][texts] = {"ours": "1", "theirs": "2"}
    left = after(ours, live, target)["metadata"]
    assert "labels" not in left
    assert left["annotations"] == {"theirs": "2"}


def test_recreate_leaves_no_rolling_update_beside_it() -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2}}
    live, target = of_spec(strategy=rolling), of_spec(strategy={"type": "Recreate"})
    assert patch_of(of_spec(), live, target) == {
        "spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate", "rollingUpdate": None}}
    }
    assert after(of_spec(), live, target)["spec"]["strategy"] == {"type": "Recreate"}


def test_a_volume_that_changes_its_source_has_one_source() -> None:
    def with_volume(source: str) -> Any:
        return deployment(WEB, volumes=[{"name": "v", source: {"name": "n"}}])

    made = after(with_volume("configMap"), with_volume("configMap"), with_volume("secret"))
    assert made["spec"]["template"]["spec"]["volumes"] == [{"name": "v", "secret": {"name": "n"}}]


def test_null_in_the_target_means_without_it() -> None:
    live = of_spec(paused=True, replicas=3)
    assert patch_of(None, live, of_spec(paused=None, minReadySeconds=None)) == {
        "spec": {"paused": None}
    }


def test_null_in_both_manifests_keeps_a_foreign_value_of_a_custom_resource_only() -> None:
    """kubectl's own two ways, recorded on a real cluster."""
    null, theirs = custom(spec={"a": None}), custom(spec={"a": 1})
    assert merge3(null, theirs, null) is None
    assert after(custom(spec={}), theirs, null) == custom(spec={})
    built_in = of_spec(paused=None)
    assert after(built_in, of_spec(paused=True), built_in) == of_spec()


def test_lists_of_a_custom_resource_are_replaced() -> None:
    live = custom(spec={"c": [{"name": "theirs"}, {"name": "a", "v": 1}]})
    merge = merge3(None, live, custom(spec={"c": [{"name": "a", "v": 2}]}))
    assert merge is not None
    assert merge.patch_type is PatchType.MERGE
    assert merge.result["spec"]["c"] == [{"name": "a", "v": 2}]


def test_true_is_not_one_in_a_custom_resource() -> None:
    assert patch_of(None, custom(spec={"on": 1}), custom(spec={"on": True})) == {
        "spec": {"on": True}
    }


# -- where kubectl does harm: a merge key that is not unique

TCP = {"containerPort": 53, "protocol": "TCP"}
UDP = {"containerPort": 53, "protocol": "UDP"}


def with_ports(*ports: Any) -> Any:
    return deployment(WEB | {"ports": list(ports)})


def test_taking_udp_away_leaves_tcp_on_the_same_port() -> None:
    """kubectl deletes both, and the DNS server answers nobody."""
    merge = merge3(with_ports(TCP, UDP), with_ports(TCP, UDP), with_ports(TCP))
    assert merge is not None
    assert containers(merge.result)[0]["ports"] == [TCP]


def test_adding_tcp_beside_udp_arrives() -> None:
    """With kubectl it never does: both are merged into one."""
    made = after(with_ports(UDP), with_ports(UDP), with_ports(UDP, TCP))
    assert containers(made)[0]["ports"] == [UDP, TCP]


def test_a_patch_of_an_ambiguous_list_is_of_a_type_that_is_sure_to_hit() -> None:
    """By the key alone the server would hit the first of the two."""
    named = {**UDP, "name": "dns"}
    merge = merge3(with_ports(TCP, UDP), with_ports(TCP, UDP), with_ports(TCP, named))
    assert merge is not None
    assert merge.patch_type is PatchType.MERGE
    assert after(with_ports(TCP, UDP), with_ports(TCP, UDP), with_ports(TCP, named)) == with_ports(
        TCP, named
    )


def test_an_ambiguous_list_keeps_what_others_wrote_in_and_beside_its_elements() -> None:
    live = with_ports({**TCP, "hostPort": 53}, UDP, {"containerPort": 15001, "protocol": "TCP"})
    live["spec"]["template"]["spec"]["containers"].append(MESH)
    target = with_ports({**TCP, "name": "dns-tcp"}, UDP)
    made = containers(after(with_ports(TCP, UDP), live, target))
    assert made[0]["ports"] == [
        {**TCP, "hostPort": 53, "name": "dns-tcp"},
        UDP,
        {"containerPort": 15001, "protocol": "TCP"},
    ]
    assert made[1] == MESH


def test_a_protocol_that_nobody_wrote_is_tcp() -> None:
    target = with_ports({"containerPort": 53}, UDP)
    assert merge3(target, with_ports(TCP, UDP), target) is None


def test_a_service_on_port_53_keeps_both_protocols() -> None:
    def port(protocol: str, **more: Any) -> Any:
        return {"name": protocol, "port": 53, "protocol": protocol, **more}

    live = service(port("TCP", nodePort=30053), port("UDP", nodePort=30053))
    target = service(port("TCP", targetPort=5353), port("UDP"))
    made = after(service(port("TCP"), port("UDP")), live, target)
    assert made["spec"]["ports"] == [
        port("TCP", nodePort=30053, targetPort=5353),
        port("UDP", nodePort=30053),
    ]


def test_a_variable_that_stands_twice_is_merged_in_turn() -> None:
    def with_env(*values: str) -> Any:
        return deployment(WEB | {"env": [{"name": "A", "value": v} for v in values]})

    made = after(with_env("1", "2"), with_env("1", "2"), with_env("1", "3"))
    assert made == with_env("1", "3")


def test_two_spread_constraints_on_one_key_stay_two() -> None:
    def spread(*skews: int) -> Any:
        whens = ("DoNotSchedule", "ScheduleAnyway")
        rules = [
            {"topologyKey": "zone", "whenUnsatisfiable": when, "maxSkew": skew}
            for when, skew in zip(whens, skews, strict=False)
        ]
        return deployment(WEB, topologySpreadConstraints=rules)

    assert after(spread(1, 1), spread(1, 1), spread(1, 5)) == spread(1, 5)
    assert after(spread(1, 1), spread(1, 1), spread(1)) == spread(1)


@pytest.mark.parametrize("name", [None, {"a": 1}, ["a"], 5])
def test_a_key_that_is_none_breaks_nothing(name: Any) -> None:
    """What people write before the API server has looked at it: the list is taken as written."""
    odd = deployment({"name": name, "image": "web:1"}, {"image": "web:1"})
    assert containers(after(deployment(WEB), deployment(WEB, MESH), odd))[1] == {"image": "web:1"}
    kept = deployment(WEB)
    kept["metadata"]["finalizers"] = [{"a": 1}]
    assert after(None, deployment(WEB), kept)["metadata"]["finalizers"] == [{"a": 1}]


# -- what the server writes differently is no difference


def test_an_amount_in_other_words_is_no_difference() -> None:
    ours = deployment(WEB | {"resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}}})
    live = deployment(WEB | {"resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}})
    assert merge3(ours, live, ours) is None


def test_what_the_server_does_not_store_is_no_difference() -> None:
    ours = deployment(WEB | {"env": [], "stdin": False}, nodeSelector={}, hostNetwork=False)
    assert merge3(ours, deployment(WEB), ours) is None


def test_a_default_that_comes_back_is_not_taken_away_again_and_again() -> None:
    """A batch that waits for it would never end."""
    filled = WEB | {"imagePullPolicy": "IfNotPresent", "terminationMessagePolicy": "File"}
    live = deployment(filled, dnsPolicy="ClusterFirst")
    live["spec"]["replicas"] = 1
    assert merge3(live, live, deployment(WEB)) is None


def test_subjects_without_a_group_are_no_difference() -> None:
    def binding(**group: str) -> Any:
        subjects = [{"kind": "User", "name": "ana", **group}]
        return {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "x"},
            "subjects": subjects,
        }

    live = binding(apiGroup="rbac.authorization.k8s.io")
    assert merge3(binding(), live, binding()) is None


def test_texts_of_a_secret_are_compared_with_the_data_that_became_of_them() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
    live = secret | {"data": {"a": "MQ=="}, "type": "Opaque"}
    assert merge3(None, live, secret | {"stringData": {"a": "1"}}) is None
    assert patch_of(None, live, secret | {"stringData": {"a": "2"}}) == {"data": {"a": "Mg=="}}


def test_a_namespace_keeps_the_label_with_its_name() -> None:
    def namespace(**labels: str) -> Any:
        metadata: dict[str, Any] = {"name": "x"} | ({"labels": labels} if labels else {})
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}

    live = namespace(**{"kubernetes.io/metadata.name": "x"})
    assert merge3(namespace(team="net"), live, namespace()) is None


def test_what_the_server_owns_is_never_in_a_patch() -> None:
    """A status or a uid in a patch would be refused, or worse, believed."""
    live = custom(status={"ready": 1})
    live["metadata"] |= {"uid": "u", "resourceVersion": "7", "generation": 3}
    target = custom(status={"ready": 9})
    target["metadata"] |= {"uid": "other", "resourceVersion": "1", "labels": {}}
    assert merge3(live, live, target) is None


def test_a_baseline_holds_what_people_wrote_and_nothing_of_the_server() -> None:
    live = custom(spec={"a": 1}, status={"ready": 1})
    live["metadata"] |= {"uid": "u", "annotations": {"sluice/fence": "1.1", "team": "net"}}
    metadata = {"name": "x", "annotations": {"team": "net"}}
    assert baseline(live) == custom(spec={"a": 1}) | {"metadata": metadata}


# -- whatever the objects are

LEAVES = st.none() | st.integers(0, 3) | st.sampled_from(["", "x"]) | st.just([1, 2])
NAMED = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"v": st.integers(0, 2)}),
    unique_by=lambda e: e["name"],
    max_size=3,
)
TREES = st.recursive(
    LEAVES | NAMED, lambda t: st.dictionaries(st.sampled_from("pqr"), t, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(st.sampled_from("pqr"), TREES, max_size=3).map(lambda o: custom(**o))

PORTS = st.lists(
    st.fixed_dictionaries(
        {"containerPort": st.sampled_from([53, 80])},
        optional={"protocol": st.sampled_from(["TCP", "UDP"]), "hostPort": st.just(9)},
    ),
    max_size=3,
)
ENV = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("ABC"), "value": st.sampled_from("12")}),
    max_size=3,
)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("abc"), "image": st.sampled_from(["i:1", "i:2"])},
        optional={"ports": PORTS, "env": ENV, "args": st.just(["-v"])},
    ),
    unique_by=lambda e: e["name"],
    max_size=3,
)
DEPLOYMENTS = CONTAINERS.map(lambda some: deployment(*some))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return value


@given(OBJECTS.map(without_nulls), OBJECTS.map(without_nulls), OBJECTS)
def test_after_the_patch_there_is_nothing_left_to_do(last: Any, live: Any, target: Any) -> None:
    """A merge that never settles would be sent on every tick, for ever."""
    made = after(last, live, target)
    assert merge3(target, made, target) is None
    assert merge3(last, made, target) is None


@given(DEPLOYMENTS, DEPLOYMENTS, DEPLOYMENTS)
def test_after_a_strategic_patch_there_is_nothing_left_to_do(
    last: Any, live: Any, target: Any
) -> None:
    """Also with lists of which an element stands twice; and the inputs are left as they were."""
    inputs = deepcopy((last, live, target))
    made = after(last, live, target)
    assert merge3(target, made, target) is None
    assert merge3(last, made, target) is None
    assert inputs == (last, live, target)


@given(OBJECTS.map(without_nulls), OBJECTS)
def test_every_value_that_we_want_is_there_afterwards(live: Any, target: Any) -> None:
    made = after(None, live, target)

    def held(want: Any, have: Any) -> bool:
        if isinstance(want, dict):
            return isinstance(have, dict) and all(
                (k not in have) if v is None else (k in have and held(v, have[k]))
                for k, v in want.items()
            )
        return bool(want == have)

    assert held(target, made)
