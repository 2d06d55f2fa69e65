"""Every file of laws, so that reading this one knows them all."""

from bot.sim import (
    laws_addons,
    laws_batches,
    laws_certificate,
    laws_fleet,
    laws_joining,
    laws_leftovers,
    laws_parts,
    laws_people,
    laws_record,
    laws_states,
    laws_tasks,
    laws_writes,
)

__all__ = [
    "laws_addons",
    "laws_batches",
    "laws_certificate",
    "laws_fleet",
    "laws_joining",
    "laws_leftovers",
    "laws_parts",
    "laws_people",
    "laws_record",
    "laws_states",
    "laws_tasks",
    "laws_writes",
]
