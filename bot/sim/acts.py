"""Does what a script says: people, changes on main, and faults that strike when they happen.

One small function a thing that can be done. Draws nothing, judges nothing.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.failures import GitError, PortError
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, ObjectRef
from bot.sim import docs as make
from bot.sim import oracle
from bot.sim.faulty import Armed
from bot.sim.script import OF_THE_WORLD, Act

if TYPE_CHECKING:
    from bot.sim.history import History

BROKEN = "kind: [\n"


class Actor:
    """Everybody and everything but the bot."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.place = history.place
        self.notes = 0
        self.gaps: list[datetime] = []
        self.heals: list[tuple[datetime, str, list[str]]] = []

    def do(self, act: Act) -> None:
        data = dict(act.data)
        getattr(self, f"_{act.do.replace('-', '_')}")(data)
        if act.do in OF_THE_WORLD:
            self.place.struck(act.do)
        if act.do == "says":
            verb = str(data["text"]).partition(" ")[0]
            self.place.struck(f"person:{verb}")

    def due(self) -> list[datetime]:
        now = self.place.true.now()
        for at, cluster, names in list(self.heals):
            if at <= now:
                self.heals.remove((at, cluster, names))
                self.place.sim.sicken(cluster, names, well=True)
        return [at for at in (*self.gaps, *(heal[0] for heal in self.heals)) if at > now]

    def second_ticks(self) -> bool:
        """Whether the second process does anything now: it sleeps long, and its board is old."""
        due = [at for at in self.gaps if at <= self.place.true.now()]
        self.gaps = [at for at in self.gaps if at not in due]
        if not self.gaps and not due:
            self.history.second = None
        return bool(due)

    # people and Git

    def _says(self, data: dict[str, Any]) -> None:
        self.notes += 1
        key = f"note/{self.notes}"
        self.place.say(data["text"], by=data["by"], key=key)
        if data.get("twice"):
            self.place.say(data["text"], by=data["by"], key=key)

    def _note_twice(self, data: dict[str, Any]) -> None:
        self._says({**data, "twice": "yes"})

    def _propose(self, data: dict[str, Any]) -> None:
        name = data["release"]
        path = f"releases/2026/{name}.yaml"
        by = f"{data['by']}@example.com"
        self.place.authors[name] = data["by"]
        files = {path: make.text_of(data["doc"])}
        self.place.git.push(f"pr/{name}", files, by=by, title=f"Release {name}")

    def _merge(self, data: dict[str, Any]) -> None:
        name = data["release"]
        branch, path = f"pr/{name}", f"releases/2026/{name}.yaml"
        git = self.place.git
        if branch not in git.refs:
            return
        with suppress(GitError):
            git.merge(branch, how=data["how"], by=f"{data['by']}@example.com")
            files = git.tree("main").files
            if path in files:
                self.place.docs[path] = files[path].decode()
            self.place.seen_main(good=self.place.main.good)
            if data["how"] == "squash":
                self.place.squashed[name] = data["by"]
            else:
                git.close(branch)

    def _close(self, data: dict[str, Any]) -> None:
        self.place.git.close(f"pr/{data['release']}")

    def _fleet(self, data: dict[str, Any]) -> None:
        """Main has a cluster that is new, came back, or is described anew."""
        self.place.commit({data["path"]: data["doc"]}, good=self.place.main.good)
        self.place.appears(data["doc"])

    def _leaves(self, data: dict[str, Any]) -> None:
        if data["path"] in self.place.docs:
            self.place.commit({data["path"]: None}, good=self.place.main.good)

    def _rules_changed(self, data: dict[str, Any]) -> None:
        documents: dict[str, JSON] = dict(data.get("docs") or {})
        if "freeze" in data:
            now = self.place.clock.now()
            ends = now + timedelta(minutes=data["freeze"])
            spec = {"from": f"{now:%Y-%m-%dT%H:%M}", "to": f"{ends:%Y-%m-%dT%H:%M}", "zone": "UTC",
                    "actions": data["actions"], "reason": "INC", "owner": "ana"}  # fmt: skip
            number = len(self.place.mains)
            name = f"inc-{number}"
            documents[f"calendar/freezes/{name}.yaml"] = make.doc("Freeze", name, spec)
        documents = {
            path: one
            for path, one in documents.items()
            if one is not None or path in self.place.docs
        }
        self.place.commit(documents, good=self.place.main.good)

    def _main_broken(self, data: dict[str, Any]) -> None:
        self.place.commit({"checks/broken.yaml": BROKEN}, good=False)

    def _main_mended(self, data: dict[str, Any]) -> None:
        if not self.place.main.good:
            self.place.commit(data["docs"])

    # the machine

    def _arm(self, data: dict[str, Any]) -> None:
        self.place.weather.armed.append(Armed(**data))

    def _clock_forward(self, data: dict[str, Any]) -> None:
        self._jump(timedelta(seconds=data["seconds"]))

    def _clock_back(self, data: dict[str, Any]) -> None:
        self._jump(-timedelta(seconds=data["seconds"]))

    def _jump(self, by: timedelta) -> None:
        self.place.clock.skew += by
        self.place.jumps.append((self.place.true.now(), by))

    def _bot_down(self, data: dict[str, Any]) -> None:
        first = self.history.first
        first.bot = None
        first.back = self.place.true.now() + timedelta(seconds=data["seconds"])

    def _second_process(self, data: dict[str, Any]) -> None:
        from bot.sim.history import Process

        at = self.place.true.now()
        self.place.second = True
        self.history.second = Process("second", self.place)
        for gap in data["gaps"]:
            at += timedelta(seconds=gap)
            self.gaps.append(at)
        self.history.second.start()

    # the clusters

    def _outage(self, data: dict[str, Any]) -> None:
        until = self.place.true.now() + timedelta(seconds=data["seconds"])
        self.place.weather.outages[data["cluster"]] = until

    def _node_joins(self, data: dict[str, Any]) -> None:
        self._resize(data["cluster"], 1)

    def _node_leaves(self, data: dict[str, Any]) -> None:
        self._resize(data["cluster"], -1)

    def _resize(self, cluster: str, by: int) -> None:
        spec = self.place.known[f"fleet/clusters/{cluster}.yaml"]["spec"]
        known = self.place.weather.nodes.get(cluster, spec["connection"]["simulated"]["nodes"])
        self.place.weather.nodes[cluster] = max(1, known + by)
        self.place.resized[cluster] = self.place.true.now()
        self.place.fleet.reconnect()

    def _spoilt(self, data: dict[str, Any]) -> None:
        """New pods of whatever is released there do not get ready."""
        versions = (f"2.{minor}.0" for minor in range(5, 9))
        images = [f"registry.local/{data['component']}:{version}" for version in versions]
        faults = [{"do": "neverReady", "image": image} for image in images]
        self.place.weather.faults[data["cluster"]] = faults
        self.place.fleet.reconnect()

    def _slow_controller(self, data: dict[str, Any]) -> None:
        slow = {"do": "slow", "takes": f"{max(data['seconds'], 60)}s"}
        self.place.weather.faults[data["cluster"]] = [slow]
        self.place.fleet.reconnect()

    def _slow(self, data: dict[str, Any]) -> None:
        self.place.weather.faults[data["cluster"]] = data["faults"]
        self.place.fleet.reconnect()

    def _pods_sick(self, data: dict[str, Any]) -> None:
        if "of" in data:
            unit = self.place.unit_in(data["of"])
            if not unit:
                return
            data["component"], data["cluster"] = oracle.parts(unit)
            pods = self.place.pods_of(unit)
        else:
            pods = self.place.pods(data["cluster"], data["component"])
        cluster = data["cluster"]
        names = [pod["metadata"]["name"] for pod in pods]
        names = names if "of" in data else names[:1]
        if names:
            self.place.sim.sicken(cluster, names)
            well = self.place.true.now() + timedelta(seconds=data.get("seconds", 240))
            self.heals.append((well, cluster, names))
            self.place.sick[f"{data['component']}@{cluster}"] = self.place.true.now()

    def _rebuilt(self, data: dict[str, Any]) -> None:
        cluster = data["cluster"]
        self.place.sim.rebuild(cluster)
        self.place.rebuilt[cluster] = self.place.true.now()
        self.place.stand(cluster)

    def _manual_edit(self, data: dict[str, Any]) -> None:
        """Somebody with kubectl; as it is told, they know nothing of us."""
        cluster, component = data["cluster"], data["component"]
        found = next(
            (
                obj
                for obj in self.place.sim.objects(cluster)
                if obj["metadata"]["name"] == component and obj["kind"] != "ConfigMap"
            ),
            None,
        )
        if found is None:
            return
        meta = found["metadata"]
        ref = ObjectRef(found["apiVersion"], found["kind"], meta["namespace"], component)
        patch: JSON = {"metadata": {"annotations": {"note": "by hand"}}}
        match data["what"]:
            case "image":
                containers = [{"name": "main", "image": f"registry.local/{component}:9.9.9"}]
                patch = {"spec": {"template": {"spec": {"containers": containers}}}}
            case "replicas" if "replicas" in found["spec"]:
                patch = {"spec": {"replicas": 4}}
            case "open" if "updateStrategy" in found["spec"]:
                patch = {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}
        self.place.edited.add(f"{component}@{cluster}")
        write = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body=patch)
        with suppress(PortError):
            self.place.sim.write(cluster, write, fence="", manager="kubectl")
