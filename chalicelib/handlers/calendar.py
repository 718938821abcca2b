"""Every quarter of an hour: which journeys of the calendar are due, store by store."""

from __future__ import annotations

import logging
from typing import Any

from chalice.app import Blueprint, CloudWatchEvent

from chalicelib import wiring
from chalicelib.errors import TaskFailed, told

blueprint = Blueprint(__name__)
_log = logging.getLogger(__name__)
_BATCH = 200


@blueprint.schedule("rate(15 minutes)", name="calendar")
def calendar(event: CloudWatchEvent) -> dict[str, Any]:
    """Only begins the errands that then do the work; one store's mistake keeps no other from its day.

    Raises `TaskFailed` in the end if there was one, so that it is seen and the look is repeated.
    """
    parts = wiring.get()
    begun, failed = 0, 0
    after: str | None = None
    while batch := parts.stores.list(after=after, limit=_BATCH):
        for store in batch:
            try:
                begun += parts.calendar.look(store)
            except Exception as problem:  # noqa: BLE001 - the next look makes it up
                failed += 1
                _log.error("what is due was not begun: %s", told(problem), extra={"store_id": store.id})
        after = batch[-1].id
    if failed:
        raise TaskFailed(f"{failed} stores were not looked at")
    return {"begun": begun}
