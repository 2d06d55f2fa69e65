"""The conditions of a certificate on the real controllers, one at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cluster.api import Object, is_ready, path_of
from tests.cluster.control_plane import Cluster
from tests.cluster.driven import Driven
from tests.cluster.kinds import KINDS
from tests.cluster.workloads import workload
from tests.contracts.certificate_suite import CertificateStories, Rolling


class RealUnit(Driven):
    """A unit whose pods are made to look ill through their status, as a kubelet would write it."""

    def named(self, version: str) -> list[str]:
        pods = [p for p in self.pods() if _image(p).endswith(version)]
        return sorted(p["metadata"]["name"] for p in pods)

    def ready(self, version: str) -> list[str]:
        pods = [p for p in self.pods() if _image(p).endswith(version) and is_ready(p)]
        return sorted(p["metadata"]["name"] for p in pods)

    def delete_named(self, name: str) -> None:
        self.cluster.api.delete("Pod", name, self.namespace)

    def falls(self, name: str) -> None:
        fell = _now()

        def ended(status: Object) -> None:
            (container,) = status["containerStatuses"]
            end = {"exitCode": 1, "reason": "Error", "startedAt": fell, "finishedAt": fell}
            container |= {"restartCount": container["restartCount"] + 1, "ready": False}
            container["lastState"] = {"terminated": end}
            container["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
            _not_ready(status)

        self._told(name, ended)
        # Whole seconds: what ended in the second in which a batch begins ended in that batch.
        self.until(lambda: name in self.ready("2") and _now() > fell)

    @contextmanager
    def sick(self, name: str) -> Iterator[None]:
        def fails(status: Object) -> None:
            status["containerStatuses"][0]["ready"] = False
            _not_ready(status)

        with self.cluster.frozen("kwok"):
            self._told(name, fails)
            yield

    @contextmanager
    def another_digest(self, name: str) -> Iterator[None]:
        before = self._pod(name)["status"]["containerStatuses"][0]["imageID"]

        def runs(image: str) -> Callable[[Object], None]:
            return lambda status: status["containerStatuses"][0].update(imageID=image)

        self._told(name, runs(f"agent@sha256:{'b' * 64}"))
        yield
        self._told(name, runs(before))

    def controller_stands_still(self) -> AbstractContextManager[None]:
        return self.cluster.frozen(self.controller)

    def _pod(self, name: str) -> Object:
        return self.cluster.api.get("Pod", name, self.namespace)

    def _told(self, name: str, change: Callable[[Object], None]) -> None:
        status = copy.deepcopy(self._pod(name)["status"])
        change(status)
        path = f"{path_of('v1', 'Pod', self.namespace, name)}/status"
        body = {"status": {key: status[key] for key in ("conditions", "containerStatuses")}}
        self.cluster.api.call("PATCH", path, body, "application/merge-patch+json")


@pytest.fixture
def rolling(cluster: Cluster, namespace: str, ten_nodes: str) -> Iterator[Callable[..., Rolling]]:
    made: list[Driven] = []

    def begin(kind: str, version: str = "2", **changed: Any) -> Rolling:
        spec = KINDS[kind] | {"pool": ten_nodes} | changed
        old, new = (
            workload(namespace=namespace, image=f"agent:{each}", **spec) for each in ("1", version)
        )
        unit = RealUnit(cluster, old, new)
        made.append(unit)
        return unit

    yield begin
    for each in made:
        each.close()


class TestCertificatesOfRealFleet(CertificateStories):
    """What the embedded controllers are held against."""


def _image(pod: Object) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _not_ready(status: Object) -> None:
    for one in status["conditions"]:
        if one["type"] in ("Ready", "ContainersReady"):
            one |= {"status": "False", "reason": "ContainersNotReady", "lastTransitionTime": _now()}


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
