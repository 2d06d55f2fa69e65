"""The contract with release authors: what a release repo may hold, and what is wrong with one.

models      the kinds (`Cluster`, `Component`, `Release`, …) as frozen pydantic models
tree        where files come from: a folder here, a Git commit elsewhere
load        files → documents and findings; a tree → `Repo`
rules       what one file cannot know: references, cycles, floors, calendar, changes
jsonschema  one draft-07 schema a kind, for editors
example     a commented release repo to start from

Usable alone in a release repo's own CI. It never opens a connection, never runs what it reads,
never reads a clock, and imports nothing of the bot.
"""
