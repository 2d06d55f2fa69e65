"""Which repository of which GitHub a release repo's URL means. Reads text only, asks nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

PUBLIC = "github.com"
_SLUG = re.compile(r"/(?P<owner>[A-Za-z0-9][A-Za-z0-9-]{0,99})/(?P<name>[A-Za-z0-9._-]{1,100}?)/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubPlace:
    """`url`: what Git fetches, without a password; `api`: base of the REST API; `slug`:
    `owner/name`.
    """

    url: str
    api: str
    slug: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def owner(self) -> str:
        return self.slug.partition("/")[0]


def place_of(url: str, api: str | None = None) -> GitHubPlace:
    """The place behind a release repo's URL. ValueError says what was expected.

    Without `api` only github.com is known to be GitHub. An Enterprise server's is named (GitHub
    documents `https://HOST/api/v3`), and must be of the same host: a credential goes nowhere else.
    """
    parts = urlsplit(url)
    found = _SLUG.fullmatch(parts.path.removesuffix(".git"))
    if parts.scheme not in ("https", "http") or not parts.hostname or found is None:
        raise ValueError("expected https://HOST/OWNER/NAME, the address of a repository on GitHub")
    if api is None and parts.hostname in (PUBLIC, f"www.{PUBLIC}"):
        api = f"https://api.{PUBLIC}"
    if api is None:
        raise ValueError(f"is {parts.hostname} a GitHub? GITHUB_API_URL says where its API is")
    asked = urlsplit(api)
    if asked.hostname not in (parts.hostname, f"api.{parts.hostname.removeprefix('www.')}"):
        raise ValueError(f"{api} is not the API of {parts.hostname}")
    for scheme in (parts.scheme, asked.scheme):
        if scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
            raise ValueError("a credential is sent over https only")
    host = parts.hostname + (f":{parts.port}" if parts.port else "")
    slug = f"{found['owner']}/{found['name']}"
    return GitHubPlace(url=f"{parts.scheme}://{host}/{slug}.git", api=api.rstrip("/"), slug=slug)
