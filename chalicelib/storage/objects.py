"""Objects in S3: what is too big for the queue or the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import NotFound, TryLater

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Objects:
    """Keys are `kind/store/id`; the bucket's lifecycle ends deliveries after 30 days.

    Every method raises `TryLater` when S3 is out.
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, content: bytes) -> None:
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as problem:
            raise _try_later(problem) from problem

    def get(self, key: str) -> bytes:
        """Raises `NotFound`."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as problem:
            if problem.response["Error"]["Code"] in ("NoSuchKey", "404"):
                raise NotFound("no such object") from None
            raise _try_later(problem) from problem
        except BotoCoreError as problem:
            raise _try_later(problem) from problem

    def delete(self, key: str) -> None:
        """Also where there is none."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key)
        except (ClientError, BotoCoreError) as problem:
            raise _try_later(problem) from problem


def _try_later(problem: ClientError | BotoCoreError) -> TryLater:
    told = problem.response["Error"]["Code"] if isinstance(problem, ClientError) else type(problem).__name__
    return TryLater(f"the bucket answered {told}")
