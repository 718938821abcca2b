"""What a platform asked of us for a person's sake, as it is written down: nothing in it is personal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

KEPT = timedelta(days=30)  # as the bucket's lifecycle has it for `exports/` (infra/template.json)


class RequestKind(StrEnum):
    EXPORT = "export"
    ERASURE = "erasure"


class RequestStatus(StrEnum):
    """`running`: begun, and gone on with until it is over. `failed`: a mistake of ours, tried again with its
    delivery."""

    RUNNING = "running"
    DONE = "done"
    NOTHING_KEPT = "nothing_kept"
    FAILED = "failed"


class PrivacyRequest(BaseModel):
    """One request of the platform. `platform_request` is the platform's id of it, `contact_ids` whom it was about.

    `kept_until`: how long an export is kept, `erased_at` when it went before that. `rev` counts writes.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    store_id: str
    kind: RequestKind
    status: RequestStatus
    asked_at: datetime
    done_at: datetime | None = None
    platform_request: str | None = None
    contact_ids: tuple[str, ...] = ()
    whole_shop: bool = False
    kept_until: datetime | None = None
    erased_at: datetime | None = None
    rev: int = 0

    def is_kept(self, now: datetime) -> bool:
        """Whether there is an export to hand out."""
        return self.erased_at is None and self.kept_until is not None and now < self.kept_until


class PrivacyRequests(Protocol):
    """The requests, and the exports that were made for them. An export is found from all who are in it: its pointers
    are written before it, and taken away before it is deleted."""

    def get(self, store_id: str, request_id: str) -> PrivacyRequest | None: ...

    def save(self, request: PrivacyRequest) -> PrivacyRequest:
        """Over the revision it has. Raises `Conflict`."""
        ...

    def announce(self, request: PrivacyRequest, order_ids: Sequence[str]) -> None:
        """Point to its export from its contacts and these orders."""
        ...

    def is_announced(self, request: PrivacyRequest, order_ids: Sequence[str]) -> bool:
        """Whether all those pointers are still there."""
        ...

    def keep(self, request: PrivacyRequest, content: dict[str, Any]) -> None: ...

    def discard(self, request: PrivacyRequest) -> None: ...

    def forget_order(self, store_id: str, order_id: str, at: datetime) -> None:
        """Delete every export that this order is in."""
        ...

    def forget_all(self, store_id: str, at: datetime) -> None: ...
