"""`/v1/stores/{s}/sync`: how far the store's history is, and once more from the beginning."""

from __future__ import annotations

from typing import Literal

from chalice.app import Blueprint

from chalicelib.errors import Conflict
from chalicelib.handlers.api.shapes import Answer, Time
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.sync.progress import Part, SyncMode, SyncProgress, SyncStatus, Trouble

sync = Blueprint(__name__)


class SkippedReason(Answer):
    """`reason` names a field and what was expected there, never what the shop sent."""

    reason: str
    count: int


class SyncPart(Answer):
    """`done` of `total` records were read (`total` null: not known yet), `skipped` of them make no sense.

    `prepared`: how much of it a shop that writes it down for us first (Shopify) has ready, in its own count.
    """

    kind: Literal["webhooks", "products", "customers", "orders"]
    done: int
    total: int | None
    prepared: int | None
    skipped: int
    reasons: list[SkippedReason]


class SyncTrouble(Answer):
    """What keeps the sync from going on, in words for the owner, and when it tries again by itself.

    `code` names it for those who say it in another language.
    """

    code: str
    words: str
    since: Time
    next_try_at: Time


class Found(Answer):
    """Changes that no webhook had told. A WooCommerce customer who only changed is not seen, nor is a deletion."""

    orders: int
    customers: int
    products: int


class LastReconciliation(Answer):
    """`quiet_since`: the shop has had orders since then, of which its webhooks told nothing."""

    at: Time
    found: Found
    webhooks_mended: int
    quiet_since: Time | None


class SyncAnswer(Answer):
    """`mode`: history is everything the shop has, reconcile the nightly look at what was missed.

    `notices`: what the owner should know though nothing is wrong yet, such as a shop's interface that goes away.
    """

    status: Literal["never", "running", "waiting", "done"]
    mode: Literal["history", "reconcile"] | None
    started_at: Time | None
    finished_at: Time | None
    parts: list[SyncPart]
    trouble: SyncTrouble | None
    notices: list[str]
    last_reconciliation: LastReconciliation | None


@door(
    sync,
    "GET",
    "/v1/stores/{store_id}/sync",
    summary="How far the store's history is",
    scope="store",
    answers=SyncAnswer,
)
def get_sync(call: Call) -> SyncAnswer:
    return sync_shown(call.wiring.sync_records.get(call.store.id))


@door(
    sync,
    "POST",
    "/v1/stores/{store_id}/sync",
    summary="Pull the store's history, or go on with it now",
    scope="store",
    answers=SyncAnswer,
    status=202,
)
def start_sync(call: Call) -> Reply:
    """One that is on its way goes on, one that waits at once; else it begins anew. Repeating is harmless."""
    if not call.store.is_connected:
        raise Conflict("the store is not connected to a shop that could be asked: connect it first")
    return Reply(sync_shown(call.wiring.sync.history(call.store)))


def sync_shown(progress: SyncProgress | None) -> SyncAnswer:
    """Also what the plugin's status shows."""
    if progress is None:
        return SyncAnswer(
            status="never",
            mode=None,
            started_at=None,
            finished_at=None,
            parts=[],
            trouble=None,
            notices=[],
            last_reconciliation=None,
        )
    trouble, last = progress.trouble, progress.last_reconciliation
    return SyncAnswer(
        status=_STATUS[progress.status],
        mode="history" if progress.mode is SyncMode.HISTORY else "reconcile",
        started_at=progress.started_at,
        finished_at=progress.finished_at,
        parts=[_part(part) for part in progress.parts],
        trouble=trouble and _trouble(trouble),
        notices=list(progress.notices),
        last_reconciliation=last
        and LastReconciliation(
            at=last.at,
            found=Found(**{kind: last.found.get(kind, 0) for kind in Found.model_fields}),
            webhooks_mended=last.webhooks_mended,
            quiet_since=last.quiet_since,
        ),
    )


_STATUS: dict[SyncStatus, Literal["running", "waiting", "done"]] = {
    SyncStatus.RUNNING: "running",
    SyncStatus.WAITING: "waiting",
    SyncStatus.DONE: "done",
}


def _trouble(trouble: Trouble) -> SyncTrouble:
    return SyncTrouble(code=trouble.code, words=trouble.words, since=trouble.since, next_try_at=trouble.next_try_at)


def _part(part: Part) -> SyncPart:
    reasons = sorted(part.reasons.items(), key=lambda item: (-item[1], item[0]))
    return SyncPart.model_validate(
        {
            "kind": part.kind,
            "done": part.done,
            "total": part.total,
            "prepared": part.prepared,
            "skipped": part.skipped,
            "reasons": [SkippedReason(reason=reason, count=count) for reason, count in reasons],
        }
    )
