"""What was known of a contact at a moment of their past."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.commerce.cart import CartState
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.journeys.past import Past, Then, at_first, changed_by
from tests.journeys.pasts import START, bought, happened, past, refunded, somebody


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def then_at(lived: Past, moment: datetime) -> Then:
    then = Then(lived, START, lambda: moment)
    for event in lived.events:
        if event.occurred_at <= moment:
            then.tell(event)
    return then


def test_fields_lists_and_tags_are_walked_back_and_forward_again() -> None:
    today = somebody(fields={"size": "l", "kept": 1}, lists=("news",), tags=())
    lived = Past(
        today,
        [
            happened("field_changed", day(1), field="size", to="m", **{"from": None}),
            happened("list_left", day(2), list="vip"),
            happened("list_joined", day(3), list="news"),
            happened("field_changed", day(4), field="size", to="l", **{"from": "m"}),
            happened("tag_added", day(5), tag="hot"),
            happened("tag_removed", day(6), tag="hot"),
        ],
    )
    first = at_first(lived, START)
    assert (first.fields, first.lists, first.tags) == ({"kept": 1}, ("vip",), ())
    contact, seen = first, []
    for event in lived.events:
        contact = changed_by(contact, event)
        seen.append((contact.fields.get("size"), contact.lists, contact.tags))
    assert seen[:3] == [("m", ("vip",), ()), ("m", (), ()), ("m", ("news",), ())]
    assert seen[4] == ("l", ("news",), ("hot",))
    assert (contact.fields, contact.lists, contact.tags) == (today.fields, today.lists, today.tags)


def test_whoever_unsubscribed_had_been_subscribed_and_whoever_came_since_had_not_been_asked() -> None:
    no, yes = ConsentStatus.UNSUBSCRIBED, ConsentStatus.SUBSCRIBED
    today = somebody(
        consent={Channel.EMAIL: Consent(status=no, at=day(5)), Channel.SMS: Consent(status=yes, at=day(6))}
    )
    left = happened("consent_changed", day(5), channel="email", status="unsubscribed", source="link")
    first = at_first(Past(today, [left]), START)
    assert first.consent_for(Channel.EMAIL).status is yes
    assert first.consent_for(Channel.SMS).status is ConsentStatus.NEVER_ASKED
    assert changed_by(first, left).consent_for(Channel.EMAIL).status is no


def test_totals_are_those_of_the_orders_paid_and_not_yet_refunded_by_then() -> None:
    lived = past(somebody(), *bought("1", day(1)), *bought("2", day(3), amount=900), refunded("1", day(5), 2000))
    assert (lived.contact.orders_count, lived.contact.total_spent.amount) == (1, 900)

    def totals(moment: datetime) -> tuple[int, int]:
        contact = then_at(lived, moment).up_to_date(at_first(lived, START))
        return contact.orders_count, contact.total_spent.amount

    assert [totals(day(n)) for n in (0, 1, 2, 4, 6)] == [(0, 0), (1, 2000), (1, 2000), (2, 2900), (1, 900)]
    assert then_at(lived, day(4)).purchases().products() == {"11"}


def test_a_refund_of_an_order_from_before_the_beginning_is_taken_back() -> None:
    whole = past(somebody(), *bought("1", day(-9)), refunded("1", day(5), 500))
    lived = Past(whole.contact, whole.events[2:], whole.orders)
    before, after = then_at(lived, day(2)), then_at(lived, day(6))
    assert before.up_to_date(lived.contact).total_spent.amount == 2000
    assert after.up_to_date(lived.contact).total_spent.amount == 1500
    (share,) = before.purchases().orders.values()
    assert [line.total for line in share.lines] in ([2000], [1999])  # its proportion, rounded down


def test_an_order_has_the_status_of_that_day() -> None:
    lived = past(somebody(), *bought("1", day(1)), refunded("1", day(5), 2000))

    def status(moment: datetime) -> str | None:
        record = then_at(lived, moment).order("1")
        return record.order.status.value if record and record.order else None

    assert [status(day(n)) for n in (0, 1, 6)] == [None, "paid", "refunded"]


def test_a_cart_waits_until_it_was_bought() -> None:
    item = {"product_id": "11", "name": "Tea", "quantity": 1, "price": {"amount": 900, "currency": "EUR"}}
    total = {"amount": 900, "currency": "EUR"}
    left = happened("cart_abandoned", day(1), cart_token="c1", items=[item], total=total)
    lived = past(somebody(), left)
    then = then_at(lived, day(2))
    cart = then.cart("c1")
    assert cart is not None and cart.state is CartState.ABANDONED and cart.latest is not None
    assert cart.latest.total.amount == 900
    assert then.newest_cart() == cart
    today = cart.model_copy(update={"bought_at": day(3)})
    known = Past(lived.contact, lived.events, carts={"c1": today})
    assert [c.state for n in (2, 4) if (c := then_at(known, day(n)).cart("c1"))] == [
        CartState.ABANDONED,
        CartState.BOUGHT,
    ]
    assert then_at(known, day(2)).carts_over() == [(day(3), "c1")]
