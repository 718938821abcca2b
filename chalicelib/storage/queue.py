"""The queue between the webhook door and ingest. The door imports this: no more than botocore's errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import TryLater
from chalicelib.store_adapters.envelope import by_object

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from chalicelib.storage.objects import Objects

# SQS takes 1 MiB since August 2025 and 256 KiB before, a queue may be set lower, and Lambda hands a batch over in
# at most 6 MB: below the old limit all of it fits, and only a few deliveries in a thousand are as big as that.
LARGEST_MESSAGE = 250_000  # bytes


class Queue(Protocol):
    def send(self, message: dict[str, Any], message_id: str, /) -> None:
        """Kept once this returns. `message_id` names the message in the queue's own records.

        Raises `TryLater` if it was not taken (or nobody knows: a repeat does no harm).
        """
        ...


class SqsQueue:
    """Messages above `LARGEST_MESSAGE` leave their body in the bucket first (`envelope.by_object`)."""

    def __init__(self, client: SQSClient, url: str, objects: Callable[[], Objects]) -> None:
        """`objects` is asked for when the first big message comes: most doors never need the bucket's client."""
        self._client = client
        self._url = url
        self._objects = objects

    def send(self, message: dict[str, Any], message_id: str, /) -> None:
        text = json.dumps(message, separators=(",", ":"))
        if len(text) > LARGEST_MESSAGE:
            smaller, key, content = by_object(message)
            self._objects().put(key, content)
            text = json.dumps(smaller, separators=(",", ":"))
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=text)
        except ClientError as problem:
            raise TryLater(f"the queue answered {problem.response['Error']['Code']}") from problem
        except BotoCoreError as problem:
            raise TryLater("the queue is out of reach") from problem
