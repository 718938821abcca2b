"""The work of a pull: page after page for a bounded time, from where it was left, each page applied and then saved.

What the state machine's task calls. A crash costs the page that was under way, which is then applied once more; that
changes nothing. Memory does not grow with the shop: nothing outlives its page but counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cached_property

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.store import FirstHistory, Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.contacts.retry import persist
from chalicelib.errors import Conflict
from chalicelib.sync.apply import Intake, Missed, Result, apply_history
from chalicelib.sync.listeners import Journeys
from chalicelib.sync.ports import Shop, ShopPage, Stores, SyncRecords
from chalicelib.sync.progress import (
    PAGE,
    WEBHOOKS,
    Part,
    Reconciliation,
    SyncMode,
    SyncProgress,
    SyncStatus,
    Trouble,
)

_log = logging.getLogger(__name__)

WORK_SECONDS = 45.0  # of one call; the page under way is brought to its end
HANDS = 8
CALLS_OF_ONE_EXECUTION = 1500  # an execution ends at 25,000 events of its history; a turn has about nine
ON_ITS_WAY = timedelta(minutes=15)  # a webhook may take so long; what is younger was not missed
_SMALLEST = 5
_SHORTEST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
_LASTING_PAUSE = timedelta(hours=6)
_SMALLER_PAGES = (
    TroubleCode.TOO_LARGE,
    TroubleCode.TOO_MUCH,
    TroubleCode.NO_ANSWER,
    TroubleCode.FAILING,
    TroubleCode.BROKEN_ANSWER,
)
_SETTLED_AT_ONCE = 25


class Pull:
    def __init__(
        self,
        records: SyncRecords,
        stores: Stores,
        shops: Callable[[Store], Shop],
        history: Intake,
        live: Intake,
        missed: Missed,
        journeys: Callable[[], Journeys],
        go_on: Callable[[SyncProgress], None],
        clock: Clock,
        timer: Callable[[], float],
    ) -> None:
        """`go_on` starts the execution that a progress names. `timer` gives seconds that never go back."""
        self._records, self._stores, self._shops = records, stores, shops
        self._history, self._live, self._missed = history, live, missed
        self._journeys, self._go_on, self._clock, self._timer = journeys, go_on, clock, timer

    def work(self, store_id: str, run: str, execution: int) -> dict[str, object]:
        """`{"done": true}`, or `{"done": false, "until": RFC 3339}`: when to call again. Raises `TryLater`."""
        ends = self._timer() + WORK_SECONDS
        progress = self._records.get(store_id)
        store = self._stores.get(store_id)
        if progress is None or store is None or (progress.run, progress.execution) != (run, execution):
            return {"done": True}
        if progress.status is SyncStatus.DONE:
            return {"done": True}
        if not store.is_connected:  # connecting again goes on with it
            self._troubled(progress, ShopTrouble(TroubleCode.NO_KEY))
            return {"done": True}
        try:
            progress = self._worked(store, progress, ends)
        except Conflict:  # another call works on it: a task that was given up may still run
            return self._again(self._clock.now() + _SHORTEST_PAUSE)
        if progress.status is SyncStatus.DONE or progress.execution != execution:
            return {"done": True}
        if progress.trouble:
            return self._again(progress.trouble.next_try_at)
        return self._again(progress.waits_until or self._clock.now())

    @staticmethod
    def _again(moment: datetime) -> dict[str, object]:
        return {"done": False, "until": rfc3339(moment)}

    def _worked(self, store: Store, progress: SyncProgress, ends: float) -> SyncProgress:
        try:
            shop = self._shops(store)
        except ShopTrouble as trouble:
            return self._troubled(progress, trouble)
        try:
            while progress.status is not SyncStatus.DONE:
                try:
                    progress = self._step(store, shop, progress)
                except ShopTrouble as trouble:
                    return self._troubled(progress, trouble)
                if progress.trouble or progress.waits_until or self._timer() >= ends:
                    return self._turned(progress)
        finally:
            shop.close()
        return progress

    @cached_property
    def _hands(self) -> ThreadPoolExecutor:
        """The same for all calls: what a thread keeps open, such as its connection, is not opened anew each time."""
        return ThreadPoolExecutor(HANDS, thread_name_prefix="pull")

    def _step(self, store: Store, shop: Shop, progress: SyncProgress) -> SyncProgress:
        part = progress.part
        if part is None:
            return self._settle(progress)
        if part.kind == WEBHOOKS:
            mended = shop.mend_webhooks()
            progress = _with_notices(progress, shop)
            part = part.model_copy(update={"done": 1, "total": 1, "found": mended, "over": True})
            return self._save(progress.with_part(part))
        page = shop.page(part.kind, progress.cursor, progress.since, progress.size)
        progress = _with_notices(progress, shop)
        now = self._clock.now()
        if progress.mode is SyncMode.HISTORY:
            result = apply_history(self._history, store, page.records, now, self._hands)
        else:
            result = self._missed.apply(self._live, store, page.records, now)
        part = _counted(part, page, result, progress)
        cursor = dict(page.cursor)
        if page.trouble or page.wait is not None:
            return self._kept_waiting(progress.with_part(part).model_copy(update={"cursor": cursor}), page)
        if not page.over:
            return self._save(progress.with_part(part).model_copy(update={"cursor": cursor}))
        part = part.model_copy(update={"over": True, "total": max(part.done, part.total or 0)})
        marks = progress.marks | {part.kind: cursor}
        ended = progress.with_part(part).model_copy(update={"marks": marks, "size": PAGE})
        return self._save(ended.model_copy(update={"cursor": _begin(ended)}))

    def _save(self, progress: SyncProgress) -> SyncProgress:
        return self._records.save(self._fine(progress))

    def _fine(self, progress: SyncProgress) -> SyncProgress:
        """Something went well: whatever trouble there was is over."""
        fine = {"status": SyncStatus.RUNNING, "trouble": None, "tries": 0, "waits_until": None}
        return progress.model_copy(update={**fine, "alive_at": self._clock.now()})

    def _kept_waiting(self, progress: SyncProgress, page: ShopPage) -> SyncProgress:
        """Not saved yet: the turn ends here, which saves it."""
        if page.trouble:
            return self._in_trouble(progress, page.trouble)
        until = self._clock.now() + (page.wait or timedelta())
        return self._fine(progress).model_copy(update={"waits_until": until})

    def _turned(self, progress: SyncProgress) -> SyncProgress:
        """After very many turns a fresh execution takes over."""
        if progress.status is SyncStatus.DONE:
            return progress
        calls = progress.calls + 1
        if calls < CALLS_OF_ONE_EXECUTION:
            return self._records.save(progress.model_copy(update={"calls": calls}))
        following = progress.model_copy(update={"calls": 0, "execution": progress.execution + 1})
        following = self._records.save(following)
        self._go_on(following)
        return following

    def _troubled(self, progress: SyncProgress, trouble: ShopTrouble) -> SyncProgress:
        return self._turned(self._in_trouble(progress, trouble))

    def _in_trouble(self, progress: SyncProgress, trouble: ShopTrouble) -> SyncProgress:
        now = self._clock.now()
        pause = min(_SHORTEST_PAUSE * 2 ** min(progress.tries, 10), _LONGEST_PAUSE)
        if trouble.lasting and progress.tries > 2:
            pause = _LASTING_PAUSE
        pause = max(pause, trouble.retry_after or timedelta())
        since = progress.trouble.since if progress.trouble else now
        size = max(_SMALLEST, progress.size // 2) if trouble.code in _SMALLER_PAGES else progress.size
        _log.warning("a shop did not answer as asked", extra={"store_id": progress.store_id, "code": str(trouble.code)})
        change = {
            "status": SyncStatus.WAITING,
            "trouble": Trouble(code=trouble.code, words=trouble.words, since=since, next_try_at=now + pause),
            "tries": progress.tries + 1,
            "size": size,
            "waits_until": None,
            "alive_at": now,
        }
        return progress.model_copy(update=change)

    def _settle(self, progress: SyncProgress) -> SyncProgress:
        """Ranks are known from now on: who ordered meanwhile is looked at once more, then all is over."""
        store = persist(lambda: self._ranks_known(progress.store_id))
        contacts = self._records.noted_contacts(progress.store_id, _SETTLED_AT_ONCE)
        for contact_id in contacts:
            if store is not None:
                self._journeys().reconsider(store, contact_id)
            self._records.drop_contact(progress.store_id, contact_id)
        return self._save(progress) if contacts else self._finish(progress)

    def _ranks_known(self, store_id: str) -> Store | None:
        store = self._stores.get(store_id)
        if store is None or store.first_history is not FirstHistory.RUNNING:
            return store
        return self._stores.save(store.model_copy(update={"first_history": FirstHistory.DONE}))

    def _finish(self, progress: SyncProgress) -> SyncProgress:
        now = self._clock.now()
        change: dict[str, object] = {
            "status": SyncStatus.DONE,
            "finished_at": now,
            "alive_at": now,
            "trouble": None,
            "tries": 0,
            "looked_at": progress.started_at,
        }
        if progress.mode is SyncMode.RECONCILE:
            change["last_reconciliation"] = _reconciled(progress, now)
        else:
            change["history_done_at"] = progress.history_done_at or now
        return self._records.save(progress.model_copy(update=change))


def _begin(progress: SyncProgress) -> dict[str, object]:
    """Where the next part begins: history at the beginning, a look where no times are told at what is newer."""
    part = progress.part
    if part is None or progress.mode is SyncMode.HISTORY or part.kind != "customers":
        return {}
    return dict(progress.marks.get(part.kind, {}))


def _with_notices(progress: SyncProgress, shop: Shop) -> SyncProgress:
    notices = tuple(sorted({*progress.notices, *shop.notices}))
    return progress if notices == progress.notices else progress.model_copy(update={"notices": notices})


def _counted(part: Part, page: ShopPage, result: Result, progress: SyncProgress) -> Part:
    missed = [moment for moment in result.news if moment <= progress.started_at - ON_ITS_WAY]
    change = {
        "done": part.done + page.counted,
        "total": page.total if page.total is not None else part.total,
        "prepared": page.prepared if page.prepared is not None else part.prepared,
        "found": part.found + len(missed),
        "heard": part.heard + result.heard,
        "missing_since": min((*missed, *([part.missing_since] if part.missing_since else [])), default=None),
    }
    return part.model_copy(update=change).with_mistakes(result.mistakes)


def _reconciled(progress: SyncProgress, now: datetime) -> Reconciliation:
    """Quiet is a shop that has orders of which its webhooks told not one since the last look."""
    parts = {part.kind: part for part in progress.parts}
    found = {kind: parts[kind].found for kind in parts if kind != WEBHOOKS}
    orders, before = parts["orders"], progress.last_reconciliation
    quiet_since = None
    if not orders.heard:
        quiet_since = before.quiet_since if before else None
        if orders.found and quiet_since is None:
            quiet_since = orders.missing_since
    mended = parts[WEBHOOKS].found
    about = {"store_id": progress.store_id, **found, "webhooks_mended": mended}
    _log.info("what no webhook had told was found in the shop", extra=about)
    if quiet_since:
        _log.warning(
            "a shop has orders and its webhooks are quiet",
            extra={"store_id": progress.store_id, "since": rfc3339(quiet_since)},
        )
    return Reconciliation(at=now, found=found, webhooks_mended=mended, quiet_since=quiet_since)
