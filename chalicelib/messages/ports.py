"""What sending needs from outside. Each channel is one small module behind `MessageChannel`."""

from __future__ import annotations

from typing import Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from chalicelib.contacts.consent import Channel
from chalicelib.messages.message import Message
from chalicelib.messages.picture_links import PictureLinks
from chalicelib.messages.recent import Recent
from chalicelib.messages.sms_parts import parts


class Email(BaseModel):
    """A finished email. `sender` and `to` are bare addresses; `headers` are the extra ones (List-Unsubscribe, …)."""

    model_config = ConfigDict(frozen=True)

    message_id: str
    store_id: str
    contact_id: str
    kind: str
    journey: str | None = None
    step: str | None = None
    sender: str
    sender_name: str | None = None
    reply_to: str | None = None
    to: str
    to_name: str | None = None
    subject: str
    html: str
    text: str
    headers: dict[str, str] = {}

    @property
    def parts(self) -> None:
        """Only an SMS has them."""


class Sms(BaseModel):
    """A finished SMS. `to` is a phone number in E.164; `sender` a number or a sender id of the provider's, None for
    the provider's choice; `sender_name` who it says it is from."""

    model_config = ConfigDict(frozen=True)

    message_id: str
    store_id: str
    contact_id: str
    kind: str
    journey: str | None = None
    step: str | None = None
    sender: str | None = None
    sender_name: str
    to: str
    text: str

    @property
    def subject(self) -> None:
        """An SMS has none."""

    @property
    def parts(self) -> int:
        """How many carriers make of it."""
        return parts(self.text)


class WhatsApp(BaseModel):
    """A finished WhatsApp message. `to` is a phone number in E.164, `sender` the provider's id of the number that it
    comes from, `sender_name` who it is from. With `template`, in `language`, `variables` fill the places of its body in
    their order, and `text` is what they say."""

    model_config = ConfigDict(frozen=True)

    message_id: str
    store_id: str
    contact_id: str
    kind: str
    journey: str | None = None
    step: str | None = None
    sender: str
    sender_name: str
    to: str
    language: str
    template: str | None = None
    variables: tuple[str, ...] = ()
    text: str

    @property
    def subject(self) -> None:
        """A WhatsApp message has none."""

    @property
    def parts(self) -> None:
        """Only an SMS has them."""


class SendUncertain(Exception):
    """The provider may or may not have taken it (time-out after the request went out)."""


class SendRejected(Exception):
    """The provider refused for good; the text is its code, without personal data."""


class NotAllowed(Exception):
    """The channel's own rules forbid this message to this person now, for good; the text is the reason, a code."""


Finished = TypeVar("Finished", contravariant=True)


class MessageChannel(Protocol[Finished]):
    """A provider of one channel."""

    def send(self, message: Finished, /) -> str:
        """Hand over once; returns the provider's id. Raises journeys.ports.ProviderBusy (surely not taken,
        try again), SendUncertain, SendRejected."""
        ...

    def was_taken(self, message_id: str) -> str | bool | None:
        """The provider's id if it took this message, False if it surely did not, None if it cannot tell."""
        ...


EmailChannel = MessageChannel[Email]
SmsChannel = MessageChannel[Sms]
WhatsAppChannel = MessageChannel[WhatsApp]


class MessageRepository(Protocol):
    def get(self, store_id: str, message_id: str, contact_id: str | None = None) -> Message | None:
        """`contact_id` is where the message lives now, if a merge moved it."""
        ...

    def claim(self, message: Message) -> bool:
        """Put it if its id is free: True for exactly one caller, ever."""
        ...

    def save(self, message: Message) -> Message:
        """Write over the revision that was read. Raises `errors.Conflict` if somebody was quicker."""
        ...

    def of_contact(self, store_id: str, contact_id: str) -> list[Message]:
        """All of one contact's messages."""
        ...


class Links(Protocol):
    @property
    def pictures(self) -> PictureLinks | None:
        """Those of pictures that are true when they are opened; None where there are none."""
        ...

    def unsubscribe_url(self, store_id: str, message_id: str, channel: Channel) -> str:
        """Where one POST unsubscribes the message's receiver from the channel."""
        ...

    def preferences_url(self, store_id: str, message_id: str, channel: Channel) -> str:
        """Where the message's receiver chooses channels and topics."""
        ...


class RecentRecords(Protocol):
    """What marketing went to a contact lately (`storage.recents.Recents`)."""

    def get(self, store_id: str, contact_id: str) -> Recent:
        """An empty one where there is none yet."""
        ...

    def save(self, store_id: str, contact_id: str, recent: Recent) -> None:
        """Write over the revision that was read. Raises `errors.Conflict` if somebody was quicker."""
        ...


class Suppressions(Protocol):
    """Addresses that must not be written to whoever's they are; kept by hash, so that they outlive their contact."""

    def holds(self, store_id: str, channel: Channel, address: str) -> str | None:
        """Why this address (an email, a phone in E.164) is on the store's list for the channel, or None."""
        ...


class NobodySuppressed:
    """A list with nobody on it."""

    def holds(self, store_id: str, channel: Channel, address: str) -> str | None:
        return None
