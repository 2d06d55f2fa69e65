"""Tests on complete Kubernetes control planes: real API server, controllers, scheduler, OpenKruise.

`make test-cluster` runs them. Nodes and containers are played by KWOK; everything above is real.
"""
