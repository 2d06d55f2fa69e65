"""Real processes: `sluice run` on a bare repo, other terminals beside it, and kill -9."""
