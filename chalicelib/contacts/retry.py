"""Trying again when somebody else was quicker."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from chalicelib.errors import Conflict, TryLater

Result = TypeVar("Result")
TRIES = 20
_LONGEST = 0.4  # seconds


def persist(action: Callable[[], Result], sleep: Callable[[float], None] = time.sleep) -> Result:
    """`action` reads, decides and writes over what it read; a `Conflict` starts it anew after a jittered pause.

    Raises `TryLater` when the record never stood still.
    """
    for attempt in range(TRIES):
        try:
            return action()
        except Conflict:
            sleep(random.uniform(0, min(_LONGEST, 0.005 * 2**attempt)))  # noqa: S311 - jitter is no secret
    raise TryLater("too many others write this record")
