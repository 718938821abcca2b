"""An owner's email content and one contact's facts become an email: addresses, subject, headers, HTML and text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.messages.content import render
from chalicelib.messages.content_model import EmailContent
from chalicelib.messages.fields import RenderData
from chalicelib.messages.message import Message, MessageKind
from chalicelib.messages.policy import marked
from chalicelib.messages.ports import Email
from chalicelib.messages.showing import Holds, Needs, needs_of


class EmailComposer:
    """A `Composer` of emails. `default_sender` is the address for stores that name none."""

    def __init__(self, default_sender: str) -> None:
        self._default_sender = default_sender

    def needs(self, content: EmailContent, event: Mapping[str, Any], holds: Holds) -> Needs:
        return needs_of(content, event, holds)

    def compose(self, content: EmailContent, data: RenderData, message: Message) -> Email:
        """Raises RenderingError, naming the field."""
        rendered = render(content, data)
        sender, contact = data.store.settings.sender, data.contact
        name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
        if data.alert is not None:
            name = data.alert.to_name or ""
        return Email(
            message_id=message.id,
            store_id=message.store_id,
            contact_id=message.contact_id,
            kind=message.kind.value,
            journey=message.journey,
            step=message.step,
            sender=sender.email or self._default_sender,
            sender_name=sender.name or data.store.name,
            reply_to=sender.reply_to,
            to=message.to or "",
            to_name=name or None,
            subject=marked(rendered.subject, data.store, message.kind),
            html=rendered.html,
            text=rendered.text,
            headers=_headers(data, message, sender.email or self._default_sender),
        )


def _headers(data: RenderData, message: Message, sender: str) -> dict[str, str]:
    # Gmail's feedback loop: three fields of ours and the sender's, at most 15 letters.
    about = ".".join(part for part in (message.journey, message.step) if part)
    headers = {"Feedback-ID": f"{about}:{message.store_id}:{message.kind.value}:agala"}
    if message.kind is MessageKind.MARKETING:  # RFC 2919: the same for all that the store sends to its list
        headers["List-Id"] = f"<{message.store_id}.{_ascii_domain(sender)}>"
    if data.unsubscribe_url:  # RFC 8058 §3.1
        headers["List-Unsubscribe"] = f"<{data.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _ascii_domain(sender: str) -> str:
    try:
        return sender.rpartition("@")[2].encode("idna").decode("ascii")
    except UnicodeError:  # nothing can be sent from there: the channel says so
        return "invalid"
