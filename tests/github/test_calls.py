"""What GitHub may do to us while it is asked: refuse, be slow, be down, send half of an answer.

Each is one sentence for people, nothing happens twice, and nothing is asked before its time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.git_github.credentials import TokenCredential
from bot.adapters.git_github.people import accounts
from bot.adapters.git_github.place import place_of
from bot.failures import PortError, Refused, Unreachable
from tests.contracts.githosts import ANA, AT
from tests.github.gateway import Answer
from tests.github.town import TOKENS, GitHub, GitHubTown

JSON_TYPE = {"Content-Type": "application/json"}
CONTENT = {"releases/new.yaml": b"new\n"}


class Clock:
    """A clock that stands until it is told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    github = GitHub(tmp_path_factory.mktemp("github"))
    yield github
    github.close()


@pytest.fixture
def town(github: GitHub) -> Iterator[GitHubTown]:
    town = github.repository()
    yield town
    town.gateway.fault = lambda verb, path: None
    town.host.close()


def says(status: int, body: object, headers: Mapping[str, str] = JSON_TYPE) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, headers, content


def answer_api(town: GitHubTown, answer: Answer) -> None:
    """Every call of the REST API gets this answer; Git goes on."""
    town.gateway.fault = lambda verb, path: answer if path.startswith("/repos/") else None


HTML = b"<html><title>Unicorn!</title></html>"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (says(401, {"message": "Bad credentials"}), "does not take the bot's credential"),
        (says(500, {"message": "Server Error"}), "could not answer"),
        (says(502, HTML, {"Content-Type": "text/html"}), "could not answer"),
        (says(200, HTML, {"Content-Type": "text/html"}), "not JSON"),
        (says(200, b'[{"number": 1, "he'), "half of it"),
        (says(429, {"message": "slow down"}, {**JSON_TYPE, "Retry-After": "30"}), "wait until"),
        (
            says(403, {"message": "Resource not accessible by integration"},
                 {**JSON_TYPE, "X-Accepted-GitHub-Permissions": "pull_requests=read"}),
            "forbids GET .*it needs pull_requests=read",
        ),
    ],
    ids=["401", "500", "502", "html", "truncated", "429", "403"],
)  # fmt: skip
def test_a_github_that_cannot_answer_is_told_and_never_taken_for_an_empty_one(
    town: GitHubTown, answer: Answer, words: str
) -> None:
    """No open pull request and no answer are two things: what is open is closed by the first."""
    town.push("pr/a", CONTENT)
    assert len(town.host.pulls()) == 1
    answer_api(town, answer)
    with pytest.raises(Unreachable, match=words):
        town.host.pulls()
    town.gateway.fault = lambda verb, path: None
    if answer[0] != 429:
        assert len(town.host.pulls()) == 1, "it goes on by itself"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "{reset}"}, 300),
        ({}, 60),
    ],
    ids=["retry-after", "reset", "secondary"],
)
def test_it_is_not_asked_before_it_lets_us(
    town: GitHubTown, headers: dict[str, str], seconds: int
) -> None:
    """A client that goes on asking is blocked for longer."""
    clock = Clock()
    host = town.new_host(clock=clock, cache="limited")
    reset = str(int((clock.at + timedelta(minutes=5)).timestamp()))
    sent = {name: value.replace("{reset}", reset) for name, value in headers.items()}
    answer_api(town, says(403, {"message": "You have exceeded a rate limit"}, JSON_TYPE | sent))
    with pytest.raises(Unreachable, match="rate limit"):
        host.pulls()
    town.gateway.fault = lambda verb, path: None
    asked = len(rest(town))
    clock.at += timedelta(seconds=seconds - 1)
    with pytest.raises(Unreachable, match="wait until"):
        host.pulls()
    assert len(rest(town)) == asked
    clock.at += timedelta(seconds=1)
    assert host.pulls() == ()
    host.close()


def rest(town: GitHubTown) -> list[tuple[str, str, int]]:
    return [call for call in town.gateway.asked if call[1].startswith(f"/repos/{town.slug}/")]


