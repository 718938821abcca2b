"""`alert_manager`: a message to the store's manager, once on each channel, about the contact that stands here."""

from __future__ import annotations

from chalicelib.clock import Clock
from chalicelib.commerce.store import manager_address
from chalicelib.contacts.consent import Channel
from chalicelib.journeys.actions import AlertManager
from chalicelib.journeys.passing import Passing, put_off
from chalicelib.journeys.ports import EnrolmentRecords, NotNow, Sender, StepCannot
from chalicelib.messages.message import Message, MessageStatus


class AlertActs:
    def __init__(self, sender: Sender, enrolments: EnrolmentRecords, clock: Clock) -> None:
        self._sender, self._enrolments, self._clock = sender, enrolments, clock

    def alert(self, step: AlertManager, passing: Passing) -> str:
        """One that reached a provider on any channel is enough. Raises `StepCannot`, `NotNow`, `ProviderBusy`."""
        channels = [one for one in dict.fromkeys(step.channels) if manager_address(passing.store, one)]
        if not channels:
            raise StepCannot("no_manager")
        outcomes = [self._on(channel, step, passing) for channel in channels]
        failures = [outcome for outcome in outcomes if isinstance(outcome, StepCannot)]
        messages = [outcome for outcome in outcomes if isinstance(outcome, Message)]
        held_back = [message for message in messages if message.status is MessageStatus.NOT_SENT]
        failed = [message for message in messages if message.status is MessageStatus.FAILED]
        if len(messages) > len(held_back) + len(failed):
            return "alerted"
        if held_back:
            return f"skipped:{held_back[0].reason}"
        raise failures[0] if failures else StepCannot(failed[0].reason or "rejected")

    def _on(self, channel: Channel, step: AlertManager, passing: Passing) -> Message | StepCannot:
        enrolment = passing.enrolment
        try:
            return self._sender.alert(
                channel,
                passing.store,
                passing.facts.contact,
                enrolment,
                enrolment.journey,
                step.id,
                step.text,
                step.fields,
                passing.cart,
            )
        except StepCannot as cannot:  # the other channels may
            return cannot
        except NotNow as later:
            put_off(passing, self._enrolments, step.id, later, self._clock.now())
            raise
