"""The TLS context of one cluster: whom it believes, and the certificate that it shows.

Keys lie in a file only while they are read, in memory where the system can.
"""

from __future__ import annotations

import base64
import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from bot.adapters.kubernetes_fleet.kubeconfig import Access
from bot.failures import Unreachable


def context_of(
    cluster: str, access: Access, certificate: tuple[str, str] | None
) -> ssl.SSLContext | None:
    """None for a server without TLS."""
    if not access.server.startswith("https://"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if access.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif access.ca is not None:
            context.load_verify_locations(cadata=access.ca)
        else:
            context.load_default_certs()
    except (ssl.SSLError, ValueError) as error:
        raise Unreachable(f"{cluster}: its certificate-authority is no certificate") from error
    if certificate is not None:
        with _file("\n".join(certificate)) as path:
            try:
                # A password is never asked for at a terminal.
                context.load_cert_chain(path, password="")
            except (ssl.SSLError, OSError, ValueError) as error:
                why = "its client certificate and key do not fit together, or are none"
                raise Unreachable(f"{cluster}: {why}") from error
    return context


@contextmanager
def _file(text: str) -> Iterator[str]:
    """A file that only this process can name; gone afterwards."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("sluice", os.MFD_CLOEXEC)
        try:
            os.write(handle, text.encode())
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(text)
        file.flush()
        yield file.name


def end_of(chain: str) -> datetime | None:
    """Until when the first certificate of a PEM is good; None where that cannot be read."""
    found = re.search(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", chain, re.S)
    if found is None:
        return None
    try:
        outer = next(_parts(base64.b64decode(found[1])))[1]
        fields = [part for part in _parts(next(_parts(outer))[1]) if part[0] != _VERSION]
        # Serial number, algorithm, issuer, then when it begins and when it ends.
        _, (tag, text) = _parts(fields[3][1])
    except (ValueError, IndexError, StopIteration):
        return None
    form = "%y%m%d%H%M%SZ" if tag == _SHORT_TIME else "%Y%m%d%H%M%SZ"
    try:
        return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC)
    except ValueError:
        return None


_VERSION, _SHORT_TIME = 0xA0, 0x17


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a DER sequence: tag and content."""
    at = 0
    while at < len(der):
        tag, length, start = der[at], der[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[at + 2 : start], "big")
        yield tag, der[start : start + length]
        at = start + length
