"""What each step of a journey does to its contact: messages, lists, fields.

The steps' driver (`steps.Steps`) asks for a step once and notes what came of it; after a crash it asks again, so each
act finds for itself whether it was done: a message by its claim, a change by its cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.clock import Clock, parse_rfc3339
from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel
from chalicelib.journeys.actions import Branch, ChangeList, ChangeTag, End, SendEmail, SendText, SetField, Split, Step
from chalicelib.journeys.conditions import Facts, evaluate
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.passages import waiting
from chalicelib.journeys.ports import (
    ContactChanges,
    DecisionRecords,
    Ended,
    EnrolmentRecords,
    EventListener,
    NotNow,
    Sender,
    Wanted,
)
from chalicelib.journeys.split import way_of
from chalicelib.messages.content_model import EmailContent


@dataclass
class Passing:
    """One run through a task: the enrolment as it was read, and what changes from step to step."""

    store: Store
    read: Enrolment
    enrolment: Enrolment
    facts: Facts
    cart: CartRecord | None = None
    """That of the enrolment's event, as it is now."""
    go: str | None = None
    changed: bool = False
    """The contact is not as `facts` has it any more."""


class Acts:
    def __init__(
        self,
        decisions: DecisionRecords,
        enrolments: EnrolmentRecords,
        book: ContactChanges,
        listener: EventListener,
        sender: Sender,
        clock: Clock,
    ) -> None:
        self._decisions, self._enrolments = decisions, enrolments
        self._book, self._listener, self._sender, self._clock = book, listener, sender, clock

    def do(self, step: Step, passing: Passing) -> str | None:
        """Does it; what history shall say of it: a message's status, the way that a branch or split took."""
        if passing.changed and not isinstance(step, ChangeList | ChangeTag | End):
            self._look_again(passing)
        match step:
            case SendEmail():
                return self._send(Channel.EMAIL, step, step.content, passing)
            case SendText(type="send_sms"):
                return self._send(Channel.SMS, step, step.text, passing)
            case Branch():
                return "then" if evaluate(step.condition, passing.facts) else "else"
            case Split():
                return way_of(step, passing.enrolment)
            case ChangeList() | ChangeTag() | SetField():
                self._change(step, passing)
                return None
            case End():
                return None
            case _:
                raise ValueError(f"step {step.id} cannot be done by a task: {step.type}")

    def _send(
        self,
        channel: Channel,
        step: SendEmail | SendText,
        content: Mapping[str, EmailContent] | Mapping[str, str],
        passing: Passing,
    ) -> str:
        enrolment = passing.enrolment
        try:
            message = self._sender.send(
                channel,
                passing.store,
                passing.facts.contact,
                enrolment,
                enrolment.journey,
                step.id,
                step.kind,
                content,
                passing.cart,
            )
        except NotNow as later:
            due_at = parse_rfc3339(str(later))
            self._enrolments.save(waiting(enrolment, self._clock.now(), step.id, due_at, later.reason or "not_now"))
            raise
        passing.facts = replace(passing.facts, messages={**passing.facts.messages, step.id: message})
        return message.status.value

    def _change(self, step: ChangeList | ChangeTag | SetField, passing: Passing) -> None:
        store, contact = passing.store, passing.facts.contact
        cause = f"{passing.enrolment.id}:{step.id}"
        match step.type:
            case "add_to_list":
                events = self._book.add_to_list(store.id, contact.id, step.list, cause)
            case "remove_from_list":
                events = self._book.remove_from_list(store.id, contact.id, step.list, cause)
            case "add_tag":
                events = self._book.add_tag(store.id, contact.id, step.tag, cause)
            case "remove_tag":
                events = self._book.remove_tag(store.id, contact.id, step.tag, cause)
            case "set_field":
                if step.only_if_empty and contact.fields.get(step.field) not in (None, ""):
                    return
                events = self._book.set_field(store.id, contact.id, step.field, step.value, cause)
        self._listener.on_events(store, contact.id, events)
        passing.changed = True

    def _look_again(self, passing: Passing) -> None:
        """At the contact, which a step before this one changed."""
        contact = self._decisions.read(passing.store.id, passing.facts.contact.id, Wanted()).contact
        if contact is None:
            raise Ended("the contact is gone")
        passing.facts = replace(passing.facts, contact=contact)
        passing.changed = False
