"""The doors behind the pictures that are true when they are opened. Whoever holds a message may look, again and again:
nothing is noted, and nothing in the address is about a person.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, cast

from chalice import Blueprint, Response  # type: ignore[attr-defined]

from chalicelib import wiring
from chalicelib.clock import Clock
from chalicelib.errors import told
from chalicelib.handlers.http import problem
from chalicelib.messages.drawing import nothing
from chalicelib.messages.picture_links import PictureLinks
from chalicelib.messages.true_pictures import countdown, stock_left

if TYPE_CHECKING:
    from chalicelib.commerce.ports import ProductRecord

pictures = Blueprint(__name__)
_log = logging.getLogger("agala")
_HEADERS = {
    "Content-Type": "image/png",
    "Cache-Control": "no-store, no-cache, max-age=0",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}


class _Links(Protocol):
    @property
    def pictures(self) -> PictureLinks: ...


class _Products(Protocol):
    def get(self, store_id: str, external_id: str) -> ProductRecord | None: ...


class _Parts(Protocol):
    @property
    def links(self) -> _Links: ...

    @property
    def products(self) -> _Products: ...

    @property
    def clock(self) -> Clock: ...


class Picture(Response):
    """Bytes as API Gateway's proxy takes them, whatever the client says that it accepts: Chalice refuses a picture to
    a mail program that does not name its kind."""

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = super().to_dict([])
        return {**answer, "body": base64.b64encode(self.body).decode(), "isBase64Encoded": True}


def _drawn(view: Callable[[str], bytes | None]) -> Callable[[str], Response]:
    """404 for an address that we did not make. What fails draws nothing: a broken picture would be seen."""

    @wraps(view)
    def answer(picture: str) -> Response:
        try:
            drawn = view(picture.removesuffix(".png")) if picture.endswith(".png") else None
        except Exception as mistake:  # noqa: BLE001  its text may quote what it should not
            _log.error("a picture failed: %s", told(mistake))
            drawn = nothing(1)
        if drawn is None:
            return problem(404, "There is no such picture.")
        return Picture(body=drawn, status_code=200, headers=dict(_HEADERS))

    return answer


@pictures.route("/i/c/{picture}", methods=["GET", "HEAD"], content_types=["*/*"])
@_drawn
def show_countdown(picture: str) -> bytes | None:
    """How long until the moment in the address, as of now."""
    parts = _parts()
    asked = parts.links.pictures.read_countdown(picture)
    return countdown(asked.until, parts.clock.now(), asked.language, asked.colour) if asked else None


@pictures.route("/i/s/{picture}", methods=["GET", "HEAD"], content_types=["*/*"])
@_drawn
def show_stock(picture: str) -> bytes | None:
    """How many of the product are left, as of now."""
    parts = _parts()
    asked = parts.links.pictures.read_stock(picture)
    if asked is None:
        return None
    record = parts.products.get(asked.store_id, asked.product_id)
    product = record.current if record and not record.is_deleted else None
    return stock_left(product, asked.below, asked.language, asked.colour)


def _parts() -> _Parts:
    return cast(_Parts, wiring.get())
