"""What journeys need from outside: workflows (Step Functions or the embedded interpreter), records, a sender."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.errors import StepCannot as StepCannot  # what a step may raise, beside those at the end

if TYPE_CHECKING:
    from chalicelib.commerce.cart import CartRecord
    from chalicelib.commerce.coupon import Coupon, CouponTerms, OwnedCoupon
    from chalicelib.commerce.event import Event
    from chalicelib.commerce.ports import OrderRecord, ProductRecord
    from chalicelib.commerce.store import Store
    from chalicelib.contacts.consent import Channel, ConsentStatus
    from chalicelib.contacts.contact import Benefit, Contact, PurchaseFact
    from chalicelib.contacts.engagement import Engagement
    from chalicelib.contacts.field_change import FieldChange
    from chalicelib.journeys.condition_forms import Condition
    from chalicelib.journeys.enrolment import Enrolment
    from chalicelib.journeys.journey import Journey, JourneyVersion
    from chalicelib.messages.content_model import EmailContent, WhatsAppContent
    from chalicelib.messages.message import Message, MessageKind


class Workflows(Protocol):
    """Durable executions of compiled state machines."""

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        """Make (or find) a state machine of this name and return its reference. Repeating is harmless."""
        ...

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        """Start once: a second start of the same `execution` name does nothing. Payload: ids and times only.

        Raises `errors.TryLater` when the service refuses for now.
        """
        ...

    def stop(self, machine: str, execution: str, reason: str) -> None:
        """Stop if it runs; nothing happens if it ended or never was."""
        ...

    def runs(self, machine: str, execution: str) -> bool:
        """Whether it is there and has not ended. Raises `errors.TryLater`."""

    def answer(self, token: str, output: Mapping[str, Any]) -> None:
        """The task that waits with this token succeeded. Nothing happens where nobody waits with it (any more).

        Raises `errors.TryLater` when the service refuses for now.
        """
        ...


class JourneyRecords(Protocol):
    """Journey heads and their published versions (`storage.journeys.Journeys`)."""

    def get(self, store_id: str, journey_id: str) -> Journey | None: ...

    def head(self, store_id: str, journey_id: str) -> Journey | None:
        """Without its draft: cheap to read, not to save."""
        ...

    def save(self, journey: Journey) -> Journey:
        """Raises `errors.Conflict` if somebody was quicker."""
        ...

    def of_store(self, store_id: str) -> list[Journey]:
        """Heads, without their drafts."""
        ...

    def version(self, store_id: str, journey_id: str, version: int) -> JourneyVersion | None: ...

    def publish(self, version: JourneyVersion) -> None:
        """Raises `errors.Conflict` if that number is taken."""
        ...


class EnrolmentRecords(Protocol):
    """Enrolments, kept with their contact (`storage.journeys.Enrolments`)."""

    def get(self, store_id: str, enrolment_id: str, contact_id: str | None = None) -> Enrolment | None: ...

    def create(self, enrolment: Enrolment) -> bool:
        """The decision: False if this contact entered under this key already."""
        ...

    def save(self, enrolment: Enrolment) -> Enrolment:
        """Raises `errors.Conflict` if somebody was quicker."""
        ...

    def of_contact(self, store_id: str, contact_id: str) -> list[Enrolment]: ...

    def all_of_journey(self, store_id: str, journey_id: str) -> Iterator[Enrolment]: ...


@dataclass(frozen=True)
class Wanted:
    """What to read together with a contact, by ids; purchases by subject (`product:12`, `category:7`), carts by token.

    `newest_cart`: the one of the contact's that last had any activity; this alone is a request more. `categories`:
    those of the engagement's products; one more too.
    """

    store: bool = False
    journey: str | None = None
    enrolment: str | None = None
    orders: Collection[str] = ()
    carts: Collection[str] = ()
    newest_cart: bool = False
    messages: Collection[str] = ()
    subjects: Collection[str] = ()
    engagement: bool = False
    categories: bool = False

    def __or__(self, other: Wanted) -> Wanted:
        """Both; where each names one journey or enrolment, the first one's."""
        return Wanted(
            store=self.store or other.store,
            journey=self.journey or other.journey,
            enrolment=self.enrolment or other.enrolment,
            orders={*self.orders, *other.orders},
            carts={*self.carts, *other.carts},
            newest_cart=self.newest_cart or other.newest_cart,
            messages={*self.messages, *other.messages},
            subjects={*self.subjects, *other.subjects},
            engagement=self.engagement or other.engagement,
            categories=self.categories or other.categories,
        )


