"""An email as bytes, by RFC 5322: headers, the text twin, the HTML."""

from __future__ import annotations

import re
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from chalicelib.messages.phrase import one_line
from chalicelib.messages.ports import Email, SendRejected

# RFC 5321 §4.1.2: a dot-string of plain characters; quoted local parts are in nobody's shop.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,253}")


def to_mime(email: Email, date: str | None = None) -> bytes:
    """`multipart/alternative` in UTF-8. `date` is an RFC 5322 date; without it the provider sets one.

    Raises SendRejected for an address that no mail server without SMTPUTF8 (SES among them) can take.
    """
    sender = ascii_address(email.sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(email.sender_name, sender)
    message["To"] = _address(email.to_name, ascii_address(email.to))
    if email.reply_to:
        message["Reply-To"] = _address(None, ascii_address(email.reply_to))
    message["Subject"] = one_line(email.subject)
    # Kept by mail servers; SES puts one of its own in its place ("Email header fields"), which its reports then name.
    message["Message-ID"] = f"<{email.message_id}@{sender.rpartition('@')[2]}>"
    if date is not None:
        message["Date"] = date
    for name, value in email.headers.items():
        message[name] = one_line(value)
    message.set_content(email.text, cte="base64")
    message.add_alternative(email.html, subtype="html", cte="base64")
    message.set_boundary(f"agala-{email.message_id}")
    return message.as_bytes()


def ascii_address(address: str) -> str:
    """The bare address with its domain in ASCII (IDNA). Raises SendRejected where that cannot be."""
    local, at, domain = address.rpartition("@")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise SendRejected("InvalidAddress") from None
    if not (local and at and _DOMAIN.fullmatch(domain)) or not _LOCAL.fullmatch(local):
        raise SendRejected("InvalidAddress")
    return f"{local}@{domain}"


def _address(name: str | None, address: str) -> Address:
    try:
        return Address(display_name=one_line(name or ""), addr_spec=address)
    except (ValueError, IndexError, MessageError):  # what the parser of email.headerregistry raises
        raise SendRejected("InvalidAddress") from None
