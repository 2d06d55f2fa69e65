"""GitHub as the Git host: pull requests over its API, commits over Git. PyGithub's only door."""

from bot.adapters.git_github.credentials import credential_of as credential_of
from bot.adapters.git_github.host import GitHubHost as GitHubHost
from bot.adapters.git_github.place import GitHubPlace as GitHubPlace
from bot.adapters.git_github.place import place_of as place_of
