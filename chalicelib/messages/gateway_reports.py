"""What a store's own gateway tells, after its door has verified it: reports on messages, and what people wrote back."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from chalicelib.clock import parse_rfc3339
from chalicelib.contacts.consent import Channel
from chalicelib.ids import digest
from chalicelib.messages.gateway import Gateway, InboundForm, ReportForm, SignatureForm
from chalicelib.messages.message import MessageStatus
from chalicelib.messages.replies import Reply
from chalicelib.messages.reports import DELAYED, Report

Find = Callable[[Any, str | None], Any]
MOST_TOLD = 200  # of what one call may tell
LONGEST = 5000  # letters of a reply
_AHEAD, _LATE = timedelta(minutes=10), timedelta(days=30)
_MESSAGE = re.compile(r"[0-9a-z]{26}-[0-9a-z]{20}")
_CODE = re.compile(r"[A-Za-z0-9 _./:-]{1,80}")
_STATUSES: dict[str, MessageStatus | Literal["delayed"]] = {
    "delayed": DELAYED,
    "opted_out": MessageStatus.FAILED,
}
_MILLISECONDS = 10**11  # a greater number is of these: in seconds it were the year 5138


def report_token(signing_key: str, store_id: str, channel: Channel) -> str:
    """The secret part of the address that this gateway reports to."""
    said = f"gateway-reports:{store_id}:{channel.value}"
    return base64.urlsafe_b64encode(hmac.digest(signing_key.encode(), said.encode(), "sha256")[:24]).decode()


def report_url(public_url: str, signing_key: str, store_id: str, channel: Channel) -> str:
    return f"{public_url}/reports/{channel.value}/{store_id}/{report_token(signing_key, store_id, channel)}"


def is_signed(form: SignatureForm, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """`headers` by lower-case name."""
    made = hmac.digest(secret.encode(), body, form.algorithm)
    expected = made.hex() if form.encoding == "hex" else base64.b64encode(made).decode()
    told = headers.get(form.header.lower(), "").strip()
    if form.encoding == "hex":
        told = told[: len(form.prefix)] + told[len(form.prefix) :].lower()
    return hmac.compare_digest(told.encode("utf-8", "replace"), (form.prefix + expected).encode())


def reports_in(
    gateway: Gateway, store_id: str, channel: Channel, document: Mapping[str, Any], now: datetime, find: Find
) -> Iterator[Report]:
    """`document` is {body, query}; `find` a JMESPath search."""
    form = gateway.report
    for told in _each(form, document, find) if form is not None else ():
        assert form is not None
        meaning, message_id = _meaning(form, find(told, form.status)), find(told, form.message)
        if meaning is None or not isinstance(message_id, str) or not _MESSAGE.fullmatch(message_id):
            continue
        code = find(told, form.detail)
        yield Report(
            store_id=store_id,
            message_id=message_id,
            status=_STATUSES.get(meaning) or MessageStatus(meaning),
            at=_time(find(told, form.at), now),
            detail=str(code) if isinstance(code, str | int) and _CODE.fullmatch(str(code)) else None,
            channel=channel,
            opted_out=meaning == "opted_out",
        )


def replies_in(
    gateway: Gateway, store_id: str, channel: Channel, document: Mapping[str, Any], now: datetime, find: Find
) -> Iterator[Reply]:
    """As `reports_in`."""
    form = gateway.inbound
    for told in _each(form, document, find) if form is not None else ():
        assert form is not None
        sender, text = find(told, form.sender), find(told, form.text)
        if not isinstance(sender, str | int) or isinstance(sender, bool) or not isinstance(text, str) or not sender:
            continue
        at, identifier = _time(find(told, form.at), now), find(told, form.id)
        if (
            not isinstance(identifier, str | int) or identifier == ""
        ):  # the hour tells a repeat from the same word again
            identifier = digest("reply", str(sender), text, f"{at:%Y%m%d%H}")
        yield Reply(channel, str(identifier)[:200], str(sender)[:40], text[:LONGEST], at, store_id=store_id)


def _each(form: ReportForm | InboundForm, document: Mapping[str, Any], find: Find) -> list[Any]:
    if form.each is None:
        return [document]
    found = find(document, form.each)
    return found[:MOST_TOLD] if isinstance(found, list) else []


def _meaning(form: ReportForm, told: Any) -> str | None:
    """Ours; None for one that means nothing. Numbers and truth values are told as JSON writes them."""
    if isinstance(told, bool):
        told = "true" if told else "false"
    if not isinstance(told, str | int):
        return None
    known = {theirs.casefold(): ours for theirs, ours in form.statuses.items()}
    return known.get(str(told).casefold())


def _time(told: Any, now: datetime) -> datetime:
    """As told, if it can be so: a clock that is wrong must not make a choice of consent stand for ever."""
    at = _read_time(told)
    return at if at is not None and now - _LATE <= at <= now + _AHEAD else now


def _read_time(told: Any) -> datetime | None:
    if isinstance(told, str) and not told.strip().isdecimal():
        try:
            return parse_rfc3339(told.strip())
        except ValueError:
            return None
    try:
        number = float(told)
        return datetime.fromtimestamp(number / 1000 if number > _MILLISECONDS else number, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
