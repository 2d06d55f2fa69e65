"""Questions asked before and after a batch. One file a kind of check.

A check reads facts and answers with a verdict and its evidence. It never writes what a component
owns and knows nothing of `bot/`.
"""
