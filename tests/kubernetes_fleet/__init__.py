"""The adapter for real clusters, as far as it can be told without one."""
