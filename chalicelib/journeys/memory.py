"""Records in memory, of one contact at a time: what journeys run over when nothing may be written.

The same ports as the table's (`journeys.ports`, `messages.ports`, and of `contacts.ports` what the contact book needs
for the steps of a journey), so that the very Enroller, Steps, ContactBook and Sender that do the work run over them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chalicelib.clock import rfc3339
from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.event import Event
from chalicelib.commerce.ports import OrderRecord, ProductRecord
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact, PurchaseFact
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.ports import Writing
from chalicelib.contacts.purchases import ContactOrder, Purchases, fact
from chalicelib.errors import Conflict
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.journey import Journey, JourneyVersion
from chalicelib.journeys.ports import Found, ProductRecords, Wanted
from chalicelib.messages.message import Message
from chalicelib.messages.recent import Recent


class VirtualClock:
    """Stands where it is put."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


class MemoryJourneys:
    """`ports.JourneyRecords`."""

    def __init__(self) -> None:
        self._heads: dict[tuple[str, str], Journey] = {}
        self._versions: dict[tuple[str, str, int], JourneyVersion] = {}

    def get(self, store_id: str, journey_id: str) -> Journey | None:
        return self._heads.get((store_id, journey_id))

    def head(self, store_id: str, journey_id: str) -> Journey | None:
        journey = self.get(store_id, journey_id)
        return _without_draft(journey) if journey else None

    def save(self, journey: Journey) -> Journey:
        """Raises `Conflict` if somebody was quicker."""
        key = (journey.store_id, journey.id)
        present = self._heads.get(key)
        if (present.rev if present else 0) != journey.rev:
            raise Conflict("somebody else was quicker")
        draft = journey.draft if journey.draft is not None or present is None else present.draft
        self._heads[key] = journey.model_copy(update={"rev": journey.rev + 1, "draft": draft})
        return journey.model_copy(update={"rev": journey.rev + 1})

    def of_store(self, store_id: str) -> list[Journey]:
        return [_without_draft(self._heads[key]) for key in sorted(self._heads) if key[0] == store_id]

    def version(self, store_id: str, journey_id: str, version: int) -> JourneyVersion | None:
        return self._versions.get((store_id, journey_id, version))

    def publish(self, version: JourneyVersion) -> None:
        """Raises `Conflict` if that number is taken."""
        key = (version.store_id, version.journey, version.version)
        if key in self._versions:
            raise Conflict("that number is taken")
        self._versions[key] = version


def _without_draft(journey: Journey) -> Journey:
    return journey if journey.draft is None else journey.model_copy(update={"draft": None})


class Known(Protocol):
    """What the records of the store say of the contact at the clock's time (`journeys.past.Then`)."""

    def order(self, order_id: str) -> OrderRecord | None: ...

    def cart(self, token: str) -> CartRecord | None: ...

    def newest_cart(self) -> CartRecord | None: ...

    def paid(self) -> list[ContactOrder]: ...

    def purchases(self) -> Purchases: ...

    def engagement(self) -> Engagement: ...

    def engaged(self, engagement: Engagement) -> None:
        """It is this from now on."""
        ...


