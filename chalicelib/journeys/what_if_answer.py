"""The answer to what if: sums that can be added up over parts of a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from chalicelib.journeys.costs import Cost


@dataclass
class StepCount:
    """`reached`: came to it. `ways`: how often each way was taken (a branch's, a split's; happened, timed_out; skipped,
    failed:…). `standing`: is in it (or before it) at the end.
    """

    step: str
    type: str
    reached: int = 0
    standing: int = 0
    ways: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class MessageCount:
    """`day` is the store's. `outcome`: sent, not_sent, failed or held (still, at the end), with its `reason`; `held_by`
    is what kept one back that was decided on later.
    """

    step: str
    channel: str
    day: date
    outcome: str
    reason: str | None
    held_by: str | None
    count: int


@dataclass(frozen=True)
class Stage:
    """One thing of a pass, as in an enrolment's history."""

    at: datetime
    what: str
    step: str | None
    detail: str | None


@dataclass(frozen=True)
class Pass:
    """An example. Of the person only the id."""

    contact_id: str
    entered_at: datetime
    status: str
    reason: str | None
    path: tuple[Stage, ...]


@dataclass(frozen=True)
class WhatIf:
    """`contacts` were looked at; `entered` counts passes, `entrants` contacts. Days and times are store time (UTC but
    for days of messages). `read_units` and `write_units` are estimated from counted ones; `cost` is in millionths of a
    US dollar. `notes` say what was assumed.
    """

    start: datetime
    end: datetime
    contacts: int
    entrants: int
    entered: int
    statuses: dict[str, int]
    reasons: dict[str, int]
    steps: tuple[StepCount, ...]
    messages: tuple[MessageCount, ...]
    passes: tuple[Pass, ...]
    transitions: int
    invocations: int
    read_units: int
    write_units: int
    cost: Cost
    notes: tuple[str, ...]
