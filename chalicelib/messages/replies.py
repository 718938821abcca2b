"""What people write back: journeys hear of it, and who asks for no more gets no more.

A reply is to a number, and stores may share one of the account's: each store whose number it is hears it, of every
contact who claims the phone. The whole message must be a word of leaving or of coming back; "please do not stop" is
neither. Leaving holds also for a phone that belongs to nobody we know: it is remembered as an address not to be written
to.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.commerce.event import Event
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.identity import PHONE, Pointer, normalise_phone
from chalicelib.errors import NotFound
from chalicelib.ids import digest
from chalicelib.messages.reports import Listener

LONGEST_KEPT = 500  # letters of a reply that its event keeps
SOURCE, REASON = "reply", "unsubscribed"
# The words that carriers and their customers know (CTIA, Messaging Principles and Best Practices, 5.1.3), and Hebrew's.
_LEAVING = frozenset(
    (
        "stop",
        "stopall",
        "stop all",
        "unsubscribe",
        "cancel",
        "end",
        "quit",
        "remove",
        "revoke",
        "optout",
        "opt out",
        "הסר",
        "הסרה",
        "הסירו",
        "להסיר",
        "להסרה",
        "תסירו",
        "תסירו אותי",
        "הסירו אותי",
        "הסר אותי",
        "ביטול",
        "בטל",
        "בטלו",
        "עצור",
        "עצרו",
        "די",
        "סטופ",
    )
)
_COMING_BACK = frozenset(("start", "unstop", "subscribe", "opt in", "optin", "הצטרף", "הצטרפות", "להצטרף", "התחל"))


@dataclass(frozen=True)
class Reply:
    """`sender` is their phone as the provider tells it, `numbers` what ours goes by, `store_id` the store whose gateway
    told it (then nobody else hears of it), `id` the provider's own, the same for every telling; `at` UTC."""

    channel: Channel
    id: str
    sender: str
    text: str
    at: datetime
    numbers: tuple[str, ...] = ()
    store_id: str | None = None


class Numbers(Protocol):
    """Whose numbers are whose (`commerce.store.Store.settings`, and gateways)."""

    def stores_of(self, reply: Reply) -> Sequence[Store]:
        """Every store that sends from the number which was replied to."""
        ...


class Phones(Protocol):
    """`storage.contacts.Contacts`."""

    def get(self, store_id: str, contact_id: str) -> Contact | None: ...

    def pointers(self, store_id: str, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Pointer]: ...


class Book(Protocol):
    """The part of the contact book that replies need. Repeating any is harmless."""

    def heard(self, store_id: str, contact_id: str, channel: Channel, at: datetime) -> None: ...

    def note(self, store_id: str, contact_id: str, event: Event) -> None: ...

    def change_consent(self, store_id: str, contact_id: str, changes: list[ConsentChange]) -> object: ...


class Held(Protocol):
    """An address that must not be written to since `at`; until `lifted_at`, if it was let in again."""

    @property
    def source(self) -> str: ...

    @property
    def at(self) -> datetime: ...

    @property
    def lifted_at(self) -> datetime | None: ...


class Suppressions(Protocol):
    """The list of addresses that must not be written to, whoever's they are."""

    def get(self, store_id: str, channel: Channel, address: str) -> Held | None: ...

    def add(self, store_id: str, channel: Channel, address: str, reason: str, source: str, at: datetime) -> object: ...

    def remove(self, store_id: str, channel: Channel, address: str, reason: str, at: datetime) -> object: ...


