"""Wiring: the only place that knows the real adapters. Decides nothing, says nothing.

opening   each outside thing, opened from the settings
standing  what the store and main say together: the board of a question
report    where the full report of a bug is saved
running   the bot in one process: scheduler, pool, guard, surfaces
"""
