"""That somebody subscribed to a channel or unsubscribed from it, as events: derived from a profile before and after.

Whoever told of it (an order, a cart, the API, a link, a complaint), a status that becomes one of the two is one event,
known by the contact, the channel and the time of the choice.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.contacts.contact import Contact

PLAIN = (ConsentStatus.SUBSCRIBED, ConsentStatus.UNSUBSCRIBED)


def became(before: Contact | None, after: Contact) -> list[Event]:
    """For each channel whose status is another one of the two now. `before` None: a contact that is new."""
    found = []
    for channel, consent in after.consent.items():
        was = before.consent_for(channel) if before else Consent()
        if was.status is not consent.status and (event := as_event(after, channel)):
            found.append(event)
    return found


def standing(contact: Contact, channels: Iterable[Channel]) -> list[Event]:
    """How it would have been told that these channels became what they are: if it ever was, the timeline has it."""
    events = (as_event(contact, channel) for channel in channels)
    return [event for event in events if event]


def as_event(contact: Contact, channel: Channel) -> Event | None:
    consent = contact.consent_for(channel)
    if consent.status not in PLAIN or consent.at is None:
        return None
    return Event(
        id=f"{consent.status.value}:{contact.store_id}:{contact.id}:{channel.value}:{rfc3339(consent.at)}",
        type=consent.status.value,
        occurred_at=consent.at,
        properties={"channel": channel.value, "source": consent.source},
    )
