"""Certificates of the fake OMS: one that is valid, and several that are not."""

import datetime as dt
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from webhooks.fake_oms.modes import Certificate

AUTHORITY: Final = "fake OMS authority"
_DAY: Final = dt.timedelta(days=1)


def context(kind: Certificate, folder: Path) -> ssl.SSLContext:
    """Return the TLS context of a server with that kind of certificate.

    Writes `authority.pem` to the folder, which clients can trust.
    """
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _signed(AUTHORITY, authority_key, authority_key)
    if kind == "self_signed":
        certificate = _signed("localhost", key, key)
    else:
        certificate = _signed(
            "elsewhere.example" if kind == "wrong_name" else "localhost",
            key,
            authority_key,
            expired=kind == "expired",
        )
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.public_bytes(pem))
    chain = folder / "server.pem"
    chain.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(chain)
    if kind == "old":
        server_context.set_ciphers("ALL:@SECLEVEL=0")
        server_context.minimum_version = server_context.maximum_version = ssl.TLSVersion.TLSv1
    return server_context


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    *,
    expired: bool = False,
) -> x509.Certificate:
    today = dt.datetime.now(dt.UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(ip_address("127.0.0.1")))
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(name if key is by else AUTHORITY))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - 30 * _DAY)
        .not_valid_after(today - _DAY if expired else today + 30 * _DAY)
        .add_extension(x509.BasicConstraints(ca=name == AUTHORITY, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(by, hashes.SHA256())
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
