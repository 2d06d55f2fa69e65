"""Seeded histories on a virtual clock against the real engine, with faults; every law is checked.

`draw` makes the script of a history from a seed, `history` plays it, `laws*` judge it from outside
by code that shares nothing with the engine, `drive` plays many. Nothing here is part of the bot.
"""
