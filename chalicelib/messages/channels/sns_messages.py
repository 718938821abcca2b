"""Did Amazon SNS sign this notification, and for our topic? ("Verifying the signatures of Amazon SNS messages")

Whoever may invoke the function could tell it anything; what SNS signed, SNS sent.
"""

from __future__ import annotations

import binascii
import http.client
import re
import ssl
from base64 import b64decode
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from chalicelib.errors import TryLater
from chalicelib.messages.channels.rsa_signatures import PublicKey, is_signed, key_in

# The signing certificate's address. Only SNS can serve one there, and TLS proves who served it.
_ADDRESS = re.compile(r"https://sns\.[a-z]{2,8}(-[a-z0-9]{1,12}){1,4}\.amazonaws\.com(\.cn)?/[A-Za-z0-9_-]{1,100}\.pem")
_ALGORITHMS = {"1": "sha1", "2": "sha256"}
_SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SECONDS = 5.0
_LARGEST = 20_000  # bytes of a certificate
_MOST_KEPT = 8
Fetch = Callable[[str], str]


class Unsigned(Exception):
    """SNS did not send this, or not for us; the text says what is wrong, with nothing of the notification."""


class SnsMessages:
    """`topics` are the ARNs of ours; `fetch` gives the certificate of an address, in PEM."""

    def __init__(self, topics: Collection[str], fetch: Fetch) -> None:
        self._topics, self._fetch = frozenset(topics), fetch
        self._keys: dict[str, PublicKey] = {}

    def check(self, told: Mapping[str, Any]) -> None:
        """`told` is the `Sns` of Lambda's event. Raises Unsigned, and TryLater where the certificate is out of
        reach."""
        if told.get("TopicArn") not in self._topics:
            raise Unsigned("of a topic that is not ours")
        algorithm = _ALGORITHMS.get(str(told.get("SignatureVersion")))
        address = told.get("SigningCertUrl") or told.get("SigningCertURL")
        if algorithm is None or not isinstance(address, str) or not _ADDRESS.fullmatch(address):
            raise Unsigned("no signature of SNS")
        try:
            signature = b64decode(str(told.get("Signature")), validate=True)
        except (binascii.Error, ValueError):
            raise Unsigned("no signature of SNS") from None
        if not is_signed(_canonical(told), signature, self._key(address), algorithm):
            raise Unsigned("a forged signature")

    def _key(self, address: str) -> PublicKey:
        if address not in self._keys:
            if len(self._keys) >= _MOST_KEPT:
                self._keys.clear()
            try:
                self._keys[address] = key_in(self._fetch(address))
            except ValueError:
                raise Unsigned("no certificate at the address") from None
        return self._keys[address]


def _canonical(told: Mapping[str, Any]) -> bytes:
    """Name and value of each, a line each; a notification without a subject has none in it."""
    lines = [line for name in _SIGNED if told.get(name) is not None for line in (name, str(told[name]))]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def fetch_certificate(address: str) -> str:
    """From an address that `_ADDRESS` let through. Raises TryLater; a redirect is not followed."""
    parts = urlsplit(address)
    connection = http.client.HTTPSConnection(
        parts.hostname or "", timeout=_SECONDS, context=ssl.create_default_context()
    )
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        content = answer.read(_LARGEST)
    except (OSError, http.client.HTTPException) as problem:
        raise TryLater("the certificate of SNS is out of reach") from problem
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise TryLater(f"the certificate of SNS: {answer.status}")
    return content.decode("ascii", "replace")
