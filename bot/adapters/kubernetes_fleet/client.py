"""One cluster's API server over HTTP: one client, kept; timeouts on all of it; retries where safe.

A call that changes something is never sent twice, unless the server said that it took none of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event, RLock
from typing import Any
from urllib.parse import urlencode

import msgspec

from bot.adapters.kubernetes_fleet.answers import Answer, answer_of, error_of
from bot.adapters.kubernetes_fleet.credentials import Credentials
from bot.adapters.kubernetes_fleet.kubeconfig import Access
from bot.adapters.kubernetes_fleet.tls import context_of
from bot.adapters.kubernetes_fleet.wire import Wire, broken, sent_nothing
from bot.failures import AnswerLost, PortError, Unreachable
from bot.model.plan import JSON

LARGEST = 128 * 2**20
"""Bytes of one answer."""
RESTS = (0.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds for which a cluster that did not answer so many times in a row is not asked again."""
LONGEST_REST = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one call may take, in seconds."""

    connect: float = 5.0
    read: float = 15.0
    """For every pause in an answer."""
    whole: float = 30.0
    wait: float = 5.0
    """How long, in one call, the server's `Retry-After` is waited for; beyond it: later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked."""

    method: str
    path: str
    what: str
    """Cluster and object, for who reads an error."""
    query: Mapping[str, str | int] | None = None
    body: JSON = None
    content_type: str = "application/json"

    @property
    def writes(self) -> bool:
        """Whether it changes something: a dry run and a review do not."""
        dry = self.query is not None and "dryRun" in self.query
        return self.method != "GET" and not dry and "reviews" not in self.path


@dataclass(slots=True)
class _Kept:
    """What is made of one reading of the kubeconfig."""

    access: Access
    credentials: Credentials
    wire: Wire
    certificate: tuple[str, str] | None

    def current(self) -> bool:
        """Whether neither its files nor its plugin's certificate are others now."""
        if self.access.stale():
            return False
        return self.access.plugin is None or self.credentials.certificate() == self.certificate


