"""Whose a coupon's code is: found by the codes that an order names, gone a while after nobody can redeem it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from chalicelib.clock import rfc3339
from chalicelib.commerce.coupon import OwnedCoupon
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import ConditionFailed, Item, Put, Table

_KEPT = timedelta(days=90)  # after its end: an order may be told, or told again, that late


class Coupons:
    def __init__(self, table: Table) -> None:
        self._table = table

    def claim(self, coupon: OwnedCoupon) -> OwnedCoupon:
        """Keep it, unless one of this code is kept: the one that stands."""
        key = keys.coupon(coupon.store_id, coupon.code)
        try:
            self._table.put(Put(_item(coupon), new=True))
        except ConditionFailed:
            standing = self._table.get(*key)
            return load(OwnedCoupon, standing) if standing else coupon
        return coupon

    def ended(self, store_id: str, before: datetime, limit: int) -> list[OwnedCoupon]:
        """Those that ended before this moment and were not cleared away yet, the earliest first."""
        found = self._table.listing("COUPONS", store_id, before=rfc3339(before), limit=limit)
        return [load(OwnedCoupon, item) for item in found]

    def cleared(self, coupon: OwnedCoupon, how: str) -> None:
        """Note what came of it: it is not listed again."""
        self._table.put(Put(_item(coupon.model_copy(update={"cleared": how}))))

    def get_many(self, store_id: str, codes: Collection[str]) -> dict[str, OwnedCoupon]:
        """By the codes asked for, whatever their letters' size; those of nobody are left out."""
        wanted = sorted({code.upper() for code in codes})
        known: dict[str, OwnedCoupon] = {}
        for start in range(0, len(wanted), 100):
            some = [keys.coupon(store_id, code) for code in wanted[start : start + 100]]
            found = (load(OwnedCoupon, item) for item in self._table.get_many(some))
            known |= {coupon.code.upper(): coupon for coupon in found}
        return {code: known[code.upper()] for code in codes if code.upper() in known}


def _item(coupon: OwnedCoupon) -> Item:
    """Listed until it is cleared away, by its end."""
    key = keys.coupon(coupon.store_id, coupon.code)
    expires = int((coupon.ends_at + _KEPT).timestamp())
    if coupon.cleared is not None:
        return dump(coupon, key, expires_at=expires)
    listing = keys.listing("COUPONS", coupon.store_id, identifier=coupon.code)
    return dump(coupon, key, expires_at=expires, gsi1pk=listing, gsi1sk=f"{rfc3339(coupon.ends_at)}#{coupon.code}")
