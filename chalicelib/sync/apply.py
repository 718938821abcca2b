"""One page of a shop into the records: a bad record is counted and never stops the others."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chalicelib.commerce.change import Change
from chalicelib.commerce.customer import Customer
from chalicelib.commerce.intake import Applied, telling_of
from chalicelib.commerce.order import Order
from chalicelib.commerce.ports import Orders, ProductRecord, Products
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store
from chalicelib.contacts.identity import CUSTOMER, identities_of
from chalicelib.contacts.ports import Contacts
from chalicelib.contacts.profile import absorb
from chalicelib.errors import TryLater, told
from chalicelib.sync.ports import Pulled

_log = logging.getLogger(__name__)

_ORIGINS = ("provenance", "created_at", "joined_from")  # of a profile: where it comes from, not what it says


class Intake(Protocol):
    """`commerce.intake.Intake`."""

    def apply(self, store: Store, change: Change, delivery_id: str | None, received_at: datetime) -> Applied: ...


@dataclass
class Result:
    """`news`: times of the changes that we had not known, `heard`: how many a webhook had told us."""

    mistakes: list[str] = field(default_factory=list)
    news: list[datetime] = field(default_factory=list)
    heard: int = 0


def apply_history(intake: Intake, store: Store, records: Iterable[Pulled], now: datetime, hands: Executor) -> Result:
    """By several hands at once: tellings of one person stay in one hand, for two hands would get in each other's way.

    Raises `TryLater` when the records are too busy: the page may be applied again.
    """
    result = Result()
    lots: dict[str, list[Pulled]] = {}
    for number, record in enumerate(records):
        lots.setdefault(_whose(record) or f"#{number}", []).append(record)
    for mistakes in hands.map(lambda lot: [_applied(intake, store, record, now) for record in lot], lots.values()):
        result.mistakes += [mistake for mistake in mistakes if mistake]
    return result


class Missed:
    """Tells what we had not heard from what a webhook told in its time."""

    def __init__(self, orders: Orders, products: Products, contacts: Contacts) -> None:
        self._orders, self._products, self._contacts = orders, products, contacts

    def apply(self, intake: Intake, store: Store, records: Iterable[Pulled], now: datetime) -> Result:
        """Only the news are applied, as if told just now. Raises `TryLater`."""
        result = Result()
        for record in records:
            try:
                news = [change for change in record.changes if self._is_news(store, change, result)]
            except TryLater:
                raise
            except Exception as problem:  # noqa: BLE001 - a mistake of ours about one record
                result.mistakes.append(_noted(problem))
                continue
            if record.changes and not news:
                continue
            mistake = _applied(intake, store, Pulled(news, record.mistake), now)
            if mistake:
                result.mistakes.append(mistake)
            else:
                result.news += [moment for change in news if (moment := _moment(change))]
        return result

    def _is_news(self, store: Store, change: Change, result: Result) -> bool:
        match change:
            case Order():
                known = self._orders.get(store.id, change.external_id)
                if known is None or known.order is None or _newer(change.version, known.order.version):
                    return True
                result.heard += not known.pulled
                return False
            case Product():
                return _is_news_of(change, self._products.get(store.id, change.external_id))
            case Customer():
                return self._says_more(store, change)
            case _:
                return True

    def _says_more(self, store: Store, customer: Customer) -> bool:
        """Whether the person is unknown or has changed: some shops list customers by when they changed."""
        pair = (CUSTOMER, customer.external_id)
        pointer = self._contacts.pointers(store.id, [pair]).get(pair)
        if pointer is None:
            return True
        contact = next(iter(self._contacts.read(store.id, pointer.contacts).values()), None)
        if contact is None or pointer.detached:
            return False
        telling = telling_of(customer)
        told = absorb(contact, telling, identities_of(telling.person, store.country), store)
        return told != contact.model_copy(update={name: getattr(told, name) for name in _ORIGINS})


def _is_news_of(product: Product, known: ProductRecord | None) -> bool:
    if known is None or known.product is None or _newer(product.version, known.product.version):
        return True
    told = product.collections is not None and not _newer(known.product.version, product.version)
    return told and set(product.collections or ()) != set(known.collections)


def _newer(told_now: Version, known: Version) -> bool:
    """Without the body's hash: a delivery and an answer to a question spell the same record differently."""
    return (told_now.modified_at, told_now.rank) > (known.modified_at, known.rank)


def _moment(change: Change) -> datetime | None:
    return change.version.modified_at if isinstance(change, Order | Product | Customer) else None


def _whose(record: Pulled) -> str | None:
    for change in record.changes:
        if isinstance(change, Order | Customer):
            person = change.person
            return (person.email or person.phone or person.customer_id or "").strip().lower() or None
    return None


def _applied(intake: Intake, store: Store, record: Pulled, now: datetime) -> str | None:
    """None, or why it could not be applied. Raises `TryLater`."""
    if record.mistake:
        return record.mistake
    try:
        for change in record.changes:
            intake.apply(store, change, None, now)
    except TryLater:
        raise
    except Exception as problem:  # noqa: BLE001 - a mistake of ours about one record must not stop a hundred thousand
        return _noted(problem)
    return None


def _noted(problem: Exception) -> str:
    _log.error("a pulled record could not be applied: %s", told(problem))
    return f"internal error: {type(problem).__name__}"
