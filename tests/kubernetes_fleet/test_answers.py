"""What an answer of an API server means: the right error, and whether anything was done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.adapters.kubernetes_fleet.answers import answer_of, error_of, kind_is_missing
from bot.adapters.kubernetes_fleet.ownership import taken
from bot.ports import AnswerLost, Conflict, Refused, Unreachable


def said(status: int, message: str = "", headers: Any = None, **more: Any) -> Any:
    body = {"kind": "Status", "message": message, **more}
    return answer_of(status, headers or {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "message", "reads", "writes"),
    [
        (301, "", Unreachable, Unreachable),
        (400, "unknown field", Refused, Refused),
        (401, "Unauthorized", Unreachable, Unreachable),
        (403, "exceeded quota: small", Refused, Refused),
        (404, 'configmaps "x" not found', Refused, Refused),
        (409, "the object has been modified", Conflict, Conflict),
        (413, "too large", Refused, Refused),
        (415, "the body is of an unsupported type", Refused, Refused),
        (422, "spec.replicas: Invalid value", Refused, Refused),
        (429, "slow down", Unreachable, Unreachable),
        (500, "failed calling webhook: connection refused", Unreachable, Unreachable),
        (500, "etcdserver: request timed out", Unreachable, AnswerLost),
        (503, "", Unreachable, AnswerLost),
        (504, "", Unreachable, AnswerLost),
    ],
)  # fmt: skip
def test_each_status_is_one_of_the_port_s_errors(
    status: int, message: str, reads: type, writes: type
) -> None:
    """A write whose fate is unknown is looked after; one that was refused is for a person."""
    answer = said(status, message)
    for kind, changing in ((reads, False), (writes, True)):
        error = error_of(answer, "eu-1: ConfigMap infra/x", writes=changing)
        assert type(error) is kind
        assert error.why.startswith("eu-1: ConfigMap infra/x")
        assert message in error.why


def test_the_right_that_is_missing_is_said_as_one_would_grant_it() -> None:
    message = (
        'deployments.apps "web" is forbidden: User "system:serviceaccount:sluice:sluice" cannot '
        'patch resource "deployments" in API group "apps" in the namespace "shop"'
    )
    error = error_of(said(403, message), "eu-1: Deployment shop/web", writes=True)
    assert error.why == (
        "eu-1: Deployment shop/web: system:serviceaccount:sluice:sluice lacks the right to patch "
        "deployments.apps in namespace shop"
    )


def test_a_page_of_a_proxy_is_no_answer_of_a_cluster() -> None:
    """A login page answers 200 with HTML: nothing of it may be taken for an object."""
    page = answer_of(502, {}, b"<html>Bad gateway\n\n" + b"x" * 5000)
    assert len(error_of(page, "eu-1", writes=False).why) < 600
    assert isinstance(error_of(page, "eu-1", writes=True), AnswerLost)


def test_a_missing_kind_is_told_from_a_missing_object() -> None:
    """One needs a CustomResourceDefinition, the other is created."""
    assert kind_is_missing(answer_of(404, {}, b"404 page not found\n"))
    assert kind_is_missing(said(404, "the server could not find it", details={}))
    assert not kind_is_missing(said(404, "not found", details={"name": "x", "kind": "widgets"}))


def test_warnings_come_as_the_server_wrote_them() -> None:
    header = '299 - "spec.old is deprecated, use \\"new\\"", 299 - "metadata.finalizers: short"'
    answer = answer_of(200, {"Warning": header, "Retry-After": "7"}, b"{}")
    assert answer.warnings == (
        'spec.old is deprecated, use "new"',
        "metadata.finalizers: short",
    )
    assert answer.retry_after == 7.0


def test_fields_that_a_write_takes_from_others_are_told_by_manager() -> None:
    """An autoscaler will set replicas again: whoever reads it knows whom to ask."""

    def entry(manager: str, fields: Any, **more: Any) -> Any:
        return {"manager": manager, "operation": "Update", "fieldsV1": fields, **more}

    image = {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}}}}}
    both = {"f:spec": {"f:replicas": {}, **image["f:spec"]}}
    before = [entry("kubectl-edit", both), entry("kube-controller-manager", {"f:status": {}})]
    after = [entry("kubectl-edit", image), entry("sluice", {"f:spec": {"f:replicas": {}}})]
    assert taken(before, after, "sluice") == (
        "spec.replicas was set by kubectl-edit, and is ours now",
        "status was set by kube-controller-manager, and is ours now",
    )
    assert taken(before, [*before, entry("sluice", {})], "sluice") == ()
    (told,) = taken(before[:1], [], "sluice")
    assert told.startswith("spec.containers[web].image, spec.replicas was set by kubectl-edit")
