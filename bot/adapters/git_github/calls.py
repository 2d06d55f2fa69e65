"""Calls of GitHub's REST API: asked again only where something changed, and never while it asks us
to wait. Knows no pull request; every failure leaves as one of `bot.failures`.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import requests

from bot.adapters.git_github.credentials import PERMISSIONS, AppCredential, Credential
from bot.adapters.git_github.place import GitHubPlace
from bot.failures import AnswerLost, Refused, Unreachable
from bot.ports import Clock

TIMEOUT = 15
"""Seconds that one call may take."""
PER_PAGE = 100
ANSWERS_KEPT = 4000
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class GitHubCalls:
    """One credential's calls to one repository. `counted`: (verb, status) → calls so far."""

    def __init__(
        self,
        place: GitHubPlace,
        credential: Credential,
        clock: Clock,
        *,
        between_writes: float = 1.0,
    ) -> None:
        self.place = place
        self.counted: Counter[tuple[str, int]] = Counter()
        self._credential = credential
        self._clock = clock
        self._between_writes = between_writes
        self._lock = threading.RLock()
        self._requester: Any = None
        self.login = ""
        """What GitHub calls the App, `sluice[bot]`; "" for a person's token, or before a call."""
        self._known: dict[str, tuple[str, Any, str | None]] = {}
        """Address → (ETag, answer, address of the next page)."""
        self._wait_until: datetime | None = None

    def get(self, path: str, **params: str | int) -> Any:
        """One answer, or None where there is nothing (404)."""
        with self._lock:
            return self._asked(_address(self._full(path), params))[0]

    def pages(self, path: str, **params: str | int) -> list[Any]:
        """All rows of a list, page by page."""
        found: list[Any] = []
        with self._lock:
            address: str | None = _address(self._full(path), {**params, "per_page": PER_PAGE})
            while address is not None:
                rows, address = self._asked(address)
                found += rows if isinstance(rows, list) else []
        return found

    def send(self, verb: str, path: str, body: Mapping[str, Any]) -> Any:
        """A write. AnswerLost where it may have happened all the same: look before asking again."""
        with self._lock:
            status, headers, text = self._call(verb, self._full(path), None, dict(body))
            self._raise(verb, path, status, headers, text)
            return _parsed(text) if text else None

    def token(self) -> str:
        """The token of this moment, for one command of Git."""
        with self._lock:
            auth = self._ready().auth
            try:
                found: str = auth.token
            except Exception as error:
                raise self._unheard(error, sent=False) from error
            return found

    def _asked(self, address: str) -> tuple[Any, str | None]:
        known = self._known.get(address)
        headers = {"If-None-Match": known[0]} if known else {}
        status, answered, text = self._call("GET", address, headers, None)
        if status == 304 and known is not None:
            return known[1], known[2]
        if status == 404:
            self._known.pop(address, None)
            return None, None
        self._raise("GET", address, status, answered, text)
        body = _parsed(text)
        further = _NEXT.search(answered.get("link", ""))
        following = further[1] if further and further[1].startswith(self.place.api) else None
        if answered.get("etag"):
            if len(self._known) >= ANSWERS_KEPT:
                self._known.clear()
            self._known[address] = (answered["etag"], body, following)
        return body, following

    def _call(
        self, verb: str, address: str, headers: Mapping[str, str] | None, body: Any
    ) -> tuple[int, Mapping[str, str], str]:
        now = self._clock.now()
        if self._wait_until is not None and now < self._wait_until:
            raise Unreachable(_wait(self._wait_until))
        requester = self._ready()
        try:
            status, answered, text = requester.requestJson(
                verb, address, headers=dict(headers or {}), input=body
            )
        except Exception as error:
            raise self._unheard(error, sent=verb != "GET") from error
        self.counted[verb, status] += 1
        return status, {name.lower(): str(value) for name, value in answered.items()}, text or ""

    def _raise(
        self, verb: str, path: str, status: int, headers: Mapping[str, str], text: str
    ) -> None:
        if status < 300:
            return
        asked = f"{verb} {path.removeprefix(self.place.api)}"
        if status in (403, 429) and _limited(headers, text):
            self._wait_until = _resumes(headers, self._clock.now())
            raise Unreachable(_wait(self._wait_until))
        said = _said(text)
        if status >= 500:
            failure = AnswerLost if verb != "GET" else Unreachable
            raise failure(f"GitHub could not answer {asked} ({status}{said})")
        if status == 401:
            self._requester = None  # a token that was revoked is asked for anew
            raise Unreachable(f"GitHub does not take the bot's credential (401{said})")
        if status == 403:
            lacks = headers.get("x-accepted-github-permissions", "")
            need = f"; it needs {lacks}" if lacks else ""
            raise Refused(f"GitHub forbids {asked} (403{said}){need}")
        raise Refused(f"GitHub refused {asked} ({status}{said})")

    def _ready(self) -> Any:
        """PyGithub's requester: it signs, times out and renews an App's token."""
        if self._requester is not None:
            return self._requester
        from github import Auth, Github, GithubIntegration

        given: dict[str, Any] = {
            "base_url": self.place.api,
            "timeout": TIMEOUT,
            "retry": None,
            "seconds_between_requests": 0,
            "seconds_between_writes": self._between_writes,
            "user_agent": "sluice",
        }
        credential = self._credential
        try:
            if isinstance(credential, AppCredential):
                app = Auth.AppAuth(credential.app, credential.key)
                number = credential.installation
                integration = GithubIntegration(auth=app, **given)
                if number is None:
                    owner, _, name = self.place.slug.partition("/")
                    number = integration.get_repo_installation(owner, name).id
                self.login = f"{integration.get_app().slug}[bot]".lower()
                auth: Any = app.get_installation_auth(number, dict(PERMISSIONS))
            else:
                auth = Auth.Token(credential.token)
            client = Github(auth=auth, per_page=PER_PAGE, **given)
        except Exception as error:
            raise self._unheard(error, sent=False) from error
        self._requester = client.requester
        return self._requester

    def _unheard(self, error: Exception, *, sent: bool) -> Exception:
        """What a call that had no answer is to the bot. Nothing of the credential is repeated."""
        from github import GithubException

        if isinstance(error, GithubException):
            text = json.dumps(error.data) if error.data is not None else ""
            headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
            if error.status in (403, 429) and _limited(headers, text):
                self._wait_until = _resumes(headers, self._clock.now())
                return Unreachable(_wait(self._wait_until))
            said = _said(text)
            if error.status == 404:
                return Refused(
                    f"the GitHub App is not installed on {self.place.slug}, or there is no such "
                    "repository (404)"
                )
            if error.status in (401, 403, 422):
                return Refused(f"GitHub gives the bot no token ({error.status}{said})")
            return Unreachable(f"GitHub gives the bot no token ({error.status}{said})")
        if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
            sent = False
        elif isinstance(error, requests.exceptions.ConnectionError):
            sent = sent and "refused" not in str(error).lower()
        if isinstance(error, requests.exceptions.RequestException):
            kind = type(error).__name__
            why = f"GitHub at {self.place.api} does not answer ({kind})"
            return AnswerLost(why) if sent else Unreachable(why)
        if isinstance(error, ValueError | TypeError | NotImplementedError):
            return Refused(f"the private key of the GitHub App is none ({type(error).__name__})")
        if type(error).__module__.startswith("jwt"):
            return Refused(f"the private key of the GitHub App is none ({type(error).__name__})")
        return error

    def _full(self, path: str) -> str:
        return f"{self.place.api}/repos/{self.place.slug}{path}"


