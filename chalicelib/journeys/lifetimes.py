"""How long what was bought last lasts, as the catalogue says today."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.commerce.ports import ProductRecord
from chalicelib.contacts.purchases import Purchases
from chalicelib.journeys.ports import ProductRecords


def lifetime_in(record: ProductRecord) -> int | None:
    """In days; None for a product that has none, or was deleted."""
    product = None if record.is_deleted else record.current
    return product.lifetime_days if product else None


def lifetimes_of(store_id: str, bought: Mapping[str, Purchases], products: ProductRecords) -> dict[str, int]:
    """By contact: of what was bought last the one that is used up first, in days; who bought none such is left out."""
    last = {
        contact_id: max(purchases.orders.values(), key=lambda order: order.at).lines
        for contact_id, purchases in bought.items()
        if purchases.orders
    }
    wanted = {one for lines in last.values() for line in lines for one in (line.product, line.variation) if one}
    known = products.get_many(store_id, sorted(wanted)) if wanted else {}
    days = {external_id: found for external_id, record in known.items() if (found := lifetime_in(record))}
    each = {
        contact_id: [found for line in lines if (found := days.get(line.variation or "") or days.get(line.product))]
        for contact_id, lines in last.items()
    }
    return {contact_id: min(some) for contact_id, some in each.items() if some}
