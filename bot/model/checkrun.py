"""One check of one batch, as far as it was measured. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from checks.verdict import Measurement, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """One check of one batch: what was measured so far and what it says. `when`: before | after."""

    name: str
    when: str
    verdict: Verdict = Verdict.PENDING
    why: str = ""
    measurements: tuple[Measurement, ...] = ()
    overridden_by: str | None = None
