"""Makes one message of an owner's content, for one contact: what it needs of the shop is gathered, its channel's
composer writes it, and its links become ours. Nothing is decided, kept or sent here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from chalicelib.clock import Clock
from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Benefit, Contact
from chalicelib.journeys.condition_forms import Condition
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.messages.content import RenderData, RenderingError, choose_language
from chalicelib.messages.fields import Alert
from chalicelib.messages.followed import MessageLinks
from chalicelib.messages.message import Message, MessageKind
from chalicelib.messages.pace import Pace
from chalicelib.messages.pictured import placed_pictures
from chalicelib.messages.ports import Links, MessageChannel
from chalicelib.messages.said import words_digest
from chalicelib.messages.showing import Holds, Needs, Storefront, gather
from chalicelib.messages.tracking import Tracking

Content = TypeVar("Content", contravariant=True)
Finished = TypeVar("Finished")
Made = TypeVar("Made", covariant=True)


def nothing_holds(condition: Condition) -> bool:
    """Of nobody in particular nothing is known."""
    return False


class Composer(Protocol[Content, Made]):
    """Makes one channel's messages of an owner's content."""

    def needs(self, content: Content, event: Mapping[str, Any], holds: Holds) -> Needs:
        """What to gather of the shop before composing."""
        ...

    def compose(self, content: Content, data: RenderData, message: Message) -> Made:
        """`message` is the record of it, with the address. What is made tells its `subject`, `text` and `parts`.

        Raises RenderingError, naming the field, and NotAllowed."""
        ...


@dataclass(frozen=True)
class Medium(Generic[Content, Finished]):
    """One channel: who makes its messages, who takes them, and how fast (`pace` None: as fast as they come)."""

    composer: Composer[Content, Finished]
    channel: MessageChannel[Finished]
    pace: Pace | None = None


@dataclass(frozen=True)
class Composed:
    """`links`: where its links lead; None if nothing in it is followed."""

    finished: Any
    links: MessageLinks | None


class Maker:
    def __init__(self, storefront: Storefront, links: Links, tracker: Tracking, clock: Clock) -> None:
        self._storefront, self._links, self._tracker, self._clock = storefront, links, tracker, clock

    def words(self, claim: Message, composed: Composed) -> str | None:
        """Of marketing; nobody counts the others. Links of ours differ each time: where they lead is what is said. So
        is a WhatsApp template's name: most of its words are kept at Meta."""
        if claim.kind is not MessageKind.MARKETING:
            return None
        made = composed.finished
        ours = self._links.unsubscribe_url(claim.store_id, claim.id, claim.channel)
        lead = sorted(target.url for target in composed.links.targets if target.url) if composed.links else []
        approved = getattr(made, "template", None) or made.subject
        return words_digest(claim.channel, approved, " ".join((made.text, *lead)), ours)

    def made(
        self,
        medium: Medium[Any, Any],
        store: Store,
        contact: Contact,
        enrolment: Enrolment,
        message: Message,
        content_by_language: Mapping[str, Any],
        cart: CartRecord | None,
        holds: Holds,
        alert: Alert | None = None,
        plain: bool = False,
    ) -> Composed:
        """`message` is its record. `alert`: what it tells the manager; `plain`: links lead where they will in the end.

        Raises RenderingError, naming the field, and NotAllowed."""
        if not content_by_language:
            raise RenderingError("content: in no language")
        language = choose_language(tuple(content_by_language), contact.locale, store.locale)
        content = content_by_language[language]
        needs = medium.composer.needs(content, enrolment.event, holds)
        showing = gather(self._storefront, needs, store.id, contact.id, enrolment.event, message.at)
        coupon = _still_good(enrolment.coupon, message.at)
        pictured = placed_pictures(
            needs, showing, store, enrolment.event, coupon, language, self._links.pictures, message.at
        )
        begin = self._tracker.plain if plain else self._tracker.begin
        linking = begin(store, message, content, language)
        marketing = message.kind is MessageKind.MARKETING
        leave = self._links.unsubscribe_url(store.id, message.id, message.channel) if marketing else None
        if leave and message.channel is not Channel.EMAIL:  # RFC 8058's own has to answer a POST itself
            leave = linking.leaving(leave)
        data = RenderData(
            store=store,
            contact=contact,
            language=language,
            kind=message.kind,
            event=enrolment.event,
            products=showing.products,
            viewed=showing.chosen_by("viewed_products"),
            recommended=showing.chosen_by("recommended"),
            arrivals=showing.chosen_by("new_arrivals"),
            focused=needs.focused,
            placed={**showing.why(), **pictured},
            cart=cart,
            coupon=coupon,
            alert=alert,
            unsubscribe_url=leave,
            preferences_url=self._links.preferences_url(store.id, message.id, message.channel) if marketing else None,
            shorten=linking.shorten,
        )
        finished = linking.finished(medium.composer.compose(content, data, message))
        return Composed(finished, linking.record(self._clock.now()))


def _still_good(coupon: Benefit | None, now: datetime) -> Benefit | None:
    over = coupon is not None and coupon.expires_at is not None and coupon.expires_at <= now
    return None if over else coupon
