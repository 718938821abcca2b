"""Amazon SNS, played: a notification as Lambda gets it, signed with a key that lives as long as this process."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.clock import rfc3339

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

TOPIC = "arn:aws:sns:eu-west-1:000000000000:agala-delivery-reports"
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-local.pem"


class Sns:
    """Publishes to one topic. The key is made, and its library loaded, when something is first told."""

    def __init__(self, topic: str = TOPIC, version: str = "2") -> None:
        self._topic, self._version = topic, version

    def certificate(self, address: str) -> str:
        """In PEM; the same whatever address is asked for."""
        return self._certificate

    def record(self, message: str, at: datetime, subject: str | None = None) -> dict[str, Any]:
        """One of the `Records` in Lambda's event."""
        told: dict[str, Any] = {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": self._topic,
            "Subject": subject,
            "Message": message,
            "Timestamp": rfc3339(at),
            "SignatureVersion": self._version,
            "SigningCertUrl": CERTIFICATE,
            "MessageAttributes": {},
        }
        sns = {**told, "Signature": base64.b64encode(self._signature(told)).decode()}
        return {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": f"{self._topic}:1", "Sns": sns}

    def _signature(self, told: Mapping[str, Any]) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA1, SHA256

        names = ["Message", "MessageId", *(["Subject"] if told["Subject"] is not None else [])]
        text = "".join(f"{name}\n{told[name]}\n" for name in (*names, "Timestamp", "TopicArn", "Type"))
        algorithm = SHA1() if self._version == "1" else SHA256()  # noqa: S303  SNS's own version 1
        return self._key.sign(text.encode(), PKCS1v15(), algorithm)

    @cached_property
    def _key(self) -> RSAPrivateKey:
        from cryptography.hazmat.primitives.asymmetric import rsa

        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @cached_property
    def _certificate(self) -> str:
        from cryptography import x509
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.x509.oid import NameOID

        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=3650))
            .sign(self._key, SHA256())
        )
        return made.public_bytes(Encoding.PEM).decode()
