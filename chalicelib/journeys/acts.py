"""What each step of a journey does: messages here, and which part does the rest.

The steps' driver (`steps.Steps`) asks for a step once and notes what came of it; after a crash it asks again, so each
act finds for itself whether it was done: a message by its claim, a change by its cause, a coupon by its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.clock import Clock
from chalicelib.contacts.consent import Channel
from chalicelib.journeys.actions import (
    AlertManager,
    Branch,
    CallWebhook,
    ChangeAudience,
    ChangeList,
    ChangeSubscription,
    ChangeTag,
    CreateCoupon,
    End,
    OtherJourney,
    SendEmail,
    SendText,
    SetField,
    Split,
    Step,
)
from chalicelib.journeys.acts_alert import AlertActs
from chalicelib.journeys.acts_contact import ContactActs
from chalicelib.journeys.acts_coupon import CouponActs
from chalicelib.journeys.acts_outside import OutsideActs
from chalicelib.journeys.conditions import evaluate
from chalicelib.journeys.passing import Passing, put_off
from chalicelib.journeys.ports import (
    ContactChanges,
    DecisionRecords,
    Ended,
    EnrolmentRecords,
    EventListener,
    NotNow,
    Outside,
    Sender,
    Wanted,
)
from chalicelib.journeys.split import way_of
from chalicelib.messages.content_model import EmailContent, WhatsAppContent
from chalicelib.messages.message import MessageStatus

Content = Mapping[str, EmailContent] | Mapping[str, str] | Mapping[str, WhatsAppContent]


class Acts:
    def __init__(
        self,
        decisions: DecisionRecords,
        enrolments: EnrolmentRecords,
        book: ContactChanges,
        listener: EventListener,
        sender: Sender,
        outside: Outside,
        clock: Clock,
    ) -> None:
        self._decisions, self._enrolments, self._sender, self._clock = decisions, enrolments, sender, clock
        self._contact_acts = ContactActs(book, listener, clock)
        self._coupon_acts = CouponActs(outside, enrolments, book, clock)
        self._alert_acts = AlertActs(sender, enrolments, clock)
        self._outside_acts = OutsideActs(outside, enrolments, clock)

    def do(self, step: Step, passing: Passing) -> str | None:
        """Does it; what history shall say of it: a message's status, the way it took, why it was skipped.

        Raises `StepCannot` for what fails for good, and what `Steps.run` raises.
        """
        if passing.changed and not isinstance(step, ChangeList | ChangeTag | End):
            self._look_again(passing)
        match step:
            case SendEmail():
                return self._send(Channel.EMAIL, step, step.content, passing)
            case SendText(type="send_sms"):
                return self._send(Channel.SMS, step, step.text, passing)
            case SendText():
                content = {
                    lang: WhatsAppContent(text=text, template=step.template, variables=step.variables.get(lang, ()))
                    for lang, text in step.text.items()
                }
                return self._send(Channel.WHATSAPP, step, content, passing)
            case Branch():
                return "then" if evaluate(step.condition, passing.facts) else "else"
            case Split():
                return way_of(step, passing.enrolment)
            case ChangeList() | ChangeTag() | ChangeAudience() | ChangeSubscription() | SetField():
                return self._contact_acts.change(step, passing)
            case CreateCoupon():
                return self._coupon_acts.create(step, passing)
            case AlertManager():
                return self._alert_acts.alert(step, passing)
            case CallWebhook():
                self._outside_acts.call(step, passing)
                return None
            case OtherJourney():
                return self._outside_acts.go_elsewhere(step, passing)
            case End():
                return None
            case _:
                raise ValueError(f"step {step.id} cannot be done by a task: {step.type}")

    def _send(self, channel: Channel, step: SendEmail | SendText, content: Content, passing: Passing) -> str:
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
                lambda condition: evaluate(condition, passing.facts),
            )
        except NotNow as later:
            put_off(passing, self._enrolments, step.id, later, self._clock.now())
            raise
        passing.facts = replace(passing.facts, messages={**passing.facts.messages, step.id: message})
        if message.status is MessageStatus.FAILED:
            return f"failed:{message.reason or 'rejected'}"
        return message.status.value

    def _look_again(self, passing: Passing) -> None:
        """At the contact, which a step before this one changed."""
        contact = self._decisions.read(passing.store.id, passing.facts.contact.id, Wanted()).contact
        if contact is None:
            raise Ended("the contact is gone")
        passing.facts = replace(passing.facts, contact=contact)
        passing.changed = False
