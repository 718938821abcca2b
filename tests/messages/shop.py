"""A small shop, a person in it and hand-written doubles of what sending needs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalicelib.commerce.money import Money
from chalicelib.commerce.product import Product
from chalicelib.commerce.snapshot import Version
from chalicelib.commerce.store import Store, StoreSettings
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.errors import Conflict
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.fields import RenderData
from chalicelib.messages.message import Message, MessageKind
from chalicelib.messages.ports import Email, Sms
from chalicelib.messages.recent import Recent
from chalicelib.messages.showing import Shown, Wanted

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CONTACT_ID = "01kah3m7q8b4h0v6t9p2e5c1xd"


def store(**changes: Any) -> Store:
    settings = changes.pop("settings", {})
    sender = {"email": "shop@hadar.example", "address": "רחוב הדקל 5, חיפה"}
    known: dict[str, Any] = {
        "id": "s1",
        "platform": "woocommerce",
        "name": "בית קפה הדר",
        "url": "https://hadar.example",
        "country": "IL",
        "currency": "ILS",
        "timezone": "Asia/Jerusalem",
        "locale": "he",
        "created_at": NOW,
        "settings": StoreSettings.model_validate({"sender": sender, **settings}),
    }
    return Store.model_validate(known | changes)


def contact(**changes: Any) -> Contact:
    known: dict[str, Any] = {
        "id": CONTACT_ID,
        "store_id": "s1",
        "email": "dana@example.test",
        "phone": "+972505550101",
        "first_name": "דנה",
        "locale": "he",
        "total_spent": Money(amount=0, currency="ILS"),
        "created_at": NOW,
        "consent": {Channel.EMAIL: Consent(status=ConsentStatus.SUBSCRIBED, source="checkout", at=NOW)},
    }
    return Contact.model_validate(known | changes)


def product(external_id: str = "12", **changes: Any) -> Product:
    known: dict[str, Any] = {
        "external_id": external_id,
        "version": Version(modified_at=NOW),
        "name": "קפה טחון",
        "price": Money(amount=5900, currency="ILS"),
        "image": "https://img.example/coffee.png",
        "url": "https://hadar.example/p/12?a=1&b=2",
    }
    return Product.model_validate(known | changes)


def event(**properties: Any) -> dict[str, Any]:
    item = {
        "product_id": "12",
        "name": "קפה טחון",
        "quantity": 2,
        "total": {"amount": 11800, "currency": "ILS"},
        "image": "https://img.example/coffee.png",
    }
    told = {"order_id": "19", "number": "1019", "total": item["total"], "items": [item], "nth": 1}
    return {"id": "order_paid:s1:19", "type": "order_paid", "properties": told | properties}


def content(*blocks: dict[str, Any], subject: str = "שלום {{ contact.first_name }}", **more: Any) -> EmailContent:
    shown = blocks or ({"type": "text", "text": "תודה, {{ contact.first_name | default: 'לך' }}"},)
    return EmailContent.model_validate({"subject": subject, "blocks": list(shown), **more})


def data(**changes: Any) -> RenderData:
    known: dict[str, Any] = {
        "store": store(),
        "contact": contact(),
        "language": "he",
        "kind": MessageKind.MARKETING,
        "event": event(),
        "products": {"12": product()},
        "unsubscribe_url": "https://agala.example/u/token",
    }
    return RenderData(**(known | changes))


def enrolment(**changes: Any) -> Enrolment:
    known: dict[str, Any] = {
        "id": f"{CONTACT_ID}-enrolmentdigest",
        "store_id": "s1",
        "journey": "thank-you-new",
        "contact_id": CONTACT_ID,
        "version": 1,
        "entry_key": "once",
        "event": event(),
        "entered_at": NOW,
    }
    return Enrolment.model_validate(known | changes)


class MessagesDouble:
    """A repository in memory with the same claim and the same conflicts."""

    def __init__(self) -> None:
        self.kept: dict[str, Message] = {}
        self.crash_on_save: BaseException | None = None

    def get(self, store_id: str, message_id: str, contact_id: str | None = None) -> Message | None:
        return self.kept.get(message_id)

    def claim(self, message: Message) -> bool:
        if message.id in self.kept:
            return False
        self.kept[message.id] = message
        return True

    def save(self, message: Message) -> Message:
        if self.crash_on_save is not None:
            raise self.crash_on_save
        if self.kept[message.id].rev != message.rev:
            raise Conflict("somebody was quicker")
        self.kept[message.id] = message.model_copy(update={"rev": message.rev + 1})
        return self.kept[message.id]

    def of_contact(self, store_id: str, contact_id: str) -> list[Message]:
        return [message for message in self.kept.values() if message.contact_id == contact_id]


class RecentsDouble:
    """What marketing went to each contact lately, with the same conflicts."""

    def __init__(self) -> None:
        self.kept: dict[str, Recent] = {}

    def get(self, store_id: str, contact_id: str) -> Recent:
        return self.kept.get(contact_id, Recent())

    def save(self, store_id: str, contact_id: str, recent: Recent) -> None:
        if self.get(store_id, contact_id).rev != recent.rev:
            raise Conflict("somebody was quicker")
        self.kept[contact_id] = recent.model_copy(update={"rev": recent.rev + 1})


class SuppressionsDouble:
    """A list of addresses, each with why."""

    def __init__(self) -> None:
        self.listed: dict[str, str] = {}

    def holds(self, store_id: str, channel: Channel, address: str) -> str | None:
        return self.listed.get(address)


class ChannelDouble:
    """Records what was handed over; `trouble` are raised one by one before that; `knows` is what it can tell."""

    def __init__(self, knows: bool = True) -> None:
        self.sent: list[Any] = []
        self.trouble: list[BaseException] = []
        self.knows = knows

    def send(self, message: Email | Sms, /) -> str:
        if self.trouble:
            raise self.trouble.pop(0)
        self.sent.append(message)
        return f"provider-{message.message_id}"

    def was_taken(self, message_id: str) -> str | bool | None:
        if not self.knows:
            return None
        return f"provider-{message_id}" if any(email.message_id == message_id for email in self.sent) else False


class ProductsDouble:
    """A storefront with these products and nothing else."""

    def __init__(self, *products: Product) -> None:
        self.products = {found.external_id: found for found in products}

    def read(self, store_id: str, contact_id: str, wanted: Wanted) -> Shown:
        return Shown(products={one: self.products[one] for one in wanted.products if one in self.products})


class ContactBookDouble:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, str, ConsentChange]] = []
        self.suppressed: list[tuple[str, str, Channel, str]] = []
        self.trouble: Exception | None = None

    def change_consent(self, store_id: str, contact_id: str, changes: list[ConsentChange]) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.changes += [(store_id, contact_id, change) for change in changes]

    def suppress(self, store_id: str, contact_id: str, channel: Channel, reason: str) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.suppressed.append((store_id, contact_id, channel, reason))
