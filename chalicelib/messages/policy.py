"""May this message go to this person now? Pure rules, each with its source.

- A stopped store holds everything; a sandbox store writes only to its own people (the owner's switch).
- A store whose shop was disconnected holds everything: whoever bought meanwhile would be written to as if they had not.
- Suppression stands above everything, transactional messages included: a mailbox that bounced or complained
  must not be written to again (Gmail and Yahoo sender requirements; SES account-level suppression).
- Marketing needs consent (Israel's Communications Law §30A(b), GDPR art. 6(1)(a)); an existing customer who could
  refuse at the purchase may be written to where the store says so (§30A(c), ePrivacy art. 13(2)): soft opt-in.
- Frequency caps and quiet hours are the store's; transactional messages skip both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chalicelib.commerce.store import QuietHours, Sending, Store, manager_address
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.messages.message import MessageKind

ADVERTISEMENT = "פרסומת"


@dataclass(frozen=True)
class Send:
    """Go, to this address."""

    to: str


@dataclass(frozen=True)
class Later:
    """Not now; ask again at `until` (UTC)."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class Hold:
    """Not while the owner's switch stands as it does; nobody knows until when."""

    reason: str


@dataclass(frozen=True)
class No:
    """Not this message, ever; `reason` is what the owner sees."""

    reason: str


Decision = Send | Later | Hold | No


def may_send(
    store: Store,
    contact: Contact,
    channel: Channel,
    kind: MessageKind,
    now: datetime,
    *,
    sent_in_day: int = 0,
    sent_in_week: int = 0,
) -> Decision:
    """`sent_in_day` and `sent_in_week` count marketing messages on this channel in the last 24 hours and 7 days."""
    settings = store.settings
    if settings.sending is Sending.STOPPED:
        return Hold("sending_stopped")
    if store.is_disconnected:
        return Hold("disconnected")
    to = contact.email if channel is Channel.EMAIL else contact.phone
    if not to:
        return No("no_email" if channel is Channel.EMAIL else "no_phone")
    if not _in_sandbox(store, to):
        return No("sandbox")
    if channel in contact.suppressed:
        return No("suppressed")
    if kind is MessageKind.TRANSACTIONAL:
        return Send(to)
    refusal = _refusal(store, contact, channel)
    if refusal is not None:
        return No(refusal)
    if _over_cap(store, channel, sent_in_day, sent_in_week):
        return No("frequency_cap")
    quiet = settings.quiet_hours.get(channel)
    until = quiet_until(quiet, store.timezone, now) if quiet is not None else None
    return Later(until, "quiet_hours") if until is not None else Send(to)


def may_alert(store: Store, channel: Channel) -> Send | Hold | No:
    """May the store's manager be told? It is their own wish, so only the owner's switch stands above it."""
    if store.settings.sending is Sending.STOPPED:
        return Hold("sending_stopped")
    to = manager_address(store, channel)
    if not to:
        return No("no_manager")
    return Send(to) if _in_sandbox(store, to) else No("sandbox")


def has_cap(store: Store, channel: Channel) -> bool:
    """Whether the counts of `may_send` matter at all."""
    return channel in (store.settings.caps or {})


def marked(words: str, store: Store, kind: MessageKind) -> str:
    """An email's subject or an SMS's text, with the word "advertisement" in Hebrew at its start where the law asks:
    Communications Law §30A(e)(1)."""
    if kind is not MessageKind.MARKETING or store.country != "IL" or words.startswith(ADVERTISEMENT):
        return words
    return f"{ADVERTISEMENT}: {words}"


def quiet_until(quiet: QuietHours, timezone: str, now: datetime) -> datetime | None:
    """When the quiet hours around `now` end (UTC), or None outside of them.

    Wall-clock times in the store's zone, so that summer time moves with the people; `from` equal to `to` is none.
    """
    zone = ZoneInfo(timezone)
    local = now.astimezone(zone)
    start, end = time.fromisoformat(quiet.from_), time.fromisoformat(quiet.to)
    at = local.time().replace(tzinfo=None)
    over_midnight = start > end
    inside = (at >= start or at < end) if over_midnight else (start <= at < end)
    if not inside:
        return None
    day = local.date() + timedelta(days=1) if over_midnight and at >= start else local.date()
    ends = datetime.combine(day, end, tzinfo=zone).astimezone(UTC)
    if ends <= now:  # the hour that autumn repeats: its second pass
        ends = datetime.combine(day, end, tzinfo=zone).replace(fold=1).astimezone(UTC)
    return ends


def _in_sandbox(store: Store, to: str) -> bool:
    """Whether the owner's switch lets this address be written to."""
    settings = store.settings
    return settings.sending is not Sending.SANDBOX or to.lower() in {a.lower() for a in settings.sandbox_addresses}


def _refusal(store: Store, contact: Contact, channel: Channel) -> str | None:
    status = contact.consent_for(channel).status
    if status is ConsentStatus.SUBSCRIBED:
        return None
    if status is ConsentStatus.NEVER_ASKED:
        return None if store.settings.soft_opt_in and contact.orders_count > 0 else "no_consent"
    return status.value


def _over_cap(store: Store, channel: Channel, sent_in_day: int, sent_in_week: int) -> bool:
    cap = (store.settings.caps or {}).get(channel)
    if cap is None:
        return False
    full_day = cap.per_day is not None and sent_in_day >= cap.per_day
    full_week = cap.per_week is not None and sent_in_week >= cap.per_week
    return full_day or full_week


def may_write_to(store: Store, to: str) -> bool:
    """Whether the owner's switch lets this address be written to at all."""
    return store.settings.sending is not Sending.STOPPED and _in_sandbox(store, to)
