"""May this message go to this person now? Pure rules, each with its source, in the order in which they are asked:

1. A stopped store holds everything (the owner's switch), and so does one whose shop was disconnected: whoever bought
   meanwhile would be written to as if they had not.
2. No address is no message; a sandbox store writes only to its own people.
3. Suppression stands above everything else, transactional messages included: a mailbox that bounced or complained must
   not be written to again (Gmail and Yahoo sender requirements; SES account-level suppression). First the contact's
   own, then the store's list of addresses, which outlives contacts.
4. Marketing needs consent (Israel's Communications Law §30A(b), GDPR art. 6(1)(a)), confirmed where the store asks
   twice; an existing customer who could refuse at the purchase may be written to where the store says so (§30A(c),
   ePrivacy art. 13(2)): soft opt-in.
5. Marketing waits for the end of the channel's quiet hours, on the contact's clock, and of Shabbat and holidays where
   the contact is (`rest`): until the first moment at which neither holds.
6. At the moment when it could go, marketing is counted: the frequency caps, then the same words within
   `duplicate_days` (`recent.too_much`, asked by `places` once the words are known).

Whether the journey's goal is met is asked before each step, by the steps themselves. Transactional messages stop at 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from chalicelib.commerce.store import QuietHours, Sending, Store, manager_address
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.erased import ERASED
from chalicelib.journeys.local_time import clock_change, moment_of, zone_of
from chalicelib.messages.law import law_of
from chalicelib.messages.message import MessageKind
from chalicelib.messages.rest import CITIES, City, city_of_zone, rest_until

_MOST_TURNS = 20


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
    """Not this message, ever; `reason` is what the owner sees, `detail` a code that says more, never an address."""

    reason: str
    detail: str | None = None


Decision = Send | Later | Hold | No


def may_send(
    store: Store,
    contact: Contact,
    channel: Channel,
    kind: MessageKind,
    now: datetime,
    listed: Callable[[str], str | None] = lambda address: None,
) -> Decision:
    """Everything but what is counted. `listed` tells why an address is on the store's suppression list, if it is."""
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
    why = listed(to)
    if why and not (why == ERASED and kind is MessageKind.TRANSACTIONAL):  # who was erased may still order, and confirm
        return No("suppression_list", why)
    if kind is MessageKind.TRANSACTIONAL:
        return Send(to)
    refusal = _refusal(store, contact, channel)
    if refusal is not None:
        return No(refusal)
    return _pause(store, contact, channel, now) or Send(to)


def may_alert(store: Store, channel: Channel) -> Send | Hold | No:
    """May the store's manager be told? It is their own wish, so only the owner's switch stands above it."""
    if store.settings.sending is Sending.STOPPED:
        return Hold("sending_stopped")
    to = manager_address(store, channel)
    if not to:
        return No("no_manager")
    return Send(to) if _in_sandbox(store, to) else No("sandbox")


def rest_city(store: Store, contact: Contact | None = None) -> City | None:
    """Whose Shabbat and holidays the store's marketing to this contact keeps; None where it keeps none.

    `rest_days` of None is yes for stores in Israel. The store's place is its `city`, else Jerusalem in Israel (which
    lights its candles first), else the city that stands for its zone. A contact on another clock is where the city
    that stands for that zone is; where none is known, at the store's.
    """
    settings = store.settings
    if not (settings.rest_days if settings.rest_days is not None else store.country == "IL"):
        return None
    at_home = CITIES["jerusalem"] if store.country == "IL" else city_of_zone(store.timezone)
    city = CITIES.get(settings.city or "") or at_home
    own = contact.timezone if contact is not None else None
    elsewhere = city_of_zone(own) if city is None or own != city.zone else None
    if elsewhere is not None and city is not None and elsewhere.zone == city.zone:
        return city  # by another name of the zone
    return elsewhere or city


def marked(words: str, store: Store, kind: MessageKind) -> str:
    """An email's subject or an SMS's text, with the word at its start by which the law of the store's country wants
    advertising to be known, if it has one (`law`)."""
    marking = law_of(store.country).marking
    if kind is not MessageKind.MARKETING or marking is None or words.startswith(marking):
        return words
    return f"{marking}: {words}"


def quiet_until(quiet: QuietHours, zone: tzinfo, now: datetime) -> datetime | None:
    """When the quiet hours around `now` end (UTC), or None outside of them.

    Wall-clock times in this zone, so that summer time moves with the people: where clocks are
    set past the end, they end there; an hour that comes twice is quiet twice. `from` equal to `to` is none.
    """
    start, end = time.fromisoformat(quiet.from_), time.fromisoformat(quiet.to)
    over_midnight = start > end

    def is_quiet(moment: datetime) -> bool:
        at = moment.astimezone(zone).time()
        return (at >= start or at < end) if over_midnight else (start <= at < end)

    if not is_quiet(now):
        return None
    local = now.astimezone(zone)
    day = local.date() + timedelta(days=1) if over_midnight and local.time() >= start else local.date()
    ends = moment_of(day, end, zone)
    if ends <= now:  # the hour that autumn repeats: its second pass
        ends = datetime.combine(day, end, tzinfo=zone).replace(fold=1).astimezone(UTC)
    if ends.astimezone(zone).utcoffset() != local.utcoffset():
        change = clock_change(now, ends, zone)
        return ends if is_quiet(change) else change
    return ends


def _pause(store: Store, contact: Contact, channel: Channel, now: datetime) -> Later | None:
    """Until the first moment that is neither in quiet hours nor in a rest; bounded, for whoever waits asks again."""
    quiet, city = store.settings.quiet_hours.get(channel), rest_city(store, contact)
    zone = zone_of(contact.timezone, store.timezone)
    moment, reason = now, None
    for _ in range(_MOST_TURNS):
        rests = rest_until(city, moment) if city else None
        hushed = quiet_until(quiet, zone, moment) if quiet else None
        if rests is None and hushed is None:
            break
        reason = reason or ("quiet_hours" if rests is None else "rest_day")
        moment = max(rests or moment, hushed or moment)
    return Later(moment, reason) if reason else None


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


def may_write_to(store: Store, to: str) -> bool:
    """Whether the owner's switch lets this address be written to at all."""
    return store.settings.sending is not Sending.STOPPED and _in_sandbox(store, to)
