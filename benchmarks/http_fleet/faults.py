"""Faults of the network and of busy servers, to order. Says which strikes; never plays one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

DOINGS = ("reset", "lose", "half", "garbage", "slow", "hang", "hangAfter", "latency", "status")
"""reset: the connection breaks, nothing was done · lose: done, then it breaks · half: done, half of
the answer, then it breaks · garbage: done, an answer that is cut off inside · slow: done, the
answer comes byte by byte over `seconds` · hang: nothing is done, no answer ever · hangAfter: done,
no answer ever · latency: done and answered `seconds` later · status: not done, a `status`."""


@dataclass(slots=True)
class Fault:
    """One fault and whom it strikes. `times` None: for as long as it is ordered."""

    do: str
    cluster: str = "*"
    method: str = "*"
    """GET, PATCH, … or a pattern of it; `list` is a GET of several, `dry` a write that is only
    tried."""
    path: str = "*"
    times: int | None = None
    skip: int = 0
    """So many that it would strike pass before."""
    every: int = 1
    """Strikes each n-th only."""
    status: int = 503
    seconds: float = 0.0
    retry_after: int | None = None
    body: str = "status"
    """status: as the API server would say it · html: as a proxy before it would."""
    seen: int = 0
    struck: int = field(default=0)

    def __post_init__(self) -> None:
        if self.do not in DOINGS:
            raise ValueError(f"{self.do}: no such fault; there are {', '.join(DOINGS)}")

    def strikes(self, cluster: str, method: str, path: str) -> bool:
        """Whether it strikes this request; counts it."""
        if not (
            fnmatchcase(cluster, self.cluster)
            and fnmatchcase(method, self.method)
            and fnmatchcase(path, self.path)
        ):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.seen - self.skip - 1) % self.every:
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        self.struck += 1
        return True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
