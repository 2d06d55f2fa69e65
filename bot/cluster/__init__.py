"""What happens inside a cluster, as pure rules: render, merge, guard, kinds, certificate.

No I/O and no clock.
"""
