"""What the bot must be allowed to do in a cluster, and why: the list behind `deploy/rbac.yaml`.

Never asks for more: no secrets, no roles, no deletion of nodes. A component that brings other kinds
needs rights of its own beside these.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Right:
    """One rule as in a Role. `why` is for the person who grants it."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str
    namespaced: bool = True


_WRITES = ("get", "create", "patch", "delete")

RIGHTS: tuple[Right, ...] = (
    Right("", ("namespaces",), ("get", "list"), "to know which cluster this is", namespaced=False),
    Right("", ("nodes",), ("list",), "node sets and units of scope node", namespaced=False),
    Right("", ("pods",), ("list", "delete"), "batches are counted in pods; OnDelete by us"),
    Right("apps", ("replicasets", "controllerrevisions"), ("list",), "which pods are new"),
    Right("apps", ("deployments", "daemonsets", "statefulsets"), _WRITES, "workloads"),
    Right(
        "apps.kruise.io",
        ("clonesets", "daemonsets", "statefulsets"),
        _WRITES,
        "workloads of OpenKruise",
    ),
    Right("", ("configmaps", "services", "serviceaccounts"), _WRITES, "what stands beside them"),
    Right("batch", ("jobs",), _WRITES, "tasks of kind job"),
)
