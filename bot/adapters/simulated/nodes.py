"""A simulated node as the API shows it: its labels, what it reports, whether it is Ready.

Never moves anything: components on nodes are moved by their controllers.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.adapters.simulated.pods import Pod, iso
from bot.adapters.simulated.workload import Workload
from bot.model.plan import JSON


def node_labels(node: str) -> dict[str, str]:
    """What every node says of itself."""
    return {
        "kubernetes.io/hostname": node,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
    }


def node_json(
    name: str,
    uid: str,
    joined: int,
    labels: dict[str, str],
    components: Iterable[Workload],
    t: int,
) -> JSON:
    """Ready when every component on it is; each is reported in an annotation."""
    has = [(w, p) for w in components for p in w.pods.values() if p.node == name]
    notes = {f"{w.controller.label}{w.obj['spec']['componentName']}": p.rev for w, p in has}
    broken = [p for _, p in has if not p.is_ready(t)]
    since = max([joined, *(_since(p, t) for p in broken or [p for _, p in has])])
    ready = {
        "type": "Ready",
        "status": "False" if broken else "True",
        "reason": _reason(broken, t) if broken else "KubeletReady",
        "lastTransitionTime": iso(since),
    }
    metadata = {
        "name": name,
        "uid": uid,
        "resourceVersion": "1",
        "creationTimestamp": iso(joined),
        "labels": labels,
    }
    if notes:
        metadata["annotations"] = notes
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": {},
        "status": {"conditions": [ready]},
    }


def _since(pod: Pod, t: int) -> int:
    if pod.is_ready(t):
        return pod.ready
    return pod.broken if pod.broken <= t else pod.created


def _reason(broken: list[Pod], t: int) -> str:
    crashing = any(p.restarts(t)[0] for p in broken)
    return "CrashLoopBackOff" if crashing else "KubeletNotReady"


def kube_system(uid: str, created: int) -> JSON:
    """The namespace by which a cluster is known."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "kube-system",
            "uid": uid,
            "resourceVersion": "1",
            "creationTimestamp": iso(created),
        },
        "status": {"phase": "Active"},
    }
