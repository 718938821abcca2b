"""One contact's one pass through a journey. This record decides; the execution only wakes it up."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.contacts.contact import Benefit


class EnrolmentStatus(StrEnum):
    RUNNING = "running"
    HELD = "held"
    COMPLETED = "completed"
    GOAL_MET = "goal_met"
    EXITED = "exited"
    STOPPED = "stopped"
    FAILED = "failed"


class Passage(BaseModel):
    """One thing that happened to the enrolment: `what` is entered, step, tried, waiting, happened, timed_out, held,
    resumed, skipped, moved, redriven, mended, ended.

    `detail` of a step is the way a branch or split took, a message's status, `failed:` or `skipped:` with why; of an
    end, and of a first attempt that is to be repeated (`tried`), its reason; of what happened the event's id; of a
    move the versions.
    """

    model_config = ConfigDict(frozen=True)

    at: datetime
    what: str
    step: str | None = None
    detail: str | None = None


class Parked(BaseModel):
    """Waits for an event, at most until `until`. `token` is the state machine's, None before it parked there;
    `happened_at` when the event came (`event_id`), for which the execution is then woken.
    """

    model_config = ConfigDict(frozen=True)

    step: str
    until: datetime
    token: str | None = None
    happened_at: datetime | None = None
    event_id: str | None = None


class Enrolment(BaseModel):
    """`id` is `ids.enrolment_id(...)`; `entry_key` is the re-entry rule's key (`once`, an event id, a cart token).

    `event` is the trigger's event as it was at entry ({id, type, occurred_at, properties}); `generation` counts
    executions (pausing and resuming starts the next), the execution's name is `{id}-g{generation}`.
    `at_step` is what comes next, or is being waited in; `due_at` is when that wait ends. `reason` says why it ended
    as it did. `withdrawn`: entered only because orders arrived in the wrong order, so it never was (kept so that its
    execution's name is not used again; no listing shows it). `parked`: its last wait for an event. `coupon` is what a
    step of it made last, which later messages show. `execution_at` is when the present generation began. `rev` counts
    writes.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    store_id: str
    journey: str
    contact_id: str
    version: int
    entry_key: str
    event: dict[str, Any] = Field(default_factory=dict)
    status: EnrolmentStatus = EnrolmentStatus.RUNNING
    at_step: str | None = None
    due_at: datetime | None = None
    entered_at: datetime
    ended_at: datetime | None = None
    reason: str | None = None
    generation: int = 0
    started: bool = False
    withdrawn: bool = False
    parked: Parked | None = None
    coupon: Benefit | None = None
    execution_at: datetime | None = None
    history: tuple[Passage, ...] = ()
    rev: int = 0

    @property
    def execution(self) -> str:
        return f"{self.id}-g{self.generation}"

    @property
    def open(self) -> bool:
        """On its way: running or held."""
        return self.status in (EnrolmentStatus.RUNNING, EnrolmentStatus.HELD)
