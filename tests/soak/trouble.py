"""What goes wrong in a soak: a table that does not answer, answers that are lost, functions that are killed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from botocore.exceptions import EndpointConnectionError

from tests.memory_client import MemoryClient


class Killed(BaseException):
    """The function died in the midst of it: nothing catches this but whoever called it."""


class UnreliableClient(MemoryClient):
    """Of a thousand requests `faults` end badly, half of them after they were done. `armed` False: none."""

    def __init__(self, faults: float, seed: int) -> None:
        super().__init__()
        self.faults, self.armed, self.count = faults, False, 0
        self._chance = random.Random(seed)

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name not in _REQUESTS or not self.armed:
            return found
        return self._troubled(found)

    def _troubled(self, request: Callable[..., Any]) -> Callable[..., Any]:
        def asked(**given: Any) -> Any:
            if self._chance.random() * 1000 >= self.faults:
                return request(**given)
            self.count += 1
            how = self._chance.randrange(4)
            if how % 2:
                request(**given)
            if how < 2:
                raise EndpointConnectionError(endpoint_url="memory")
            raise Killed

        return asked


_REQUESTS = frozenset(
    {"get_item", "batch_get_item", "put_item", "delete_item", "update_item", "transact_write_items", "query"}
)
