"""Sending one message once: policy, render, place, claim, hand over, record. Every way out is recorded, with why.

The same for every channel; what is a channel's own is in its `Medium`. A crash can come between any two lines. The
claim's own history tells a retry where it was:
`claimed` last – the provider may have it: ask, and where nobody can tell, say "unknown" and never send again;
`provider_busy` last – the provider surely did not take it: send again;
`send_rate` last – it waits for its turn, which it keeps: nothing was handed over yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact
from chalicelib.errors import Conflict, TryLater
from chalicelib.ids import message_id
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.ports import NotNow, ProviderBusy
from chalicelib.messages.alert import alert_content, alert_of
from chalicelib.messages.content import RenderingError, choose_language
from chalicelib.messages.content_model import EmailContent, WhatsAppContent
from chalicelib.messages.followed import MessageLinks
from chalicelib.messages.making import Composed, Maker, Medium, nothing_holds
from chalicelib.messages.message import BUSY, HistoryEntry, Message, MessageKind, MessageStatus
from chalicelib.messages.pace import NEAR, SEND_RATE, Pace, UsedUp, kept_turn, waiting
from chalicelib.messages.policy import Decision, Hold, Later, No, may_alert, may_send
from chalicelib.messages.ports import (
    Links,
    MessageRepository,
    NotAllowed,
    RecentRecords,
    SendRejected,
    SendUncertain,
    Suppressions,
)
from chalicelib.messages.recent import matters
from chalicelib.messages.recent_places import Places
from chalicelib.messages.showing import Holds, Storefront
from chalicelib.messages.tracking import Tracking

# How often a held message looks whether the owner's switch is back on.
HELD_RECHECK = timedelta(hours=1)


class Sender:
    """`medium` gives a store's medium of a channel, made when it is first asked for; `sleep` waits some seconds."""

    def __init__(
        self,
        messages: MessageRepository,
        recents: RecentRecords,
        suppressions: Suppressions,
        links: Links,
        storefront: Storefront,
        tracker: Tracking,
        clock: Clock,
        medium: Callable[[Channel, Store], Medium[Any, Any]],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._messages = messages
        self._places = Places(recents, messages)
        self._suppressions = suppressions
        self._maker = Maker(storefront, links, tracker, clock)
        self._tracker = tracker
        self._clock = clock
        self._medium, self._sleep = medium, sleep

    def send(
        self,
        channel: Channel,
        store: Store,
        contact: Contact,
        enrolment: Enrolment,
        journey_id: str,
        step: str,
        kind: MessageKind,
        content_by_language: Mapping[str, EmailContent] | Mapping[str, str] | Mapping[str, WhatsAppContent],
        cart: CartRecord | None = None,
        holds: Holds = nothing_holds,
    ) -> Message:
        """The message as it stands afterwards, whatever became of it; repeating never sends twice.

        `cart` is the live record of the cart that the enrolment's event is about, if it is about one; `holds` tells
        whether a condition of focused content applies to the contact.
        Raises journeys.ports.NotNow (quiet hours, Shabbat and holidays; the account's rate or day is used up; or the
        store's sending is stopped: ask again in an hour) and journeys.ports.ProviderBusy (surely not taken: the state
        machine may try again).
        """
        medium, now = self._medium(channel, store), self._clock.now()
        blank = Message(
            id=message_id(enrolment.id, step),
            store_id=store.id,
            contact_id=contact.id,
            enrolment_id=enrolment.id,
            journey=journey_id,
            step=step,
            channel=channel,
            kind=kind,
            status=MessageStatus.CLAIMED,
            created_at=now,
            at=now,
        )

        def compose(claim: Message) -> Composed:
            return self._maker.made(medium, store, contact, enrolment, claim, content_by_language, cart, holds)

        def decide() -> Decision:
            return may_send(store, contact, channel, kind, now, self._listed(store, channel))

        def place(claim: Message) -> str | None:
            counted = kind is MessageKind.MARKETING and matters(store, channel)
            return self._places.take(store, claim, now) if counted else None

        code = enrolment.coupon.code if enrolment.coupon else None
        return self._once(medium, blank, decide, compose, place, code)

    def alert(
        self,
        channel: Channel,
        store: Store,
        contact: Contact,
        enrolment: Enrolment,
        journey_id: str,
        step: str,
        text_by_language: Mapping[str, str],
        fields: Sequence[str],
        cart: CartRecord | None = None,
    ) -> Message:
        """As `send`, to the store's manager: these words, and who the contact is, with these own fields.

        Its own claim on each channel; neither consent nor caps nor quiet hours, for it is not to the contact.
        """
        medium, now = self._medium(channel, store), self._clock.now()
        blank = Message(
            id=message_id(enrolment.id, f"{step}:{channel}"),
            store_id=store.id,
            contact_id=contact.id,
            enrolment_id=enrolment.id,
            journey=journey_id,
            step=step,
            channel=channel,
            kind=MessageKind.TRANSACTIONAL,
            status=MessageStatus.CLAIMED,
            to_manager=True,
            created_at=now,
            at=now,
        )
        language = choose_language(tuple(text_by_language), store.locale, None)
        content = {language: alert_content(channel, text_by_language[language])}
        alert = alert_of(store, contact, fields, language)

        def compose(claim: Message) -> Composed:
            return self._maker.made(medium, store, contact, enrolment, claim, content, cart, nothing_holds, alert)

        return self._once(medium, blank, lambda: may_alert(store, channel), compose, lambda claim: None)

    def composed(
        self,
        store: Store,
        contact: Contact,
        enrolment: Enrolment,
        message: Message,
        content_by_language: Mapping[str, Any],
        holds: Holds = nothing_holds,
        *,
        plain: bool = True,
    ) -> Any:
        """The finished message, to look at: nothing is decided, claimed, kept or sent. `plain`: with the addresses that
        its links lead to, else with links as long as they will be, which lead nowhere. Raises RenderingError."""
        medium = self._medium(message.channel, store)
        return self._maker.made(
            medium, store, contact, enrolment, message, content_by_language, None, holds, plain=plain
        ).finished

    def ask(
        self, channel: Channel, store: Store, contact: Contact, identifier: str, step: str, content: Mapping[str, Any]
    ) -> Message:
        """A message of our own that belongs to no journey, such as the question of a double opt-in: transactional, and
        once for its `identifier` (`{contact}-{digest}`). `content` by language; raises as `send`."""
        medium, now, kind = self._medium(channel, store), self._clock.now(), MessageKind.TRANSACTIONAL
        blank = Message(
            id=identifier,
            store_id=store.id,
            contact_id=contact.id,
            step=step,
            channel=channel,
            kind=kind,
            status=MessageStatus.CLAIMED,
            created_at=now,
            at=now,
        )
        nowhere = Enrolment(
            id=identifier, store_id=store.id, journey="", contact_id=contact.id, version=0, entry_key="", entered_at=now
        )

        def compose(claim: Message) -> Composed:
            return self._maker.made(medium, store, contact, nowhere, claim, content, None, nothing_holds)

        def decide() -> Decision:
            return may_send(store, contact, channel, kind, now, self._listed(store, channel))

        return self._once(medium, blank, decide, compose, lambda claim: None)

    def _listed(self, store: Store, channel: Channel) -> Callable[[str], str | None]:
        """Why an address is on the store's suppression list, if it is."""
        return lambda address: self._suppressions.holds(store.id, channel, address)

    def _once(
        self,
        medium: Medium[Any, Any],
        blank: Message,
        decide: Callable[[], Decision],
        compose: Callable[[Message], Composed],
        place: Callable[[Message], str | None],
        coupon: str | None = None,
    ) -> Message:
        """The message of `blank`'s id as it stands afterwards; `compose` and `place` are given its claim. `place` takes
        the message's place among the contact's others: None, or why there is none. `coupon` is the code it may show."""
        store_id, identifier, contact_id, now = blank.store_id, blank.id, blank.contact_id, blank.at
        found = self._messages.get(store_id, identifier, contact_id)
        settled = self._settled(found, medium) if found is not None else None
        if settled is not None:
            return settled
        before = found or blank
        decision = decide()
        if isinstance(decision, Later):
            raise NotNow(rfc3339(decision.until), decision.reason)
        if isinstance(decision, Hold):
            raise NotNow(rfc3339(now + HELD_RECHECK), decision.reason)
        if isinstance(decision, No):
            refused = self._moved(before, MessageStatus.NOT_SENT, decision.reason, detail=decision.detail)
            return self._put(refused, found)
        if medium.pace is not None:
            self._take_turn(before, found, medium.pace)
        claim = self._moved(before, MessageStatus.CLAIMED).model_copy(update={"to": decision.to})
        try:
            composed = compose(claim)
        except RenderingError as wrong:
            failed = self._moved(before, MessageStatus.FAILED, "rendering", detail=str(wrong))
            return self._put(failed, found)
        except NotAllowed as forbidden:
            return self._put(self._moved(before, MessageStatus.NOT_SENT, str(forbidden)), found)
        links = composed.links.code if composed.links else claim.links  # an erasure finds what is there by it
        finished = composed.finished
        told = {"subject": finished.subject, "parts": finished.parts, "links": links}
        told["words"] = self._maker.words(claim, composed)
        told |= {"coupon": coupon} if coupon is not None and coupon in finished.text else {}
        claim = claim.model_copy(update=told)
        if too_much := place(claim):
            return self._put(self._moved(before, MessageStatus.NOT_SENT, too_much), found)
        claimed = self._claim(claim, found)
        if claimed is None:  # another run of this very step is at it, or was: its record is the truth
            present = self._messages.get(store_id, identifier, contact_id)
            return present if present is not None else claim
        if composed.links:
            self._keep(composed.links, claimed)
        return self._hand_over(claimed, composed.finished, medium)

    def _keep(self, links: MessageLinks, claimed: Message) -> None:
        try:
            self._tracker.keep(links)
        except TryLater as out:
            self._note(claimed, BUSY, str(out))  # the provider surely does not have it: it may go again
            raise

    def _take_turn(self, before: Message, found: Message | None, pace: Pace) -> None:
        """Returns when the message may go. It comes back to a turn that is further away, by its record: a crash before
        that is written costs a turn, never a message.

        Raises NotNow, and ProviderBusy if another run of this very step is at it: its record tells when looked at anew.
        """
        now = self._clock.now()
        turn = kept_turn(found, now) or pace.turn(before.kind, now)
        if isinstance(turn, UsedUp):
            raise NotNow(rfc3339(turn.until), "daily_quota")
        if turn.at - now > NEAR:
            if turn.is_new and self._claim(waiting(before, turn, now), found) is None:
                raise ProviderBusy(SEND_RATE)
            raise NotNow(rfc3339(turn.at), SEND_RATE)
        if turn.at > now:
            self._sleep((turn.at - now).total_seconds())

    def _hand_over(self, claimed: Message, finished: Any, medium: Medium[Any, Any]) -> Message:
        try:
            provider_id = medium.channel.send(finished)
        except ProviderBusy as busy:
            self._note(claimed, BUSY, str(busy) or None)
            raise
        except SendUncertain as uncertain:
            return self._finish(claimed, MessageStatus.UNKNOWN, "provider_uncertain", detail=str(uncertain) or None)
        except SendRejected as rejected:
            return self._finish(claimed, MessageStatus.FAILED, "rejected", detail=str(rejected) or None)
        return self._finish(claimed, MessageStatus.SENT, provider_id=provider_id)

    def _settled(self, found: Message, medium: Medium[Any, Any]) -> Message | None:
        """What was finished stays; an interrupted claim is completed, or shown as unknown.

        None for a claim that the provider surely did not take: it may go again.
        """
        if found.status is not MessageStatus.CLAIMED:
            return found
        if found.history and found.history[-1].status in (BUSY, SEND_RATE):
            return None
        taken = medium.channel.was_taken(found.id)
        if taken is False:
            return None
        if isinstance(taken, str):
            return self._finish(found, MessageStatus.SENT, provider_id=taken)
        return self._finish(found, MessageStatus.UNKNOWN, "interrupted")

    def _claim(self, claim: Message, found: Message | None) -> Message | None:
        """The claim as stored, or None if somebody else holds it."""
        if found is None:
            return claim if self._messages.claim(claim) else None
        try:
            return self._messages.save(claim)
        except Conflict:
            return None

    def _put(self, outcome: Message, found: Message | None) -> Message:
        """Record what ends the message without a send."""
        stored = self._claim(outcome, found)
        if stored is not None:
            return stored
        present = self._messages.get(outcome.store_id, outcome.id, outcome.contact_id)
        return present if present is not None else outcome

    def _finish(
        self,
        claimed: Message,
        status: MessageStatus,
        reason: str | None = None,
        *,
        detail: str | None = None,
        provider_id: str | None = None,
    ) -> Message:
        """Record how the hand-over ended. A report that was quicker than we are keeps its status."""
        moved = self._moved(claimed, status, reason, detail=detail)
        if provider_id is not None:
            moved = moved.model_copy(update={"provider_id": provider_id})
        try:
            return self._messages.save(moved)
        except Conflict:
            present = self._messages.get(claimed.store_id, claimed.id, claimed.contact_id)
        if claimed.links and (present is None or present.to is None):
            self._tracker.forget(claimed.links)  # erased meanwhile, perhaps before there was anything to forget
        if present is None:
            return moved
        if status is MessageStatus.SENT and present.provider_id is None:
            open_still = present.status in (MessageStatus.CLAIMED, MessageStatus.UNKNOWN)
            moved = self._moved(present, status if open_still else present.status)
            return self._messages.save(moved.model_copy(update={"provider_id": provider_id}))
        return present

    def _note(self, claimed: Message, what: str, detail: str | None) -> None:
        entry = HistoryEntry(at=self._clock.now(), status=what, detail=detail)
        self._messages.save(claimed.model_copy(update={"history": (*claimed.history, entry)}))

    def _moved(
        self, message: Message, status: MessageStatus, reason: str | None = None, *, detail: str | None = None
    ) -> Message:
        now = self._clock.now()
        entry = HistoryEntry(at=now, status=status.value, detail=detail or reason)
        return message.model_copy(
            update={"status": status, "at": now, "reason": reason, "history": (*message.history, entry)}
        )
