"""Shopify's checkouts in our words: which are carts, of what, whose, in which money."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.commerce.cart import CartActivity, CartStep
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import Order
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.store_adapters.base import Change, Nothing, Unintelligible
from tests.store_adapters.deliveries import told
from tests.store_adapters.test_shopify import ORDER

BEGUN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
UPDATED = datetime(2026, 11, 20, 9, 5, tzinfo=UTC)
RESTORE = "https://tea.myshopify.com/548380009/checkouts/ac/c1-eeaf/recover?key=0a1b2c"
# The shape of the webhook documentation's checkout; what a shopper need not have told yet is null or an empty list.
CHECKOUT: dict[str, Any] = {
    "id": 9007199254740993777,
    "token": "3d58ad45d661cd34d882fda5c68a36b8",
    "cart_token": "c1-830e691d16f1093cfcde75960320d9cd",
    "email": "noa@example.test",
    "gateway": None,
    "buyer_accepts_marketing": False,
    "buyer_accepts_sms_marketing": False,
    "sms_marketing_phone": None,
    "created_at": "2026-11-20T09:00:00+00:00",
    "updated_at": "2026-11-20T11:05:00+02:00",
    "landing_site": None,
    "note": None,
    "note_attributes": [],
    "referring_site": None,
    "shipping_lines": [],
    "shipping_address": [],
    "taxes_included": True,
    "total_weight": 300,
    "currency": "EUR",
    "completed_at": None,
    "closed_at": None,
    "user_id": None,
    "location_id": None,
    "source_identifier": None,
    "source_url": None,
    "device_id": None,
    "phone": None,
    "customer_locale": "fr-FR",
    "line_items": [
        {
            "key": "43453026762901",
            "fulfillment_service": "manual",
            "gift_card": False,
            "presentment_title": "Thé vert",
            "presentment_variant_title": "100 g",
            "product_id": 9007199254740993012,
            "quantity": 2,
            "sku": "TEA-100",
            "tax_lines": [],
            "title": "Green tea",
            "variant_id": 34,
            "variant_title": "100 g",
            "variant_price": "27.50",
            "compare_at_price": None,
            "line_price": "55.00",
            "price": "27.50",
            "applied_discounts": [],
            "properties": None,
        }
    ],
    "name": "#9007199254740993777",
    "source": None,
    "abandoned_checkout_url": RESTORE,
    "discount_codes": [{"code": "HELLO", "amount": "5.00", "type": "fixed_amount"}],
    "tax_lines": [],
    "source_name": "web",
    "presentment_currency": "EUR",
    "total_discounts": "5.00",
    "total_line_items_price": "55.00",
    "total_price": "50.00",
    "total_tax": "0.00",
    "subtotal_price": "50.00",
    "total_duties": None,
    "reservation_token": None,
}
NEVER_NULL = {"token", "updated_at", "created_at"}


def all_of(topic: str = "checkouts/update", **changed: Any) -> list[Change]:
    return told({**CHECKOUT, **changed}, topic, "shopify")


def cart(**changed: Any) -> CartActivity:
    change = all_of(**changed)[0]
    assert isinstance(change, CartActivity)
    return change


def none(**changed: Any) -> str:
    (change,) = all_of(**changed)
    assert isinstance(change, Nothing)
    assert change.private, "its text names people whom no record leads to"
    return change.reason


def test_a_checkout_in_our_words() -> None:
    found = cart()
    assert (found.token, found.step) == (CHECKOUT["token"], CartStep.CHECKOUT)
    assert found.occurred_at == UPDATED
    assert (found.person.email, found.person.locale) == ("noa@example.test", "fr-FR")
    assert (found.total, found.lines) == (Money(amount=5000, currency="EUR"), 1)
    assert (found.coupons, found.restore_url, found.consent) == (("HELLO",), RESTORE, ())
    (item,) = found.items
    assert (item.product_id, item.variation_id) == ("9007199254740993012", "34")
    assert (item.name, item.quantity, item.price.amount) == ("Thé vert - 100 g", 2, 2750)


def test_created_and_updated_with_one_body_is_one_telling() -> None:
    (created,), (updated,) = all_of("checkouts/create"), all_of("checkouts/update")
    assert created == updated


def test_different_tellings_have_different_names_and_the_one_that_names_somebody_is_the_later() -> None:
    named, unnamed = cart(), cart(email=None)
    later = cart(updated_at="2026-11-20T09:06:00Z", email=None)
    assert len({named.id, unnamed.id, later.id}) == 3
    assert unnamed.place() < named.place() < later.place()
    assert all(cart(email=None, note=f"{n}").place() < named.place() for n in range(10))


def test_whoever_is_not_known_yet_is_nobody_and_their_text_is_not_kept() -> None:
    activity, text = all_of(email=None, shipping_address={"first_name": "Noa", "phone": "555-SHIP"})
    assert isinstance(activity, CartActivity) and activity.step is CartStep.CHECKOUT
    assert isinstance(text, Nothing) and text.private
    assert len(all_of(email=None, phone="+33639980101")) == 1


def test_an_account_and_an_address_say_who_it_is_where_the_checkout_does_not() -> None:
    account = {"id": 7, "email": "noa@account.test", "first_name": "Noa", "phone": None}
    found = cart(email=None, customer=account, shipping_address={"phone": "06 39 98 01 01", "country_code": "FR"})
    assert (found.person.email, found.person.customer_id) == ("noa@account.test", "7")
    assert (found.person.phone, found.person.first_name, found.person.country) == ("06 39 98 01 01", "Noa", "FR")
    assert cart(customer=account).person.email == "noa@example.test"


def test_nothing_in_it_is_emptied_and_completed_is_bought() -> None:
    for empty in ([], None, [{**CHECKOUT["line_items"][0], "quantity": 0}]):
        assert cart(line_items=empty).step is CartStep.EMPTIED
    bought = cart(completed_at="2026-11-20T11:04:00+02:00", order_id=55, line_items=[])
    assert (bought.step, bought.order_id) == (CartStep.CONVERTED, "55")
    assert bought.occurred_at == datetime(2026, 11, 20, 9, 4, tzinfo=UTC)


@pytest.mark.parametrize("field", sorted(CHECKOUT.keys() - NEVER_NULL))
def test_what_the_documentation_promises_may_be_null(field: str) -> None:
    assert cart(**{field: None}).token == CHECKOUT["token"]


@pytest.mark.parametrize("field", sorted(CHECKOUT["line_items"][0]))
def test_so_may_everything_of_a_line(field: str) -> None:
    (item,) = cart(line_items=[{**CHECKOUT["line_items"][0], field: None}]).items
    assert item.price.amount == 2750


def test_everything_null_is_still_an_activity() -> None:
    bare = dict.fromkeys(CHECKOUT.keys() - {"token", "created_at"})
    found = cart(**bare)
    assert (found.step, found.total) == (CartStep.EMPTIED, Money(amount=0, currency="EUR"))
    assert found.occurred_at == datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"token": None}, "token"),
        ({"token": "../x"}, "token"),
        ({"token": "x" * 129}, "token"),
        ({"updated_at": None, "created_at": None}, "updated_at"),
        ({"presentment_currency": "euro"}, "presentment_currency"),
    ],
)
def test_what_cannot_be_done_without_is_named(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(Unintelligible, match=rf"^{named}: expected"):
        cart(**changed)


# Money


def test_amounts_are_what_the_shopper_saw_and_say_so() -> None:
    found = cart(presentment_currency="JPY", total_price="8000", line_items=[{"title": "Tea", "price": "4000"}])
    assert found.total == Money(amount=8000, currency="JPY")
    assert found.items[0].price == Money(amount=4000, currency="JPY")
    assert cart(presentment_currency=None).total.currency == "EUR"
    assert cart(presentment_currency=None, currency=None).total.currency == "EUR"


def test_a_total_that_is_not_told_is_summed_up() -> None:
    assert cart(total_price=None).total.amount == 5000
    assert cart(total_price=None, subtotal_price=None).total.amount == 5500
    assert cart(total_price=None, subtotal_price=None, total_line_items_price=None).total.amount == 5500
    line = {"quantity": 3, "line_price": "10.00", "title": "Tea"}
    assert cart(line_items=[line]).items[0].price.amount == 333


# No carts


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"source_name": "pos"}, "till"),
        ({"source_name": "shopify_draft_order"}, "draft"),
        ({"source_name": "subscription_contract"}, "renewal"),
        ({"source_name": "subscription_contract_checkout_one"}, "renewal"),
        ({"user_id": 5}, "till"),
        ({"device_id": 1}, "till"),
        ({"source_name": None, "location_id": 1}, "till"),
        ({"source_name": "129785", "location_id": 1}, "till"),
        ({"closed_at": "2026-11-21T00:00:00Z"}, "put this checkout away"),
    ],
)
def test_what_no_shopper_left_behind_is_no_cart(changed: dict[str, Any], word: str) -> None:
    assert word in none(**changed)
    assert word in none(email=None, **changed)


def test_another_sales_channel_and_a_pick_up_are_carts() -> None:
    assert cart(source_name="129785").step is CartStep.CHECKOUT
    assert cart(source_name=None).step is CartStep.CHECKOUT
    assert cart(location_id=1).step is CartStep.CHECKOUT
    assert cart(closed_at="2026-11-21T00:00:00Z", completed_at="2026-11-20T10:00:00Z").step is CartStep.CONVERTED


def test_a_deletion_is_nobodys_doing() -> None:
    body = {"id": 1, "presentment_currency": "EUR", "sms_marketing_phone": "+33639980101", "cart_token": "c1-830"}
    (change,) = told(body, "checkouts/delete", "shopify")
    assert isinstance(change, Nothing)
    assert change.reason and change.private


# Consent


def choices(**changed: Any) -> dict[Channel, tuple[ConsentStatus, datetime | None]]:
    return {one.channel: (one.consent.status, one.consent.at) for one in cart(**changed).consent}


def test_a_ticked_box_is_consent_and_an_unticked_one_refuses_nothing() -> None:
    subscribed = (ConsentStatus.SUBSCRIBED, BEGUN)  # whoever unsubscribed since the box was ticked stays away
    assert choices() == {}
    assert choices(buyer_accepts_marketing=True) == {Channel.EMAIL: subscribed}
    sms = {"buyer_accepts_sms_marketing": True, "sms_marketing_phone": "+33639980102"}
    assert choices(**sms) == {Channel.SMS: subscribed}
    assert cart(**sms, phone="+33639980101").person.phone == "+33639980102"
    assert choices(buyer_accepts_sms_marketing=True) == {}
    assert {one.consent.source for one in cart(buyer_accepts_marketing=True).consent} == {"checkout"}


def test_the_accounts_own_choice_comes_first_where_it_has_a_time() -> None:
    timed = {"state": "unsubscribed", "consent_updated_at": "2026-11-19T00:00:00Z"}
    own = (ConsentStatus.UNSUBSCRIBED, datetime(2026, 11, 19, tzinfo=UTC))
    account = {"id": 7, "email_marketing_consent": timed}
    assert choices(buyer_accepts_marketing=True, customer=account) == {Channel.EMAIL: own}
    assert choices(customer=account) == {Channel.EMAIL: own}
    untimed = {"id": 7, "email_marketing_consent": {"state": "unsubscribed", "consent_updated_at": None}}
    assert choices(buyer_accepts_marketing=True, customer=untimed)[Channel.EMAIL][0] is ConsentStatus.SUBSCRIBED
    asked_not = {"id": 7, "email_marketing_consent": {"state": "not_subscribed"}, "sms_marketing_consent": None}
    assert choices(buyer_accepts_marketing=True, customer=asked_not)[Channel.EMAIL][0] is ConsentStatus.SUBSCRIBED
    assert choices(customer=asked_not) == {}


# The order that came of it


def ordered(**changed: Any) -> str | None:
    (change,) = told({**ORDER, "cart_token": "c-1", "checkout_token": "k-1", **changed}, "orders/create", "shopify")
    assert isinstance(change, Order)
    return change.cart_token


def test_an_order_names_its_checkout_first() -> None:
    assert ordered() == "k-1"
    assert ordered(checkout_token=None) == "c-1"
    assert ordered(checkout_token=None, cart_token=None) is None
    assert ordered(source_name="web") == ordered(source_name="129785") == "k-1"


@pytest.mark.parametrize("source", ["pos", "shopify_draft_order", "subscription_contract", "POS"])
def test_what_the_shop_sold_itself_ends_no_cart(source: str) -> None:
    assert ordered(source_name=source) is None
