"""The cases of the differential suite: what was applied, what others did, what is applied now.

Data only. Pod templates are told once and tried in every kind that has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
WEB: Json = {"name": "web", "image": "web:1"}
MESH: Json = {"name": "mesh", "image": "mesh:1"}
TCP: Json = {"containerPort": 53, "protocol": "TCP"}
UDP: Json = {"containerPort": 53, "protocol": "UDP"}
NEVER = object()
"""No last applied: somebody else created it."""


@dataclass(frozen=True)
class Case:
    """`foreign` is a patch that others sent in between. `keys`: in this list kubectl does harm;
    these are the elements that must stand there afterwards.
    """

    name: str
    last: Json
    foreign: Json | None
    target: Json
    adopted: bool = False
    keys: tuple[str, tuple[tuple[Any, ...], ...]] | None = None


def web(**more: Any) -> Json:
    return {**WEB, **more}


def pod(*containers: Json, **more: Any) -> Json:
    return {"containers": list(containers), **more}


def env(*pairs: str) -> list[Json]:
    return [dict(zip(("name", "value"), pair.split("=", 1), strict=True)) for pair in pairs]


def volume(name: str, **source: Any) -> Json:
    return {"name": name, **source}


def mount(path: str, name: str = "v", **more: Any) -> Json:
    return {"mountPath": path, "name": name, **more}


CM_A, CM_B = {"configMap": {"name": "a"}}, {"configMap": {"name": "b"}}
EMPTY: Json = {"emptyDir": {}}
PROBE: Json = {"httpGet": {"path": "/healthz", "port": 80}}
X: Json = {"name": "x", "image": "x"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
LIMITS: Json = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "100m"}}
ZONE: Json = {"topologyKey": "zone", "maxSkew": 1, "labelSelector": {"matchLabels": {"app": "x"}}}
HARD, SOFT = {"whenUnsatisfiable": "DoNotSchedule"}, {"whenUnsatisfiable": "ScheduleAnyway"}
TOLERATION: Json = {"key": "a", "operator": "Exists"}

# name: (last, what others patched into the pod, target)
PODS: dict[str, tuple[Any, Any, Any]] = {
    "new-image": (pod(WEB), None, pod(web(image="web:2"))),
    "nothing-new": (pod(WEB), None, pod(WEB)),
    "injected-sidecar": (pod(WEB), pod(MESH), pod(web(image="web:2"))),
    "injected-sidecar-untouched": (pod(WEB), pod(MESH), pod(WEB)),
    "second-container-added": (pod(WEB), None, pod(WEB, MESH)),
    "second-container-gone": (pod(WEB, MESH), None, pod(WEB)),
    "containers-reordered": (pod(WEB, MESH), None, pod(MESH, WEB)),
    "containers-reordered-injected": (pod(WEB, MESH), pod(X), pod(MESH, WEB)),
    "container-renamed-injected": (pod(WEB), pod(MESH), pod({"name": "www", "image": "web:2"})),
    "three-rotated": (pod(WEB, MESH, {"name": "c", "image": "c"}), None,
                      pod({"name": "c", "image": "c"}, WEB, MESH)),
    "args-changed": (pod(web(args=["-a"])), None, pod(web(args=["-a", "-b"]))),
    "args-gone": (pod(web(args=["-a"])), None, pod(WEB)),
    "args-foreign": (pod(WEB), pod(web(args=["-a"])), pod(WEB)),
    "args-emptied": (pod(web(args=["-a"])), None, pod(web(args=[]))),
    "command-null": (pod(web(command=["a"])), None, pod(web(command=None))),
    "env-added": (pod(web(env=env("A=1"))), None, pod(web(env=env("A=1", "B=2")))),
    "env-changed": (pod(web(env=env("A=1"))), None, pod(web(env=env("A=2")))),
    "env-reordered": (pod(web(env=env("A=1", "B=2"))), None, pod(web(env=env("B=2", "A=1")))),
    "env-one-gone-foreign-stays": (pod(web(env=env("A=1", "B=2"))), pod(web(env=env("M=9"))),
                                   pod(web(env=env("A=1")))),
    "env-list-gone-takes-foreign": (pod(web(env=env("A=1"))), pod(web(env=env("M=9"))), pod(WEB)),
    "env-list-empty-keeps-foreign": (pod(web(env=env("A=1"))), pod(web(env=env("M=9"))),
                                     pod(web(env=[]))),
    "env-value-to-field": (pod(web(env=env("A=1"))), None, pod(web(env=[
        {"name": "A", "value": None, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]))),
    "env-field-defaulted": (pod(web(env=[{"name": "A", "valueFrom": {
        "fieldRef": {"fieldPath": "metadata.name"}}}])), None, pod(web(image="web:2", env=[
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]))),
    "env-empty-value": (pod(web(env=[{"name": "A", "value": ""}])), None,
                        pod(web(env=[{"name": "A", "value": ""}]))),
    "env-insert-before-foreign": (pod(web(env=env("A=1", "Z=1"))), pod(web(env=env("M=9"))),
                                  pod(web(env=env("A=1", "B=1", "Z=1")))),
    "env-swap-one-with-foreign": (pod(web(env=env("A=1", "B=1"))), pod(web(env=env("M=9"))),
                                  pod(web(env=env("C=1", "B=1")))),
    "env-from": (pod(web(envFrom=[{"configMapRef": {"name": "a"}}])), None,
                 pod(web(envFrom=[{"configMapRef": {"name": "b"}}]))),
    "port-added": (pod(web(ports=[{"containerPort": 80}])), None,
                   pod(web(ports=[{"containerPort": 80}, {"containerPort": 90}]))),
    "port-gone": (pod(web(ports=[{"containerPort": 80}, {"containerPort": 90}])), None,
                  pod(web(ports=[{"containerPort": 90}]))),
    "port-named": (pod(web(ports=[{"containerPort": 80}])), None,
                   pod(web(ports=[{"containerPort": 80, "name": "http"}]))),
    "port-name-gone": (pod(web(ports=[{"containerPort": 80, "name": "http"}])), None,
                       pod(web(ports=[{"containerPort": 80}]))),
    "port-protocol-changed": (pod(web(ports=[TCP])), None, pod(web(ports=[UDP]))),
    "port-foreign": (pod(web(ports=[{"containerPort": 80}])),
                     pod(web(ports=[{"containerPort": 15090}])), pod(web(image="web:2", ports=[
                         {"containerPort": 80, "name": "http"}]))),
    "resources-added": (pod(WEB), None, pod(web(resources=LIMITS))),
    "resources-same-other-words": (pod(web(resources={"limits": {"cpu": "0.5"}})), None,
                                   pod(web(resources={"limits": {"cpu": "500m"}}))),
    "resources-half-and-image": (pod(web(resources={"limits": {"cpu": "0.5", "memory": "1024Mi"}})),
                                 None, pod(web(image="web:2", resources={
                                     "limits": {"cpu": "0.5", "memory": "1024Mi"}}))),
    "resources-number": (pod(web(resources={"limits": {"cpu": 1}})), None,
                         pod(web(resources={"limits": {"cpu": 2}}))),
    "resources-empty-wipes": (pod(web(resources=LIMITS)), None, pod(web(resources={}))),
    "resources-gone": (pod(web(resources=LIMITS)), None, pod(WEB)),
    "resources-foreign-limit": (pod(web(resources={"requests": {"cpu": "1"}})),
                                pod(web(resources={"limits": {"memory": "2Gi"}})),
                                pod(web(resources={"requests": {"cpu": "2"}}))),
    "probe-added": (pod(WEB), None, pod(web(livenessProbe=PROBE))),
    "probe-gone": (pod(web(livenessProbe=PROBE)), None, pod(WEB)),
    "probe-kind-changed": (pod(web(livenessProbe=PROBE)), None, pod(web(livenessProbe={
        "httpGet": None, "tcpSocket": {"port": 80}}))),
    "probe-period-gone": (pod(web(livenessProbe={**PROBE, "periodSeconds": 3})), None,
                          pod(web(livenessProbe=PROBE))),
    "probe-period-foreign": (pod(web(livenessProbe=PROBE)),
                             pod(web(livenessProbe={"periodSeconds": 3})),
                             pod(web(image="web:2", livenessProbe=PROBE))),
    "pull-policy-gone": (pod(web(imagePullPolicy="Always")), None, pod(WEB)),
    "pull-policy-default-gone": (pod(web(imagePullPolicy="IfNotPresent")), None, pod(WEB)),
    "security-context": (pod(web(securityContext={"runAsUser": 1})), None,
                         pod(web(securityContext={"runAsUser": 1, "privileged": False}))),
    "capabilities": (pod(web(securityContext={"capabilities": {"add": ["NET_ADMIN"]}})), None,
                     pod(web(securityContext={"capabilities": {"add": ["SYS_TIME"]}}))),
    "lifecycle": (pod(web(lifecycle={"preStop": {"exec": {"command": ["a"]}}})), None,
                  pod(web(lifecycle={"preStop": {"exec": {"command": ["b"]}}}))),
    "zero-and-false": (pod(web(stdin=False, tty=False), hostNetwork=False), None,
                       pod(web(stdin=False, tty=False), hostNetwork=False)),
    "volume-source-changed": (pod(WEB, volumes=[volume("v", **CM_A)]), None,
                              pod(WEB, volumes=[volume("v", secret={"secretName": "s"})])),
    "volume-empty-to-config": (pod(WEB, volumes=[volume("v", **EMPTY)]), None,
                               pod(WEB, volumes=[volume("v", **CM_A)])),
    "volume-other-config": (pod(WEB, volumes=[volume("v", **CM_A)]), None,
                            pod(WEB, volumes=[volume("v", **CM_B)])),
    "volume-added": (pod(WEB, volumes=[volume("v", **CM_A)]), None,
                     pod(WEB, volumes=[volume("v", **CM_A), volume("w", **EMPTY)])),
    "volume-gone-foreign-stays": (pod(WEB, volumes=[volume("v", **CM_A), volume("w", **EMPTY)]),
                                  pod(volumes=[volume("mesh", **EMPTY)]),
                                  pod(WEB, volumes=[volume("v", **CM_A)])),
    "volumes-gone-take-foreign": (pod(WEB, volumes=[volume("v", **CM_A)]),
                                  pod(volumes=[volume("mesh", **EMPTY)]), pod(WEB)),
    "volumes-empty-keep-foreign": (pod(WEB, volumes=[volume("v", **CM_A)]),
                                   pod(volumes=[volume("mesh", **EMPTY)]), pod(WEB, volumes=[])),
    "volume-mode": (pod(WEB, volumes=[volume("v", configMap={"name": "a", "defaultMode": 256})]),
                    None, pod(WEB, volumes=[volume("v", **CM_A)])),
    "volume-items": (pod(WEB, volumes=[volume("v", configMap={"name": "a", "items": [
        {"key": "a", "path": "a"}]})]), None, pod(WEB, volumes=[volume("v", configMap={
            "name": "a", "items": [{"key": "b", "path": "b"}]})])),
    "volume-projected": (pod(WEB, volumes=[volume("v", projected={"sources": [
        {"serviceAccountToken": {"path": "t"}}, {"configMap": {"name": "a"}}]})]), None,
        pod(web(image="web:2"), volumes=[volume("v", projected={"sources": [
            {"serviceAccountToken": {"path": "t"}}, {"configMap": {"name": "a"}}]})])),
    "volume-without-source": (pod(WEB, volumes=[volume("v")]), None,
                              pod(WEB, volumes=[volume("v")])),
    "host-path-type": (pod(WEB, volumes=[volume("v", hostPath={"path": "/a"})]), None,
                       pod(WEB, volumes=[volume("v", hostPath={"path": "/b"})])),
    "mount-changed": (pod(web(volumeMounts=[mount("/a")]), volumes=[volume("v", **EMPTY)]), None,
                      pod(web(volumeMounts=[mount("/a", readOnly=True)]),
                          volumes=[volume("v", **EMPTY)])),
    "mount-moved": (pod(web(volumeMounts=[mount("/a")]), volumes=[volume("v", **EMPTY)]), None,
                    pod(web(volumeMounts=[mount("/b")]), volumes=[volume("v", **EMPTY)])),
    "mount-foreign-stays": (pod(web(volumeMounts=[mount("/a")]), volumes=[volume("v", **EMPTY)]),
                            pod(web(volumeMounts=[mount("/m")])),
                            pod(web(volumeMounts=[mount("/b")]), volumes=[volume("v", **EMPTY)])),
    "init-container-added": (pod(WEB), None, pod(WEB, initContainers=[MESH])),
    "init-containers-gone-take-foreign": (pod(WEB, initContainers=[MESH]),
                                          pod(initContainers=[{"name": "x", "image": "x"}]),
                                          pod(WEB)),
    "init-reordered": (pod(WEB, initContainers=[MESH, {"name": "x", "image": "x"}]), None,
                       pod(WEB, initContainers=[{"name": "x", "image": "x"}, MESH])),
    "tolerations-atomic": (pod(WEB, tolerations=[TOLERATION]), None,
                           pod(WEB, tolerations=[{"key": "b", "operator": "Exists"}])),
    "tolerations-foreign-wiped": (pod(WEB, tolerations=[TOLERATION]), pod(tolerations=[
        TOLERATION, {"key": "z", "operator": "Exists"}]), pod(WEB, tolerations=[TOLERATION])),
    "tolerations-gone": (pod(WEB, tolerations=[TOLERATION]), None, pod(WEB)),
    "node-selector-key-gone": (pod(WEB, nodeSelector={"a": "1", "b": "2"}), None,
                               pod(WEB, nodeSelector={"a": "1"})),
    "node-selector-foreign-stays": (pod(WEB, nodeSelector={"a": "1"}), pod(nodeSelector={"z": "9"}),
                                    pod(WEB, nodeSelector={"a": "2"})),
    "node-selector-gone": (pod(WEB, nodeSelector={"a": "1"}), pod(nodeSelector={"z": "9"}),
                           pod(WEB)),
    "node-selector-empty": (pod(WEB, nodeSelector={"a": "1"}), pod(nodeSelector={"z": "9"}),
                            pod(WEB, nodeSelector={})),
    "host-aliases": (pod(WEB, hostAliases=[{"ip": "1.1.1.1", "hostnames": ["a"]}]),
                     pod(hostAliases=[{"ip": "9.9.9.9", "hostnames": ["z"]}]),
                     pod(WEB, hostAliases=[{"ip": "1.1.1.1", "hostnames": ["b"]}])),
    "pull-secrets": (pod(WEB, imagePullSecrets=[{"name": "a"}]), pod(imagePullSecrets=[
        {"name": "z"}]), pod(WEB, imagePullSecrets=[{"name": "b"}])),
    "service-account": (pod(WEB, serviceAccountName="a"), None, pod(WEB, serviceAccountName="b")),
    "service-account-gone": (pod(WEB, serviceAccountName="a"), None, pod(WEB)),
    "grace-gone": (pod(WEB, terminationGracePeriodSeconds=5), None, pod(WEB)),
    "grace-null": (pod(WEB, terminationGracePeriodSeconds=5), None,
                   pod(WEB, terminationGracePeriodSeconds=None)),
    "host-network-gone": (pod(WEB, hostNetwork=True), None, pod(WEB)),
    "dns-policy-foreign": (pod(WEB), pod(dnsPolicy="Default"), pod(web(image="web:2"))),
    "affinity": (pod(WEB, affinity={"nodeAffinity": {REQUIRED: {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}}), None,
        pod(WEB, affinity={"nodeAffinity": {REQUIRED: {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "b", "operator": "Exists"}]}]}}})),
    "spread-changed": (pod(WEB, topologySpreadConstraints=[{**ZONE, **HARD}]), None,
                       pod(WEB, topologySpreadConstraints=[{**ZONE, **HARD, "maxSkew": 2}])),
    "spread-key-changed": (pod(WEB, topologySpreadConstraints=[{**ZONE, **HARD}]), None,
                           pod(WEB, topologySpreadConstraints=[
                               {**ZONE, **HARD, "topologyKey": "h"}])),
    "both-null": (pod(web(command=None)), pod(web(command=["x"])), pod(web(command=None))),
    "pod-security": (pod(WEB, securityContext={"fsGroup": 1}),
                     pod(securityContext={"runAsUser": 5}),
                     pod(WEB, securityContext={"fsGroup": 2})),
    "priority-and-scheduler": (pod(WEB, schedulerName="a"), None, pod(WEB)),
    "all-at-once": (pod(web(env=env("A=1"), args=["-a"]), MESH, volumes=[volume("v", **CM_A)]),
                    pod({"name": "x", "image": "x"}, web(env=env("M=1"))),
                    pod(MESH, web(image="web:2", env=env("B=1")), volumes=[volume("v", **EMPTY)])),
}  # fmt: skip

# Where kubectl does harm: name -> (last, others, target, list, what must stand there)
_PORTS = "spec.template.spec.containers.0.ports"
_ENV = "spec.template.spec.containers.0.env"
_SPREAD = "spec.template.spec.topologySpreadConstraints"
PORT_KEYS, SPREAD_KEYS = ("containerPort", "protocol"), ("topologyKey", "whenUnsatisfiable")
HARM: dict[str, tuple[Any, Any, Any, str, tuple[tuple[Any, ...], ...]]] = {
    "udp-gone": (pod(web(ports=[TCP, UDP])), None, pod(web(ports=[TCP])), _PORTS, ((53, "TCP"),)),
    "tcp-gone": (pod(web(ports=[TCP, UDP])), None, pod(web(ports=[UDP])), _PORTS, ((53, "UDP"),)),
    "tcp-added": (pod(web(ports=[UDP])), None, pod(web(ports=[UDP, TCP])), _PORTS,
                  ((53, "UDP"), (53, "TCP"))),
    "udp-named": (pod(web(ports=[TCP, UDP])), None, pod(web(ports=[TCP, {**UDP, "name": "dns"}])),
                  _PORTS, ((53, "TCP"), (53, "UDP"))),
    "ports-swapped": (pod(web(ports=[TCP, UDP])), None, pod(web(ports=[UDP, TCP])), _PORTS,
                      ((53, "UDP"), (53, "TCP"))),
    "ports-same-new-image": (pod(web(ports=[TCP, UDP])), None,
                             pod(web(image="web:2", ports=[TCP, UDP])), _PORTS,
                             ((53, "TCP"), (53, "UDP"))),
    "ports-foreign-stays": (pod(web(ports=[TCP, UDP])), pod(web(env=env("M=9"))),
                            pod(web(ports=[TCP])), _PORTS,
                            ((53, "TCP"),)),
    "port-80-beside": (pod(web(ports=[TCP, UDP, {"containerPort": 80, "protocol": "TCP"}])), None,
                       pod(web(ports=[TCP, UDP])), _PORTS, ((53, "TCP"), (53, "UDP"))),
    "env-twice": (pod(web(env=env("A=1", "A=2"))), None, pod(web(env=env("A=1", "A=3"))), _ENV,
                  (("A", "1"), ("A", "3"))),
    "env-twice-no-more": (pod(web(env=env("A=1", "A=2"))), None, pod(web(env=env("A=1"))), _ENV,
                          (("A", "1"),)),
    "env-becomes-twice": (pod(web(env=env("A=1"))), None, pod(web(env=env("A=1", "A=2"))), _ENV,
                          (("A", "1"), ("A", "2"))),
    "spread-twice": (pod(WEB, topologySpreadConstraints=[{**ZONE, **HARD}, {**ZONE, **SOFT}]), None,
                     pod(WEB, topologySpreadConstraints=[{**ZONE, **HARD},
                                                         {**ZONE, **SOFT, "maxSkew": 5}]),
                     _SPREAD, (("zone", "DoNotSchedule"), ("zone", "ScheduleAnyway"))),
    "spread-second-gone": (pod(WEB, topologySpreadConstraints=[{**ZONE, **HARD}, {**ZONE, **SOFT}]),
                           None, pod(WEB, topologySpreadConstraints=[{**ZONE, **HARD}]), _SPREAD,
                           (("zone", "DoNotSchedule"),)),
    "spread-second-added": (pod(WEB, topologySpreadConstraints=[{**ZONE, **HARD}]), None,
                            pod(WEB, topologySpreadConstraints=[{**ZONE, **HARD},
                                                                {**ZONE, **SOFT}]),
                            _SPREAD, (("zone", "DoNotSchedule"), ("zone", "ScheduleAnyway"))),
}  # fmt: skip
KEYS_OF = {_PORTS: PORT_KEYS, _ENV: ("name", "value"), _SPREAD: SPREAD_KEYS}


def in_kind(kind: str, spec: Json, **more: Any) -> Json:
    """A pod spec in a workload that runs no pods."""
    labels = {"matchLabels": {"app": "x"}}
    template = {"metadata": {"labels": {"app": "x"}}, "spec": deepcopy(spec)}
    body: Json = {"selector": labels, "template": template, **more}
    if kind == "DaemonSet":
        template["spec"].setdefault("nodeSelector", {"nowhere": "1"})
    elif kind == "CronJob":
        template["spec"]["restartPolicy"] = "Never"
        job = {"template": template}
        body = {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": job}, **more}
        return {"apiVersion": "batch/v1", "kind": kind, "spec": body}
    else:
        body = {"replicas": 0, **body}
    if kind == "StatefulSet":
        body["serviceName"] = "x"
    return {"apiVersion": "apps/v1", "kind": kind, "spec": body}


def around(kind: str, spec: Json | None) -> Json | None:
    if spec is None:
        return None
    inside = {"template": {"spec": {k: v for k, v in spec.items() if v != []}}}
    return {"spec": {"jobTemplate": {"spec": inside}} if kind == "CronJob" else inside}


OTHER_KINDS = ("injected-sidecar", "volume-source-changed", "env-list-gone-takes-foreign",
               "containers-reordered", "resources-half-and-image")  # fmt: skip


def pod_cases() -> Iterator[Case]:
    for name, (last, foreign, target) in PODS.items():
        kinds = ["Deployment"]
        if name in OTHER_KINDS:
            kinds += ["DaemonSet", "StatefulSet", "CronJob"]
        for kind in kinds:
            triple = in_kind(kind, last), around(kind, foreign), in_kind(kind, target)
            yield Case(f"{kind.lower()}-{name}", *triple)
        if name in ("injected-sidecar", "env-one-gone-foreign-stays", "volumes-gone-take-foreign"):
            first, between, then = (
                in_kind("Deployment", last),
                around("Deployment", foreign),
                target,
            )
            yield Case(f"adopted-{name}", first, between, in_kind("Deployment", then), adopted=True)
    for name, (last, foreign, target, where, keys) in HARM.items():
        yield Case(
            f"harm-{name}",
            in_kind("Deployment", last),
            around("Deployment", foreign),
            in_kind("Deployment", target),
            keys=(where, keys),
        )
