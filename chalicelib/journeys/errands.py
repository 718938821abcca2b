"""Work that is too long for one call, or whose time is yet to come: done in slices by an execution of its own.

Everybody whom a product's return is told, a thousand held contacts that go on, the looks at who is due: each is an
errand. Its record says how far it is; whatever is interrupted is done again from there, so a slice must be harmless
when it is repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.store import Store
from chalicelib.errors import Conflict
from chalicelib.ids import digest
from chalicelib.journeys.ports import Workflows

_LOOKS_OF_ONE_EXECUTION = 2000  # of ten history events each at most; Step Functions ends an execution at 25,000
_LOOKS_OF_ONE_CALL = 10
_ANOTHER_IS_AT_IT = timedelta(minutes=1)


class Errand(BaseModel):
    """`kind` says whose work it is, `key` makes it one errand however often it is begun. `cursor` (JSON) is the work's
    own note of where it is, `done` how many it has done, `report` what it found. `rev` counts writes.
    """

    model_config = ConfigDict(frozen=True)

    store_id: str
    kind: str
    key: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    cursor: Any = None
    done: int = 0
    report: dict[str, Any] = Field(default_factory=dict)
    begun_at: datetime
    next_at: datetime | None = None
    ended_at: datetime | None = None
    looks: int = 0
    execution: int = 0
    rev: int = 0

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.key}"


@dataclass(frozen=True)
class Slice:
    """What came of one slice. `again_at`: when to do the next one (not before now); None: the errand is over.

    What is to go on at once does so in the same call, ten slices long: slices may be small, so that an interruption
    costs little.

    `done` is added to the errand's, `report` takes the place of what it had (None: stays).
    """

    again_at: datetime | None = None
    cursor: Any = None
    done: int = 0
    report: Mapping[str, Any] | None = field(default=None)


class Work(Protocol):
    """One kind of errand."""

    def slice(self, store: Store, errand: Errand) -> Slice:
        """The next part, from `errand.cursor` on. Raises `TryLater`."""
        ...


class ErrandRecords(Protocol):
    """`storage.errands.ErrandRecords`."""

    def get(self, store_id: str, errand_id: str) -> Errand | None: ...

    def create(self, errand: Errand) -> bool:
        """False if there is one of this id."""
        ...

    def save(self, errand: Errand) -> Errand:
        """Raises `Conflict` if somebody was quicker."""
        ...

    def of_kind(self, store_id: str, kind: str) -> list[Errand]:
        """In no order; those that ended are kept for 90 days."""
        ...


class Stores(Protocol):
    def get(self, store_id: str) -> Store | None: ...


class Errands:
    def __init__(
        self,
        records: ErrandRecords,
        stores: Stores,
        works: Callable[[str], Work],
        workflows: Callable[[], Workflows],
        machine: str,
        clock: Clock,
    ) -> None:
        """`works` gives the work of a kind (KeyError for one that is not known); `machine` runs `errand.asl.json`."""
        self._records, self._stores, self._works = records, stores, works
        self._workflows, self._machine, self._clock = workflows, machine, clock

    def begin(
        self,
        store: Store,
        kind: str,
        key: str,
        parameters: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> Errand:
        """Begin it, once: the same kind and key again finds the errand as it is, and starts it if a crash had not.

        `at`: when to begin. None: the first slice is done here and now, and only what is left by an execution: little
        work is over when this returns. Raises `TryLater`.
        """
        now = self._clock.now()
        errand = Errand(
            store_id=store.id, kind=kind, key=key, parameters=dict(parameters or {}), begun_at=now, next_at=at, rev=1
        )
        if not self._records.create(errand):
            errand = self._records.get(store.id, errand.id) or errand
        if errand.ended_at is not None:
            return errand
        if errand.looks or errand.next_at is not None:
            self._start(errand)
            return errand
        again_at = self._look(store, errand)
        errand = self._records.get(store.id, errand.id) or errand
        if again_at is not None:
            self._start(errand)
        return errand

    def work(self, store_id: str, errand_id: str) -> datetime | None:
        """Do the slices that are due; when to do the next, None when it is over or goes on in another execution.

        Raises `TryLater`: those that were done are kept.
        """
        errand, store = self._records.get(store_id, errand_id), self._stores.get(store_id)
        if errand is None or store is None or errand.ended_at is not None:
            return None
        if errand.next_at is not None and errand.next_at > self._clock.now():
            return errand.next_at
        again_at: datetime | None = None
        for _ in range(_LOOKS_OF_ONE_CALL):
            again_at = self._look(store, errand)
            further = self._records.get(store_id, errand_id) if again_at is not None else None
            if further is not None and further.execution != errand.execution:
                self._start(further)
                return None
            if again_at is None or further is None or further.ended_at is not None:
                return None
            if again_at > self._clock.now():
                break
            errand = further
        return again_at

    def get(self, store_id: str, errand_id: str) -> Errand | None:
        return self._records.get(store_id, errand_id)

    def of_kind(self, store_id: str, kind: str) -> list[Errand]:
        return sorted(self._records.of_kind(store_id, kind), key=lambda errand: (errand.begun_at, errand.key))

    def start_again(self, errand: Errand) -> None:
        """For one whose execution is gone: the next takes it up."""
        self._start(self._records.save(errand.model_copy(update={"execution": errand.execution + 1})))

    def _look(self, store: Store, errand: Errand) -> datetime | None:
        found = self._works(errand.kind).slice(store, errand)
        now = self._clock.now()
        changed: dict[str, Any] = {
            "cursor": found.cursor,
            "done": errand.done + found.done,
            "looks": errand.looks + 1,
            "next_at": found.again_at,
            "ended_at": now if found.again_at is None else None,
        }
        if (errand.looks + 1) % _LOOKS_OF_ONE_EXECUTION == 0:
            changed["execution"] = errand.execution + 1  # the next slice is the next one's
        if found.report is not None:
            changed["report"] = dict(found.report)
        try:
            self._records.save(errand.model_copy(update=changed))
        except Conflict:
            return now + _ANOTHER_IS_AT_IT
        return found.again_at

    def _start(self, errand: Errand) -> None:
        name = f"{digest('errand', errand.store_id, errand.id)}-{errand.execution}"
        until = rfc3339(max(errand.next_at or errand.begun_at, self._clock.now()))
        payload = {"store_id": errand.store_id, "errand_id": errand.id, "until": until}
        self._workflows().start(self._machine, name, payload)