class OneContact:
    """Everything that is kept of one contact, and what the store knows of it. `take` begins another's."""

    def __init__(self, store: Store, journeys: MemoryJourneys, products: ProductRecords) -> None:
        self._store, self._journeys, self._products = store, journeys, products
        self.contact: Contact | None = None
        self.known: Known | None = None
        self.enrolments: dict[str, Enrolment] = {}
        self.messages: dict[str, Message] = {}
        self.events: dict[str, Event] = {}
        self.seen: dict[str, Event] = {}
        self.recent = Recent()

    def take(self, contact: Contact, known: Known) -> None:
        """Forget the one before."""
        self.contact, self.known = contact, known
        self.enrolments, self.messages, self.events, self.seen = {}, {}, {}, {}
        self.recent = Recent()

    def tell(self, event: Event) -> bool:
        """Into the timeline; False for one that is there."""
        if event.id in self.events:
            return False
        self.events[event.id] = event
        return True

    # journeys.ports.DecisionRecords

    def read(self, store_id: str, contact_id: str, wanted: Wanted) -> Found:
        known, contact = self.known, self.contact
        if known is None or contact is None or contact.id != contact_id:
            return Found(store=self._store if wanted.store else None)
        return Found(
            contact=contact,
            store=self._store if wanted.store else None,
            journey=self._journeys.head(store_id, wanted.journey) if wanted.journey else None,
            enrolment=self.enrolments.get(wanted.enrolment) if wanted.enrolment else None,
            orders={one: record for one in wanted.orders if (record := known.order(one))},
            carts={token: cart for token in wanted.carts if (cart := known.cart(token))},
            newest_cart=known.newest_cart() if wanted.newest_cart else None,
            messages={one: self.messages[one] for one in wanted.messages if one in self.messages},
            purchases=self._facts(store_id, known.purchases(), wanted.subjects) if wanted.subjects else {},
            engagement=self._engagement(known.engagement()) if wanted.engagement else None,
        )

    def _engagement(self, engagement: Engagement) -> Engagement:
        """Views with the categories that the catalogue gives their products today, beside those that were told."""
        categories = self._categories({view.product for view in engagement.views if view.product})
        views = [
            view.model_copy(update={"categories": (*view.categories, *more)})
            for view in engagement.views
            for more in [[one for one in categories.get(view.product, ()) if one not in view.categories]]
        ]
        return engagement.model_copy(update={"views": tuple(views)})

    def _categories(self, products: Collection[str]) -> dict[str, list[str]]:
        found = self._products.get_many(self._store.id, sorted(products))
        told = {name: record.current for name, record in found.items()}
        return {name: [one.id for one in product.categories] for name, product in told.items() if product}

    def _facts(self, store_id: str, purchases: Purchases, subjects: Collection[str]) -> dict[str, PurchaseFact]:
        asks = any(subject.startswith("category:") for subject in subjects)
        categories = self._categories(purchases.products()) if asks else {}
        return {subject: fact(purchases, subject, categories) for subject in subjects}


class MemoryEnrolments:
    """`ports.EnrolmentRecords`."""

    def __init__(self, kept: OneContact) -> None:
        self._kept = kept

    def get(self, store_id: str, enrolment_id: str, contact_id: str | None = None) -> Enrolment | None:
        return self._kept.enrolments.get(enrolment_id)

    def create(self, enrolment: Enrolment) -> bool:
        if enrolment.id in self._kept.enrolments:
            return False
        self._kept.enrolments[enrolment.id] = enrolment
        return True

    def save(self, enrolment: Enrolment) -> Enrolment:
        """Raises `Conflict` if somebody was quicker."""
        present = self._kept.enrolments.get(enrolment.id)
        if (present.rev if present else 0) != enrolment.rev:
            raise Conflict("somebody else was quicker")
        written = enrolment.model_copy(update={"rev": enrolment.rev + 1})
        self._kept.enrolments[enrolment.id] = written
        return written

    def of_contact(self, store_id: str, contact_id: str) -> list[Enrolment]:
        found = [enrolment for enrolment in self._kept.enrolments.values() if not enrolment.withdrawn]
        return sorted(found, key=lambda enrolment: (enrolment.entered_at, enrolment.id))

    def all_of_journey(self, store_id: str, journey_id: str) -> Iterator[Enrolment]:
        return (one for one in list(self._kept.enrolments.values()) if one.journey == journey_id)


class MemoryMessages:
    """`messages.ports.MessageRepository`."""

    def __init__(self, kept: OneContact) -> None:
        self._kept = kept

    def get(self, store_id: str, message_id: str, contact_id: str | None = None) -> Message | None:
        return self._kept.messages.get(message_id)

    def claim(self, message: Message) -> bool:
        if message.id in self._kept.messages:
            return False
        self._kept.messages[message.id] = message
        return True

    def save(self, message: Message) -> Message:
        """Raises `Conflict` if somebody was quicker."""
        present = self._kept.messages.get(message.id)
        if (present.rev if present else 0) != message.rev:
            raise Conflict("somebody else was quicker")
        written = message.model_copy(update={"rev": message.rev + 1})
        self._kept.messages[message.id] = written
        return written

    def of_contact(self, store_id: str, contact_id: str) -> list[Message]:
        return sorted(self._kept.messages.values(), key=lambda message: (message.created_at, message.id))


