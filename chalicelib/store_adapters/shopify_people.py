"""Who Shopify says somebody is, and what they chose about being written to."""

from __future__ import annotations

from datetime import datetime

from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.person import Person
from chalicelib.store_adapters.reading import Fields

# CustomerEmailMarketingState, CustomerSmsMarketingState and CustomerMarketingConsentState (WhatsApp).
# None: never asked, so nothing to tell. A person whose data was erased
# and an address that cannot be written to are never written to.
CONSENT_STATES = {
    "not_subscribed": None,
    "never_subscribed": None,
    "pending": ConsentStatus.PENDING,
    "subscribed": ConsentStatus.SUBSCRIBED,
    "unsubscribed": ConsentStatus.UNSUBSCRIBED,
    "redacted": ConsentStatus.UNSUBSCRIBED,
    "invalid": ConsentStatus.UNSUBSCRIBED,
}
CONSENT_FIELDS = {
    Channel.EMAIL: "email_marketing_consent",
    Channel.SMS: "sms_marketing_consent",
    Channel.WHATSAPP: "whatsapp_marketing_consent",
}


def buyer(order: Fields, customer: Fields) -> Person:
    """Of an order or a checkout; the buyer's own word first, then the account, then the addresses."""
    billing, shipping = order.child("billing_address"), order.child("shipping_address")

    def told(name: str, limit: int, *places: Fields) -> str | None:
        return next((text for place in places if (text := place.text(name, limit))), None)

    return Person(
        email=told("email", 320, order, customer) or order.text("contact_email", 320),
        phone=told("phone", 50, order, customer, billing, shipping),
        customer_id=customer.optional_identifier("id"),
        first_name=told("first_name", 200, customer, billing, shipping),
        last_name=told("last_name", 200, customer, billing, shipping),
        country=told("country_code", 60, billing, shipping),
        locale=order.text("customer_locale", 35),
    )


def consent(person: Fields, told_at: datetime, since: datetime) -> tuple[ConsentChange, ...]:
    """What somebody chose per channel. A state without its own time was chosen no later than `told_at`.

    Anything but a yes then counts from `told_at`; a yes from the customer's beginning (`since`, where they tell none),
    for every telling repeats it, and whoever unsubscribed meanwhile is not taken back.
    """
    begun = min(person.moment("created_at") or since, told_at)
    changes = []
    for channel, name in CONSENT_FIELDS.items():
        choice = person.child(name)
        state = (choice.text("state", 40) or "not_subscribed").lower()
        if state not in CONSENT_STATES:
            choice.wrong("state", "a consent state of Shopify")
        if status := CONSENT_STATES[state]:
            at = choice.moment("consent_updated_at") or (begun if status is ConsentStatus.SUBSCRIBED else told_at)
            chosen = Consent(status=status, source="shopify", at=min(at, told_at))
            changes.append(ConsentChange(channel=channel, consent=chosen))
    return tuple(changes)
