"""Further cases of the differential suite: whole objects of many kinds, custom resources too.

Data only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.cluster.merge_cases import WEB, Case, Json, in_kind, pod

RBAC = "rbac.authorization.k8s.io/v1"
ROLLING: Json = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}
ON_DELETE: Json = {"type": "OnDelete"}
RULE: Json = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
ROLE_REF: Json = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
USER, ROBOT = {"kind": "User", "name": "ana"}, {"kind": "ServiceAccount", "name": "r"}
HOOK: Json = {
    "name": "a.example.com",
    "clientConfig": {"url": "https://127.0.0.1:9/x"},
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "failurePolicy": "Ignore",
    "rules": [],
}


def port(number: int, **more: Any) -> Json:
    return {"port": number, **more}


def _deployments() -> Iterator[tuple[str, Json, Json | None, Json]]:
    def made(**spec: Any) -> Json:
        return in_kind("Deployment", pod(WEB), **spec)

    def others(**spec: Any) -> Json:
        return {"spec": spec}

    yield "to-recreate", made(strategy=ROLLING), None, made(strategy={"type": "Recreate"})
    yield "default-to-recreate", made(), None, made(strategy={"type": "Recreate"})
    yield "to-rolling", made(strategy={"type": "Recreate"}), None, made(strategy=ROLLING)
    yield "strategy-gone", made(strategy=ROLLING), None, made()
    yield "strategy-empty", made(strategy=ROLLING), None, made(strategy={})
    only = {"type": "RollingUpdate"}
    yield "surge-foreign", made(strategy=only), others(strategy=ROLLING), made(strategy=only)
    yield "surge-kept", made(), others(strategy=ROLLING), made(minReadySeconds=5)
    yield "replicas-changed", made(replicas=0), None, made(replicas=1)
    yield "min-ready-gone", made(minReadySeconds=5), None, made()
    yield "min-ready-zero", made(minReadySeconds=0), None, made(minReadySeconds=0)
    yield "deadline-gone", made(progressDeadlineSeconds=700), None, made()
    yield "history-null", made(revisionHistoryLimit=3), None, made(revisionHistoryLimit=None)
    yield "paused-foreign", made(), others(paused=True), made(minReadySeconds=1)
    yield "paused-false-again", made(paused=False), others(paused=True), made(paused=False)
    labelled = made()
    labelled["spec"]["template"]["metadata"] = {"labels": {"app": "x", "a": "1"}}
    yield "pod-label-added", made(), None, labelled
    yield "pod-label-gone", labelled, None, made()
    noted = made()
    noted["spec"]["template"]["metadata"] = {"labels": {"app": "x"}, "annotations": {"a": "1"}}
    restarted = {"template": {"metadata": {"annotations": {"restartedAt": "now"}}}}
    yield "pod-note-foreign-stays", noted, others(**restarted), noted
    yield "pod-notes-gone-take-foreign", noted, others(**restarted), made()
    for kind in ("DaemonSet", "StatefulSet"):
        field = "updateStrategy"
        first = in_kind(kind, pod(WEB), **{field: ON_DELETE})
        yield f"{kind.lower()}-from-on-delete", first, None, in_kind(kind, pod(WEB))
        alone = {**ON_DELETE, "rollingUpdate": None} if kind == "StatefulSet" else ON_DELETE
        then = in_kind(kind, pod(WEB), **{field: alone})
        yield f"{kind.lower()}-to-on-delete", in_kind(kind, pod(WEB)), None, then
    parted = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    partition = in_kind("StatefulSet", pod(WEB), updateStrategy=parted)
    yield "partition-gone", partition, None, in_kind("StatefulSet", pod(WEB))
    claims = [{"metadata": {"name": "d"}, "spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1024Mi"}}}}]  # fmt: skip
    first = in_kind("StatefulSet", pod(WEB), volumeClaimTemplates=claims)
    yield (
        "claim-templates",
        first,
        None,
        in_kind("StatefulSet", pod({**WEB, "image": "web:2"}), volumeClaimTemplates=claims),
    )


def _metadata() -> Iterator[tuple[str, Json, Json | None, Json]]:
    def made(data: Any = None, **metadata: Any) -> Json:
        head: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        return head if data is None else {**head, "data": data}

    def others(**metadata: Any) -> Json:
        return {"metadata": metadata}

    one, two, theirs = {"a": "1"}, {"a": "1", "b": "2"}, {"z": "9"}
    for field in ("labels", "annotations"):
        yield f"{field}-added", made(), None, made(**{field: one})
        yield f"{field}-one-gone", made(**{field: two}), None, made(**{field: one})
        foreign = others(**{field: theirs})
        yield f"{field}-foreign-stays", made(**{field: one}), foreign, made(**{field: {"a": "2"}})
        yield f"{field}-gone-with-foreign", made(**{field: one}), foreign, made()
        yield f"{field}-empty-with-foreign", made(**{field: one}), foreign, made(**{field: {}})
        yield f"{field}-null", made(**{field: one}), foreign, made(**{field: None})
    keep, mine = ["example.com/a"], ["example.com/a", "example.com/b"]
    theirs_too = others(finalizers=["example.com/z"])
    yield "finalizer-added", made(finalizers=keep), None, made(finalizers=mine)
    yield "finalizer-gone", made(finalizers=mine), None, made(finalizers=keep)
    yield "finalizer-foreign", made(finalizers=keep), theirs_too, made(finalizers=mine)
    yield "finalizers-gone-take-foreign", made(finalizers=keep), theirs_too, made()
    yield "finalizers-reordered", made(finalizers=mine), None, made(finalizers=mine[::-1])
    yield "data-changed", made(one), None, made({"a": "2"})
    yield "data-key-gone", made(two), None, made(one)
    yield "data-foreign", made(one), {"data": theirs}, made({"a": "2"})
    yield "data-gone", made(one), {"data": theirs}, made()
    yield "data-null-value", made(two), None, made({"a": "1", "b": None})
    yield "data-to-binary", made(one), None, {**made(), "binaryData": {"a": "MQ=="}}
    secret: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {}}
    yield "secret-data", {**secret, "data": {"a": "MQ=="}}, None, {**secret, "data": {"a": "Mg=="}}
    texts = {**secret, "stringData": {"a": "1", "b": "2"}}
    yield "secret-texts", texts, None, {**secret, "stringData": {"a": "2", "b": "2"}}
    yield "secret-text-gone", texts, None, {**secret, "stringData": {"a": "2"}}
    yield "secret-texts-to-data", texts, None, {**secret, "data": {"a": "MQ=="}}
    yield "secret-data-to-texts", {**secret, "data": {"a": "MQ=="}}, None, {
        **secret, "stringData": {"b": "2"}}  # fmt: skip


def _services() -> Iterator[tuple[str, Json, Json | None, Json]]:
    def made(*ports: Json, **spec: Any) -> Json:
        body = {"selector": {"app": "x"}, "ports": list(ports), **spec}
        return {"apiVersion": "v1", "kind": "Service", "spec": body}

    web, dns = port(80, name="web"), port(53, name="dns", protocol="UDP")
    yield "port-added", made(web), None, made(web, dns)
    yield "port-gone", made(web, dns), None, made(web)
    yield "port-target", made(web), None, made({**web, "targetPort": 8080})
    yield "port-target-gone", made({**web, "targetPort": 8080}), None, made(web)
    yield "port-renamed", made(web), None, made({**web, "name": "http"})
    yield "ports-reordered", made(web, dns), None, made(dns, web)
    theirs = {"spec": {"ports": [port(9090, name="metrics")]}}
    yield "port-foreign", made(web), theirs, made({**web, "targetPort": 8080})
    yield (
        "selector-key",
        made(web),
        {"spec": {"selector": {"z": "9"}}},
        made(web, selector={"app": "y"}),
    )
    yield "to-node-port", made(web), None, made(web, type="NodePort")
    yield "from-node-port", made(web, type="NodePort"), None, made(web)
    yield (
        "node-port-image",
        made(web, type="NodePort"),
        None,
        made({**web, "targetPort": 81}, type="NodePort"),
    )
    yield "affinity", made(web), None, made(web, sessionAffinity="ClientIP")
    yield "affinity-gone", made(web, sessionAffinity="ClientIP"), None, made(web)
    yield (
        "external-ips",
        made(web, externalIPs=["1.2.3.4"]),
        None,
        made(web, externalIPs=["1.2.3.5", "1.2.3.4"]),
    )
    yield (
        "not-ready",
        made(web, publishNotReadyAddresses=False),
        None,
        made(web, publishNotReadyAddresses=False),
    )


def _others() -> Iterator[tuple[str, Json, Json | None, Json]]:
    def role(*rules: Json) -> Json:
        return {"apiVersion": RBAC, "kind": "Role", "rules": list(rules)}

    more = {**RULE, "verbs": ["get", "list"]}
    yield "role-verbs", role(RULE), None, role(more)
    yield "role-foreign-rule", role(RULE), {"rules": [RULE, more]}, role(RULE)
    yield "role-emptied", role(RULE), None, role()

    def binding(*subjects: Json) -> Json:
        return {"apiVersion": RBAC, "kind": "RoleBinding", "roleRef": ROLE_REF,
                "subjects": list(subjects)}  # fmt: skip

    robot = {**ROBOT, "namespace": "default"}
    yield "subjects-same", binding(USER, robot), None, binding(USER, robot)
    yield "subject-gone", binding(USER, robot), None, binding(robot)

    def account(**fields: Any) -> Json:
        return {"apiVersion": "v1", "kind": "ServiceAccount", **fields}

    yield "account-pull-secrets", account(imagePullSecrets=[{"name": "a"}]), {
        "imagePullSecrets": [{"name": "a"}, {"name": "z"}]}, account(
        imagePullSecrets=[{"name": "b"}])  # fmt: skip
    yield "account-secrets", account(secrets=[{"name": "a"}]), {
        "secrets": [{"name": "z"}]}, account(secrets=[{"name": "b"}])  # fmt: skip
    yield "account-token", account(automountServiceAccountToken=False), None, account()

    def budget(**spec: Any) -> Json:
        return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": spec}

    chosen = {"matchLabels": {"app": "x"}}
    wider = {"matchLabels": {"tier": "0"}}
    yield (
        "budget-number",
        budget(selector=chosen, minAvailable=1),
        None,
        budget(selector=chosen, minAvailable="50%"),
    )
    yield (
        "budget-selector-replaced",
        budget(selector=chosen, minAvailable=1),
        None,
        budget(selector=wider, minAvailable=1),
    )
    yield (
        "budget-other-field",
        budget(selector=chosen, minAvailable=1),
        None,
        budget(selector=chosen, maxUnavailable=1),
    )

    def policy(**spec: Any) -> Json:
        body = {"podSelector": {}, **spec}
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": body}

    ports = [{"ports": [{"port": 80}]}]
    yield "policy-same", policy(ingress=ports), None, policy(ingress=ports)
    yield "policy-changed", policy(ingress=ports), None, policy(ingress=[{"ports": [{"port": 81}]}])
    yield "policy-closed", policy(ingress=ports), None, policy(ingress=[])

    def scaler(**spec: Any) -> Json:
        about = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
        body = {"scaleTargetRef": about, "maxReplicas": 5, **spec}
        return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "spec": body}

    yield "scaler-max", scaler(), None, scaler(maxReplicas=9)
    yield "scaler-min-gone", scaler(minReplicas=2), None, scaler()

    def claim(size: str) -> Json:
        spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "none",
                "resources": {"requests": {"storage": size}}}  # fmt: skip
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": spec}

    yield "claim-same-size", claim("1Gi"), None, claim("1024Mi")

    def quota(**hard: Any) -> Json:
        return {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": hard}}

    yield "quota-amount", quota(cpu="1", pods="5"), None, quota(cpu="1000m", pods=6)
    yield (
        "quota-gone",
        quota(cpu="1", pods="5"),
        {"spec": {"hard": {"memory": "1Gi"}}},
        quota(cpu="2"),
    )

    def hooks(*each: Json) -> Json:
        return {"apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration", "webhooks": list(each)}  # fmt: skip

    second = {**HOOK, "name": "b.example.com"}
    yield "hook-added", hooks(HOOK), None, hooks(second, HOOK)
    yield "hook-timeout-gone", hooks({**HOOK, "timeoutSeconds": 5}), None, hooks(HOOK)
    yield "hook-foreign-bundle", hooks(HOOK), {"webhooks": [
        {"name": HOOK["name"], "timeoutSeconds": 3}]}, hooks(
        {**HOOK, "failurePolicy": "Fail"})  # fmt: skip


def _custom() -> Iterator[tuple[str, Json, Json | None, Json]]:
    def made(**spec: Any) -> Json:
        return {"apiVersion": "sluice.test/v1", "kind": "Widget", "spec": spec}

    def others(**spec: Any) -> Json:
        return {"spec": spec}

    yield "field", made(a=1, b=2), None, made(a=2)
    yield "field-foreign", made(a=1), others(z=9), made(a=2)
    yield (
        "list-replaced",
        made(c=[{"name": "a"}]),
        others(c=[{"name": "a"}, {"name": "z"}]),
        made(c=[{"name": "a"}]),
    )
    yield (
        "list-element-foreign",
        made(c=[{"name": "a"}]),
        others(c=[{"name": "a", "z": 9}]),
        made(c=[{"name": "a", "v": 1}]),
    )
    yield "null-in-both", made(a=None), others(a=5), made(a=None)
    yield "null-now", made(b=1), others(a=5), made(a=None, b=1)
    yield "null-nested", made(m={"b": 1}), others(m={"a": 5}), made(m={"a": None, "b": 2})
    yield "map-gone", made(m={"a": 1}), others(m={"z": 9}), made(a=1)
    yield "map-empty", made(m={"a": 1}), others(m={"z": 9}), made(m={})
    yield "map-to-text", made(m={"a": 1}), None, made(m="x")
    yield "text-to-map", made(m="x"), None, made(m={"a": 1})
    yield "true-to-one", made(a=True), None, made(a=1)
    yield "empty-list", made(c=[1]), None, made(c=[])
    yield "empty-list-new", made(a=1), None, made(a=1, c=[], m={}, t="", n=0, f=False)
    yield "deep", made(m={"a": {"b": {"c": 1, "d": 2}}}), None, made(m={"a": {"b": {"c": 3}}})
    yield "amount-is-text", made(cpu="0.5"), others(cpu="500m"), made(cpu="0.5")
    yield "large-number", made(n=9007199254740993), None, made(n=9007199254740993, a=1)
    labelled = {**made(a=1), "metadata": {"labels": {"a": "1"}}}
    theirs = {"metadata": {"labels": {"z": "9"}, "annotations": {"z": "9"}}}
    yield "labels-gone", labelled, theirs, made(a=1)
    yield "labels-kept", labelled, theirs, {**made(a=2), "metadata": {"labels": {"a": "2"}}}


SERVICE_PORTS = "spec.ports"
_TCP = {"name": "tcp", "port": 53, "protocol": "TCP"}
_UDP = {"name": "udp", "port": 53, "protocol": "UDP"}


def _dns(*ports: Json) -> Json:
    return {"apiVersion": "v1", "kind": "Service",
            "spec": {"selector": {"app": "x"}, "ports": list(ports)}}  # fmt: skip


def object_cases() -> Iterator[Case]:
    sources = {"deployment": _deployments, "metadata": _metadata, "service": _services,
               "other": _others, "custom": _custom}  # fmt: skip
    for prefix, source in sources.items():
        for name, last, foreign, target in source():
            yield Case(f"{prefix}-{name}", last, foreign, target)
    both = ((53, "TCP"), (53, "UDP"))
    moved = {**_UDP, "targetPort": 5353}
    for name, first, then, keys in (
        ("service-udp-gone", _dns(_TCP, _UDP), _dns(_TCP), both[:1]),
        ("service-tcp-gone", _dns(_TCP, _UDP), _dns(_UDP), both[1:]),
        ("service-udp-added", _dns(_TCP), _dns(_TCP, _UDP), both),
        ("service-udp-target", _dns(_TCP, _UDP), _dns(_TCP, moved), both),
    ):
        yield Case(f"harm-{name}", first, None, then, keys=(SERVICE_PORTS, keys))


KEYS_OF_SERVICE = ("port", "protocol")
