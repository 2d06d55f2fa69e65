"""The `Fleet` port on real API servers, through the `kubernetes` client. Decides nothing."""

from bot.adapters.kubernetes_fleet.fleet import KubernetesFleet

__all__ = ["KubernetesFleet"]
