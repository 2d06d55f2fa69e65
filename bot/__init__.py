"""The bot: it looks at the release repo, the clusters and the store, and takes the next step.

A map, from the terminal down; each line may import the ones below it, never one above.

cli         the command line: words in, tables or JSON out
demo        the whole story of a release, told on this machine
app         wiring: the only place that knows the real adapters
config      settings, read once from the environment
adapters    one file or folder for each outside thing: git, store, clusters, chat, clock
web         health, metrics and the board
reconciler  one tick: observe, decide, record, act, report
core        pure rules: plan, order, windows, gates, forecast, commands, messages
cluster     pure: what an object is, how it is merged, what counts as done
ports       what the bot needs from outside, as protocols
model       the nouns: frozen data that decides nothing
"""
