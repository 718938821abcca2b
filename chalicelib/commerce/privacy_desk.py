"""Carries out what a platform asks for a person's sake: to hand out what is held on them, and to forget them.

What a person asked for is kept for the store's owner, who hands it on, and goes with the person if they are erased
meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.change import ErasureAsked, ExportAsked
from chalicelib.commerce.order_intake import OrderIntake
from chalicelib.commerce.ports import OrderRecord, Orders
from chalicelib.commerce.privacy import KEPT, PrivacyRequest, PrivacyRequests, RequestKind, RequestStatus
from chalicelib.commerce.store import Store
from chalicelib.contacts.book import ContactBook
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.erased import ErasedPeople
from chalicelib.contacts.identity import CUSTOMER, PHONE, identities_of
from chalicelib.contacts.person import Person
from chalicelib.contacts.ports import Contacts, RawDeliveries
from chalicelib.contacts.retry import persist
from chalicelib.errors import Conflict, NotFound, TryLater
from chalicelib.ids import digest, new_id

_AT_ONCE = 30.0  # seconds of real time for a whole shop, within the queue reader's 60
_HANDS = 8
_PAGE = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Erased:
    """`reranked`: contacts who are left with fewer orders than before."""

    reason: str
    reranked: tuple[str, ...] = ()


class PrivacyDesk:
    def __init__(
        self,
        contacts: Contacts,
        book: ContactBook,
        orders: Orders,
        order_intake: OrderIntake,
        deliveries: RawDeliveries,
        requests: PrivacyRequests,
        clock: Clock,
        monotonic: Callable[[], float],
        people: ErasedPeople,
    ) -> None:
        self._contacts, self._book, self._orders, self._order_intake = contacts, book, orders, order_intake
        self._deliveries, self._requests, self._clock, self._monotonic = deliveries, requests, clock, monotonic
        self._people = people

    def export(self, store: Store, asked: ExportAsked, delivery_id: str | None, asked_at: datetime) -> str:
        """Make the export and keep it, once for each request; returns what became of it, in words.

        Raises `TryLater`: repeating finishes what was begun.
        """
        cause = asked.request_id or delivery_id or new_id(asked_at)
        request = PrivacyRequest(
            id=digest("privacy", store.id, RequestKind.EXPORT, cause),
            store_id=store.id,
            kind=RequestKind.EXPORT,
            status=RequestStatus.RUNNING,
            asked_at=asked_at,
            platform_request=asked.request_id,
        )
        with self._failure_noted(request):
            done = persist(lambda: self._exported(store, request, asked))
        return "an export is kept for the owner" if done.kept_until else "nothing is kept of this person"

    def erase(self, store: Store, asked: ErasureAsked, delivery_id: str | None, asked_at: datetime) -> Erased:
        """Forget the person, or everybody. Raises `TryLater`: repeating goes on where it ended."""
        request = PrivacyRequest(
            id=digest("privacy", store.id, RequestKind.ERASURE, delivery_id or new_id(asked_at)),
            store_id=store.id,
            kind=RequestKind.ERASURE,
            status=RequestStatus.RUNNING,
            asked_at=asked_at,
            whole_shop=asked.whole_shop,
        )
        with self._failure_noted(request):
            return self._erased_shop(store, request) if asked.whole_shop else self._erased(store, request, asked)

    def _exported(self, store: Store, request: PrivacyRequest, asked: ExportAsked) -> PrivacyRequest:
        known = self._requests.get(store.id, request.id)
        if known and known.status in (RequestStatus.DONE, RequestStatus.NOTHING_KEPT):
            return known
        contacts = self._proven(store, asked)
        ids = tuple(contact.id for contact in contacts)
        begun = (known or request).model_copy(update={"status": RequestStatus.RUNNING, "contact_ids": ids})
        begun = self._requests.save(begun)
        others = self._orders_of_others(store, ids, asked.orders)
        if not (contacts or others):
            return self._done(begun, {"status": RequestStatus.NOTHING_KEPT})
        named = [record.external_id for record in others]
        self._requests.announce(begun, named)
        self._requests.keep(begun, self._content(store, begun, contacts, others))
        gone = any(self._contacts.get(store.id, contact_id) is None for contact_id in ids)
        if gone or not self._requests.is_announced(begun, named):
            self._requests.discard(begun)
            raise TryLater("somebody in the export is being erased or merged just now")
        return self._done(begun, {"status": RequestStatus.DONE, "kept_until": self._clock.now() + KEPT})

    def _orders_of_others(self, store: Store, ids: Sequence[str], order_ids: Sequence[str]) -> list[OrderRecord]:
        """The platform says that these are the person's too: nobody's, or somebody's whom nothing else proves to be
        them."""
        found = []
        for order_id in order_ids:
            record = self._orders.get(store.id, order_id)
            if record is None or record.order is None or record.erased:
                continue
            owner = self._contacts.get(store.id, record.contact_id) if record.contact_id else None
            if owner is None or owner.id not in ids:
                found.append(record)
        return found

    def _content(
        self, store: Store, request: PrivacyRequest, contacts: Sequence[Contact], others: Sequence[OrderRecord]
    ) -> dict[str, Any]:
        """Contacts as `ContactBook.export` has them; `orders` are the others, `deliveries` told of those that are
        nobody's."""
        try:
            held = [self._book.export(store.id, contact.id) for contact in contacts]
        except NotFound:
            raise TryLater("somebody in the export is being erased just now") from None
        orders = [one.model_dump(mode="json", exclude={"events", "contact_id", "contact_by", "rev"}) for one in others]
        nobodys = [record.external_id for record in others if record.contact_id is None]
        told = [delivery for order_id in nobodys for delivery in self._deliveries.of_order(store.id, order_id)]
        deliveries = [text for one in dict.fromkeys(told) if (text := self._deliveries.export(store.id, one))]
        asked = {"id": request.id, "platform_request": request.platform_request, "asked_at": rfc3339(request.asked_at)}
        return {"request": asked, "contacts": held, "orders": orders, "deliveries": deliveries}

    def _erased(self, store: Store, request: PrivacyRequest, asked: ErasureAsked) -> Erased:
        # Known or not, and before anybody is looked for: what tells of them late (a history that is being read, say)
        # must not make them.
        told = self._told(store, asked)
        now = self._clock.now()
        self._people.hold_pairs(store.id, told, now)
        self._contacts.remember_erased(store.id, self._people.hashes(store.id, told), now)
        contacts = self._proven(store, asked)
        begun = self._begun(request, tuple(contact.id for contact in contacts))
        for contact in contacts:
            with suppress(NotFound):
                self._book.erase(store.id, contact.id)
        if not contacts:  # what nobody could be made of is searched with a contact, else here
            for delivery_id in self._deliveries.mentioning(
                store.id, [value for kind, value in told if kind != CUSTOMER]
            ):
                self._deliveries.erase(store.id, delivery_id)
        reranked: dict[str, None] = {}
        known = False
        for order_id in asked.orders:
            outcome = self._redacted(store, order_id)
            known = known or outcome is not None
            reranked |= dict.fromkeys(outcome or ())
        found = bool(begun.contact_ids) or known
        self._done(begun, {"status": RequestStatus.DONE if found else RequestStatus.NOTHING_KEPT})
        return Erased("erased" if found else "nothing is kept of this person", tuple(reranked))

    def _redacted(self, store: Store, order_id: str) -> Sequence[str] | None:
        """Whose it was; None if there was nothing to forget."""
        self._requests.forget_order(store.id, order_id, self._clock.now())
        record = self._orders.get(store.id, order_id)
        owner = record.contact_id if record else None
        for delivery_id in self._deliveries.of_order(store.id, order_id, owner):
            self._deliveries.erase(store.id, delivery_id)
        outcome = self._order_intake.redacted(store, order_id)
        return outcome.reranked if record is not None and record.order is not None else None

    def _erased_shop(self, store: Store, request: PrivacyRequest) -> Erased:
        """Texts first, so that nobody's have to be searched for; then everybody, then what is nobody's."""
        begun = self._begun(request, ())
        ends = self._monotonic() + _AT_ONCE

        def enough() -> bool:
            return self._monotonic() >= ends

        if not (self._deliveries.erase_all(store.id, enough) and self._everybody_erased(store, enough)):
            raise TryLater("the shop is larger than one call erases")
        self._contacts.forget_unclaimed(store.id, self._clock.now())
        self._requests.forget_all(store.id, self._clock.now())
        self._done(begun, {"status": RequestStatus.DONE})
        return Erased("every contact was erased")

    def _everybody_erased(self, store: Store, enough: Callable[[], bool]) -> bool:
        def erase(contact: Contact) -> None:
            with suppress(NotFound):  # the listing lags a little
                self._book.erase(store.id, contact.id, texts=False)

        with ThreadPoolExecutor(_HANDS) as hands:
            while page := self._contacts.list(store.id, None, _PAGE):
                if enough():
                    return False
                for _ in hands.map(erase, page):
                    pass
        return True

    def _proven(self, store: Store, asked: ErasureAsked | ExportAsked) -> list[Contact]:
        """Everybody whom the email or the platform's customer id names; the phone counts alone only, for others may
        share it."""
        told = self._told(store, asked)
        pairs = [(kind, value) for kind, value in told if kind != PHONE or {PHONE} == {kind for kind, _ in told}]
        pointers = self._contacts.pointers(store.id, pairs) if pairs else {}
        found = self._contacts.read(store.id, {c for pointer in pointers.values() for c in pointer.contacts})
        return sorted({contact.id: contact for contact in found.values()}.values(), key=lambda contact: contact.id)

    @staticmethod
    def _told(store: Store, asked: ErasureAsked | ExportAsked) -> list[tuple[str, str]]:
        person = Person(email=asked.email, phone=asked.phone, customer_id=asked.customer_id)
        return list(identities_of(person, store.country).pairs())

    def _begun(self, request: PrivacyRequest, contact_ids: tuple[str, ...]) -> PrivacyRequest:
        """Written down before anything is done, with whoever an attempt before was about."""

        def action() -> PrivacyRequest:
            known = self._requests.get(request.store_id, request.id) or request
            ids = tuple(dict.fromkeys((*known.contact_ids, *contact_ids)))
            changed = known.model_copy(update={"status": RequestStatus.RUNNING, "contact_ids": ids})
            return self._requests.save(changed)

        return persist(action)

    def _done(self, request: PrivacyRequest, changes: dict[str, Any]) -> PrivacyRequest:
        done = self._requests.save(request.model_copy(update={"done_at": self._clock.now(), **changes}))
        about = {"store_id": done.store_id, "request_id": done.id, "kind": done.kind.value, "status": done.status.value}
        if done.kept_until:
            _log.warning("a person's export waits for the owner: privacy request %s", done.id, extra=about)
        else:
            _log.info("a privacy request was carried out", extra=about)
        return done

    @contextmanager
    def _failure_noted(self, request: PrivacyRequest) -> Iterator[None]:
        """Whatever is a mistake of ours is seen in the list until it is carried out after all."""
        try:
            yield
        except (TryLater, Conflict):
            raise
        except Exception:
            known = self._requests.get(request.store_id, request.id) or request
            with suppress(Conflict, TryLater):
                self._requests.save(known.model_copy(update={"status": RequestStatus.FAILED}))
            raise
