"""What Amazon SES lets the account send: its rate and its daily quota (GetAccount, "SendQuota")."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.messages.pace import Limits

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

_KEPT = 300.0  # seconds: GetAccount may be asked once in a second, and a quota changes in days
_KEPT_WHILE_OUT = 3600.0  # seconds that an older answer serves while SES gives none
_RETRY = 10.0  # seconds until it is asked again after it gave none


class SesAccount:
    """An `Account`."""

    def __init__(self, client: SESV2Client, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`monotonic` gives seconds that never go back: real time."""
        self._client, self._monotonic = client, monotonic
        self._known: Limits | None = None
        self._read_at = self._ask_at = float("-inf")
        self._readings = 0

    def limits(self) -> Limits | None:
        """None where SES does not answer: then its own refusals ("throttling") are the brake."""
        now = self._monotonic()
        if now >= self._ask_at:
            self._ask(now)
        return self._known if now - self._read_at < _KEPT_WHILE_OUT else None

    def _ask(self, now: float) -> None:
        try:
            quota = self._client.get_account().get("SendQuota", {})
        except (ClientError, BotoCoreError):
            self._ask_at = now + _RETRY
            return
        self._readings += 1
        daily = quota.get("Max24HourSend", -1.0)  # -1: unlimited
        self._known = Limits(
            rate=quota.get("MaxSendRate", 0.0),
            daily=None if daily < 0 else int(daily),
            sent=int(quota.get("SentLast24Hours", 0.0)),
            read=self._readings,
        )
        self._read_at, self._ask_at = now, now + _KEPT
