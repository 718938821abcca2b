"""Is this signature of the key in that certificate? RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2), verifying only.

What was signed is encoded anew and compared whole, as the RFC says: nothing of what the signature holds is parsed.
There is no secret here, so plain arithmetic will do; a library for it would be a twentieth of the bundle.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from dataclasses import dataclass

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----")
# RFC 8017 §9.2, note 1: the beginning of DigestInfo in DER.
_DIGEST_INFO = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
}
_RSA = bytes.fromhex("06092a864886f70d010101")  # rsaEncryption, RFC 8017 appendix A.1, as DER's object identifier
_SEQUENCE, _INTEGER, _BIT_STRING, _VERSION = 0x30, 0x02, 0x03, 0xA0
_SMALLEST = 2048  # bits


@dataclass(frozen=True)
class PublicKey:
    modulus: int
    exponent: int


def key_in(certificate: str) -> PublicKey:
    """The RSA key of an X.509 certificate in PEM (RFC 5280 §4.1). Raises ValueError for anything else."""
    found = _PEM.search(certificate)
    if found is None:
        raise ValueError("expected a certificate in PEM")
    try:
        whole = b64decode(re.sub(r"\s", "", found[1]), validate=True)
        signed = _parts(_value(_value(whole, _SEQUENCE), _SEQUENCE))
        fields = signed[1:] if signed[0][0] == _VERSION else signed
        # serial number, signature's algorithm, issuer, validity, subject, and then the subject's key
        (_, algorithm), (kind, bits) = _parts(_of(fields[5], _SEQUENCE))
        if not algorithm.startswith(_RSA) or kind != _BIT_STRING or bits[:1] != b"\x00":
            raise ValueError("expected an RSA key")
        modulus, exponent = (int.from_bytes(_of(one, _INTEGER)) for one in _parts(_value(bits[1:], _SEQUENCE)))
    except (binascii.Error, IndexError) as broken:
        raise ValueError("expected a certificate") from broken
    if modulus.bit_length() < _SMALLEST or exponent < 3 or not exponent & 1:
        raise ValueError("expected a key of 2,048 bits or more")
    return PublicKey(modulus, exponent)


def is_signed(message: bytes, signature: bytes, key: PublicKey, algorithm: str) -> bool:
    """`algorithm` is sha1 or sha256."""
    size = (key.modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature)
    if len(signature) != size or number >= key.modulus:
        return False
    told = _DIGEST_INFO[algorithm] + hashlib.new(algorithm, message, usedforsecurity=False).digest()
    expected = b"\x00\x01" + b"\xff" * (size - len(told) - 3) + b"\x00" + told
    return hmac.compare_digest(pow(number, key.exponent, key.modulus).to_bytes(size), expected)


def _parts(content: bytes) -> list[tuple[int, bytes]]:
    """What stands one after the other in DER (X.690 §8.1): each one's tag and content. Raises IndexError,
    ValueError."""
    found = []
    while content:
        tag, length, start = content[0], content[1], 2
        if length & 0x80:
            octets = length & 0x7F
            if not 1 <= octets <= 4:
                raise ValueError("expected a definite length")
            start += octets
            length = int.from_bytes(content[2:start])
        if start + length > len(content):
            raise ValueError("cut short")
        found.append((tag, content[start : start + length]))
        content = content[start + length :]
    return found


def _value(content: bytes, tag: int) -> bytes:
    """The content of the first."""
    return _of(_parts(content)[0], tag)


def _of(part: tuple[int, bytes], tag: int) -> bytes:
    if part[0] != tag:
        raise ValueError("expected another kind of value")
    return part[1]
