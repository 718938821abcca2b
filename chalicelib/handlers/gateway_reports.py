"""The door for what stores' own gateways tell: what became of messages, and what people wrote back.

The address itself is secret, and a signature is checked where the owner configured one: both before anything is read.
After that the answer is 200 whatever it holds, for a provider repeats, and at last gives up on, whoever refuses.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.clock import Clock
from chalicelib.contacts.consent import Channel
from chalicelib.errors import TryLater, told
from chalicelib.handlers.http import parameters, problem
from chalicelib.messages.gateway import Gateway
from chalicelib.messages.gateway_reports import is_signed, replies_in, report_token, reports_in
from chalicelib.messages.message import Message
from chalicelib.messages.replies import Reply
from chalicelib.messages.reports import Report

gateway_reports = Blueprint(__name__)
_log = logging.getLogger("agala")

LARGEST_BODY = 256 * 1024  # bytes
_MOST_FIELDS = 500
_STORE_ID = re.compile(r"[0-9a-z]{26}")
_CHANNELS = {channel.value: channel for channel in (Channel.SMS, Channel.WHATSAPP)}
_FRESH = 5.0  # seconds: a signature that fails against an older secret is tried against a fresh one


class _Secrets(Protocol):
    def signing_key(self) -> str: ...

    def gateway_secrets(self, store_id: str, channel: str, newer_than: float = ...) -> dict[str, str]: ...


class _Gateways(Protocol):
    def get(self, store_id: str, channel: Channel) -> Gateway | None: ...


class _Reports(Protocol):
    def take(self, report: Report) -> Message | None: ...


class _Replies(Protocol):
    def take(self, reply: Reply) -> int: ...


class _Parts(Protocol):
    @property
    def secrets(self) -> _Secrets: ...

    @property
    def gateways(self) -> _Gateways: ...

    @property
    def reports(self) -> _Reports: ...

    @property
    def replies(self) -> _Replies: ...

    @property
    def clock(self) -> Clock: ...


@gateway_reports.route("/reports/{channel}/{store_id}/{token}", methods=["POST"], content_types=["*/*"])
def gateway_report(channel: str, store_id: str, token: str) -> Response:
    request = gateway_reports.current_request
    raw = request.raw_body
    body = raw if isinstance(raw, bytes) else str(raw or "").encode("utf-8", "surrogatepass")
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        return _taken(channel, store_id, token, headers, body, parameters(request))
    except TryLater:
        return problem(503, "Not taken now: please repeat.", headers={"Retry-After": "30"})
    except Exception as mistake:  # noqa: BLE001  the last line: its text may quote a person's data
        _log.error("a gateway's report failed: %s", told(mistake))
        return problem(500, "Something went wrong on our side.")


def _taken(
    channel_name: str,
    store_id: str,
    token: str,
    headers: Mapping[str, str],
    body: bytes,
    query: Mapping[str, list[str]],
) -> Response:
    """404 for an address that is not ours (whatever is wrong with it), 413, 401 for a wrong signature, else 200."""
    parts, channel = cast(_Parts, wiring.get()), _CHANNELS.get(channel_name)
    if channel is None or not _STORE_ID.fullmatch(store_id):
        return problem(404, "Nothing is told here.")
    expected = report_token(parts.secrets.signing_key(), store_id, channel)
    if not hmac.compare_digest(token.encode("utf-8", "replace"), expected.encode()):
        return problem(404, "Nothing is told here.")
    gateway = parts.gateways.get(store_id, channel)
    if gateway is None:
        return problem(404, "Nothing is told here.")
    if len(body) > LARGEST_BODY:
        return problem(413, "A report is at most 256 KiB.")
    if not _is_genuine(parts, gateway, store_id, channel, headers, body):
        return problem(401, "The signature is missing or wrong.")
    _apply(parts, gateway, store_id, channel, _document(headers.get("content-type", ""), body, query))
    return Response(body="{}", status_code=200, headers={"Content-Type": "application/json"})


def _is_genuine(
    parts: _Parts, gateway: Gateway, store_id: str, channel: Channel, headers: Mapping[str, str], body: bytes
) -> bool:
    form = gateway.signature
    if form is None:
        return True
    for secrets in (
        parts.secrets.gateway_secrets(store_id, channel.value),
        parts.secrets.gateway_secrets(store_id, channel.value, newer_than=_FRESH),
    ):
        secret = secrets.get(form.secret)
        if secret and is_signed(form, secret, headers, body):
            return True
    return False


def _apply(parts: _Parts, gateway: Gateway, store_id: str, channel: Channel, document: dict[str, Any]) -> None:
    from chalicelib.messages.channels.gateway import found_in

    now = parts.clock.now()
    known = 0
    for reply in replies_in(gateway, store_id, channel, document, now, found_in):
        known += 1
        parts.replies.take(reply)
    for report in reports_in(gateway, store_id, channel, document, now, found_in):
        known += 1
        if parts.reports.take(report) is None:
            _log.warning("a gateway's report on a message that is not here")
    if not known:
        _log.info("a gateway told nothing that its store understands")


def _document(content_type: str, body: bytes, query: Mapping[str, list[str]]) -> dict[str, Any]:
    """What the owner's paths look into."""
    return {"body": _content(content_type, body), "query": {name: values[-1] for name, values in query.items()}}


def _content(content_type: str, body: bytes) -> Any:
    """JSON, or a form's fields by name; empty for anything else."""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        return json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
