"""What OpenKruise's webhooks make of an object before it is stored. Never refuses anything.

They read it into types of their own and write it anew: a pod template comes back with its
defaults, and a `paused: false` does not come back at all.
"""

from __future__ import annotations

from bot.cluster.fields import MISSING, Path, at, put
from bot.model.plan import JSON

_POD: dict[str, JSON] = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_CONTAINER: dict[str, JSON] = {
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": "Always",
}
_PAUSED: tuple[Path, ...] = (
    ("updateStrategy", "paused"),
    ("updateStrategy", "rollingUpdate", "paused"),
)
_REWRITTEN = ("CloneSet", "StatefulSet")
"""A DaemonSet's template is left as it is written, and its `paused` may be false."""


def rewritten(kind: str, spec: JSON) -> JSON:
    """The spec of an OpenKruise workload as it is stored."""
    if kind not in _REWRITTEN:
        return spec
    for path in _PAUSED:
        if at(spec, path) is False:
            spec = put(spec, path, MISSING)
    pod = at(spec, ("template", "spec"))
    if not isinstance(pod, dict):
        return spec
    containers = [
        {**_CONTAINER, **one} if isinstance(one, dict) else one
        for one in pod.get("containers") or ()
    ]
    return put(spec, ("template", "spec"), {**_POD, **pod, "containers": containers})
