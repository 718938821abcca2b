"""That somebody subscribed to a channel, unsubscribed from it or asked to be subscribed: events of a profile's change.

Whoever told of it (an order, a cart, the API, a link, a complaint), a status that becomes one of the two is one event,
known by the contact, the channel and the time of the choice.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.clock import rfc3339
from chalicelib.commerce.event import Event
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.double_opt_in import REQUESTED

PLAIN = (ConsentStatus.SUBSCRIBED, ConsentStatus.UNSUBSCRIBED)


def became(before: Contact | None, after: Contact) -> list[Event]:
    """For each channel whose standing status is another one of the two now, and for each new wish that waits.
    `before` None: a contact that is new."""
    found = []
    for channel, consent in after.consent.items():
        was = before.consent.get(channel, Consent()) if before else Consent()
        if was.status is not consent.status and (event := as_event(after, channel)):
            found.append(event)
    for channel, asked in after.asked.items():
        known = before.asked.get(channel, Consent()) if before else Consent()
        if known.at != asked.at and (event := as_request(after, channel)):
            found.append(event)
    return found


def chosen_events(before: Contact | None, after: Contact, changes: Iterable[ConsentChange]) -> list[Event]:
    """For the timeline, of choices that were made with us: what each changed, with the proof of it: the words, where
    they were shown, and of a double opt-in when and where it was asked for."""
    found = []
    for channel in dict.fromkeys(change.channel for change in changes):
        was, now = (before.consent_for(channel) if before else Consent()), after.consent_for(channel)
        if was == now or now.at is None:
            continue
        told = {
            "channel": channel.value,
            "status": now.status.value,
            "source": now.source,
            "text": now.text,
            "place": now.place,
            "requested_at": rfc3339(now.requested_at) if now.requested_at else None,
            "requested_from": now.requested_from,
        }
        properties = {name: value for name, value in told.items() if value is not None or name == "source"}
        identifier = f"consent_changed:{after.store_id}:{after.id}:{channel}:{rfc3339(now.at)}"
        found.append(Event(id=identifier, type="consent_changed", occurred_at=now.at, properties=properties))
    return found


def standing(contact: Contact, channels: Iterable[Channel]) -> list[Event]:
    """How it would have been told that these channels became what they are: if it ever was, the timeline has it."""
    events = (make(contact, channel) for channel in channels for make in (as_event, as_request))
    return [event for event in events if event]


def as_event(contact: Contact, channel: Channel) -> Event | None:
    consent = contact.consent.get(channel, Consent())
    if consent.status not in PLAIN or consent.at is None:
        return None
    return Event(
        id=f"{consent.status.value}:{contact.store_id}:{contact.id}:{channel.value}:{rfc3339(consent.at)}",
        type=consent.status.value,
        occurred_at=consent.at,
        properties={"channel": channel.value, "source": consent.source},
    )


def as_request(contact: Contact, channel: Channel) -> Event | None:
    """That somebody wishes to be subscribed, and is to be asked whether it was they."""
    asked = contact.waiting(channel)
    if asked is None or asked.at is None:
        return None
    return Event(
        id=f"{REQUESTED}:{contact.store_id}:{contact.id}:{channel.value}:{rfc3339(asked.at)}",
        type=REQUESTED,
        occurred_at=asked.at,
        properties={"channel": channel.value, "source": asked.source},
    )