def test_nothing_new_costs_only_conditional_requests(town: GitHubTown) -> None:
    """They do not count against the hourly limit: a quiet hour with open pull requests is free."""
    for name in "abc":
        town.push(f"pr/{name}", {f"releases/{name}.yaml": b"1\n"})
    assert len(town.host.pulls()) == 3
    before = len(rest(town))
    for _ in range(5):
        assert len(town.host.pulls()) == 3
    assert [status for _, _, status in rest(town)[before:]] == [304] * 5


def test_it_is_asked_once_a_minute_and_at_once_when_woken(town: GitHubTown) -> None:
    """A webhook is only a knock at the door: polling finds the same."""
    clock = Clock()
    host = town.new_host(clock=clock, poll=timedelta(minutes=1), cache="polled")
    assert host.pulls() == ()
    town.push("pr/a", CONTENT)
    clock.at += timedelta(seconds=59)
    assert host.pulls() == ()
    clock.at += timedelta(seconds=1)
    assert len(host.pulls()) == 1
    town.push("pr/b", {"releases/b.yaml": b"b\n"})
    assert len(host.pulls()) == 1
    host.wake()
    assert len(host.pulls()) == 2
    host.close()


def test_what_was_read_stays_readable_while_github_is_down(town: GitHubTown) -> None:
    """A bot that is started in the middle of an outage goes on with the release that runs."""
    main = town.host.head() or ""
    answer_api(town, says(503, {"message": "down"}))
    down = says(503, b"")
    town.gateway.fault = lambda verb, path: down
    host = town.new_host(TokenCredential(token=TOKENS["ana"]))
    assert host.tree(main).read("people.yaml") == b"people\n"
    assert host.commit(main).position == 1
    with pytest.raises(Unreachable):
        host.head()
    host.close()


def test_an_answer_lost_after_a_pull_request_was_made_makes_no_second_one(
    town: GitHubTown,
) -> None:
    """The revert of a rollback is proposed once, whatever the network does."""
    lost: list[str] = []

    def lose(verb: str, path: str) -> Answer | None:
        if verb == "POST" and path.endswith("/pulls") and not lost:
            lost.append(path)
            body = {"title": "X", "head": "pr/x", "base": "main"}
            town.gateway.direct("POST", path, body)
            return says(504, HTML, {"Content-Type": "text/html"})
        return None

    town.gateway.fault = lose
    first = town.host.propose("pr/x", CONTENT, title="X", author=ANA, at=AT)
    assert town.host.propose("pr/x", CONTENT, title="X", author=ANA, at=AT) == first
    assert lost
    assert [pull.id for pull in town.host.pulls()] == [first]


def test_a_crash_between_the_branch_and_its_pull_request_is_made_good(town: GitHubTown) -> None:
    """The branch is there and nothing was opened from it: the next try opens it."""
    refuse = says(500, {"message": "Server Error"})
    posts = ("POST", f"/repos/{town.slug}/pulls")
    town.gateway.fault = lambda verb, path: refuse if (verb, path) == posts else None
    with pytest.raises(PortError):
        town.host.propose("pr/x", CONTENT, title="X\n\nWhy", author=ANA, at=AT)
    town.gateway.fault = lambda verb, path: None
    assert town.host.proposed("pr/x") is None
    made = town.host.propose("pr/x", CONTENT, title="X\n\nWhy", author=ANA, at=AT)
    pull = town.api("GET", f"/pulls/{made}")
    assert (pull["title"], pull["body"]) == ("X", "Why")


def test_what_github_refuses_is_said_in_its_words(town: GitHubTown) -> None:
    """`422` alone helps nobody."""
    body = {
        "message": "Validation Failed",
        "errors": [{"message": "No commits between main and x"}],
    }
    posts = ("POST", f"/repos/{town.slug}/pulls")
    no = says(422, body)
    town.gateway.fault = lambda verb, path: no if (verb, path) == posts else None
    with pytest.raises(Refused, match="Validation Failed; No commits between main and x"):
        town.host.propose("pr/x", CONTENT, title="X", author=ANA, at=AT)


