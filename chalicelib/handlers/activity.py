"""The reader of what was seen of messages' links and pictures. A queue of its own, with a delay of a few seconds: a
newsletter's clicks never stand before a shop's webhooks, and a program's other visits are there to judge the first by.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any, Protocol, cast

from chalice.app import Blueprint, SQSEvent

from chalicelib import wiring
from chalicelib.clock import parse_rfc3339
from chalicelib.errors import told

blueprint = Blueprint(__name__)
_log = logging.getLogger("agala")


class _Activity(Protocol):
    def take(self, code: str, number: str, at: datetime) -> None: ...


class _Parts(Protocol):
    @property
    def activity(self) -> _Activity: ...


@blueprint.on_sqs_message(queue="activities", batch_size=10, name="activity")
def activity(event: SQSEvent) -> dict[str, Any]:
    """Answers which messages are to come again; one bad message never takes its batch with it."""
    failed = [record["messageId"] for record in event.to_dict()["Records"] if not _take(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _take(record: dict[str, Any]) -> bool:
    try:
        seen = json.loads(record["body"])
        cast(_Parts, wiring.get()).activity.take(seen["code"], seen["number"], parse_rfc3339(seen["at"]))
    except Exception as problem:  # noqa: BLE001 - whatever it is, the others of the batch go on
        _log.error("an activity failed: %s", told(problem), extra={"message_id": record["messageId"]})
        return False
    return True
