"""The stores that the suite runs against, and one row of every type to put into them.

Another store joins the suite by one line in `STORES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from bot.adapters.sqlite import SqliteStore
from bot.model.message import Button, Message, Post, Tone
from bot.model.plan import (
    ApprovalAsk,
    ComponentPlan,
    ObjectRef,
    PlannedObject,
    ReleasePlan,
    StagePlan,
    UnitPlan,
)
from bot.model.state import (
    Applied,
    Before,
    Blocked,
    Certificate,
    CheckRun,
    ClusterSeen,
    Decision,
    EmergencyStop,
    Event,
    Hold,
    HoldCode,
    Intent,
    IntentStatus,
    Pull,
    ReleasePhase,
    ReleaseState,
    UnitPhase,
    UnitState,
    Vote,
)
from bot.ports import Store
from bot.sim.memory_store import MemoryStore
from checks.verdict import Measurement, Verdict

Opener = Callable[[], Store]

STORES: Mapping[str, Callable[[Path], Store]] = {
    "file": lambda folder: SqliteStore(folder / "sluice.db"),
    "memory": lambda folder: SqliteStore(":memory:"),
    "simulation": lambda folder: MemoryStore(),
}
"""Each makes a store that belongs to a folder."""

NOW = datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=UTC)
DAEMONS = ObjectRef("apps/v1", "DaemonSet", "infra", "node-agent")


def release(name: str = "node-agent-2-5-0", **changed: Any) -> ReleaseState:
    fields = {"phase": ReleasePhase.PROGRESSING, "since": NOW, "plan_hash": "sha256:ab", **changed}
    return ReleaseState(release=name, **fields)


def unit(of: str = "node-agent-2-5-0", name: str = "node-agent@eu-1", **changed: Any) -> UnitState:
    return UnitState(release=of, unit=name, **{"since": NOW, **changed})


def hold(of: str | None = "node-agent-2-5-0", name: str = "h1") -> Hold:
    return Hold(
        id=name, scope="all", code=HoldCode.PAUSED, reason="wait", by="ana", at=NOW, release=of
    )


def intent(seq: int = 1, status: IntentStatus = IntentStatus.DONE, **changed: Any) -> Intent:
    fields: dict[str, Any] = {
        **{"release": "node-agent-2-5-0", "unit": "node-agent@eu-1", "fence": f"000007.{seq}"},
        **{"batch": 1, "purpose": "forward", "verb": "patch", "ref": DAEMONS, "digest": "sha256:1"},
        **{"commit": "c" * 40, "plan_hash": "sha256:ab", "approvers": ("ana", "ben"), "at": NOW},
        **changed,
    }
    return Intent(seq=seq, status=status, **fields)


def post(key: str = "card/node-agent-2-5-0", text: str = "hello", **changed: Any) -> Post:
    message = Message(
        text=text,
        tone=Tone.PAUSED,
        title="node-agent 2.5.0",
        lines=("Ünïcødé 🚦 <b>&amp;", ""),
        facts=(("wave", "1"),),
        rows=(("a", "b"), ("c", "d")),
        buttons=(Button(label="Resume", command="resume all"),),
        mentions=("ana",),
    )
    fields = {"release": "node-agent-2-5-0", **changed}
    return Post(key=key, channel="C01NET", message=message, at=NOW, **fields)


def event(kind: str = "hold.made", **changed: Any) -> Event:
    return Event(at=NOW, kind=kind, **changed)


def plan(name: str = "node-agent-2-5-0") -> ReleasePlan:
    ask = ApprovalAsk(when="before", roles=("approver",), count=2, expires=timedelta(hours=24))
    return ReleasePlan(
        release=name,
        plan_hash="sha256:ab",
        commit="c" * 40,
        position=7,
        spec={"components": [{"name": "node-agent", "version": "2.5.0"}], "expires": None},
        components=(
            ComponentPlan(
                name="node-agent",
                version="2.5.0",
                content="sha256:cd",
                batches=(1, "10%", "100%"),
                batch_soak=timedelta(minutes=5),
                soak=timedelta(days=1, seconds=1, microseconds=5),
                batch_takes=timedelta(),
                batch_deadline=timedelta(minutes=20),
            ),
        ),
        stages=(StagePlan(name="all", waves=(("node-agent@eu-1",),), approval=ask),),
        units=(
            UnitPlan(
                unit="node-agent@eu-1",
                component="node-agent",
                cluster="eu-1",
                stage=0,
                wave=0,
                reason="score 3",
                labels={"environment": "production"},
                revision="2.5.0@0123456789ab",
                objects=(PlannedObject(DAEMONS, "sha256:1"),),
            ),
        ),
        approval=ask,
        checks={"error-rate": {"failureLimit": 0, "successCondition": "result[0] < 0.01"}},
    )


_CHECK = CheckRun(
    name="error-rate",
    when="after",
    verdict=Verdict.INCONCLUSIVE,
    measurements=(Measurement(at=NOW, verdict=Verdict.PASSED, value=[0.25, None, {"a": 1}]),),
)

EVERY_TYPE: tuple[Any, ...] = (
    release(authors=("ana@example.com",), merged=NOW - timedelta(hours=1)),
    unit(
        phase=UnitPhase.SOAKING,
        targets={DAEMONS.key: 3},
        totals={DAEMONS.key: 12},
        soak_until=(NOW + timedelta(minutes=5)).astimezone(timezone(timedelta(hours=2))),
        checks=(_CHECK,),
        before=(Before(ref=DAEMONS, digest=None, source="absent"),),
        overrides=("window",),
    ),
    hold(),
    EmergencyStop(id="e1", scope="all", reason="INC-1", by="ana", at=NOW, until=NOW),
    Decision(
        release="node-agent-2-5-0",
        number=3,
        what="stage",
        subject="production",
        asks="Begin production?",
        roles=("approver",),
        count=2,
        plan_hash="sha256:ab",
        votes=(Vote(by="ana", at=NOW),),
        at=NOW,
        expires=timedelta(hours=24),
    ),
    Pull(id="pr/bump", head="h" * 40, base="b" * 40, plans={"node-agent-2-5-0": "sha256:ab"}),
    intent(),
    Applied(
        unit="node-agent@eu-1",
        version="2.4.0",
        revision="2.4.0@abcdefabcdef",
        release="node-agent-2-4-0",
        fence="000006.9",
        at=NOW,
        objects={DAEMONS.key: "sha256:1"},
    ),
    Certificate(
        release="node-agent-2-5-0",
        unit="node-agent@eu-1",
        batch=1,
        plan_hash="sha256:ab",
        revision="2.5.0@0123456789ab",
        updated=3,
        total=12,
        pods=({"name": "p", "ready": True},),
        checks=(_CHECK,),
        soak_from=NOW,
        soak_until=NOW,
        approvers=(),
        at=NOW,
    ),
    Blocked(component="c", version="1.10", content="", reason="r", release="x", at=NOW),
    ClusterSeen(cluster="eu-1", uid="7d9c", at=NOW),
    plan(),
    post(),
)


def key_of(row: Any) -> str:
    return str(row.release if isinstance(row, ReleasePlan) else row.key)


def stored(store: Store, type_: type[Any], key: str) -> Any:
    """A row that must be there."""
    row = store.get(type_, key)
    assert row is not None, f"no {type_.__name__} {key}"
    return row
