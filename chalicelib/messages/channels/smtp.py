"""Plain SMTP: `smtp://user:password@host:port` (STARTTLS where offered) or `smtps://…`."""

from __future__ import annotations

import smtplib
import ssl
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.mime import ascii_address, to_mime
from chalicelib.messages.ports import Email, SendRejected, SendUncertain


def deliver_smtp(url: str, email: Email, timeout: float = 30.0) -> None:
    """Hand over to a mail server; `timeout` in seconds, per answer.

    Raises ProviderBusy (surely not taken: no connection, or a 4xx answer, RFC 5321 §4.2.1), SendRejected (a 5xx
    answer; the text is its code), SendUncertain (the connection broke after the message went out), ValueError for a
    URL that is none.
    """
    content = to_mime(email, date=formatdate())
    sender, to = ascii_address(email.sender), ascii_address(email.to)
    server = _connect(url, timeout)
    try:
        _envelope(server, sender, to)
        _hand_over(server, content)
    finally:
        server.close()


def _connect(url: str, timeout: float) -> smtplib.SMTP:
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("expected smtp://host:port or smtps://host:port")
    tls = ssl.create_default_context()
    try:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(parts.hostname, parts.port or 465, timeout=timeout, context=tls)
        else:
            server = smtplib.SMTP(parts.hostname, parts.port or 25, timeout=timeout)
    except (OSError, smtplib.SMTPException) as failed:
        raise ProviderBusy(type(failed).__name__) from None
    try:
        server.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=tls)
            server.ehlo()
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except smtplib.SMTPAuthenticationError as refused:
        server.close()
        raise SendRejected(str(refused.smtp_code)) from None
    except (OSError, smtplib.SMTPException) as failed:
        server.close()
        raise ProviderBusy(type(failed).__name__) from None
    return server


def _envelope(server: smtplib.SMTP, sender: str, to: str) -> None:
    try:
        for code, _ in (server.mail(sender), server.rcpt(to)):
            _judge(code)
    except (OSError, smtplib.SMTPException) as failed:
        raise ProviderBusy(type(failed).__name__) from None


def _hand_over(server: smtplib.SMTP, content: bytes) -> None:
    try:
        code, _ = server.data(content)
    except smtplib.SMTPDataError as refused:  # DATA itself refused: the message did not go out
        _judge(refused.smtp_code)
        raise ProviderBusy(str(refused.smtp_code)) from None
    except (OSError, smtplib.SMTPException) as lost:
        raise SendUncertain(type(lost).__name__) from None
    _judge(code)


def _judge(code: int) -> None:
    if 400 <= code < 500:
        raise ProviderBusy(str(code))
    if code >= 500:
        raise SendRejected(str(code))
