"""What other machines ask the bot over HTTP: health, readiness, metrics.

health  the server and its three answers
vitals  what they are made from: counters and the time of the last whole tick
"""
