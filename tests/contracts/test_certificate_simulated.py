"""The conditions of a certificate on the embedded controllers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.model.seen import UnitSeen
from tests.cluster_rules.unit import KRUISE_ALPHA, Unit, workload
from tests.contracts.certificate_suite import CertificateStories, Rolling


class EmbeddedUnit(Unit):
    """A unit whose time stands still but where the story lets it pass."""

    lied: str = ""
    """The pod of which its node says that it runs another image."""

    def named(self, version: str) -> list[str]:
        pods = [p for p in self.pods() if self._image(p).endswith(version)]
        return sorted(p["metadata"]["name"] for p in pods)

    def ready(self, version: str) -> list[str]:
        names = set(self.named(version))
        return [
            pod["metadata"]["name"]
            for pod in self.pods()
            if pod["metadata"]["name"] in names
            and pod["status"]["conditions"][0]["status"] == "True"
        ]

    def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(600):
            if holds():
                return
            self.clock.pass_by(1)
        raise AssertionError("it never came to hold")

    def merge(self, patch: Any) -> None:
        self.patch(patch)

    def delete_named(self, name: str) -> None:
        ref = ObjectRef("v1", "Pod", "infra", name)
        write = Write(ref=ref, verb="delete", purpose=Purpose.FORWARD)
        self.fleet.write("c", write, fence="", manager="kubectl")

    def falls(self, name: str) -> None:
        self.fleet.fell("c", [name])
        self.until(lambda: name in self.ready("2"))

    @contextmanager
    def sick(self, name: str) -> Iterator[None]:
        self.fleet.sicken("c", [name])
        yield
        self.fleet.sicken("c", [name], well=True)

    @contextmanager
    def another_digest(self, name: str) -> Iterator[None]:
        self.lied = name
        yield
        self.lied = ""

    def controller_stands_still(self) -> Any:
        return nullcontext()

    def look(self) -> UnitSeen:
        seen = super().look()
        there = seen.objects[self.ref.key]
        children = tuple(copy.deepcopy(child) for child in there.children)
        for pod in children:
            if pod["kind"] == "Pod" and pod["metadata"]["name"] == self.lied:
                (status,) = pod["status"]["containerStatuses"]
                status["imageID"] = f"registry.local/agent@sha256:{'b' * 64}"
        return replace(seen, objects={self.ref.key: replace(there, children=children)})

    def _image(self, pod: Any) -> str:
        return str(pod["spec"]["containers"][0]["image"])


@pytest.fixture
def rolling() -> Callable[..., Rolling]:
    def begin(kind: str, version: str = "2", **spec: Any) -> Rolling:
        api = KRUISE_ALPHA if kind == "CloneSet" else "apps/v1"
        old, new = (workload(api, kind, each, **spec) for each in ("1", version))
        return EmbeddedUnit(old=[old], new=[new])

    return begin


class TestCertificatesOfSimulatedFleet(CertificateStories):
    """What was seen of the real controllers first."""