class Replies:
    """`suppressions` None: what is said of a phone that nobody has is not kept."""

    def __init__(
        self, numbers: Numbers, phones: Phones, book: Book, listener: Listener, suppressions: Suppressions | None
    ) -> None:
        self._numbers, self._phones, self._book = numbers, phones, book
        self._listener, self._suppressions = listener, suppressions

    def take(self, reply: Reply) -> int:
        """How many contacts it is from. A repeat changes nothing, and tells what its first telling may not have come
        to. Raises what the contact book raises."""
        heard = 0
        for store in self._numbers.stores_of(reply):
            phone = _phone(reply, store)
            if phone is not None:
                heard += self._take_in(store, phone, reply)
        return heard

    def _take_in(self, store: Store, phone: str, reply: Reply) -> int:
        wish = wish_of(reply.text)
        self._remember(store, phone, reply, wish)
        heard = 0
        for contact in self._who(store.id, phone):
            try:
                self._hear(store, contact.id, reply, wish)
            except NotFound:
                continue  # erased at this very moment
            heard += 1
        if heard == 0 and wish is ConsentStatus.UNSUBSCRIBED and self._suppressions is not None:
            held = self._suppressions.get(store.id, reply.channel, phone)
            if held is None or held.lifted_at is None or held.lifted_at < reply.at:  # else told again, late
                self._suppressions.add(store.id, reply.channel, phone, REASON, SOURCE, reply.at)
        return heard

    def _remember(self, store: Store, phone: str, reply: Reply, wish: ConsentStatus | None) -> None:
        """Who comes back is let in again, where it was their own word that held them back."""
        if wish is not ConsentStatus.SUBSCRIBED or self._suppressions is None:
            return
        held = self._suppressions.get(store.id, reply.channel, phone)
        if held is not None and held.source == SOURCE and held.at <= reply.at:  # else they left after it
            self._suppressions.remove(store.id, reply.channel, phone, "subscribed by reply", reply.at)

    def _hear(self, store: Store, contact_id: str, reply: Reply, wish: ConsentStatus | None) -> None:
        from chalicelib.messages.phrase import clean  # it brings Liquid along, which few functions need

        said = clean(reply.text)[:LONGEST_KEPT]
        self._book.heard(store.id, contact_id, reply.channel, reply.at)
        if wish is not None:
            proven = reply.at if wish is ConsentStatus.SUBSCRIBED else None  # it came from the very phone
            consent = Consent(status=wish, source=SOURCE, at=reply.at, text=said, confirmed_at=proven)
            self._book.change_consent(store.id, contact_id, [ConsentChange(channel=reply.channel, consent=consent)])
        event = Event(
            id=f"contact_replied:{digest('reply', store.id, reply.channel.value, contact_id, reply.id)}",
            type="contact_replied",
            occurred_at=reply.at,
            properties={"channel": reply.channel.value, "text": said},
        )
        self._book.note(store.id, contact_id, event)
        self._listener.on_events(store, contact_id, [event])

    def _who(self, store_id: str, phone: str) -> Iterable[Contact]:
        """Everybody who claims the phone, as they are now."""
        pointer = self._phones.pointers(store_id, [(PHONE, phone)]).get((PHONE, phone))
        found = [self._phones.get(store_id, contact_id) for contact_id in (pointer.contacts if pointer else ())]
        return {contact.id: contact for contact in found if contact is not None}.values()


def wish_of(text: str) -> ConsentStatus | None:
    """What the whole message asks for: to leave, to come back, or neither."""
    letters = "".join(" " if unicodedata.category(c)[0] in "PSZC" else c for c in unicodedata.normalize("NFKC", text))
    word = " ".join(re.sub(r"[\u0591-\u05c7]", "", letters).casefold().split())  # without Hebrew's vowel points
    if word in _LEAVING:
        return ConsentStatus.UNSUBSCRIBED
    return ConsentStatus.SUBSCRIBED if word in _COMING_BACK else None


def _phone(reply: Reply, store: Store) -> str | None:
    """In E.164. Providers tell it with its country's code, with a plus or without; some of one country as at home."""
    told = reply.sender.strip()
    if told.isdecimal() and not told.startswith("0"):
        return normalise_phone(f"+{told}", None) or normalise_phone(told, store.country)
    return normalise_phone(told, store.country)
