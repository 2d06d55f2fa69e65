"""What an API server would refuse and fill in, for the kinds that the embedded fleet runs.

Raises Refused with the field that is wrong. Never stores anything.
"""

from __future__ import annotations

import re

from bot.adapters.simulated.clone_set import CloneSetController, in_version, rolling_of
from bot.adapters.simulated.daemon_set import DaemonSetController
from bot.adapters.simulated.deployment import DeploymentController
from bot.adapters.simulated.kruise_rules import rewritten
from bot.adapters.simulated.machine_component_set import MachineComponentSetController
from bot.adapters.simulated.stateful_set import StatefulSetController
from bot.adapters.simulated.workload import Controller
from bot.cluster.fence import FENCE, fence_of, numbers
from bot.cluster.fields import at, overlay
from bot.cluster.merge import SERVER_FIELDS
from bot.model.effects import Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Conflict, Fenced, Refused

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.:]*[a-z0-9])?")
_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?", re.A
)
_LABEL = re.compile(r"([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?", re.A)
KEPT = ("uid", "creationTimestamp", "deletionTimestamp")
"""What of its metadata an object keeps from the first write to the last."""

CONTROLLERS: dict[tuple[str, str], Controller] = {
    ("apps", "Deployment"): DeploymentController(),
    ("apps", "DaemonSet"): DaemonSetController(kruise=False),
    ("apps.kruise.io", "DaemonSet"): DaemonSetController(kruise=True),
    ("apps", "StatefulSet"): StatefulSetController(kruise=False),
    ("apps.kruise.io", "StatefulSet"): StatefulSetController(kruise=True),
    ("apps.kruise.io", "CloneSet"): CloneSetController(),
    ("kubenode.alibabacloud.com", "MachineComponentSet"): MachineComponentSetController(),
}
"""(group, kind) → its controller: every other kind is kept as it is written."""

_DEFAULTS: dict[tuple[str, str], JSON] = {
    ("apps", "Deployment"): {
        "replicas": 1,
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 10,
    },
    ("apps", "DaemonSet"): {"revisionHistoryLimit": 10},
    ("apps.kruise.io", "DaemonSet"): {"revisionHistoryLimit": 10, "burstReplicas": 250},
    ("apps", "StatefulSet"): {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
    },
    ("apps.kruise.io", "StatefulSet"): {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
    },
    ("apps.kruise.io", "CloneSet"): {"replicas": 1, "revisionHistoryLimit": 10},
}

_ROLLING: dict[tuple[str, str], JSON] = {
    ("apps", "Deployment"): {"maxSurge": "25%", "maxUnavailable": "25%"},
    ("apps", "DaemonSet"): {"maxSurge": 0, "maxUnavailable": 1},
    ("apps.kruise.io", "DaemonSet"): {
        "rollingUpdateType": "Standard",
        "maxUnavailable": 1,
        "partition": 0,
    },
    ("apps", "StatefulSet"): {"partition": 0},
    ("apps.kruise.io", "StatefulSet"): {
        "podUpdatePolicy": "ReCreate",
        "maxUnavailable": 1,
        "partition": 0,
        "minReadySeconds": 0,
    },
    ("apps.kruise.io", "CloneSet"): {
        "podUpdatePolicy": "ReCreate",
        "maxUnavailable": "20%",
        "maxSurge": 0,
        "partition": 0,
    },
}
"""What is filled in below `rollingUpdate`."""


def group_of(api_version: str) -> str:
    """`apps` of `apps/v1`; "" of `v1`."""
    group, slash, _ = api_version.rpartition("/")
    return group if slash else ""


