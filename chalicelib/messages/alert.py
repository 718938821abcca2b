"""What the store's manager is told of a contact: the owner's words, then who it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact
from chalicelib.messages.block_forms import DividerBlock, TextBlock
from chalicelib.messages.content_model import EmailContent, WhatsAppContent
from chalicelib.messages.fields import Alert
from chalicelib.messages.money_text import money_text
from chalicelib.messages.phrase import one_line
from chalicelib.messages.wording import primary

# Liquid over `fields.Alert`: nothing that a contact wrote is ever read as Liquid.
_ROWS = "{% for row in alert.rows %}{{ row.label }}: {{ row.value }}\n{% endfor %}"


@dataclass(frozen=True)
class _Words:
    subject: str
    name: str
    email: str
    phone: str
    orders: str
    total: str


_WORDS = {
    "he": _Words("התראה מ־{store}", "שם", "מייל", "טלפון", "הזמנות", "סך הקניות"),
    "en": _Words("An alert from {store}", "Name", "Email", "Phone", "Orders", "Spent in all"),
}


def alert_content(channel: Channel, text: str) -> EmailContent | WhatsAppContent | str:
    """The content of one channel's message, to be made with `RenderData.alert`."""
    if channel is Channel.EMAIL:
        blocks = (TextBlock(type="text", text=text), DividerBlock(type="divider"), TextBlock(type="text", text=_ROWS))
        return EmailContent(subject="{{ alert.subject }}", blocks=blocks)
    whole = f"{text}\n\n{_ROWS}"
    return WhatsAppContent(text=whole) if channel is Channel.WHATSAPP else whole


def alert_of(store: Store, contact: Contact, fields: Sequence[str], language: str) -> Alert:
    """Only what is known of the contact, and of these own fields."""
    words = _WORDS.get(primary(language), _WORDS["en"])
    known: list[tuple[str, Any]] = [
        (words.name, " ".join(part for part in (contact.first_name, contact.last_name) if part)),
        (words.email, contact.email),
        (words.phone, contact.phone),
        (words.orders, contact.orders_count),
        (words.total, money_text(contact.total_spent, language)),
        *((name, contact.fields.get(name)) for name in fields),
    ]
    rows = tuple((one_line(name), one_line(_text(value))) for name, value in known if value not in (None, "", []))
    manager, name = store.settings.manager, store.settings.sender.name or store.name
    return Alert(to_name=manager.name if manager else None, subject=words.subject.format(store=name), rows=rows)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
