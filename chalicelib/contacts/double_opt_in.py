"""Double opt-in: a yes that waits for its owner's own confirmation, and how long.

A contact keeps two things per channel, each the newest of all that was told, so that the order of arrival makes no
difference: the choice that stands (`consent`), and the wish that nobody confirmed yet (`asked`). A wish that is newer
than what stands, where that is no yes, shows as `pending` (`Contact.consent_for`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.ids import digest

CONFIRM_WITHIN = timedelta(days=30)
REQUESTED, ERRAND = "consent_requested", "double_opt_in"


def needs_confirming(store: Store, change: ConsentChange) -> bool:
    """A yes on a channel where the store wants one confirmed, and that nobody did.

    What somebody agreed to before the store came to us was the store's own to confirm: it stands, so that a history
    that is brought in neither loses its readers nor writes to them.
    """
    consent = change.consent
    if change.channel not in store.settings.double_opt_in or consent.status is not ConsentStatus.SUBSCRIBED:
        return False
    return consent.confirmed_at is None and consent.at is not None and consent.at >= store.created_at


def wish(consent: Consent) -> Consent:
    """A yes, as it is kept until it is confirmed."""
    return consent.model_copy(update={"status": ConsentStatus.PENDING})


def told_apart(
    store: Store | None, changes: Iterable[ConsentChange]
) -> tuple[list[ConsentChange], list[ConsentChange]]:
    """(what counts as it was told, the wishes). `store` None: one that is gone, which wants nothing."""
    stands, wishes = [], []
    for change in changes:
        if store is not None and needs_confirming(store, change):
            wishes.append(change.model_copy(update={"consent": wish(change.consent)}))
        else:
            stands.append(change)
    return stands, wishes


def confirmed(asked: Consent, now: datetime, place: str | None = None) -> Consent:
    """The yes that a wish becomes once its owner pressed the button."""
    return Consent(
        status=ConsentStatus.SUBSCRIBED,
        source="double_opt_in",
        at=now,
        text=asked.text,
        place=place or asked.place,
        confirmed_at=now,
        requested_at=asked.at,
        requested_from=asked.source,
    )


def address_channel(channel: Channel) -> Channel:
    """On which channel its owner is asked. WhatsApp takes no first message from a shop but an approved template: the
    number is proved by SMS."""
    return Channel.SMS if channel is Channel.WHATSAPP else channel


def request_id(store_id: str, contact_id: str, channel: Channel, day: date) -> str:
    """Of the message that asks about the wishes of one day (UTC): the claim on it, so that two wishes have one."""
    return f"{contact_id}-{digest('double_opt_in', store_id, channel.value, day.isoformat())}"