def test_the_token_is_written_nowhere(town: GitHubTown, tmp_path: Path) -> None:
    """Whoever reads the disk of the bot, or its errors, learns no credential."""
    host = town.new_host(TokenCredential(token=TOKENS["carl"]), cache="secret")
    host.pulls()
    host.propose("pr/x", CONTENT, title="X", author=ANA, at=AT)
    town.gateway.tokens.discard(TOKENS["carl"])
    with pytest.raises(Unreachable) as told:
        host.pulls()
    town.gateway.tokens.add(TOKENS["carl"])
    assert TOKENS["carl"] not in repr(told.value) + repr(host.calls._credential)
    host.close()
    files = [file for file in (town.bare.parent / "secret").rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if TOKENS["carl"].encode() in file.read_bytes()]


def test_a_revoked_token_of_the_app_is_renewed(town: GitHubTown) -> None:
    """GitHub may revoke a token in the middle; the App asks for the next one."""
    assert town.host.pulls() == ()
    token = town.host.calls.token()
    town.gateway.tokens.discard(token)
    with pytest.raises(Unreachable):
        town.host.pulls()
    assert town.host.pulls() == ()
    assert town.host.calls.token() != token


def test_an_app_that_is_not_installed_says_so(town: GitHubTown) -> None:
    """The most likely mistake of the first day."""
    gone = says(404, {"message": "Not Found"})
    town.gateway.fault = lambda verb, path: gone if path.endswith("/installation") else None
    host = town.new_host(cache="uninstalled")
    with pytest.raises(Unreachable, match="is not installed on acme/releases-"):
        host.pulls()


def test_a_pull_request_is_found_by_its_number(town: GitHubTown) -> None:
    """`sluice plan --head 318`: nobody knows the branches of others by heart."""
    head = town.push("pr/a", CONTENT)
    assert town.host.head(town.id("pr/a")) == head
    assert town.host.head("999") is None


@pytest.mark.parametrize(
    ("mails", "found"),
    [
        (["ana@example.com"], ("ana@example.com",)),
        (["123+Ana-GH@users.noreply.github.com"], ("github:ana-gh",)),
        (["ana-gh@users.noreply.github.com"], ("github:ana-gh",)),
        (["ana@example.com", "noreply@github.com"], ("ana@example.com",)),
        (["noreply@github.com"], ("noreply@github.com",)),
        (["1+renovate[bot]@users.noreply.github.com"], ("github:renovate[bot]",)),
        (["x@users.noreply.evil.example"], ("x@users.noreply.evil.example",)),
    ],
)
def test_private_addresses_of_github_are_accounts(mails: list[str], found: tuple[str]) -> None:
    """Most people hide their address: an author must not be unknown because of it."""
    assert accounts(mails, "github.com") == found


@pytest.mark.parametrize(
    ("url", "api", "found"),
    [
        ("https://github.com/acme/releases", None, ("https://api.github.com", "acme/releases")),
        ("https://github.com/acme/releases.git", None, ("https://api.github.com", "acme/releases")),
        ("https://u:p@github.com/acme/r/", None, ("https://api.github.com", "acme/r")),
        ("https://ghe.corp/a/r", "https://ghe.corp/api/v3/", ("https://ghe.corp/api/v3", "a/r")),
        ("https://a.ghe.com/a/r", "https://api.a.ghe.com", ("https://api.a.ghe.com", "a/r")),
        ("https://git.corp/a/r", None, "is git.corp a GitHub"),
        ("https://gitlab.com/a/r", "https://api.github.com", "is not the API of gitlab.com"),
        ("https://github.com/acme", None, "expected https://HOST/OWNER/NAME"),
        ("ssh://git@github.com/acme/r", None, "expected https://HOST/OWNER/NAME"),
        ("http://github.com/acme/r", None, "https only"),
    ],
)
def test_a_credential_goes_to_the_repo_s_own_github(
    url: str, api: str | None, found: str | tuple[str, str]
) -> None:
    """GITHUB_TOKEN stands in many environments: it is shown to no other host."""
    if isinstance(found, str):
        with pytest.raises(ValueError, match=found):
            place_of(url, api)
    else:
        place = place_of(url, api)
        assert (place.api, place.slug) == found
        assert "@" not in place.url
