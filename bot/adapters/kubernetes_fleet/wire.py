"""The HTTP client of the `kubernetes` library, set up for us; and what its errors mean.

No redirects, no retries of its own, no proxy for this machine itself. Sends nothing by itself.
The library chooses TLS, proxy and pool, once for a cluster; each call then goes to the pool itself:
to look it up by the address again and again cost more than the call.
"""

from __future__ import annotations

import logging
import ssl
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies

from bot.adapters.kubernetes_fleet.kubeconfig import Access

if TYPE_CHECKING:
    from kubernetes.client.rest import RESTClientObject

AT_ONCE = 8
"""Connections to one cluster that are kept."""
_ONE_AT_A_TIME = Lock()
"""Its modules import each other: two threads that load them at once find half of them."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Limits(Protocol):
    """How long one call may take."""

    @property
    def connect(self) -> float: ...
    @property
    def read(self) -> float: ...


class Wire:
    """The connections to one cluster. Opens none before the first call."""

    def __init__(self, access: Access, context: ssl.SSLContext | None, limits: Limits) -> None:
        self._manager: Any = _rest_client(access, context).pool_manager
        self._timeout = _timeout(limits)
        self._server = access.server
        self._path = urlsplit(access.server).path
        self._absolute = getattr(self._manager, "proxy", None) is not None
        self._pool: Any = (
            None if self._absolute else self._manager.connection_from_url(self._server)
        )

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Any:
        """The answer of urllib3, its body not read yet. `path`: with its query."""
        settled: dict[str, Any] = {
            "headers": headers,
            "body": body,
            "timeout": self._timeout,
            "retries": False,
            "redirect": False,
            "preload_content": False,
        }
        if self._absolute:
            # A proxy is told the whole address, and by whom it is asked.
            return self._manager.urlopen(method, self._server + path, **settled)
        return self._pool.urlopen(method, self._path + path, assert_same_host=False, **settled)

    def close(self) -> None:
        self._manager.clear()


def _timeout(limits: Limits) -> Any:
    """As the library's own HTTP library takes it."""
    with _ONE_AT_A_TIME:
        from kubernetes.client import rest
    library: Any = rest
    return library.urllib3.Timeout(connect=limits.connect, read=limits.read)


@cache
def _proxies() -> Mapping[str, str]:
    """Those of the environment, which stays as it was when the bot began."""
    return getproxies()


def _rest_client(access: Access, context: ssl.SSLContext | None) -> RESTClientObject:
    """A client of one cluster. Opens nothing by itself."""
    with _ONE_AT_A_TIME:
        from kubernetes.client.configuration import Configuration
        from kubernetes.client.rest import RESTClientObject

    address, known = urlsplit(access.server), _proxies()
    proxy = access.proxy or ""
    if not proxy and address.hostname not in _LOOPBACK:
        proxy = known.get(address.scheme) or known.get("all") or ""
    settings = Configuration(host=access.server, proxy=proxy, no_proxy=known.get("no", ""))
    # Its own retries would send a DELETE twice, and would follow a redirect with our token.
    settings.retries = False
    settings.keep_alive = True
    settings.connection_pool_maxsize = AT_ONCE
    settings.verify_ssl = not access.insecure
    if access.tls_name:
        settings.tls_server_name = access.tls_name
    if access.insecure:
        # Said by doctor, once; not by every call.
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    made = RESTClientObject(settings)
    # What it remarks on its pool is no news; what goes wrong we say in our own words.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    if context is not None:
        # One context a cluster, not one a connection; and no key in a file that stays.
        made.pool_manager.connection_pool_kw["ssl_context"] = context
    return made


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what is behind it."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def sent_nothing(error: Exception) -> bool:
    """Whether it is certain that the server took nothing of the call."""
    for one in _causes(error):
        if type(one).__name__ in _BEFORE:
            return True
        if isinstance(one, ssl.SSLError):
            text = str(one).lower()
            return any(sign in text for sign in _REFUSED_TLS)
    return False


_REFUSED_TLS = (
    "certificate",
    "unknown ca",
    "handshake",
    "protocol_version",
    "wrong_version",
    "access denied",
)
"""What TLS says when it is refused before anything was asked: by us, or by an alert of theirs."""
_BEFORE = frozenset(
    {
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
        "ProxyError",
        "LocationParseError",
        "LocationValueError",
        "ConnectionRefusedError",
        "SSLCertVerificationError",
        "ClosedPoolError",
        "gaierror",
    }
)
"""Errors of connecting: no request has left yet."""


def broken(error: Exception, limits: Limits) -> str:
    """What went wrong on the wire, for people."""
    found = list(_causes(error))
    names = {type(one).__name__ for one in found}
    for one in found:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {one.verify_message}"
    text = " ".join(str(one) for one in found if isinstance(one, ssl.SSLError))
    if "alert" in text:
        return f"it refused the TLS connection: {_shorter(text)}"
    if "ConnectTimeoutError" in names:
        return f"no connection in {limits.connect:g} s"
    if "NameResolutionError" in names or "gaierror" in names:
        return "its name is not known"
    if "ProxyError" in names:
        return "the proxy gave no connection"
    if "NewConnectionError" in names or "ConnectionRefusedError" in names:
        return "no connection"
    if "ReadTimeoutError" in names:
        return f"no answer in {limits.read:g} s"
    if any(isinstance(one, TimeoutError) for one in found):
        return _shorter(str(next(one for one in found if isinstance(one, TimeoutError))))
    return "the connection broke before the answer"


def _shorter(text: str) -> str:
    return " ".join(text.split())[:200]
