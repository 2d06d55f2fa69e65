"""/metrics: the vitals in the words of Prometheus, made anew at every scrape."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.web.vitals import Vitals

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Collected(Collector):
    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        v = self._vitals
        last = (v.last_tick or v.started).timestamp()
        counters = (
            ("sluice_ticks", "Whole ticks.", v.ticks),
            ("sluice_tick_failures", "Ticks that did not go through.", v.failures),
            ("sluice_notes", "Commands taken from the inbox.", v.notes),
            ("sluice_store_commits", "Transactions of the store.", v.commits),
        )
        gauges = (
            ("sluice_last_tick_timestamp_seconds", "End of the last whole tick.", last),
            ("sluice_last_tick_duration_seconds", "How long it took.", v.took.total_seconds()),
            ("sluice_tick_interval_seconds", "From tick to tick.", v.tick.total_seconds()),
            ("sluice_units_in_flight", "Units begun and not ended.", v.in_flight),
            ("sluice_outbox_posts", "Posts that have not left yet.", v.outbox),
            ("sluice_problems", "What the last tick met with outside.", len(v.problems)),
            ("sluice_store_writable", "0 while the store takes no write.", not v.store_problem),
        )
        for name, said, count in counters:
            yield CounterMetricFamily(name, said, value=count)
        for name, said, value in gauges:
            yield GaugeMetricFamily(name, said, value=float(value))
        releases = GaugeMetricFamily("sluice_releases", "Not ended, by phase.", labels=["phase"])
        for phase, number in sorted(v.releases.items()):
            releases.add_metric([phase], number)
        yield releases
        writes = CounterMetricFamily(
            "sluice_cluster_writes", "Writes to clusters.", labels=["purpose", "outcome"]
        )
        for (purpose, outcome), number in sorted(v.written().items()):
            writes.add_metric([purpose, outcome], number)
        yield writes


def registry_of(vitals: Vitals) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Collected(vitals))
    return registry


def scrape(registry: CollectorRegistry) -> bytes:
    return generate_latest(registry)
