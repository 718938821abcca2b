from __future__ import annotations

import http.client
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import TryLater
from chalicelib.messages.channels.rsa_signatures import is_signed, key_in
from chalicelib.messages.channels.sns_messages import fetch_certificate
from local.sns import CERTIFICATE, Sns

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key: Any) -> bytes:
    """As DER, self-signed."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(5).not_valid_before(now).not_valid_after(now + timedelta(days=400))
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def pem(der: bytes) -> str:
    import base64

    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"


GOOD = certificate(KEY)


def test_the_key_is_the_certificates() -> None:
    numbers = KEY.public_key().public_numbers()
    found = key_in(f"junk before\n{pem(GOOD)}")
    assert (found.modulus, found.exponent) == (numbers.n, numbers.e)


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(public_exponent=65537, key_size=1024)]
)
def test_other_and_weaker_keys_are_refused(key: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        key_in(pem(certificate(key)))


@given(st.one_of(st.binary(max_size=200), st.tuples(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=9))))
def test_whatever_is_told_as_a_certificate_is_read_or_refused(told: Any) -> None:
    der = told if isinstance(told, bytes) else GOOD[: told[0]] + told[1] + GOOD[told[0] + len(told[1]) :]
    with suppress(ValueError):
        key_in(pem(der))


@given(st.integers(0, 255), st.integers(1, 255))
def test_a_signature_that_differs_in_one_bit_is_forged(place: int, change: int) -> None:
    signature, key = KEY.sign(b"told", padding.PKCS1v15(), SHA256()), key_in(pem(GOOD))
    assert is_signed(b"told", signature, key, "sha256") and not is_signed(b"told", signature, key, "sha1")
    wrong = bytearray(signature)
    wrong[place] ^= change
    assert not is_signed(b"told", bytes(wrong), key, "sha256")
    assert not is_signed(b"tolD", signature, key, "sha256")
    assert not is_signed(b"told", signature[:-1], key, "sha256")
    assert not is_signed(b"told", b"\x00" + signature, key, "sha256")


class Served:
    """In the place of a connection to SNS."""

    status, content = 200, b""
    trouble: Exception | None = None

    def __init__(self, host: str, **_: Any) -> None:
        assert host == "sns.eu-west-1.amazonaws.com"

    def request(self, method: str, path: str) -> None:
        assert (method, path) == ("GET", "/SimpleNotificationService-local.pem")
        if self.trouble:
            raise self.trouble

    def getresponse(self) -> Served:
        return self

    def read(self, most: int) -> bytes:
        return self.content[:most]

    def close(self) -> None:
        """Nothing is open."""


def test_a_certificate_is_fetched_from_its_address_or_asked_for_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http.client, "HTTPSConnection", Served)
    made = Sns().certificate(CERTIFICATE)
    monkeypatch.setattr(Served, "content", made.encode())
    assert fetch_certificate(CERTIFICATE) == made
    for changes in ({"status": 302}, {"trouble": OSError()}, {"trouble": http.client.RemoteDisconnected()}):
        with monkeypatch.context() as patched:
            for name, value in changes.items():
                patched.setattr(Served, name, value)
            with pytest.raises(TryLater):
                fetch_certificate(CERTIFICATE)
