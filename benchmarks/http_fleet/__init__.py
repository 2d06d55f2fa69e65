"""A thousand Kubernetes API servers in one process, for load and for faults of the network.

Speaks HTTP on loopback, one base path a cluster; what an API server decides is decided by the
embedded clusters. Never a product: it keeps nothing, checks no rights and knows no certificates.
"""

from benchmarks.http_fleet.faults import Fault as Fault
from benchmarks.http_fleet.hosted import Hosted as Hosted
from benchmarks.http_fleet.process import FleetProcess as FleetProcess
from benchmarks.http_fleet.server import FleetServer as FleetServer
