"""Once a night: every connected store is asked what changed since the last look, every journey whether all go on, and
what is bought is counted."""

from __future__ import annotations

import logging
from typing import Any

from chalice.app import Blueprint, CloudWatchEvent

from chalicelib import wiring
from chalicelib.errors import told

blueprint = Blueprint(__name__)
_log = logging.getLogger(__name__)
_BATCH = 200


@blueprint.schedule("cron(0 2 * * ? *)", name="nightly")
def nightly(event: CloudWatchEvent) -> dict[str, Any]:
    """Only starts what the state machines then do; one store's mistake keeps no other from its look."""
    parts = wiring.get()
    started, failed = 0, 0
    after: str | None = None
    while batch := parts.stores.list(after=after, limit=_BATCH):
        for store in batch:
            asked = [parts.begin_sweeps, parts.begin_count, *([parts.sync.nightly] if store.is_connected else [])]
            for begin in asked:
                try:
                    begin(store)
                    started += begin == parts.sync.nightly
                except Exception as problem:  # noqa: BLE001 - it is tried again tomorrow, the others today
                    failed += 1
                    _log.error("a nightly look was not started: %s", told(problem), extra={"store_id": store.id})
        after = batch[-1].id
    return {"started": started, "failed": failed}
