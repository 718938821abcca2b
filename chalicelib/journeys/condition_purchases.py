"""Conditions about what was bought: of a product, of a category, or of anything."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chalicelib.contacts.contact import PurchaseFact, Share
from chalicelib.contacts.purchases import ANY
from chalicelib.journeys.condition_facts import Facts, order_in, subjects_named
from chalicelib.journeys.condition_subjects import Bought


def subjects_needed(bought: Bought, event: Mapping[str, Any] | None) -> set[str]:
    """The facts by which this is answered; the contact's totals are enough for most of what is asked of anything."""
    if bought.kind is not None:
        return set(subjects_named(bought, event))
    return {ANY} if bought.windowed or bought.at_least_units is not None else set()


def bought_so(bought: Bought, facts: Facts) -> bool:
    if bought.kind is None and not bought.windowed:
        return _ever_anything(bought, facts)
    subjects = [ANY] if bought.kind is None else subjects_named(bought, facts.event)
    return any(_reaches(bought, facts.purchases[subject], facts) for subject in subjects if subject in facts.purchases)


def _reaches(bought: Bought, fact: PurchaseFact, facts: Facts) -> bool:
    shares = [share for order, share in fact.by_order.items() if _in_window(bought, order, share, facts)]
    # What was bought so long ago that it is kept as a sum only lies in no window.
    earlier = fact.earlier if not bought.windowed else None
    return (
        len(shares) + (earlier.orders if earlier else 0) >= (bought.at_least_orders or 1)
        and sum(share.units for share in shares) + (earlier.units if earlier else 0) >= (bought.at_least_units or 0)
        and sum(share.total for share in shares) + (earlier.total if earlier else 0) >= (bought.at_least_total or 0)
    )


def _in_window(bought: Bought, order: str, share: Share, facts: Facts) -> bool:
    if bought.within_days is not None:
        return share.at > facts.now - timedelta(days=bought.within_days)
    if bought.since is not None:
        return facts.entered_at is not None and share.at > facts.entered_at and order != order_in(facts.event)
    return True


def _ever_anything(bought: Bought, facts: Facts) -> bool:
    """By the contact's totals; only units are not in them."""
    contact = facts.contact
    if contact.orders_count < (bought.at_least_orders or 1):
        return False
    if contact.total_spent.amount < (bought.at_least_total or 0):
        return False
    everything = facts.purchases.get(ANY)
    return bought.at_least_units is None or (everything is not None and everything.units >= bought.at_least_units)
