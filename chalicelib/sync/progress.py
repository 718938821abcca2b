"""How far a store's pull is: one record per store, saved after every page, from which a crash goes on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

PARTS = ("webhooks", "products", "customers", "orders")
WEBHOOKS = PARTS[0]
PAGE = 100
_REASONS = 20


class SyncStatus(StrEnum):
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"


class SyncMode(StrEnum):
    HISTORY = "history"
    RECONCILE = "reconcile"


class Part(BaseModel):
    """One kind of records. `done` of `total` were read, `skipped` of them could not be, for `reasons` (counted).

    `prepared`: how much of it the shop, which needs time for that, has ready for us so far, in its own count.
    In a reconciliation `found` changes were news to us, and `heard` were known already, by a webhook.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    done: int = 0
    total: int | None = None
    prepared: int | None = None
    skipped: int = 0
    reasons: dict[str, int] = Field(default_factory=dict)
    found: int = 0
    heard: int = 0
    missing_since: datetime | None = None
    over: bool = False

    def with_mistakes(self, mistakes: list[str]) -> Part:
        """The first twenty reasons are kept apart, the rest only counted."""
        reasons = dict(self.reasons)
        for reason in mistakes:
            if reason in reasons or len(reasons) < _REASONS:
                reasons[reason] = reasons.get(reason, 0) + 1
        return self.model_copy(update={"reasons": reasons, "skipped": self.skipped + len(mistakes)})


class Trouble(BaseModel):
    """`words` are the owner's; `since` the first of the failures in a row."""

    model_config = ConfigDict(frozen=True)

    code: str
    words: str
    since: datetime
    next_try_at: datetime


class Reconciliation(BaseModel):
    """What the last look found that no webhook had told, by kind. `quiet_since`: since when the shop's webhooks tell
    nothing while it has orders."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    found: dict[str, int] = Field(default_factory=dict)
    webhooks_mended: int = 0
    quiet_since: datetime | None = None


class SyncProgress(BaseModel):
    """`run` names this pull, `execution` the state machine's turn that works on it: an older one ends when it wakes.

    `cursor` is the present part's, `marks` are where the kinds that tell no times were left. `since`: only what
    changed after it. `looked_at`: what changed before it is known. `history_since` and `history_done_at`: when the
    first history began and was over. `alive_at`: when something was last saved. `waits_until`: the shop prepares what
    was asked and is asked again then, without any trouble. `notices`: what the owner should know, in words.
    """

    model_config = ConfigDict(frozen=True)

    store_id: str
    run: str
    execution: int = 1
    mode: SyncMode
    status: SyncStatus = SyncStatus.RUNNING
    started_at: datetime
    finished_at: datetime | None = None
    alive_at: datetime
    parts: tuple[Part, ...] = tuple(Part(kind=kind) for kind in PARTS)
    cursor: dict[str, Any] = Field(default_factory=dict)
    marks: dict[str, dict[str, Any]] = Field(default_factory=dict)
    size: int = PAGE
    since: datetime | None = None
    calls: int = 0
    tries: int = 0
    waits_until: datetime | None = None
    notices: tuple[str, ...] = ()
    trouble: Trouble | None = None
    history_since: datetime
    history_done_at: datetime | None = None
    looked_at: datetime | None = None
    last_reconciliation: Reconciliation | None = None
    rev: int = 0

    @property
    def part(self) -> Part | None:
        """The one that is worked on."""
        return next((part for part in self.parts if not part.over), None)

    def with_part(self, changed: Part) -> SyncProgress:
        parts = tuple(changed if part.kind == changed.kind else part for part in self.parts)
        return self.model_copy(update={"parts": parts})
