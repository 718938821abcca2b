"""A message as the HTTP request that a store's own provider wants (`messages.gateway`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from chalicelib.messages.gateway import Gateway, encoded_address
from chalicelib.messages.phrase import PhraseError, bare_phrase, clean, one_line
from chalicelib.messages.ports import SendRejected, Sms, WhatsApp

_ALONE = re.compile(r"\{\{\s*variables\s*\}\}")
_LONGEST_ADDRESS = 8000


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


def request_of(gateway: Gateway, message: Sms | WhatsApp, secrets: Mapping[str, str], report_url: str) -> Request:
    """Raises SendRejected for what cannot be made into one; its text is a code."""
    fields = _fields(gateway, message, secrets, report_url)
    try:
        url = bare_phrase(encoded_address(gateway.url)).fill(fields).plain()
        headers = {name: one_line(_filled(source, fields)) for name, source in gateway.headers.items()}
        kind, body = _body(gateway, fields)
    except PhraseError:
        raise SendRejected("template") from None
    if urlsplit(url).netloc != urlsplit(gateway.url.partition("{")[0]).netloc or len(url) > _LONGEST_ADDRESS:
        raise SendRejected("url")
    if not all(value.isascii() for value in headers.values()):
        raise SendRejected("header")
    named = {name.lower() for name in headers}
    if kind and "content-type" not in named:
        headers["Content-Type"] = kind
    return Request(gateway.method, url, headers, body)


def _fields(gateway: Gateway, message: Sms | WhatsApp, secrets: Mapping[str, str], report_url: str) -> dict[str, Any]:
    whatsapp = message if isinstance(message, WhatsApp) else None
    fields = {
        "to": message.to,
        "from": gateway.sender or message.sender or "",
        "name": message.sender_name,
        "text": message.text,
        "message_id": message.message_id,
        "template": whatsapp.template if whatsapp else None,
        "language": whatsapp.language if whatsapp else None,
        "variables": list(whatsapp.variables) if whatsapp else [],
        "report_url": f"{report_url}?message={message.message_id}",
        "secret": dict(secrets),
    }
    return dict(clean(fields))


def _body(gateway: Gateway, fields: Mapping[str, Any]) -> tuple[str | None, bytes]:
    body = gateway.body
    if body is None:
        return None, b""
    if body.form is not None:
        filled = {name: _filled(source, fields) for name, source in body.form.items()}
        return "application/x-www-form-urlencoded", urlencode(filled).encode()
    if body.text is not None:
        return "text/plain; charset=utf-8", _filled(body.text, fields).encode()
    return "application/json", json.dumps(_json(body.as_json, fields), ensure_ascii=False).encode()


def _json(value: Any, fields: Mapping[str, Any]) -> Any:
    """Filled leaf by leaf: whatever a value holds, it stays one value."""
    if isinstance(value, str):
        return fields["variables"] if _ALONE.fullmatch(value) else _filled(value, fields)
    if isinstance(value, dict):
        return {name: _json(inner, fields) for name, inner in value.items()}
    return [_json(inner, fields) for inner in value] if isinstance(value, list | tuple) else value


def _filled(source: str, fields: Mapping[str, Any]) -> str:
    return bare_phrase(source).fill(fields).plain()
