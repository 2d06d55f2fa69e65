"""As whom the bot speaks to GitHub: an App (short tokens, renewed in time) or a person's token.

A credential is given to one command or call at a time. It never stands in an address, a file, a
process's arguments or a log.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

PERMISSIONS: Mapping[str, str] = {
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}
"""What an installation's token is asked for: never more than the bot uses, whatever the App has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCredential:
    """A GitHub App. Without `installation` it is the one that the repository has."""

    app: str
    key: str = field(repr=False)
    """Private key, PEM."""
    installation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCredential:
    """A token of a person: for a trial, as GitHub lets only Apps make check runs."""

    token: str = field(repr=False)


Credential = AppCredential | TokenCredential


def credential_of(
    *, app: str, key: str | None, installation: int | None, token: str | None
) -> Credential:
    """An App where there is one, else the token. ValueError where there is neither."""
    if key is not None:
        return AppCredential(app=app, key=key, installation=installation)
    if token is None:
        raise ValueError("neither an App nor a token")
    return TokenCredential(token=token)


def git_environment(url: str, token: str) -> Mapping[str, str]:
    """Git's environment for one command that may show a token to this address and no other.

    No redirect is followed, no helper of the machine learns it, and no trace of Git prints it.
    """
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    settings = (
        (f"http.{url}.extraHeader", f"Authorization: Basic {basic}"),
        ("http.followRedirects", "false"),
        ("credential.helper", ""),
        ("core.askPass", ""),
    )
    found = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_CURL_VERBOSE": "0"}
    found |= {"GIT_TRACE_CURL": "0", "GIT_TRACE_PACKET": "0", "GIT_TRACE_REDACT": "1"}
    for number, (name, value) in enumerate(settings):
        found |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return found
