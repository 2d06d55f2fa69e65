"""Every planted defect, by what it breaks."""

from __future__ import annotations

from tests.mutants.defects_clusters import IN_CLUSTERS
from tests.mutants.defects_gates import IN_GATES
from tests.mutants.defects_record import IN_RECORD

DEFECTS = (*IN_GATES, *IN_CLUSTERS, *IN_RECORD)
