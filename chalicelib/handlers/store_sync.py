"""The task of the store-sync state machine: a store's history, or a look at what was missed, for about a minute."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib import wiring
from chalicelib.errors import AgalaError, TaskFailed, told

blueprint = Blueprint(__name__)


@blueprint.lambda_function(name="store_sync")
def store_sync(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """`event` is the task's Parameters: {store_id, run, execution}; see `Pull.work`."""
    try:
        return wiring.get().pull.work(event["store_id"], event["run"], event["execution"])
    except AgalaError:
        raise
    except Exception as mistake:  # noqa: BLE001  its text may quote a person's data
        raise TaskFailed(told(mistake)) from None
