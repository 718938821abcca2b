"""What a rehearsal's steps reach beyond their contact: nothing that leaves this process.

Messages and alerts are decided on and never composed; coupons have their real codes and are in no shop; webhooks are
answered with 204; another journey is taken as entered, and what it does is not followed; errands are kept in memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.commerce.coupon import Coupon, CouponTerms, OwnedCoupon
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.errors import Conflict
from chalicelib.ids import digest
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.errands import Errand
from chalicelib.journeys.gathering import Gathering
from chalicelib.messages.content_model import EmailContent, WhatsAppContent
from chalicelib.messages.fields import RenderData
from chalicelib.messages.followed import MessageLinks
from chalicelib.messages.message import Message
from chalicelib.messages.showing import Needs, Shown, Wanted
from chalicelib.messages.tracking import NOT_TRACKED, Linking

_DEPENDS = re.compile(
    r"\{[{%][^}]*\b(order|cart|product|coupon|event)\b"
    r'|"type":"(order_items|cart_items|coupon|product|viewed_products|recommended|new_arrivals|countdown|stock_left|focus)"'
)


@dataclass(frozen=True)
class Unwritten:
    """A message that nobody gets."""

    message_id: str
    text: str
    subject: None = None
    parts: None = None


class Nowhere:
    """Composer, channel, links, tracker and products of messages. `taken`: the ids of those that were handed over."""

    pictures = None

    def __init__(self) -> None:
        self.taken: list[str] = []
        self._known: dict[int, tuple[EmailContent, str, bool]] = {}

    def needs(self, content: Any, event: Any, holds: Any) -> Needs:
        return Needs()

    def compose(self, content: Any, data: RenderData, message: Message) -> Unwritten:
        told, depends = self._unfilled(content)
        return Unwritten(message.id, f"{told} {data.event.get('id')}" if depends else told)

    def _unfilled(self, content: Any) -> tuple[str, bool]:
        """What stands for the words of a message that nobody writes, and whether what it shows depends on what
        happened, such as an order's goods: then only two about the same event say the same."""
        if isinstance(content, EmailContent):  # the definition's own
            known = self._known.get(id(content))
            if known is None:
                known = self._known[id(content)] = (content, *_source(content.model_dump_json()))
            return known[1:]
        return _source(content.model_dump_json() if isinstance(content, WhatsAppContent) else str(content))

    def send(self, message: Unwritten, /) -> str:
        self.taken.append(message.message_id)
        return f"what-if-{message.message_id}"

    def was_taken(self, message_id: str) -> bool:
        return False

    def unsubscribe_url(self, store_id: str, message_id: str, channel: Channel) -> str:
        return "https://what-if.invalid"

    def preferences_url(self, store_id: str, message_id: str, channel: Channel) -> str:
        return "https://what-if.invalid"

    def read(self, store_id: str, contact_id: str, wanted: Wanted) -> Shown:
        return Shown()

    def begin(self, store: Store, message: Message, content: Any, language: str, straight: bool = False) -> Linking:
        return NOT_TRACKED

    def keep(self, links: MessageLinks) -> None:
        """There are none."""

    def forget(self, code: str) -> None:
        """There are none."""


def _source(text: str) -> tuple[str, bool]:
    return digest("unwritten", text), _DEPENDS.search(text) is not None


class MemoryCoupons:
    """`ports.CouponRecords` and `ports.Coupons`."""

    def __init__(self) -> None:
        self._kept: dict[str, OwnedCoupon] = {}

    def __call__(self, store: Store, cause: str, terms: CouponTerms, customer_id: str | None) -> Coupon:
        return Coupon(code=cause, external_id=cause)

    def claim(self, coupon: OwnedCoupon) -> OwnedCoupon:
        return self._kept.setdefault(coupon.code.casefold(), coupon)

    def get_many(self, store_id: str, codes: Collection[str]) -> dict[str, OwnedCoupon]:
        return {code: self._kept[code.casefold()] for code in codes if code.casefold() in self._kept}

    def clear(self) -> None:
        self._kept = {}


class NoWebhooks:
    """`ports.Webhooks`."""

    def call(self, store_id: str, url: str, identifier: str, body: Mapping[str, Any]) -> int:
        return 204


class OthersNotFollowed:
    """`ports.OtherJourneys`."""

    def start(self, store: Store, contact_id: str, journey_id: str, by: Enrolment, step: str) -> str | None:
        return None

    def stop(self, store_id: str, contact_id: str, journey_id: str, by: Enrolment) -> None:
        return None


class MemoryGatherings:
    """`gatherer.GatheringRecords` of one contact."""

    def __init__(self) -> None:
        self._kept: dict[str, Gathering] = {}

    def get(self, store_id: str, contact_id: str, journey_id: str) -> Gathering | None:
        return self._kept.get(journey_id)

    def save(self, contact_id: str, gathering: Gathering) -> Gathering:
        """Raises `Conflict` if somebody was quicker."""
        present = self._kept.get(gathering.journey)
        if (present.rev if present else 0) != gathering.rev:
            raise Conflict("somebody else was quicker")
        written = gathering.model_copy(update={"rev": gathering.rev + 1})
        self._kept[gathering.journey] = written
        return written

    def clear(self) -> None:
        self._kept = {}


class MemoryErrands:
    """`errands.ErrandRecords`."""

    def __init__(self) -> None:
        self._kept: dict[str, Errand] = {}

    def get(self, store_id: str, errand_id: str) -> Errand | None:
        return self._kept.get(errand_id)

    def create(self, errand: Errand) -> bool:
        if errand.id in self._kept:
            return False
        self._kept[errand.id] = errand
        return True

    def save(self, errand: Errand) -> Errand:
        """Raises `Conflict` if somebody was quicker."""
        present = self._kept.get(errand.id)
        if present is None or present.rev != errand.rev:
            raise Conflict("somebody else was quicker")
        written = errand.model_copy(update={"rev": errand.rev + 1})
        self._kept[errand.id] = written
        return written

    def of_kind(self, store_id: str, kind: str) -> list[Errand]:
        return [errand for errand in self._kept.values() if errand.kind == kind]

    def clear(self) -> None:
        self._kept = {}


class OneStore:
    """Finds the store that is rehearsed in."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, store_id: str) -> Store | None:
        return self._store if store_id == self._store.id else None
