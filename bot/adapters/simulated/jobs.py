"""A simulated Job: it runs for a while and ends, well or not, as the faults of its image say.

Its state follows from when it was made: nothing is kept of it. Makes no pods.
"""

from __future__ import annotations

from datetime import datetime

from bot.adapters.simulated.faults import Faults
from bot.adapters.simulated.pods import iso
from bot.model.plan import JSON

RUNS = 10
"""Seconds that a Job runs."""
JOB = ("batch", "Job")


def job_json(obj: JSON, faults: Faults, t: int) -> JSON:
    """The Job as the API shows it at a second; one that has ended stays as it is."""
    if (obj.get("status") or {}).get("conditions"):
        return obj
    made = _second(obj["metadata"]["creationTimestamp"])
    pod = obj["spec"]["template"]["spec"]
    images = [str(container.get("image", "")) for container in pod.get("containers", ())]
    takes, tries = RUNS, 1 + int(obj["spec"].get("backoffLimit", 6))
    does = {fault.do: fault for fault in faults.pods if fault.hits(images)}
    status: dict[str, JSON] = {"startTime": iso(made)}
    if "slow" in does:
        takes = does["slow"].takes
    late = made + int(obj["spec"].get("activeDeadlineSeconds", 10**9))
    if "never" in does:
        takes = 10**9
    if "crash" in does:
        end = made + takes * tries
        condition = (
            "Failed",
            "BackoffLimitExceeded",
            "Job has reached its backoff limit",
        )
    else:
        end = made + takes
        condition = ("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
    if late < end:
        end, condition = late, ("Failed", "DeadlineExceeded", "Job was active too long")
    if t < end:
        return {**obj, "status": status | {"active": 1}}
    kind, reason, message = condition
    said = {"type": kind, "status": "True", "reason": reason, "message": message}
    status["conditions"] = [said | {"lastTransitionTime": iso(end)}]
    if kind == "Complete":
        status |= {"completionTime": iso(end), "succeeded": 1}
    else:
        status |= {"failed": min(tries, 1 + (end - made) // takes)}
    return {**obj, "status": status}


def _second(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
