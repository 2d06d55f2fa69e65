"""The HTTP client of the `kubernetes` library, set up for us; and what its errors mean.

No redirects, no retries of its own, no proxy for this machine itself. Sends nothing by itself.
"""

from __future__ import annotations

import logging
import ssl
import warnings
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

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


def rest_client(access: Access, context: ssl.SSLContext | None) -> RESTClientObject:
    """A client of one cluster. Opens nothing by itself."""
    with _ONE_AT_A_TIME:
        from kubernetes.client.configuration import Configuration
        from kubernetes.client.rest import RESTClientObject

    settings = Configuration(host=access.server)
    # Its own retries would send a DELETE twice, and would follow a redirect with our token.
    settings.retries = False
    settings.keep_alive = True
    settings.connection_pool_maxsize = AT_ONCE
    settings.verify_ssl = not access.insecure
    if access.tls_name:
        settings.tls_server_name = access.tls_name
    if access.proxy:
        settings.proxy = access.proxy
    elif urlsplit(access.server).hostname in _LOOPBACK:
        settings.proxy = None
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
