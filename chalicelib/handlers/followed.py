"""The doors behind the links and the picture of a message: note who came, lead them on, and let a queue tell later.

A link leads where its message's record says and nowhere else: nothing of the request is ever part of the way. What a
visit means is not decided here, and nothing of the contact changes: most of those who come first are programs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol, cast

from chalice import Blueprint, Response  # type: ignore[attr-defined]

from chalicelib import wiring
from chalicelib.clock import Clock, rfc3339
from chalicelib.contacts.consent import Channel
from chalicelib.errors import TryLater, told
from chalicelib.handlers.visitor_page import answered, bad_link, page
from chalicelib.messages.followed import KEPT, MessageLinks, Sighting
from chalicelib.messages.links import LEAVE, OPEN
from chalicelib.messages.robots import agent_of
from chalicelib.messages.wording import wording

followed = Blueprint(__name__)
_log = logging.getLogger("agala")

_PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
# A grey point that is shown at no opacity, in a GIF that is also UTF-8 text: so it passes through API Gateway as it is,
# which hands binary answers on only by what a client says that it accepts, and mail programs say what they like.
PIXEL = "GIF89a\x01\x00\x01\x00\u0080\x00" + "\x7f" * 24 + ",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"


class _Links(Protocol):
    def read_followed(self, token: str) -> tuple[str, str] | None: ...

    def read_pixel(self, token: str) -> str | None: ...

    def leave_url(self, store_id: str, message_id: str, channel: Channel) -> str: ...

    def network(self, address: str) -> str: ...


class _Followed(Protocol):
    def get(self, code: str) -> MessageLinks | None: ...

    def see(self, code: str, sighting: Sighting) -> MessageLinks | None: ...


class _Queue(Protocol):
    def send(self, message: dict[str, Any], message_id: str, /) -> None: ...


class _Parts(Protocol):
    @property
    def links(self) -> _Links: ...

    @property
    def followed(self) -> _Followed: ...

    @property
    def activities(self) -> _Queue: ...

    @property
    def clock(self) -> Clock: ...


@followed.route("/l/{token}", methods=["GET", "HEAD"], content_types=["*/*"])
@answered
def follow(token: str) -> Response:
    """302 to the link's own target, or a word of thanks where it has none. HEAD is answered the same and not noted."""
    parts = _parts()
    read = parts.links.read_followed(token)
    if read is None:
        return bad_link(followed.current_request)
    code, number = read
    noted = _method() == "GET" and number != LEAVE  # who wants no more of it is not counted as interested
    links = _seen(parts, code, number) if noted else parts.followed.get(code)
    if links is None or links.sent_at + KEPT < parts.clock.now():
        return bad_link(followed.current_request)
    if number == LEAVE:
        page_of_leaving = parts.links.leave_url(links.store_id, links.message_id, links.channel)
        return Response(body="", status_code=302, headers={"Location": page_of_leaving, **_PRIVATE})
    try:
        destination = links.destination(number)
    except KeyError:
        return bad_link(followed.current_request)
    if destination is None:
        words = wording(links.language)
        return page(200, links.language, words.thanks_title, words.thanks_text)
    return Response(body="", status_code=302, headers={"Location": destination, **_PRIVATE})


@followed.route("/o/{token}", methods=["GET", "HEAD"], content_types=["*/*"])
@answered
def show_pixel(token: str) -> Response:
    """One point, whatever comes of it: a broken picture would be seen."""
    parts = _parts()
    code = parts.links.read_pixel(token)
    if code is None:
        return bad_link(followed.current_request)
    if _method() == "GET":
        _seen(parts, code, OPEN)
    return Response(body=PIXEL, status_code=200, headers={"Content-Type": "image/gif", **_PRIVATE})


def _seen(parts: _Parts, code: str, number: str) -> MessageLinks | None:
    """The record with this visit. The queue is told first: it brings what it is told only seconds later, so whoever is
    cut off in between leaves no visit that nobody looks at. A queue that is out stops nobody: what the record has is
    told with the next visit.
    """
    request = followed.current_request
    headers: Mapping[str, str] = {name.lower(): value for name, value in (request.headers or {}).items()}
    address = str((request.context.get("identity") or {}).get("sourceIp") or "")
    at = parts.clock.now()
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as the record keeps it
    sighting = Sighting(
        at=at, number=number, agent=agent_of(headers, address, number), network=parts.links.network(address)
    )
    try:
        parts.activities.send({"code": code, "number": number, "at": rfc3339(at)}, f"{code}{number}{rfc3339(at)}")
    except TryLater as trouble:
        _log.error("a visit is not told yet: %s", told(trouble))
    return parts.followed.see(code, sighting)


def _method() -> str:
    return str(followed.current_request.method)


def _parts() -> _Parts:
    return cast(_Parts, wiring.get())
