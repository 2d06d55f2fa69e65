"""The law of certificates: each has its evidence, counted again from outside.

What a check needs is read off its document, what it was told off the measurements themselves, and
the pods off the cluster. Never takes a verdict for granted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.model.state import Certificate, CheckRun, Event
from bot.sim import oracle
from bot.sim.laws import Seen, law
from bot.sim.laws_batches import named, plan_of, version_of
from bot.sim.laws_states import edited, most, ready


@law("certificate", "A certificate has its evidence: pods, every check passed, plan and revision.")
def certificate(seen: Seen) -> Iterator[str]:
    begun: dict[str, Event] = seen.keep("certified-of", dict)
    for event in seen.events:
        key = f"{event.release}/{event.unit}"
        if event.kind == "batch.applying":
            begun[key] = event
        if event.kind != "batch.succeeded":
            continue
        proof = seen.place.store.get(Certificate, f"{key}/{event.batch}")
        if proof is None:
            yield f"{named(event)} is done without a certificate"
            continue
        plan = plan_of(seen, event.release)
        unit = next(one for one in plan.units if one.unit == event.unit)
        if (proof.plan_hash, proof.revision) != (plan.plan_hash, unit.revision):
            yield f"{named(event)} is certified for another plan or revision"
        for why in (_checks(seen, proof, begun[key]), _pods(seen, proof, begun[key])):
            if why:
                yield f"{named(event)} is certified {why}"


def _checks(seen: Seen, proof: Certificate, began: Event) -> str:
    """What its checks do not prove; "" when they prove all that is asked."""
    asked = oracle.component_spec(seen.now, proof.unit)["checks"]
    for when in ("before", "after"):
        said = {run.name: run for run in proof.checks if run.when == when}
        for name in asked.get(when, ()):
            run = said.get(name)
            if run is None or not (run.verdict.name == "PASSED" or run.overridden_by):
                return f"without a yes of {name} {when} it"
            if run.overridden_by is None and (why := _unproved(seen, run)):
                return why
            if when == "after" and any(one.at < proof.soak_until for one in run.measurements):
                return f"though {name} was asked before the silence was over"
            # By a clock that was set back meanwhile it may have been asked later.
            if when == "before" and not seen.place.jumps and _asked_late(run, began.at):
                return f"though {name} was asked when it had begun"
    return ""


def _unproved(seen: Seen, run: CheckRun) -> str:
    """Why the measurements are no yes: too few good ones, or one upon the other."""
    spec = oracle.spec_of(seen.now, f"checks/{run.name}.yaml")
    count = spec.get("count", 1)
    good = [one.at for one in run.measurements if one.verdict.name == "PASSED"]
    if len(good) < count:
        return f"with {len(good)} of {count} good measurements of {run.name}"
    gap = oracle.seconds(spec.get("interval", "0s"))
    if not seen.place.jumps and count > 1 and good[-1] - good[-count] < gap * (count - 1):
        return f"with measurements of {run.name} that follow each other too closely"
    return ""


def _asked_late(run: CheckRun, began: datetime) -> bool:
    return any(one.at > began for one in run.measurements)


def _pods(seen: Seen, proof: Certificate, began: Event) -> str:
    """What it says of pods that is not so in the cluster."""
    if edited(seen, proof.unit):
        return ""
    wanted = most(seen, proof.unit, sum(began.data["targets"].values()))
    version = version_of(seen, proof.release, proof.unit)
    there = ready(seen, proof.unit, version)
    # What is said of objects that left the template stands beside the pods.
    told = {str(pod["name"]) for pod in proof.pods if "name" in pod}
    if there < wanted or len(told) < wanted:
        return f"with {there} of {wanted} pods on {version}"
    return ""
