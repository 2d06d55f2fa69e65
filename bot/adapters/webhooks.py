"""Calls over HTTP that tasks make: a Fleet whose `Webhook` objects are posted, all else passed on.

Only to hosts of the bot's own configuration, with secrets that may go there; follows no redirect
and reads no proxy or netrc of the environment. The answer itself is not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.cluster.tasks import call_key, is_call
from bot.failures import AnswerLost, Refused, Unreachable
from bot.model.effects import Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Connection, Fleet

TIMEOUT = 10.0
"""Seconds for connecting, and for every pause in the answer."""
LATER = frozenset({408, 425, 429})
"""Answers that say: not now. Nothing was done."""
SHOWN = 200
PORTS = {"http": 80, "https": 443}


class CallingFleet:
    """Passes every call on to the fleet behind it, but for webhooks, which it posts.

    `hosts`: `host` or `host:port` → names of the secrets that may be sent there. `secret`: name →
    value.
    """

    def __init__(
        self,
        fleet: Fleet,
        hosts: Mapping[str, frozenset[str]],
        secret: Callable[[str], str | None],
    ) -> None:
        self._fleet, self._hosts, self._secret = fleet, hosts, secret

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def connect(self, connections: Iterable[Connection]) -> None:
        self._fleet.connect(connections)

    def uid(self, cluster: str) -> str:
        return self._fleet.uid(cluster)

    def get(self, cluster: str, ref: ObjectRef) -> JSON | None:
        return self._fleet.get(cluster, ref)

    def children(self, cluster: str, owner: JSON) -> tuple[JSON, ...]:
        return self._fleet.children(cluster, owner)

    def nodes(self, cluster: str) -> tuple[JSON, ...]:
        return self._fleet.nodes(cluster)

    def write(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> JSON | None:
        if not is_call(write.ref):
            return self._fleet.write(cluster, write, fence=fence, manager=manager)
        assert isinstance(write.body, dict)
        self._post(call_key(cluster, write.ref, write.body), write.body["spec"], manager)
        return write.body

    def dry_run(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> tuple[str, ...]:
        """Nobody can say what a call would bring before it is made."""
        if is_call(write.ref):
            return ()
        return self._fleet.dry_run(cluster, write, fence=fence, manager=manager)

    def _post(self, key: str, spec: JSON, manager: str) -> None:
        import requests

        url = str(spec["url"])
        host = self._allowed(url)
        headers = {
            # The same call again, after a lost answer or a restart, is known by it.
            "Idempotency-Key": key,
            "User-Agent": manager,
        }
        if (name := spec.get("secret")) is not None:
            headers["Authorization"] = f"Bearer {self._token(str(name), host)}"
        # One a call: several are made side by side, and a session is not made for that.
        session = requests.Session()
        session.trust_env = False
        try:
            answer = session.post(
                url,
                json=spec.get("body") or {},
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            )
        except requests.ConnectTimeout as error:
            raise Unreachable(f"{host}: no connection in {TIMEOUT:g} s") from error
        except (requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise AnswerLost(f"{host}: no answer in {TIMEOUT:g} s") from error
        except requests.ConnectionError as error:
            raise _broken(host, error) from error
        except requests.RequestException as error:
            raise Refused(f"{host}: {type(error).__name__}") from error
        with session, answer:
            _judge(host, answer.status_code, answer.reason or "")

    def _allowed(self, url: str) -> str:
        """The host as the configuration names it. Raises Refused for every other one."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = None
        if parts.scheme not in PORTS or not parts.hostname or parts.username is not None:
            raise Refused(f"{url[:SHOWN]}: expected http or https, a host, and no password")
        whole = f"{parts.hostname}:{port or PORTS[parts.scheme]}"
        for known in (whole, parts.hostname):
            if known in self._hosts:
                return known
        raise Refused(f"{whole} is not among the hosts of SLUICE_HOSTS")

    def _token(self, name: str, host: str) -> str:
        if name not in self._hosts[host]:
            raise Refused(f"the secret {name} may not be sent to {host}: SLUICE_HOSTS says where")
        value = self._secret(name)
        if value is None:
            variable = f"SLUICE_SECRET_{name.upper().replace('-', '_')}"
            raise Refused(f"the secret {name} was not given to the bot: {variable} is not set")
        return value


def _broken(host: str, error: Exception) -> AnswerLost | Unreachable:
    """Whether anything can have arrived."""
    text = str(error)
    if "Failed to establish a new connection" in text or "Name or service not known" in text:
        return Unreachable(f"{host}: no connection")
    return AnswerLost(f"{host}: the connection broke before the answer")


def _judge(host: str, status: int, reason: str) -> None:
    said = f"{host} answered {status} {reason}".strip()
    if 200 <= status < 300:
        return
    if status in LATER:
        raise Unreachable(said)
    if status >= 500:
        raise AnswerLost(said)
    hint = ": redirects are not followed" if 300 <= status < 400 else ""
    raise Refused(said + hint)
