"""Who we are for one cluster, now: tokens, files and exec plugins, renewed as they end.

Sends nothing. A credential is asked for again when it ends, when its file changed, and after a 401.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from bot.adapters.kubernetes_fleet.exec_plugin import Given
from bot.adapters.kubernetes_fleet.kubeconfig import Access, ExecPlugin, stamp_of
from bot.adapters.kubernetes_fleet.tls import end_of
from bot.failures import Unreachable

EARLY = timedelta(seconds=60)
"""How long before its end a credential is renewed: a call on the wire must not outlive it."""

AGAIN = 5.0
"""Seconds until a plugin that failed is run again."""

Run = Callable[[ExecPlugin], Given]


class Credentials:
    """The credentials of one `Access`. `run`: runs an exec plugin."""

    def __init__(self, cluster: str, access: Access, run: Run, now: Callable[[], datetime]) -> None:
        self._cluster, self._access, self._run, self._now = cluster, access, run, now
        self._given: Given | None = None
        self._token, self._stamp = "", ("", 0, 0, 0)
        self._failed = (0.0, "")
        """Until when a plugin that failed is not run again, and why it failed."""
        self._lock = Lock()

    def headers(self) -> dict[str, str]:
        """What goes with every call."""
        token = self._bearer()
        if token:
            return {"Authorization": f"Bearer {token}"}
        if self._access.basic is not None:
            plain = ":".join(self._access.basic).encode()
            return {"Authorization": f"Basic {base64.b64encode(plain).decode()}"}
        return {}

    def certificate(self) -> tuple[str, str] | None:
        """Client certificate and key, PEM."""
        given = self._from_plugin() if self._access.plugin is not None else None
        return (given.certificate if given else None) or self._access.certificate

    def ends(self) -> datetime | None:
        """When the client certificate ends, where there is one."""
        certificate = self._given.certificate if self._given is not None else None
        certificate = certificate or self._access.certificate
        return end_of(certificate[0]) if certificate is not None else None

    def ended(self) -> str:
        """That our certificate is over, where it is: a server never says why it does not
        believe.
        """
        end = self.ends()
        if end is None or end > self._now():
            return ""
        return f": its client certificate ended on {end:%Y-%m-%d %H:%M} UTC"

    def forget(self) -> bool:
        """After a 401: whether asking again can give others."""
        with self._lock:
            again = self._access.plugin is not None or self._access.token_file is not None
            self._given, self._stamp = None, ("", 0, 0, 0)
            return again

    def _bearer(self) -> str:
        if self._access.token_file is not None:
            return self._from_file(self._access.token_file)
        if self._access.token is not None:
            return self._access.token
        given = self._from_plugin() if self._access.plugin is not None else None
        return (given.token if given else None) or ""

    def _from_file(self, path: str) -> str:
        with self._lock:
            stamp = stamp_of(path)
            if stamp != self._stamp:
                try:
                    with open(path, encoding="utf-8") as file:
                        self._token = file.read(2**20).strip()
                except (OSError, UnicodeDecodeError) as error:
                    why = getattr(error, "strerror", None) or "it is no text"
                    raise Unreachable(f"{self._cluster}: its tokenFile: {why}") from error
                self._stamp = stamp
            if not self._token:
                raise Unreachable(f"{self._cluster}: its tokenFile is empty")
            return self._token

    def _from_plugin(self) -> Given:
        with self._lock:
            given = self._given
            if given is None or (given.until is not None and given.until - EARLY <= self._now()):
                assert self._access.plugin is not None
                if time.monotonic() < self._failed[0]:
                    # Those who waited for a plugin that failed do not all run it again.
                    raise Unreachable(self._failed[1])
                try:
                    given = self._given = self._run(self._access.plugin)
                except Unreachable as error:
                    self._failed = (time.monotonic() + AGAIN, error.why)
                    raise
            return given