class Client:
    """`read`: reads how the cluster is reached; called again when its files have changed."""

    def __init__(
        self,
        cluster: str,
        read: Callable[[], Access],
        credentials: Callable[[Access], Credentials],
        patience: Patience,
    ) -> None:
        self.cluster = cluster
        self._read, self._credentials, self._patience = read, credentials, patience
        self._kept: _Kept | None = None
        self._read_last: tuple[Access, Credentials] | None = None
        self._lock = RLock()
        self._closed = Event()
        self._failures, self._rest_until, self._why = 0, 0.0, ""
        self._readings = 0
        self.used = 0.0
        """When it was used last, by the monotonic clock."""

    def ask(self, call: Call) -> Answer:
        """The answer, good or not; Unreachable or AnswerLost where there is none."""
        self.used = time.monotonic()
        self._not_now()
        try:
            answer = self._ask(call)
        except (Unreachable, AnswerLost) as error:
            self._failed(error)
            raise
        self._failures = 0
        if answer.status == 401:
            kept = self._kept
            why = error_of(answer, call.what, writes=False).why
            raise Unreachable(why + (kept.credentials.ended() if kept is not None else ""))
        return answer

    def good(self, call: Call) -> Answer:
        """The answer, which is a good one; else the error that it stands for."""
        answer = self.ask(call)
        if not answer.good:
            raise error_of(answer, call.what, writes=call.writes)
        return answer

    def reading(self) -> int:
        """Which reading of the kubeconfig it goes by now: another number, another connection."""
        self._ready()
        return self._readings

    def access(self) -> Access:
        """How the cluster is reached now."""
        return self._ready().access

    def certificate_ends(self) -> datetime | None:
        """Until when our client certificate is good, where we show one."""
        return self._ready().credentials.ends()

    def put_down(self) -> None:
        """Close its connections; the next call opens them again."""
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is not None:
            kept.wire.close()

    def close(self) -> None:
        self._closed.set()
        self.put_down()

    @property
    def open(self) -> bool:
        return self._kept is not None

    # -- inside

    def _ask(self, call: Call) -> Answer:
        ends = time.monotonic() + self._patience.whole
        waited, renewed, again = 0.0, False, not call.writes
        while True:
            kept = self._ready()
            try:
                answer = self._send(kept, call, ends)
            except PortError:
                # A connection that the server closed while it lay idle: a read is asked once more.
                if not again or time.monotonic() + 1 > ends:
                    raise
                again = False
                continue
            if answer.status == 401 and not renewed and kept.credentials.forget():
                renewed = True
                continue
            wait = self._asked_to_wait(call, answer)
            if wait is None:
                return answer
            if waited + wait > self._patience.wait or self._closed.is_set():
                self._rest(wait, error_of(answer, call.what, writes=False).why)
                return answer
            self._closed.wait(wait)
            waited += wait

    @staticmethod
    def _asked_to_wait(call: Call, answer: Answer) -> float | None:
        """Seconds, where the server took nothing of the call and wants it again later."""
        if answer.status == 429 or (answer.status == 503 and not call.writes):
            later = answer.retry_after
            if later is None:
                return 1.0 if answer.status == 429 else None
            return max(later, 0.1)
        return None

    def _send(self, kept: _Kept, call: Call, ends: float) -> Answer:
        path = call.path
        if call.query:
            path += "?" + urlencode(call.query)
        headers = {"Accept": "application/json", "User-Agent": "sluice"}
        headers |= kept.credentials.headers()
        body = None
        if call.body is not None:
            headers["Content-Type"] = call.content_type
            body = msgspec.json.encode(call.body)
        started = False
        try:
            response = kept.wire.send(call.method, path, headers, body)
            started = True
            data = self._body(response, ends)
        except Exception as error:
            raise self._told(call, error, answered=started) from error
        return answer_of(response.status, response.headers, data)

    @staticmethod
    def _body(response: Any, ends: float) -> bytes:
        """All of the body, piece by piece: one that drips is cut at the end of our patience."""
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := response.read1(2**18):
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST:
                    raise TimeoutError(f"the answer is larger than {LARGEST // 2**20} MiB")
                if time.monotonic() > ends:
                    raise TimeoutError("the answer drips in too slowly")
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return b"".join(pieces)

    def _told(self, call: Call, error: Exception, *, answered: bool) -> PortError:
        if isinstance(error, PortError):
            return error
        why = f"{call.what}: {broken(error, self._patience)}"
        if call.writes and (answered or not sent_nothing(error)):
            return AnswerLost(why)
        return Unreachable(why)

    def _ready(self) -> _Kept:
        """What calls are made with; made anew when the files it was read from have changed."""
        kept = self._kept
        if kept is not None and kept.current():
            return kept
        with self._lock:
            if self._kept is kept and not self._closed.is_set():
                self._kept = self._made()
                if kept is not None:
                    kept.wire.close()
            if self._kept is None:
                raise Unreachable(f"{self.cluster}: is no longer connected")
            return self._kept

    def _made(self) -> _Kept:
        if self._read_last is None or self._read_last[0].stale():
            access = self._read()
            self._readings += 1
            self._read_last = access, self._credentials(access)
        access, credentials = self._read_last
        certificate = credentials.certificate()
        context = context_of(self.cluster, access, certificate)
        wire = Wire(access, context, self._patience)
        return _Kept(access, credentials, wire, certificate)

    # -- a cluster that does not answer is not asked at once again

    def _not_now(self) -> None:
        left = self._rest_until - time.monotonic()
        if left > 0:
            raise Unreachable(f"{self._why} (asked again in {left:.0f} s)")

    def _failed(self, error: PortError) -> None:
        self._failures += 1
        seconds = RESTS[min(self._failures, len(RESTS)) - 1]
        self._rest(seconds, error.why)

    def _rest(self, seconds: float, why: str) -> None:
        if seconds > 0:
            self._why = why
            self._rest_until = time.monotonic() + min(seconds, LONGEST_REST)
