"""Amounts in Shopify's order bodies: always the shop's money, with orders edited, returned and refunded in parts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from chalicelib.commerce.money import Money
from chalicelib.commerce.order import LineItem, Refund
from chalicelib.store_adapters.reading import Fields


def total_charged(order: Fields, refunded: Money, currency: str) -> Money:
    """What was charged, refunds not taken off.

    `total_price` keeps what an edit took out, `current_total_price` has returns and edits taken off: what was
    charged is the present total and what went back, but no more than the first total unless an edit added to it.
    """
    first = _total(order, "total_price", currency)
    if first is None:
        order.wrong("total_price", "an amount")
    told = _total(order, "current_total_price", currency)
    if told is None:
        return Money(amount=first, currency=currency)
    return Money(amount=max(told, min(first, told + refunded.amount)), currency=currency)


def presented(order: Fields, total: Money) -> Money | None:
    """`total` as the shopper saw it, where that was in another currency; None where it was in the shop's.

    The order's two totals tell the rate, where it was edited since too.
    """
    totals = order.child("total_price_set")
    seen = totals.child("presentment_money")
    currency = seen.currency("currency_code", order.currency("presentment_currency", total.currency))
    first = seen.optional_money("amount", currency)
    if currency == total.currency or first is None:
        return None
    shop = totals.child("shop_money").optional_money("amount", total.currency)
    shop = shop or order.optional_money("total_price", total.currency)
    if shop is None or shop.amount in (0, total.amount):
        return first
    return Money(amount=_share(first.amount, total.amount, shop.amount), currency=currency)


def refund(fields: Fields, order: Fields, currency: str) -> Refund:
    """The successful transactions of one refund."""
    amount = sum(
        _shop_amount(transaction, order, currency)
        for transaction in fields.items("transactions")
        if transaction.text("kind", 40) == "refund" and transaction.text("status", 40) == "success"
    )
    return Refund(
        external_id=fields.identifier("id"),
        amount=Money(amount=amount, currency=currency),
        at=fields.moment("processed_at") or fields.moment("created_at"),
    )


def refunded_in_all(refunds: tuple[Refund, ...], currency: str) -> Money:
    return Money(amount=sum(refund.amount.amount for refund in refunds), currency=currency)


def line(item: Fields, taxes_included: bool, currency: str) -> LineItem:
    """`total` is what the shopper paid for the line: discounts off, and tax on where prices come without it."""
    told = item.whole("quantity")
    quantity = 1 if told is None else told  # there is no line of nothing
    total = _set_or(item, "price", currency) * quantity
    total -= sum(_set_or(part, "amount", currency) for part in item.items("discount_allocations"))
    if not taxes_included:
        total += sum(_set_or(part, "price", currency) for part in item.items("tax_lines"))
    return LineItem(
        product_id=item.optional_identifier("product_id") or "",
        # A product without a choice has a variant too, without a name: it is told as the product itself.
        variation_id=item.optional_identifier("variant_id") if "variant_title" in item else None,
        name=item.text("name") or item.text("title") or "",
        quantity=quantity,
        total=Money(amount=total, currency=currency),
        sku=item.text("sku", 100),
    )


def _set_or(fields: Fields, name: str, currency: str) -> int:
    """`{name}_set.shop_money.amount`, or `{name}` where the set is not told; nothing is 0."""
    money = fields.child(f"{name}_set").child("shop_money").optional_money("amount", currency)
    money = money or fields.optional_money(name, currency)
    return money.amount if money else 0


def _total(order: Fields, name: str, currency: str) -> int | None:
    """`{name}`, or the shop's money of its set."""
    money = order.optional_money(name, currency)
    money = money or order.child(f"{name}_set").child("shop_money").optional_money("amount", currency)
    return money.amount if money else None


def _shop_amount(transaction: Fields, order: Fields, currency: str) -> int:
    """A transaction's amount is in the money the shopper saw; the order's two totals tell the rate."""
    told = transaction.child("amount_set").child("shop_money").optional_money("amount", currency)
    if told:
        return told.amount
    seen = transaction.currency("currency", currency)
    amount = transaction.money("amount", seen)
    if seen == currency:
        return amount.amount
    totals = order.child("total_price_set")
    shop = totals.child("shop_money").money("amount", currency)
    presented = totals.child("presentment_money").money("amount", seen)
    if presented.amount == 0:
        return 0
    return _share(amount.amount, shop.amount, presented.amount)


def _share(amount: int, part: int, whole: int) -> int:
    return int((Decimal(amount) * part / whole).to_integral_value(ROUND_HALF_UP))
