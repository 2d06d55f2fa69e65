"""The pure rules: plan, order, calendar, gates, forecast, commands and the words for them.

Nothing in here reads a clock, draws a random number or does I/O; `now` is always an argument.
"""