@dataclass(frozen=True)
class Found:
    """What there is of it. Every subject that was asked for has a fact, empty where nothing was bought."""

    contact: Contact | None = None
    store: Store | None = None
    journey: Journey | None = None
    """The head."""
    enrolment: Enrolment | None = None
    orders: Mapping[str, OrderRecord] = field(default_factory=dict)
    carts: Mapping[str, CartRecord] = field(default_factory=dict)
    newest_cart: CartRecord | None = None
    messages: Mapping[str, Message] = field(default_factory=dict)
    purchases: Mapping[str, PurchaseFact] = field(default_factory=dict)
    engagement: Engagement | None = None
    """Where it was asked for; an empty one of a contact who did nothing yet."""
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of viewed and wished products, by their ids, as the catalogue has them."""


class DecisionRecords(Protocol):
    """What journeys decide by (`storage.decisions.Decisions`)."""

    def read(self, store_id: str, contact_id: str, wanted: Wanted) -> Found:
        """The contact as it is now and what is wanted, in one request.

        An id of a merged contact finds everything where it lives now. Of a contact that is gone nothing is found.
        """
        ...


class TimelineRecords(Protocol):
    """What happened to a contact (`storage.timeline.Timeline`)."""

    def of_contact(
        self,
        store_id: str,
        contact_id: str,
        before: str | None = None,
        limit: int = 100,
        since: datetime | None = None,
    ) -> list[Event]:
        """Newest first; `before` is the `sort_key` of the last one seen; none from before `since`."""
        ...

    def sort_key(self, event: Event) -> str: ...


class OrderRecords(Protocol):
    def get(self, store_id: str, external_id: str) -> OrderRecord | None: ...


class ProductRecords(Protocol):
    def get_many(self, store_id: str, external_ids: list[str]) -> dict[str, ProductRecord]: ...


class ContactChanges(Protocol):
    """What a step may do to a contact (`contacts.book.ContactBook`).

    `cause` names the step of the enrolment: with the same cause nothing changes a second time, and the same events
    are found again. The events are kept in the timeline; journeys are yet to hear of them.
    """

    def add_to_list(self, store_id: str, contact_id: str, name: str, cause: str) -> list[Event]: ...

    def remove_from_list(self, store_id: str, contact_id: str, name: str, cause: str) -> list[Event]: ...

    def add_tag(self, store_id: str, contact_id: str, name: str, cause: str) -> list[Event]: ...

    def remove_tag(self, store_id: str, contact_id: str, name: str, cause: str) -> list[Event]: ...

    def set_field(self, store_id: str, contact_id: str, name: str, value: Any, cause: str) -> list[Event]: ...

    def change_field(self, store_id: str, contact_id: str, name: str, change: FieldChange, cause: str) -> list[Event]:
        """Computed over the value that is there when it is written. One cause changes one field.

        Raises `StepCannot("not_a_number")`.
        """
        ...

    def undo_field(self, store_id: str, contact_id: str, cause: str) -> list[Event]:
        """Take back, once, what an undoable add or subtract with this cause did; not done yet, it never will be."""
        ...

    def set_consent(
        self, store_id: str, contact_id: str, channel: Channel, status: ConsentStatus, source: str, cause: str
    ) -> list[Event]:
        """As of now: a choice that the contact made later stays."""
        ...

    def join_audience(self, store_id: str, contact_id: str, name: str, cause: str) -> list[Event]: ...

    def leave_audience(self, store_id: str, contact_id: str, name: str, cause: str) -> list[Event]: ...

    def give_benefit(self, store_id: str, contact_id: str, benefit: Benefit) -> None:
        """It is the contact's last one, unless a newer is known. Its code tells a repeat."""
        ...

    def use_benefit(self, store_id: str, contact_id: str, code: str, at: datetime) -> None:
        """Nothing happens if the last one has another code, or was used before."""
        ...


