"""Applies what a store tells, so that any order of arrival and any number of repeats end in the same records.

The newest telling of an object wins by its version, never by its arrival; events of every telling are united by id,
in the oldest telling's words; totals, facts and ranks fold out of all the contact's orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from chalicelib.clock import Clock
from chalicelib.commerce.cart import CartActivity
from chalicelib.commerce.cart_intake import CartIntake, CartOutcome
from chalicelib.commerce.change import (
    AppRemoved,
    Change,
    CollectionDeleted,
    CollectionTold,
    ConsentTold,
    CustomerDeleted,
    ErasureAsked,
    ExportAsked,
    Nothing,
    OrderDeleted,
    OrderDelivered,
    OrderRestored,
    ProductDeleted,
    ProductRestored,
    StockTold,
)
from chalicelib.commerce.customer import Customer
from chalicelib.commerce.event import FRESH, Event
from chalicelib.commerce.events import enriched, products_in
from chalicelib.commerce.order import Order
from chalicelib.commerce.order_intake import OrderIntake, Outcome
from chalicelib.commerce.ports import Listener, ProductNews, ProductRecord, Products
from chalicelib.commerce.privacy_desk import PrivacyDesk
from chalicelib.commerce.product import Product
from chalicelib.commerce.product_intake import ProductIntake, ProductOutcome, shown
from chalicelib.commerce.store import Store
from chalicelib.contacts.caused import noting
from chalicelib.contacts.identity import CUSTOMER, Pointer
from chalicelib.contacts.person import Person
from chalicelib.contacts.ports import Contacts, Writing
from chalicelib.contacts.profile import Telling
from chalicelib.contacts.resolve import Resolver
from chalicelib.contacts.retry import persist
from chalicelib.errors import BadInput, NotFound


@dataclass(frozen=True)
class ContactRef:
    """Whom an event is about; the first that is set counts."""

    id: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True)
class Applied:
    """Whom it touched, and the events as journeys heard them. `reason`: why there was nothing (more) to do.

    `order_ids`: orders it told of that are nobody's. `erased`: it was about a person who was erased, or whom an erasure
    might not find in it; its text must not be kept.
    """

    contact_ids: tuple[str, ...] = ()
    events: list[tuple[str, Event]] = field(default_factory=list)
    reason: str | None = None
    erased: bool = False
    order_ids: tuple[str, ...] = ()


class Intake:
    def __init__(
        self,
        contacts: Contacts,
        resolver: Resolver,
        orders: OrderIntake,
        carts: CartIntake,
        products: Products,
        privacy: PrivacyDesk,
        listener: Callable[[], Listener],
        clock: Clock,
        news: Callable[[], ProductNews] | None = None,
    ) -> None:
        """`news`: who is told what happens to products; None for what is told out of a store's past."""
        self._contacts, self._resolver, self._orders, self._products = contacts, resolver, orders, products
        self._carts, self._privacy, self._listener, self._clock = carts, privacy, listener, clock
        self._news = news
        self._goods = ProductIntake(products)

    def apply(self, store: Store, change: Change, delivery_id: str | None, received_at: datetime) -> Applied:
        """Bring one change into the records, then let journeys hear its events. Repeating is harmless.

        Raises `TryLater` when the records are too busy: nothing is half done that repeating does not finish.
        """
        match change:
            case Order():
                return self._order(store, change)
            case CartActivity():
                return self._cart(store, self._carts.told(store, change, received_at))
            case OrderDeleted():
                return self._heard(store, self._orders.deleted(store, change.external_id, change.version))
            case OrderRestored():
                return self._heard(store, self._orders.restored(store, change.external_id, change.version))
            case OrderDelivered():
                return self._delivered(store, change)
            case Customer():
                return self._met(store, telling_of(change))
            case CustomerDeleted():
                return self._customer_deleted(store, change)
            case Product():
                return self._catalogued(store, self._goods.told(store.id, change))
            case ProductDeleted() | ProductRestored():
                return self._catalogued(store, self._goods.marked(store.id, change))
            case StockTold():
                return self._catalogued(store, self._goods.stock(store.id, change))
            case CollectionTold() | CollectionDeleted():
                return self._catalogued(store, self._goods.collection(store.id, change))
            case ConsentTold():
                return self._consent(store, change, received_at)
            case ErasureAsked():
                erased = self._privacy.erase(store, change, delivery_id, received_at)
                heard = self._heard(store, Outcome(reranked=list(erased.reranked)))
                return replace(heard, reason=erased.reason)
            case ExportAsked():
                return Applied(reason=self._privacy.export(store, change, delivery_id, received_at))
            case AppRemoved():  # no record of ours changes: whoever takes the delivery ends the connection
                return Applied(reason="the app was removed from the shop")
            case Nothing():
                return Applied(reason=change.reason, erased=change.private)
            case _:
                assert_never(change)

    def record_event(self, store: Store, ref: ContactRef, event: Event) -> Applied:
        """An event somebody sends over the API; the same id twice counts once (the first telling stays).

        Raises `NotFound` for an unknown contact id, `BadInput` for an address that is none.
        """

        def action() -> tuple[str, Event, tuple[Event, ...]] | None:
            known = self._contacts.seen(store.id, event.id)
            if known:
                contact = self._contacts.get(store.id, known[0])
                return (contact.id, known[1], ()) if contact and known[1] else None
            if ref.id:
                found = self._contacts.get(store.id, ref.id)
                if found is None:
                    raise NotFound("no such contact")
                writing = noting(self._contacts, store.id, found, event)
                self._contacts.write(store.id, [replace(writing, seen=(event,))])
                return found.id, event, ()
            person = Person(email=ref.email, phone=ref.phone)
            now = self._clock.now()
            meeting = self._resolver.meet(store, Telling(person, now, "event", event.occurred_at, "event"))
            if meeting.contact is None:
                raise BadInput("expected the email, phone or id of a contact")
            writing = meeting.writing or Writing(meeting.contact.id)
            noted = noting(self._contacts, store.id, meeting.contact, event)
            whole = replace(
                writing,
                contact=writing.contact or noted.contact,
                events=(*writing.events, event),
                seen=(*writing.seen, event),
                engagement=noted.engagement,
            )
            self._contacts.write(store.id, [whole])
            return meeting.contact.id, event, meeting.events

        done = persist(action)
        if done is None:
            return Applied()
        contact_id, kept, born = done
        return self._heard(store, Outcome([(contact_id, one) for one in (*born, kept)], [contact_id]))

    def enriched(self, store_id: str, events: Iterable[Event]) -> list[Event]:
        """Events of the timeline with what the catalogue says today (`commerce.events.enriched`)."""
        events = list(events)
        products = self._catalogue(store_id, events)
        return [enriched(event, products) for event in events]

    def _catalogue(self, store_id: str, events: Iterable[Event]) -> dict[str, ProductRecord]:
        wanted = sorted({product for event in events for product in products_in(event)})
        return self._products.get_many(store_id, wanted) if wanted else {}

    def _heard(self, store: Store, outcome: Outcome) -> Applied:
        """Journeys hear it, with what the catalogue says."""
        if not self._listener().listens(store):
            return Applied(tuple(dict.fromkeys(outcome.contacts)), erased=outcome.erased)
        events = [event for _, event in outcome.events]
        products = self._catalogue(store.id, events)
        if self._wait_for(store.id, events, products):
            products = self._catalogue(store.id, events)  # whoever told one just now did not see that we wait for it
        full = [enriched(event, products) for event in events]
        told = [(contact_id, event) for (contact_id, _), event in zip(outcome.events, full, strict=True)]
        for contact_id in dict.fromkeys(contact_id for contact_id, _ in told):
            self._listener().on_events(store, contact_id, [event for owner, event in told if owner == contact_id])
        for contact_id in outcome.reranked:
            self._listener().reconsider(store, contact_id)
        return Applied(tuple(dict.fromkeys(outcome.contacts)), told, erased=outcome.erased)

    def _wait_for(self, store_id: str, events: Iterable[Event], products: Mapping[str, ProductRecord]) -> bool:
        """Note which fresh orders are told without knowing their products; True if there is such a one."""
        since = self._clock.now() - FRESH
        missing: dict[str, set[str]] = {}
        for event in events:
            unknown = {one for one in products_in(event) if one not in products or shown(products[one]) is None}
            order_id = event.properties.get("order_id")
            if unknown and isinstance(order_id, str) and event.occurred_at > since:
                missing.setdefault(order_id, set()).update(unknown)
        for order_id, unknown in missing.items():
            self._products.wait_for(store_id, sorted(unknown), order_id, self._clock.now() + FRESH)
        return bool(missing)

    def _order(self, store: Store, order: Order) -> Applied:
        """Its cart is bought before journeys hear anything: nobody is written to about it from here on."""
        outcome = self._orders.told(store, order)
        sold = self._carts.ordered(store, order.cart_token, order) if order.cart_token else None
        applied = self._heard(store, outcome)  # first, so that a goal is met where there is one
        if sold:
            self._cart(store, sold)
        nobodys = not (outcome.contacts or outcome.erased)
        return replace(applied, order_ids=(order.external_id,) if nobodys else ())

    def _delivered(self, store: Store, change: OrderDelivered) -> Applied:
        """A parcel's text has an address, which stayed behind if its order were nobody's yet: it is never kept."""
        applied = self._heard(store, self._orders.delivered(store, change.external_id, change.at))
        return replace(applied, erased=True)

    def _cart(self, store: Store, outcome: CartOutcome) -> Applied:
        """Journeys hear it in the cart's own words: it brings its categories and pictures along."""
        for contact_id in dict.fromkeys(contact_id for contact_id, _ in outcome.events):
            mine = [event for owner, event in outcome.events if owner == contact_id]
            self._listener().on_events(store, contact_id, mine)
        for contact_id in outcome.merged:
            self._listener().reconsider(store, contact_id)
        for contact_id in outcome.over:
            self._listener().leave_cart(store, contact_id, outcome.token)
        return Applied(tuple(outcome.contacts), outcome.events, erased=outcome.erased)

    def _consent(self, store: Store, told: ConsentTold, received_at: datetime) -> Applied:
        """Only the choice and who made it: the rest of the account is told elsewhere."""
        identities = {"first_name": None, "last_name": None, "locale": None}
        at = min((change.consent.at for change in told.consent if change.consent.at), default=received_at)
        person = told.person.model_copy(update=identities)
        return self._met(store, Telling(person, at, "consent", at, "consent", told.consent))

    def _met(self, store: Store, telling: Telling) -> Applied:
        def action() -> Outcome:
            meeting = self._resolver.meet(store, telling)
            if meeting.contact is None:
                return Outcome(erased=meeting.erased)
            if meeting.writing:
                self._contacts.write(store.id, [meeting.writing])
            mine = meeting.contact.id
            merged = [mine] if meeting.merged else []
            return Outcome([(mine, event) for event in meeting.events], [mine], merged, meeting.erased)

        return self._heard(store, persist(action))

    def _customer_deleted(self, store: Store, change: CustomerDeleted) -> Applied:
        """The person stays; only the store's id for them goes, whenever it is told."""
        pair = (CUSTOMER, change.external_id)

        def action() -> tuple[str, ...]:
            known = self._contacts.pointers(store.id, [pair]).get(pair)
            pointer = known or Pointer(kind=CUSTOMER, value=change.external_id)
            found = {c.id: c for c in self._contacts.read(store.id, pointer.contacts).values()}
            if pointer.detached:
                return tuple(found)
            mark = pointer.model_copy(update={"detached": True})
            contact = next(iter(found.values()), None)
            if contact is None:
                self._contacts.write(store.id, [Writing("", pointers=(mark,))])
                return ()
            left = tuple(one for one in contact.external_ids if one != change.external_id)
            contact = contact.model_copy(update={"external_ids": left})
            self._contacts.write(store.id, [Writing(contact.id, contact=contact, pointers=(mark,))])
            return (contact.id,)

        return Applied(persist(action))

    def _catalogued(self, store: Store, outcome: ProductOutcome) -> Applied:
        for product_id in outcome.to_hear:
            self._told_with(store, product_id)
        since = self._clock.now() - FRESH
        fresh = [event for event in outcome.news if event.occurred_at > since]
        if fresh and self._news:
            self._news().tell(store, fresh)
        return Applied(reason=outcome.reason)

    def _told_with(self, store: Store, product_id: str) -> None:
        """Orders that were told before this product was: journeys hear their fresh events as if it had been known."""
        since = self._clock.now() - FRESH
        orders = self._products.awaited_by(store.id, product_id)
        told = [one for order_id in orders for one in self._orders.events_since(store.id, order_id, since)]
        reranked = list(dict.fromkeys(contact_id for contact_id, _ in told))
        self._heard(store, Outcome(told, [], reranked))


def telling_of(customer: Customer) -> Telling:
    """What a customer's record says of a person."""
    return Telling(
        person=customer.person.model_copy(update={"customer_id": customer.external_id}),
        at=customer.version.modified_at,
        source=f"customer:{customer.external_id}",
        since=customer.created_at,
        joined_from=customer.joined_from,
        consent=customer.consent,
    )
