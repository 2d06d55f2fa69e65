"""The SQLite store and what surrounds it: faults, crashes, guard, backups, cost, settings."""
