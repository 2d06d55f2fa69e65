"""The floor of a component: the strictest of all policy floors that select it."""

from __future__ import annotations

from release_repo_schema.models import Component, Floor, Policy


def floor_of(policy: Policy, component: Component) -> Floor:
    """One floor that asks everything the policy's floors ask of this component."""
    floors = [
        floor
        for floor in policy.spec.floors
        if floor.components.matches(component.metadata.labels, component.name)
    ]
    checks = {check: None for floor in floors for check in floor.checks}
    return Floor(
        soak=max((f.soak for f in floors if f.soak is not None), default=None),
        batch_soak=max((f.batch_soak for f in floors if f.batch_soak is not None), default=None),
        first_wave=min((f.first_wave for f in floors if f.first_wave is not None), default=None),
        checks=tuple(checks),
    )
