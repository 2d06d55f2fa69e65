"""The server's own process: obeys lines of JSON on its standard input, and ends with it."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Any

from benchmarks.http_fleet.faults import Fault
from benchmarks.http_fleet.server import FleetServer
from bot.adapters.clock import SystemClock
from bot.ports import PortError


class SetClock:
    """The wall's time, until another is set."""

    def __init__(self) -> None:
        self.at: datetime | None = None
        self.wall = SystemClock()

    def now(self) -> datetime:
        return self.at or self.wall.now()


def serve() -> None:
    clock = SetClock()
    server = FleetServer(clock).start()
    print(json.dumps(server.port), flush=True)
    for line in sys.stdin:
        try:
            answer = _obey(server, clock, json.loads(line))
        except (KeyError, TypeError, ValueError, PortError) as broken:
            answer = {"error": repr(broken)}
        print(json.dumps(answer), flush=True)
    server.stop()


def _obey(server: FleetServer, clock: SetClock, order: Any) -> Any:
    match order["do"]:
        case "clock":
            clock.at = datetime.fromisoformat(order["at"])
        case "host":
            for name in order["clusters"]:
                server.host(name, order["simulated"])
                server.seed(name, order.get("objects") or ())
        case "faults":
            server.heal()
            server.order(*(Fault(**fault) for fault in order["faults"]))
        case "counts":
            told = {"made": server.made, "open": len(server.open), "calls": server.counts()}
            return told
        case "objects":
            with server.lock:
                return list(server.hosted[order["cluster"]].cluster.objects())
    return True


if __name__ == "__main__":
    serve()
