"""What happens inside a cluster: merge, batches, stop and restore, trap by trap."""
