"""`create_coupon`: a code of the contact's own, made in the store's shop.

Whose the code is is written down before the shop is asked, with the day on which it ends: whatever is asked again after
a crash finds the same code with the same end, and nobody can redeem a code that is nobody's.
"""

from __future__ import annotations

from datetime import timedelta

from chalicelib.clock import Clock
from chalicelib.commerce.coupon import OwnedCoupon, coupon_code
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.contacts.contact import Benefit
from chalicelib.errors import BadInput
from chalicelib.journeys.actions import CreateCoupon
from chalicelib.journeys.coupon_terms import customer_of, ends_at, terms_of
from chalicelib.journeys.passing import Passing, come_back
from chalicelib.journeys.ports import ContactChanges, EnrolmentRecords, Outside, StepCannot

_FOR_GOOD = {TroubleCode.NO_KEY: "no_shop_key", TroubleCode.REFUSED: "coupon_refused"}


class CouponActs:
    def __init__(self, outside: Outside, enrolments: EnrolmentRecords, book: ContactChanges, clock: Clock) -> None:
        self._outside, self._enrolments, self._book, self._clock = outside, enrolments, book, clock

    def create(self, step: CreateCoupon, passing: Passing) -> str | None:
        """What history shall say of it. Raises `StepCannot`, `NotNow` while the shop does not answer, `TryLater`."""
        if not step.enabled:
            return "skipped:off"
        code = coupon_code(passing.cause(step.id))
        if self._had_one_lately(step, passing, code):
            return "skipped:recent_benefit"
        owned = self._outside.coupon_records.claim(self._owned(step, passing, code))
        self._make(step, passing, owned)
        benefit = Benefit(
            kind=step.benefit,
            code=owned.code,
            at=owned.at,
            journey=owned.journey,
            step=owned.step,
            expires_at=owned.ends_at,
        )
        self._book.give_benefit(passing.store.id, passing.facts.contact.id, benefit)
        passing.enrolment = passing.enrolment.model_copy(update={"coupon": benefit})
        passing.changed = True
        return None

    def _had_one_lately(self, step: CreateCoupon, passing: Passing, code: str) -> bool:
        """Whoever began to give this very one goes on with it, whatever was given meanwhile."""
        last = passing.facts.contact.last_benefit
        if step.not_within_days is None or last is None or last.code == code:
            return False
        recent = last.at > self._clock.now() - timedelta(days=step.not_within_days)
        return recent and not self._outside.coupon_records.get_many(passing.store.id, [code])

    def _owned(self, step: CreateCoupon, passing: Passing, code: str) -> OwnedCoupon:
        now = self._clock.now()
        return OwnedCoupon(
            code=code,
            store_id=passing.store.id,
            contact_id=passing.facts.contact.id,
            enrolment=passing.enrolment.id,
            journey=passing.enrolment.journey,
            step=step.id,
            name=step.name,
            at=now,
            ends_at=ends_at(step.expiry, passing.store.timezone, now),
        )

    def _make(self, step: CreateCoupon, passing: Passing, owned: OwnedCoupon) -> None:
        now, contact = self._clock.now(), passing.facts.contact
        terms = terms_of(step, passing.store, contact, owned.ends_at)
        try:
            self._outside.coupons(passing.store, passing.cause(step.id), terms, customer_of(step, contact))
        except BadInput:
            raise StepCannot("coupon_expired" if owned.ends_at <= now else "coupon_refused") from None
        except ShopTrouble as trouble:
            reason = _FOR_GOOD.get(trouble.code)
            if reason is not None:
                raise StepCannot(reason) from None
            come_back(passing, self._enrolments, step.id, f"shop_{trouble.code}", now)
