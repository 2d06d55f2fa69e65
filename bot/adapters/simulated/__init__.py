"""The embedded fleet: real objects, behaviour of the real controllers. Never opens a connection."""

from bot.adapters.simulated.fleet import SimulatedFleet

__all__ = ["SimulatedFleet"]
