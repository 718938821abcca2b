"""Begins a pull, or sends one on that waits: the progress is written first, the state machine started by its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.commerce.store import FirstHistory, Store
from chalicelib.contacts.retry import persist
from chalicelib.errors import NotFound
from chalicelib.ids import new_id
from chalicelib.sync.ports import Stores, SyncRecords
from chalicelib.sync.progress import WEBHOOKS, Part, SyncMode, SyncProgress, SyncStatus

OVERLAP = timedelta(minutes=15)  # looked at twice, for the shop's clock is not ours
_DEAD = timedelta(minutes=15)  # no page takes as long


class Workflows(Protocol):
    def start(self, machine: str, execution: str, payload: dict[str, object]) -> None: ...


class SyncStarter:
    def __init__(
        self, records: SyncRecords, stores: Stores, workflows: Callable[[], Workflows], machine: str, clock: Clock
    ) -> None:
        self._records, self._stores, self._workflows = records, stores, workflows
        self._machine, self._clock = machine, clock

    def history(self, store: Store) -> SyncProgress:
        """Everything the shop has, from the beginning. A pull that is on its way goes on, one that waits at once.

        Repeating is harmless. Raises `TryLater`.
        """
        progress = persist(lambda: self._begun(store.id, SyncMode.HISTORY))
        if progress.history_done_at is None:
            persist(lambda: self._ranks_unknown(store.id))
        self.go_on(progress)
        return progress

    def connected(self, store: Store) -> SyncProgress:
        """The shop has just handed over its keys: its webhooks get the connection's secret before anything else.

        Then what was on its way goes on where it was, the first history begins, or what changed since is fetched.
        Repeating is harmless. Raises `TryLater`.
        """
        if self._records.get(store.id) is None:
            return self.history(store)
        progress = persist(lambda: self._begun_anew(store.id))
        self.go_on(progress)
        return progress

    def nightly(self, store: Store) -> SyncProgress:
        """A look at what changed since the last one; a first history that is not over is seen to instead."""
        known = self._records.get(store.id)
        if known is None or known.history_done_at is None:
            return self.history(store)
        progress = persist(lambda: self._begun(store.id, SyncMode.RECONCILE))
        self.go_on(progress)
        return progress

    def forget(self, store: Store) -> None:
        """Nothing of the shop's past is kept any more: connected again, it is asked for all of it."""
        self._records.delete(store.id)
        persist(lambda: self._ranks_unasked(store.id))

    def go_on(self, progress: SyncProgress) -> None:
        """Start the execution that the progress names; one that was started already is not started twice."""
        name = f"sync-{progress.store_id}-{progress.run}-{progress.execution}"
        payload: dict[str, object] = {
            "store_id": progress.store_id,
            "run": progress.run,
            "execution": progress.execution,
        }
        self._workflows().start(self._machine, name, payload)

    def _begun(self, store_id: str, mode: SyncMode) -> SyncProgress:
        now = self._clock.now()
        known = self._records.get(store_id)
        if known is None:
            new = SyncProgress(
                store_id=store_id, run=new_id(now), mode=mode, started_at=now, alive_at=now, history_since=now
            )
            return self._records.save(new)
        if known.status is SyncStatus.DONE or _may_be_replaced(known, mode):
            return self._records.save(_next_run(known, mode, now))
        if known.status is SyncStatus.RUNNING and now - known.alive_at < _DEAD:
            return known
        change = {"status": SyncStatus.RUNNING, "execution": known.execution + 1, "alive_at": now, "calls": 0}
        return self._records.save(known.model_copy(update=change))

    def _begun_anew(self, store_id: str) -> SyncProgress:
        """The execution on its way ends when it wakes: it may have registered webhooks with the secret of before."""
        now = self._clock.now()
        known = self._records.get(store_id)
        if known is None:
            raise NotFound("no such sync")
        if known.status is SyncStatus.DONE:
            return self._records.save(_next_run(known, SyncMode.RECONCILE, now))
        change = {
            "status": SyncStatus.RUNNING,
            "execution": known.execution + 1,
            "alive_at": now,
            "calls": 0,
            "tries": 0,
            "trouble": None,
        }
        again = known.with_part(Part(kind=WEBHOOKS))
        return self._records.save(again.model_copy(update=change))

    def _ranks_unknown(self, store_id: str) -> None:
        store = self._stores.get(store_id)
        if store is not None and store.first_history is None:
            self._stores.save(store.model_copy(update={"first_history": FirstHistory.RUNNING}))

    def _ranks_unasked(self, store_id: str) -> None:
        store = self._stores.get(store_id)
        if store is not None and store.first_history is not None:
            self._stores.save(store.model_copy(update={"first_history": None}))


def _may_be_replaced(known: SyncProgress, mode: SyncMode) -> bool:
    """A look that waits for a shop is part of a whole history."""
    waits = known.status is SyncStatus.WAITING
    return waits and known.mode is SyncMode.RECONCILE and mode is SyncMode.HISTORY


def _next_run(known: SyncProgress, mode: SyncMode, now: datetime) -> SyncProgress:
    since = (known.looked_at or known.history_since) - OVERLAP if mode is SyncMode.RECONCILE else None
    new = SyncProgress(
        store_id=known.store_id,
        run=new_id(now),
        mode=mode,
        started_at=now,
        alive_at=now,
        since=since,
        marks=known.marks,
        history_since=known.history_since,
        history_done_at=known.history_done_at,
        looked_at=known.looked_at,
        last_reconciliation=known.last_reconciliation,
    )
    return new.model_copy(update={"rev": known.rev})