class EventListener(Protocol):
    """`journeys.enrol.Enroller`."""

    def on_events(self, store: Store, contact_id: str, events: Sequence[Event]) -> None: ...


class Sender(Protocol):
    """`messages.send.Sender`."""

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
        holds: Callable[[Condition], bool] = ...,
    ) -> Message:
        """Sends at most once, however often it is called; a message not sent is a message with a reason.

        `holds` tells whether a condition of focused content applies to the contact.
        Raises `NotNow`, `ProviderBusy`, and `StepCannot` for a channel that nothing can be sent on here.
        """
        ...

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
        """As `send`, but to the store's manager: these words, and who the contact is, with these own fields."""
        ...


class Coupons(Protocol):
    """Coupons in the stores' own shops (`Wiring.coupon`)."""

    def __call__(self, store: Store, cause: str, terms: CouponTerms, customer_id: str | None) -> Coupon:
        """The coupon of this cause, made unless it is there. Raises `BadInput`, `ShopTrouble`, `TryLater`."""
        ...


class CouponRecords(Protocol):
    """Whose a code is (`storage.coupons.Coupons`)."""

    def claim(self, coupon: OwnedCoupon) -> OwnedCoupon:
        """Keep it, unless one of this code is kept: the one that stands."""
        ...

    def get_many(self, store_id: str, codes: Collection[str]) -> dict[str, OwnedCoupon]:
        """By the codes asked for, whatever their letters' size; those of nobody are left out."""
        ...


class Webhooks(Protocol):
    """Calls of other systems (`store_adapters.webhook_calls.WebhookCalls`)."""

    def call(self, store_id: str, url: str, identifier: str, body: Mapping[str, Any]) -> int:
        """One signed POST: the answer's HTTP status. Raises `ShopTrouble` where none comes, `TryLater`."""
        ...


class OtherJourneys(Protocol):
    """`journeys.other_journeys.OtherJourneys`."""

    def start(self, store: Store, contact_id: str, journey_id: str, by: Enrolment, step: str) -> str | None:
        """Take the contact in there; why not, if not (`skipped:not_active`). Raises `StepCannot`."""
        ...

    def stop(self, store_id: str, contact_id: str, journey_id: str, by: Enrolment) -> None:
        """End what the contact is in there, but for the pass that asks for it."""
        ...


@dataclass(frozen=True)
class Outside:
    """What steps reach beyond their contact, made when a step first needs it."""

    coupons: Coupons
    coupon_records: CouponRecords
    webhooks: Callable[[], Webhooks]
    other_journeys: OtherJourneys


# Named errors of the step task: the state machine catches them by these names, so the happy way pays
# nothing for them. A class's name is what Lambda reports as the error's name, its text as the cause.


class NotNow(Exception):
    """The step may go on later; the text is the RFC 3339 time to come back at. `reason`: quiet_hours, …"""

    def __init__(self, until: str, reason: str | None = None) -> None:
        super().__init__(until)
        self.until = until
        self.reason = reason

    def __str__(self) -> str:
        return self.until


class Held(Exception):
    """The journey is paused: this execution ends, a resume machine will take over."""


class Ended(Exception):
    """The enrolment is over (goal, exit, stopped, erased): this execution ends."""


class StepFailed(Exception):
    """A mistake of ours ended the enrolment. Says where, and never what the mistake itself said: that may quote a
    person's data, and executions and logs keep it."""


class ProviderBusy(Exception):
    """The message provider surely did not take it: the state machine may try again."""