def _address(path: str, params: Mapping[str, str | int]) -> str:
    return f"{path}?{urlencode(sorted(params.items()))}" if params else path


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Unreachable(
            "GitHub answered with something that is not JSON, or with half of it"
        ) from None


def _said(text: str) -> str:
    """GitHub's own words about a refusal, one short line."""
    try:
        body = json.loads(text)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    told = [str(body.get("message") or "")]
    for one in body.get("errors") or ():
        told.append(str(one.get("message") or one.get("code")) if isinstance(one, dict) else one)
    line = " ".join("; ".join(part for part in told if part).split())
    return f": {line[:300]}" if line else ""


def _limited(headers: Mapping[str, str], text: str) -> bool:
    """Primary limit, secondary limit, or abuse detection: GitHub tells them apart only so."""
    return (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in text.lower()
    )


def _resumes(headers: Mapping[str, str], now: datetime) -> datetime:
    """When to ask again. GitHub: `Retry-After`, else the reset when nothing remains, else a
    minute.
    """
    after = headers.get("retry-after", "")
    if after.isdigit():
        return now + timedelta(seconds=min(int(after), 3600))
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        at = datetime.fromtimestamp(int(reset), UTC)
        return min(max(at, now + timedelta(seconds=1)), now + timedelta(hours=1))
    return now + timedelta(minutes=1)


def _wait(until: datetime) -> str:
    return f"GitHub asks us to wait until {until:%H:%M:%S} UTC (rate limit)"