def accepted(ref: ObjectRef, obj: JSON, before: JSON | None) -> JSON:
    """The object with its defaults, or Refused."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict):
        raise Refused(f"{ref.short}: metadata: Required value")
    told = (obj.get("apiVersion"), obj.get("kind"), metadata.get("name"))
    if told != (ref.api_version, ref.kind, ref.name):
        raise Refused(f"{ref.short}: the object says {told[1]} {told[2]} of {told[0]}")
    if metadata.get("namespace", "") != ref.namespace:
        raise Refused(f"{ref.short}: metadata.namespace: does not match {ref.namespace!r}")
    if not _NAME.fullmatch(ref.name):
        raise Refused(f"{ref.short}: metadata.name: Invalid value: {ref.name!r}")
    for maps in ("labels", "annotations"):
        for name, value in (metadata.get(maps) or {}).items():
            if not isinstance(value, str):
                raise Refused(f"{ref.short}: metadata.{maps}.{name}: must be a string")
            if not _KEY.fullmatch(name):
                raise Refused(f"{ref.short}: metadata.{maps}: Invalid value: {name!r}")
            if maps == "labels" and not _LABEL.fullmatch(value):
                raise Refused(f"{ref.short}: metadata.labels: Invalid value: {value!r}")
    kind = (group_of(ref.api_version), ref.kind)
    return _accepted_workload(ref, kind, obj, before) if kind in CONTROLLERS else obj


def _accepted_workload(
    ref: ObjectRef, kind: tuple[str, str], obj: JSON, before: JSON | None
) -> JSON:
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        raise Refused(f"{ref.short}: spec: Required value")
    if ref.kind == "MachineComponentSet":
        _check_machine_component_set(ref, spec)
        return obj
    _check_template(ref, spec, before)
    if kind not in _DEFAULTS:
        return obj
    if ref.kind == "CloneSet" and ref.api_version.endswith("v1alpha1"):
        defaulted = {**obj, "spec": _with_flat_defaults(kind, spec)}
    else:
        defaulted = {**obj, "spec": _with_defaults(kind, spec)}
    if kind[0] == "apps.kruise.io":
        defaulted["spec"] = rewritten(ref.kind, defaulted["spec"])
    match ref.kind:
        case "Deployment":
            _check_deployment(ref, defaulted["spec"])
        case "DaemonSet":
            _check_daemon_set(ref, defaulted["spec"])
        case "StatefulSet":
            _check_stateful_set(ref, defaulted["spec"], before)
        case "CloneSet":
            _check_clone_set(ref, defaulted["spec"])
    return defaulted


def _check_template(ref: ObjectRef, spec: JSON, before: JSON | None) -> None:
    chosen = at(spec, ("selector", "matchLabels"))
    if not isinstance(chosen, dict) or not chosen:
        raise Refused(f"{ref.short}: spec.selector: Required value")
    if before is not None and before["spec"]["selector"] != spec["selector"]:
        raise Refused(f"{ref.short}: spec.selector: Invalid value: field is immutable")
    labels = at(spec, ("template", "metadata", "labels")) or {}
    if not chosen.items() <= labels.items():
        raise Refused(f"{ref.short}: spec.template.metadata.labels: selector does not match them")
    containers = at(spec, ("template", "spec", "containers"))
    if not isinstance(containers, list) or not containers:
        raise Refused(f"{ref.short}: spec.template.spec.containers: Required value")
    for number, container in enumerate(containers):
        for needed in ("name", "image"):
            if not isinstance(container, dict) or not container.get(needed):
                where = f"spec.template.spec.containers[{number}].{needed}"
                raise Refused(f"{ref.short}: {where}: Required value")


def _with_defaults(kind: tuple[str, str], spec: JSON) -> JSON:
    filled = {**_DEFAULTS[kind], **{name: v for name, v in spec.items() if v is not None}}
    field = "strategy" if kind[1] == "Deployment" else "updateStrategy"
    strategy = filled.get(field) or {}
    if strategy.get("type", "RollingUpdate") == "RollingUpdate":
        strategy = overlay({"type": "RollingUpdate", "rollingUpdate": _ROLLING[kind]}, strategy)
    return filled if filled.get(field) == strategy else {**filled, field: strategy}


def _with_flat_defaults(kind: tuple[str, str], spec: JSON) -> JSON:
    """v1alpha1: the same fields without `rollingUpdate` around them."""
    filled = {**_DEFAULTS[kind], **{name: v for name, v in spec.items() if v is not None}}
    flat = {name: v for name, v in _ROLLING[kind].items() if name != "podUpdatePolicy"}
    given = filled.get("updateStrategy") or {}
    return {**filled, "updateStrategy": {"type": "ReCreate", **flat, **given}}


def _check_deployment(ref: ObjectRef, spec: JSON) -> None:
    _whole_number(ref, spec, "replicas")
    strategy = spec["strategy"]
    if strategy.get("type") not in ("RollingUpdate", "Recreate"):
        raise Refused(f"{ref.short}: spec.strategy.type: Unsupported value")
    if strategy["type"] == "Recreate" and "rollingUpdate" in strategy:
        raise Refused(f"{ref.short}: spec.strategy.rollingUpdate: Forbidden with Recreate")
    rolling = strategy.get("rollingUpdate") or {"maxSurge": 1}
    _no_room(ref, "spec.strategy.rollingUpdate", rolling)
    if spec["progressDeadlineSeconds"] <= spec.get("minReadySeconds", 0):
        where = "spec.progressDeadlineSeconds"
        raise Refused(f"{ref.short}: {where}: must be greater than minReadySeconds")


def _check_daemon_set(ref: ObjectRef, spec: JSON) -> None:
    strategy = spec["updateStrategy"]
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        raise Refused(f"{ref.short}: spec.updateStrategy.type: Unsupported value")
    if strategy["type"] == "OnDelete":
        return
    rolling = strategy["rollingUpdate"]
    for name in ("maxUnavailable", "maxSurge", "partition"):
        _number_or_percentage(ref, rolling, name)
    _no_room(ref, "spec.updateStrategy.rollingUpdate", rolling)


def _check_stateful_set(ref: ObjectRef, spec: JSON, before: JSON | None) -> None:
    _whole_number(ref, spec, "replicas")
    if before is not None:
        for name in ("serviceName", "podManagementPolicy", "volumeClaimTemplates"):
            if before["spec"].get(name) != spec.get(name):
                raise Refused(f"{ref.short}: spec.{name}: Forbidden: it cannot be updated")
    strategy = spec["updateStrategy"]
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        raise Refused(f"{ref.short}: spec.updateStrategy.type: Unsupported value")
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "OnDelete":
        if rolling and group_of(ref.api_version) == "apps":
            raise Refused(
                f"{ref.short}: spec.updateStrategy.rollingUpdate: Forbidden with OnDelete"
            )
        return
    _whole_number(ref, rolling, "partition")
    if group_of(ref.api_version) == "apps" or spec["podManagementPolicy"] == "Parallel":
        return
    where = "spec.updateStrategy.rollingUpdate"
    if rolling.get("maxUnavailable", 1) != 1:
        raise Refused(f"{ref.short}: {where}.maxUnavailable: works with Parallel only")
    if rolling.get("unorderedUpdate") is not None:
        raise Refused(f"{ref.short}: {where}.unorderedUpdate: works with Parallel only")


def _check_clone_set(ref: ObjectRef, spec: JSON) -> None:
    _whole_number(ref, spec, "replicas")
    rolling = rolling_of(spec)
    for name in ("maxUnavailable", "maxSurge", "partition"):
        _number_or_percentage(ref, rolling, name)


def _check_machine_component_set(ref: ObjectRef, spec: JSON) -> None:
    for name in ("componentName", "version"):
        if not isinstance(spec.get(name), str) or not spec[name]:
            raise Refused(f"{ref.short}: spec.{name}: Required value")
    _whole_number(ref, spec, "partition")
    _number_or_percentage(ref, spec, "maxUnavailable")


def _number_or_percentage(ref: ObjectRef, of: JSON, name: str) -> None:
    value = of.get(name, 0)
    if not isinstance(value, str):
        _whole_number(ref, of, name)
    elif not re.fullmatch(r"\d+%", value):
        raise Refused(f"{ref.short}: {name}: {value!r} is neither a number nor a percentage")


def _whole_number(ref: ObjectRef, of: JSON, name: str) -> None:
    value = of.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Refused(f"{ref.short}: {name}: must be a number that is not negative")


def _no_room(ref: ObjectRef, where: str, rolling: JSON) -> None:
    nothing = (0, "0", "0%")
    if rolling.get("maxSurge", 0) in nothing and rolling.get("maxUnavailable", 0) in nothing:
        raise Refused(f"{ref.short}: {where}.maxUnavailable: may not be 0 when maxSurge is 0")


def finalizers_of(obj: JSON) -> JSON:
    """Who wants to clean up before the object goes."""
    return obj["metadata"].get("finalizers") or []


def check_conditions(write: Write, metadata: JSON) -> None:
    """Conflict where the object is no longer what the write is for."""
    if write.resource_version not in (None, metadata["resourceVersion"]):
        raise Conflict(f"{write.ref.short} has been modified")
    if write.uid not in (None, metadata["uid"]):
        raise Conflict(f"{write.ref.short} is another object of this name")


def check_fence(ref: ObjectRef, live: JSON, fence: str) -> None:
    if fence and fence_of(live) > numbers(fence):
        raise Fenced(f"{ref.short} was written by a newer plan")


def fenced(obj: JSON, fence: str) -> JSON:
    if not fence:
        return obj
    metadata = obj["metadata"]
    notes = {**(metadata.get("annotations") or {}), FENCE: fence}
    return {**obj, "metadata": {**metadata, "annotations": notes}}


def written(body: JSON) -> JSON:
    """What a client may write of an object or patch: no status, none of the server's metadata."""
    kept = {name: value for name, value in body.items() if name != "status"}
    if isinstance(kept.get("metadata"), dict):
        kept["metadata"] = {
            name: value for name, value in kept["metadata"].items() if name not in SERVER_FIELDS
        }
    return kept


def as_version(obj: JSON, api_version: str) -> JSON:
    """The object as another version of its group shows it."""
    shown = obj
    if obj["apiVersion"] != api_version:
        shown = {**obj, "apiVersion": api_version}
        if obj["kind"] == "CloneSet":
            return in_version(obj, api_version)
    daemon_set = (api_version, obj["kind"]) == ("apps.kruise.io/v1alpha1", "DaemonSet")
    if daemon_set and "updateRevision" in shown.get("status", {}):
        status = dict(shown["status"])
        status["daemonSetHash"] = status.pop("updateRevision")
        shown = {**shown, "status": status}
    return shown


def taken_up(address: tuple[str, ...], obj: JSON) -> JSON:
    """A custom resource definition is established at once: this server waits for nobody."""
    if address[:2] != ("apiextensions.k8s.io", "CustomResourceDefinition"):
        return obj
    told = [{"type": kind, "status": "True"} for kind in ("NamesAccepted", "Established")]
    return {**obj, "status": {"conditions": told}}