class MemoryRecents:
    """`messages.ports.RecentRecords`."""

    def __init__(self, kept: OneContact) -> None:
        self._kept = kept

    def get(self, store_id: str, contact_id: str) -> Recent:
        return self._kept.recent

    def save(self, store_id: str, contact_id: str, recent: Recent) -> None:
        """Raises `Conflict` if somebody was quicker."""
        if self._kept.recent.rev != recent.rev:
            raise Conflict("somebody else was quicker")
        self._kept.recent = recent.model_copy(update={"rev": recent.rev + 1})


class MemoryOrders:
    """`ports.OrderRecords`."""

    def __init__(self, kept: OneContact) -> None:
        self._kept = kept

    def get(self, store_id: str, external_id: str) -> OrderRecord | None:
        found = self._kept.read(store_id, self._kept.contact.id if self._kept.contact else "", _order(external_id))
        return found.orders.get(external_id)


def _order(external_id: str) -> Wanted:
    return Wanted(orders=[external_id])


class MemoryTimeline:
    """`ports.TimelineRecords`."""

    def __init__(self, kept: OneContact) -> None:
        self._kept = kept

    def append(self, store_id: str, contact_id: str, event: Event) -> None:
        self._kept.tell(event)

    def of_contact(
        self,
        store_id: str,
        contact_id: str,
        before: str | None = None,
        limit: int = 100,
        since: datetime | None = None,
    ) -> list[Event]:
        known = (event for event in self._kept.events.values() if since is None or event.occurred_at >= since)
        newest_first = sorted(known, key=self.sort_key, reverse=True)
        return [event for event in newest_first if before is None or self.sort_key(event) < before][:limit]

    def sort_key(self, event: Event) -> str:
        return f"{rfc3339(event.occurred_at)}#{event.id}"


class MemoryContacts:
    """Of `contacts.ports.Contacts` what the contact book asks for in `ports.ContactChanges`."""

    def __init__(self, kept: OneContact) -> None:
        self._kept = kept

    def get(self, store_id: str, contact_id: str) -> Contact | None:
        contact = self._kept.contact
        return contact if contact is not None and contact.id == contact_id else None

    def orders(self, store_id: str, contact_id: str) -> list[ContactOrder]:
        return self._kept.known.paid() if self._kept.known is not None else []

    def engagement(self, store_id: str, contact_id: str) -> Engagement:
        known = self._kept.known
        return known.engagement() if known is not None else Engagement()

    def seen(self, store_id: str, event_id: str) -> tuple[str, Event | None] | None:
        event, contact = self._kept.seen.get(event_id), self._kept.contact
        return (contact.id, event) if event is not None and contact is not None else None

    def write(self, store_id: str, writings: Sequence[Writing]) -> None:
        """Raises `Conflict` if the contact is another than was read."""
        for writing in writings:
            present = self._kept.contact
            if writing.contact is not None and present is not None:
                if writing.contact.rev != present.rev:
                    raise Conflict("somebody else was quicker")
                self._kept.contact = writing.contact.model_copy(update={"rev": present.rev + 1})
            for event in writing.events:
                self._kept.tell(event)
            if writing.engagement is not None and self._kept.known is not None:
                self._kept.known.engaged(writing.engagement)
            self._kept.seen.update({event.id: event for event in writing.seen})


class Catalogue:
    """`ports.ProductRecords` that asks another for each product once."""

    def __init__(self, products: ProductRecords) -> None:
        self._products = products
        self._known: dict[str, ProductRecord | None] = {}

    def get_many(self, store_id: str, external_ids: list[str]) -> dict[str, ProductRecord]:
        if missing := [one for one in external_ids if one not in self._known]:
            found: Mapping[str, ProductRecord] = self._products.get_many(store_id, missing)
            self._known.update({one: found.get(one) for one in missing})
        return {one: record for one in external_ids if (record := self._known[one]) is not None}
