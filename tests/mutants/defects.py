"""Every planted defect, by what it breaks."""

from __future__ import annotations

from tests.mutants.defects_around import AROUND
from tests.mutants.defects_certificate import IN_CERTIFICATES
from tests.mutants.defects_clusters import IN_CLUSTERS
from tests.mutants.defects_gates import IN_GATES
from tests.mutants.defects_guard import IN_GUARD
from tests.mutants.defects_leftovers import IN_LEFTOVERS
from tests.mutants.defects_parts import IN_PARTS
from tests.mutants.defects_record import IN_RECORD

DEFECTS = (
    *IN_GATES,
    *IN_GUARD,
    *IN_LEFTOVERS,
    *AROUND,
    *IN_CLUSTERS,
    *IN_CERTIFICATES,
    *IN_PARTS,
    *IN_RECORD,
)
