"""The certificate authority of one test cluster: its server, its users, keys of service accounts.

Made afresh for each cluster, in its own folder; trusted by nobody else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_SOON = timedelta(days=2)


class Authority:
    """Signs what the cluster needs, and what a test asks for: expired certificates too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "ca.crt"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test cluster")])
        begin = _now() - timedelta(days=400)  # older than any certificate a test wants expired
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(_now() + _SOON)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self) -> tuple[Path, Path]:
        """A serving certificate for loopback: files of the certificate and its key."""
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        )
        return self._sign("server", [], ExtendedKeyUsageOID.SERVER_AUTH, _now() + _SOON, names)

    def user(
        self, name: str, groups: tuple[str, ...] = (), *, until: datetime | None = None
    ) -> tuple[Path, Path]:
        """A client certificate for that user; `until` in the past makes an expired one."""
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        return self._sign(name, list(groups), usage, until or _now() + _SOON, None)

    def _sign(
        self,
        name: str,
        groups: list[str],
        usage: x509.ObjectIdentifier,
        until: datetime,
        names: x509.SubjectAlternativeName | None,
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in groups]
        subject.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(subject))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(until, _now()) - timedelta(hours=1))
            .not_valid_after(until)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        stem = self.folder / name.replace(":", "_").replace("/", "_")
        stem.with_suffix(".crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        _write_key(stem.with_suffix(".key"), key)
        return stem.with_suffix(".crt"), stem.with_suffix(".key")


def service_account_key(folder: Path) -> Path:
    """The key that signs tokens of service accounts."""
    path = folder / "service-accounts.key"
    _write_key(path, rsa.generate_private_key(public_exponent=65537, key_size=2048))
    return path


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )


def _now() -> datetime:
    return datetime.now(UTC)
