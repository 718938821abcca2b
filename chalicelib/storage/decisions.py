"""All that journeys decide by, in one request: it reads by key, so its cost does not grow with what a contact did."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.cart_catalogue import completed, lacking
from chalicelib.commerce.ports import OrderRecord
from chalicelib.commerce.store import Store
from chalicelib.contacts.contact import Contact, PurchaseFact
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.purchases import Purchases, fact
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.journey import Journey
from chalicelib.journeys.ports import Found, Wanted
from chalicelib.messages.message import Message
from chalicelib.storage import keys
from chalicelib.storage.products import Products
from chalicelib.storage.records import load
from chalicelib.storage.table import MOST_TOGETHER, Item, Table

_MOST_MERGES = 10
_Key = tuple[str, str]


class Decisions:
    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, store_id: str, contact_id: str, wanted: Wanted) -> Found:
        """One request for each hundred records; one more after a merge, one or two for categories, two for the newest
        cart, one for carts whose store tells goods by id only."""
        shared, own = _shared(store_id, wanted), _own(wanted)
        partition = keys.contact(store_id, contact_id)
        asked = [*shared, *((partition, sk) for sk in own)]
        items: dict[_Key, Item] = {}
        for _ in range(_MOST_MERGES):
            items |= self._get(asked)
            into = items.get((partition, keys.PROFILE), {}).get("merged_into")
            if into is None:
                break
            partition = keys.contact(store_id, into)
            asked = [(partition, sk) for sk in own]
        store = items.get(keys.store(store_id)) if wanted.store else None
        journey = items.get(keys.journey(store_id, wanted.journey)) if wanted.journey else None
        orders = {order: items.get(keys.order(store_id, order)) for order in wanted.orders}
        carts = {token: items.get(keys.cart(store_id, token)) for token in wanted.carts}
        found = Found(
            store=load(Store, store) if store else None,
            journey=load(Journey, journey) if journey else None,
            orders={order: load(OrderRecord, item) for order, item in orders.items() if item},
            carts={token: load(CartRecord, item) for token, item in carts.items() if item},
            newest_cart=self._newest_cart(store_id, partition) if wanted.newest_cart else None,
        )
        return self._with_contact(
            self._with_goods(store_id, found),
            store_id,
            {sk: item for (pk, sk), item in items.items() if pk == partition},
            wanted,
        )

    def _with_goods(self, store_id: str, found: Found) -> Found:
        """Carts as the catalogue completes them."""
        wanted = set().union(*map(lacking, (*found.carts.values(), found.newest_cart)))
        if not wanted:
            return found
        known = Products(self._table).get_many(store_id, sorted(wanted))
        return replace(
            found,
            carts={token: completed(cart, known) for token, cart in found.carts.items()},
            newest_cart=completed(found.newest_cart, known) if found.newest_cart else None,
        )

    def _newest_cart(self, store_id: str, partition: str) -> CartRecord | None:
        pointers = self._table.query(partition, prefix="K#")
        items = self._get([keys.cart(store_id, str(pointer["token"])) for pointer in pointers])
        carts = [cart for cart in (load(CartRecord, item) for item in items.values()) if cart.latest]
        return max(carts, key=lambda cart: cart.latest.place() if cart.latest else "", default=None)

    def _with_contact(self, found: Found, store_id: str, items: dict[str, Item], wanted: Wanted) -> Found:
        if keys.PROFILE not in items:
            return found
        enrolment = items.get(keys.enrolment(wanted.enrolment)) if wanted.enrolment else None
        if enrolment is not None and enrolment["id"] != wanted.enrolment:
            enrolment = None  # of the other contact, who had entered by the same key before the merge
        messages = {m: load(Message, items[keys.message(m)]) for m in wanted.messages if keys.message(m) in items}
        contact = load(Contact, items[keys.PROFILE])
        kept = items.get(keys.ENGAGEMENT, {})
        engaged = load(Engagement, kept) if wanted.engagement else None
        bought = load(Purchases, items[keys.PURCHASES]) if keys.PURCHASES in items else Purchases()
        return replace(
            found,
            contact=contact,
            enrolment=load(Enrolment, enrolment) if enrolment else None,
            messages={asked: message for asked, message in messages.items() if message.id == asked},
            purchases=self._facts(store_id, bought, wanted.subjects, contact.total_spent.currency),
            engagement=engaged,
            categories=self._categories(store_id, _goods(engaged)) if engaged and wanted.categories else {},
        )

    def _categories(self, store_id: str, products: Collection[str]) -> dict[str, list[str]]:
        known = Products(self._table).get_many(store_id, sorted(products))
        return {
            product_id: [category.id for category in product.categories]
            for product_id, record in known.items()
            if (product := record.current)
        }

    def _facts(
        self, store_id: str, purchases: Purchases, subjects: Collection[str], currency: str
    ) -> dict[str, PurchaseFact]:
        categories: dict[str, list[str]] = {}
        if any(subject.startswith("category:") for subject in subjects):
            categories = self._categories(store_id, purchases.products())
        return {subject: fact(purchases, subject, categories, currency) for subject in subjects}

    def _get(self, wanted: Sequence[_Key]) -> dict[_Key, Item]:
        found: list[Item] = []
        for start in range(0, len(wanted), MOST_TOGETHER):
            found += self._table.get_many(wanted[start : start + MOST_TOGETHER])
        return {(item["pk"], item["sk"]): item for item in found}


def _shared(store_id: str, wanted: Wanted) -> list[_Key]:
    found = [keys.store(store_id)] if wanted.store else []
    found += [keys.journey(store_id, wanted.journey)] if wanted.journey else []
    found += [keys.order(store_id, order) for order in wanted.orders]
    return found + [keys.cart(store_id, token) for token in wanted.carts]


def _own(wanted: Wanted) -> list[str]:
    """Sort keys in the contact's own partition."""
    found = [keys.PROFILE, *(keys.message(message) for message in wanted.messages)]
    found += [keys.enrolment(wanted.enrolment)] if wanted.enrolment else []
    found += [keys.ENGAGEMENT] if wanted.engagement else []
    return found + ([keys.PURCHASES] if wanted.subjects else [])


def _goods(engagement: Engagement) -> set[str]:
    """Products whose categories a condition may ask for."""
    return {view.product for view in engagement.views if view.product} | engagement.wishes()
