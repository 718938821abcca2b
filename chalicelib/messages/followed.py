"""What a message's links lead to, and who was seen following them: one record per message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict

from chalicelib.contacts.consent import Channel
from chalicelib.messages.links import HONEYPOT

KEPT = timedelta(days=400)
"""So long after its sending a message's links lead somewhere, and who followed them is known."""
MOST_SEEN = 200
"""Sightings that are kept of one message; whoever follows a link after that is led on and not noted."""


class Answer(BaseModel):
    """What a click on this link answers; `field` is the contact's own field that keeps it too."""

    model_config = ConfigDict(frozen=True)

    survey: str
    question: str
    value: str
    field: str | None = None


class Target(BaseModel):
    """`url` is as the content has it; None leads to a word of thanks. `smart` is a `block_forms.SmartLink` as data."""

    model_config = ConfigDict(frozen=True)

    url: str | None = None
    smart: Mapping[str, Any] | None = None
    answer: Answer | None = None

    @property
    def acts(self) -> bool:
        return self.smart is not None or self.answer is not None


class Sighting(BaseModel):
    """Somebody, or something, fetched an address of the message. `number` is the link's, HONEYPOT or OPEN; `agent` what
    the request said of itself (`robots.agent_of`), `network` a keyed hash of where it came from."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    number: str
    agent: str = ""
    network: str = ""


class MessageLinks(BaseModel):
    """`contact_id` is the one that it was sent to (follow merges); `home` the store's own address; `utm` what links to
    the store's own site are followed by, as a query; `sent_at` is just before the provider got the message."""

    model_config = ConfigDict(frozen=True)

    code: str
    store_id: str
    contact_id: str
    message_id: str
    channel: Channel
    language: str
    home: str
    utm: str = ""
    targets: tuple[Target, ...]
    sent_at: datetime
    seen: tuple[Sighting, ...] = ()

    def target(self, number: str) -> Target | None:
        """None for the honeypot, which leads home, and for what is no link of this message."""
        return self.targets[int(number)] if number.isdecimal() and int(number) < len(self.targets) else None

    def destination(self, number: str) -> str | None:
        """Where this link leads; None where it leads to a word of thanks. Raises KeyError if there is no such link."""
        if number == HONEYPOT:
            return self.home
        target = self.target(number)
        if target is None:
            raise KeyError(number)
        return target.url and led(target.url, self.home, self.utm)


class Followed(Protocol):
    """Where these records are."""

    def get(self, code: str) -> MessageLinks | None: ...

    def keep(self, links: MessageLinks) -> None:
        """Under its code, over what a compose before may have left there. What was seen stays."""
        ...

    def forget(self, code: str) -> None: ...

    def see(self, code: str, sighting: Sighting) -> MessageLinks | None:
        """Note it, unless MOST_SEEN are there, and give the record as it is then; None where there is none."""
        ...


def site_of(address: str) -> str:
    """The host without `www.`; empty for what is no address."""
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def led(address: str, home: str, utm: str) -> str:
    """The address; one of the store's own site also says where the visit comes from."""
    return with_utm(address, utm) if utm and site_of(address) == site_of(home) else address


def with_utm(address: str, utm: str) -> str:
    """The address with these parameters besides its own, before its fragment. One that says already where the visit
    comes from stays as its owner wrote it."""
    before, hash_sign, fragment = address.partition("#")
    _, question_mark, query = before.partition("?")
    if any(name.lower().startswith("utm_") for name, _ in parse_qsl(query, keep_blank_values=True)):
        return address
    joint = "" if before.endswith(("?", "&")) else "&" if question_mark else "?"
    return f"{before}{joint}{utm}{hash_sign}{fragment}"
