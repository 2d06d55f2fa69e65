"""The nouns of the bot, in the words of the design: frozen data, no decisions.

`plan` is what was frozen at the merge, `state` what the bot remembers and people decided,
`seen` what a cluster showed, `effects` what the bot is about to do, `message` what it says.
Nothing in here reads a clock, decides or does I/O.
"""
