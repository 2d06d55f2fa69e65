"""Objects and words of the stories about the three-way merge."""

from __future__ import annotations

from typing import Any

from bot.cluster.merge import merge3, merge_patch
from bot.cluster.merge_table import fields_of_kind, type_of_kind
from bot.cluster.strategic import strategic_patch
from bot.cluster.two_way import CUSTOM, merge_between
from bot.model.effects import PatchType

Json = dict[str, Any]


def deployment(*containers: Json, **pod: Any) -> Json:
    return of_spec(template={"spec": {"containers": list(containers), **pod}})


def of_spec(**spec: Any) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "infra"},
        "spec": spec,
    }


def custom(**fields: Any) -> Json:
    """An object of a kind that no schema of Kubernetes tells of."""
    names = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "x"}}
    return {**names, **fields}


def service(*ports: Json) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "dns"},
        "spec": {"selector": {"app": "dns"}, "ports": list(ports)},
    }


def after(last: Json | None, live: Json, target: Json) -> Json:
    """The object once an API server took the patch."""
    merge = merge3(last, live, target)
    if merge is None:
        return live
    if merge.patch_type is PatchType.MERGE:
        made = merge_patch(live, merge.patch)
    else:
        fields = fields_of_kind(live["apiVersion"], live["kind"])
        assert fields is not None
        made = strategic_patch(live, merge.patch, fields)
    kind = type_of_kind(live["apiVersion"], live["kind"])
    assert merge_between(made, merge.result, kind or CUSTOM) == {}
    return made  # type: ignore[no-any-return]


def containers(obj: Json) -> list[Json]:
    found: list[Json] = obj["spec"]["template"]["spec"]["containers"]
    return found


def patch_of(last: Json | None, live: Json, target: Json) -> Any:
    merge = merge3(last, live, target)
    return merge and merge.patch
