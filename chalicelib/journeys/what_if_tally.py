"""Adds up what came of each contact's rehearsal, and forgets the contact."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from chalicelib.contacts.consent import Channel
from chalicelib.journeys.actions import ChangeList, ChangeTag, SetField, Wait
from chalicelib.journeys.costs import Done, cost, units
from chalicelib.journeys.definition import SENDING
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.plan import plan
from chalicelib.journeys.rehearsal import Rehearsal
from chalicelib.journeys.what_if_answer import MessageCount, Pass, Stage, StepCount, WhatIf
from chalicelib.messages.message import MessageStatus

EXAMPLES = 3  # of each way of ending
_NOT_OUT = {MessageStatus.NOT_SENT: "not_sent", MessageStatus.FAILED: "failed"}
NOTES = (
    "What contacts really did is taken as it was, also what they did because of messages that were really sent.",
    "Nobody is on the way when the time begins, and nobody has been in this journey before.",
    "Addresses, names, suppressed channels, settings and the catalogue are taken as they are today.",
    "Sending counts as switched on, and no address as on the store's suppression list.",
    "Frequency caps and messages of the same words count this journey's messages only.",
)


class Tally:
    def __init__(self, rehearsal: Rehearsal, end: datetime) -> None:
        self._rehearsal, self._start, self._end = rehearsal, rehearsal.clock.now(), end
        self._zone = ZoneInfo(rehearsal.store.timezone)
        laid = plan(rehearsal.definition)
        self._steps = {step.id: StepCount(step.id, step.type) for step in laid.steps.values()}
        self._first = laid.first
        self._waits = {step.id for step in laid.steps.values() if isinstance(step, Wait)}
        self._changing = {s.id for s in laid.steps.values() if isinstance(s, ChangeList | ChangeTag | SetField)}
        self._statuses: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._messages: Counter[tuple[str, str, date, str, str | None, str | None]] = Counter()
        self._passes: list[Pass] = []
        self._examples: Counter[str] = Counter()
        self.contacts = self._entrants = self._entered = self._sent = self._emails = self._changes = 0

    def add(self) -> None:
        """The contact that was just rehearsed."""
        found = self._rehearsal.passes()
        self._entrants += bool(found)
        for enrolment in found:
            self._entered += 1
            self._statuses[enrolment.status.value] += 1
            if enrolment.reason:
                self._reasons[enrolment.reason] += 1
            self._add_steps(enrolment)
            self._add_messages(enrolment)
            self._add_example(enrolment)

    def _add_steps(self, enrolment: Enrolment) -> None:
        reached = {p.step for p in enrolment.history if p.step and p.what in ("step", "waiting")}
        if self._first and (enrolment.open or len(enrolment.history) > 2):
            reached.add(self._first)
        for step in reached & self._steps.keys():
            self._steps[step].reached += 1
        if enrolment.open and enrolment.at_step in self._steps:
            self._steps[enrolment.at_step].standing += 1
            if enrolment.at_step not in reached:
                self._steps[enrolment.at_step].reached += 1
        for passage in enrolment.history:
            count = self._steps.get(passage.step or "")
            if count is None or passage.what not in ("step", "happened") or count.type in SENDING:
                continue
            way = passage.detail if passage.what == "step" else passage.what
            if way:
                count.ways[way] = count.ways.get(way, 0) + 1
            self._changes += passage.step in self._changing

    def _add_messages(self, enrolment: Enrolment) -> None:
        for message in self._rehearsal.messages_of(enrolment):
            out = message.status not in _NOT_OUT
            count = self._steps.get(message.step or "")
            if count is not None and count.type in SENDING:
                way = "sent" if out else _NOT_OUT[message.status]
                count.ways[way] = count.ways.get(way, 0) + 1
            self._sent += 1
            self._emails += out and message.channel is Channel.EMAIL
            outcome = "sent" if out else _NOT_OUT[message.status]
            reason = None if out else message.reason
            held_by = _held_by(enrolment, message.step)
            self._count(message.step, message.channel, message.created_at, outcome, reason, held_by)
        step = self._rehearsal.definition.step(enrolment.at_step) if enrolment.at_step else None
        if enrolment.open and step is not None and step.type in SENDING and (by := _held_by(enrolment, step.id)):
            channel = Channel(step.type.removeprefix("send_"))
            self._count(step.id, channel, self._end, "held", by, by)

    def _count(
        self, step: str | None, channel: Channel, at: datetime, outcome: str, reason: str | None, held_by: str | None
    ) -> None:
        day = at.astimezone(self._zone).date()
        self._messages[step or "", channel.value, day, outcome, reason, held_by] += 1

    def _add_example(self, enrolment: Enrolment) -> None:
        self._examples[enrolment.status.value] += 1
        if self._examples[enrolment.status.value] > EXAMPLES:
            return
        path = tuple(Stage(p.at, p.what, p.step, p.detail) for p in enrolment.history)
        status, reason = enrolment.status.value, enrolment.reason
        self._passes.append(Pass(enrolment.contact_id, enrolment.entered_at, status, reason, path))

    def answer(self) -> WhatIf:
        rehearsal = self._rehearsal
        done = Done(
            transitions=rehearsal.workflows.transitions,
            invocations=rehearsal.invocations,
            entries=self._entered,
            messages=self._sent,
            changes=self._changes,
            heard=rehearsal.heard,
            emails=self._emails,
        )
        read, write = units(done)
        return WhatIf(
            start=self._start.astimezone(UTC),
            end=self._end.astimezone(UTC),
            contacts=self.contacts,
            entrants=self._entrants,
            entered=self._entered,
            statuses=dict(self._statuses),
            reasons=dict(self._reasons),
            steps=tuple(self._steps.values()),
            messages=tuple(MessageCount(*key, count) for key, count in sorted(self._messages.items(), key=_in_order)),
            passes=tuple(self._passes),
            transitions=done.transitions,
            invocations=done.invocations,
            read_units=round(read),
            write_units=round(write),
            cost=cost(done),
            notes=(*NOTES, rehearsal.assumed),
        )


def _in_order(counted: tuple[tuple[str, str, date, str, str | None, str | None], int]) -> tuple[str, ...]:
    step, channel, day, *rest = counted[0]
    return (day.isoformat(), step, channel, *(one or "" for one in rest))


def _held_by(enrolment: Enrolment, step: str | None) -> str | None:
    """What made this message wait, if anything: quiet_hours, …"""
    for passage in enrolment.history:
        if passage.what == "waiting" and passage.step == step and ", until" in (passage.detail or ""):
            return (passage.detail or "").partition(",")[0]
    return None
