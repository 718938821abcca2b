"""Coupons of ours that ended: those that nobody used are taken out of the shop, so that it does not fill with them.

An errand a night, where there is anything to do. A day after its end, since an order may be told late; one that an
order used stays in the shop, for its books.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.clock import Clock, rfc3339
from chalicelib.commerce.coupon import OwnedCoupon, Removal
from chalicelib.commerce.store import Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.journeys.errands import Errand, Errands, Slice

KIND = "clean_coupons"
GRACE = timedelta(days=1)
TOGETHER = 25  # one or two calls to the shop each
PAUSE = timedelta(seconds=30)
_log = logging.getLogger(__name__)


class EndedCoupons(Protocol):
    """`storage.coupons.Coupons`."""

    def ended(self, store_id: str, before: datetime, limit: int) -> Sequence[OwnedCoupon]:
        """Not cleared away yet, the earliest end first."""
        ...

    def cleared(self, coupon: OwnedCoupon, how: str) -> None: ...


def begin_cleaning(errands: Errands, store: Store, coupons: EndedCoupons, clock: Clock) -> None:
    """Once a day, if a coupon of the store's ended and its shop can be asked."""
    now = clock.now()
    if store.is_connected and coupons.ended(store.id, now - GRACE, 1):
        errands.begin(store, KIND, rfc3339(now)[:10], at=now)


class CleanCoupons:
    """A `Work`. `remove(store, code)` raises `ShopTrouble`."""

    def __init__(self, coupons: EndedCoupons, remove: Callable[[Store, str], Removal], clock: Clock) -> None:
        self._coupons, self._remove, self._clock = coupons, remove, clock

    def slice(self, store: Store, errand: Errand) -> Slice:
        """Stops at the first trouble with the shop: tomorrow is another day. One that it refuses to give up stays."""
        now, report = self._clock.now(), dict(errand.report)
        batch = self._coupons.ended(store.id, now - GRACE, TOGETHER)
        for done, coupon in enumerate(batch):
            try:
                how: str = self._remove(store, coupon.code)
            except ShopTrouble as trouble:
                if trouble.code is TroubleCode.REFUSED:  # this one, today and tomorrow: the others must not wait for it
                    self._coupons.cleared(coupon, how := str(trouble.code))
                    report[how] = report.get(how, 0) + 1
                    continue
                _log.warning("ended coupons stay in the shop: %s", trouble.code, extra={"store_id": store.id})
                return Slice(done=done, report={**report, "trouble": str(trouble.code)})
            self._coupons.cleared(coupon, how)
            report[how] = report.get(how, 0) + 1
        again_at = now + PAUSE if len(batch) == TOGETHER else None
        return Slice(again_at=again_at, done=len(batch), report=report)
