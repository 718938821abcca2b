"""`create_coupon`: one code, made once, shown by what follows; and every way in which none is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.commerce.coupon import coupon_code
from chalicelib.commerce.money import Money
from chalicelib.commerce.store import Platform
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.contacts.contact import Benefit, Contact
from chalicelib.errors import BadInput
from chalicelib.journeys.actions import CouponExpiry
from chalicelib.journeys.coupon_terms import ends_at
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.ports import Ended, NotNow
from chalicelib.storage.coupons import Coupons
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World, journey

SHOWN = {
    "en": {
        "subject": "A present{% if coupon %}: {{ coupon.code }}{% endif %}",
        "blocks": [{"type": "text", "text": "For you."}, {"type": "coupon", "url": "https://tea.example/shop"}],
    }
}
TELLS = {"id": "tells", "type": "send_email", "kind": "transactional", "content": SHOWN}


def coupon(**terms: Any) -> dict[str, Any]:
    usual = {"benefit": "percent", "value": 10, "expiry": {"days": 14}, "enabled": True, "name": "thanks"}
    return {"id": "gift", "type": "create_coupon", **usual, **terms}


@pytest.fixture
def world(table: Table, clock: HandClock) -> World:
    return World(table, clock)


def began(world: World, *steps: dict[str, Any]) -> World:
    world.activate(journey(*steps))
    world.buy("1")
    return world


def contact(world: World) -> Contact:
    found = world.contacts.get(world.store.id, world.contact)
    assert found is not None
    return found


def details(world: World) -> list[str | None]:
    return [p.detail for p in world.only().history if p.what == "step"]


def test_a_code_of_the_contacts_own_is_made_and_the_next_message_shows_it(world: World) -> None:
    began(world, coupon(), TELLS)
    world.run(world.only(), ["gift", "tells"])
    cause = f"{world.only().id}:gift"
    code, ends = coupon_code(cause), datetime(2026, 12, 5, 23, 0, tzinfo=UTC)  # midnight in Paris
    (made,) = world.shop.made.items()
    terms, customer = made[1]
    assert (made[0], terms.percent, terms.amount, customer) == (cause, Decimal(10), None, None)
    assert (terms.email, terms.usage_limit, terms.expires_at) == ("dana@shopper.example", 1, ends)
    benefit = Benefit(
        kind="percent", code=code, at=world.clock.now(), journey="j", step="gift", expires_at=ends, used_at=None
    )
    assert world.only().coupon == contact(world).last_benefit == benefit
    (mail,) = world.channel.taken
    assert mail.subject == f"A present: {code}"
    assert code in mail.html
    assert f"Coupon\n{code}\nGood until December 5, 2026" in mail.text
    assert details(world) == [None, "sent"]
    owned = Coupons(world.table).get_many(world.store.id, [code.lower(), "other"])
    assert {asked: (one.contact_id, one.enrolment, one.name) for asked, one in owned.items()} == {
        code.lower(): (world.contact, world.only().id, "thanks")
    }


@pytest.mark.parametrize("place", ["before", "after", "benefit", "save"])
def test_cut_off_anywhere_it_is_the_same_coupon_with_the_same_end(
    world: World, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    def crash(*_: Any, **__: Any) -> Any:
        raise Crash

    began(world, coupon(not_within_days=30), TELLS)
    with monkeypatch.context() as broken:
        if place in ("before", "after"):
            broken.setattr(world.shop, place, crash)
        elif place == "benefit":
            broken.setattr(world.book, "give_benefit", crash)
        else:
            broken.setattr(world.enrolments, "save", crash)
        with pytest.raises(Crash):
            world.run(world.only(), ["gift"], "tells")
    at = world.clock.now()
    world.clock.advance(hours=30)
    world.run(world.only(), ["gift"], "tells")
    assert [terms.expires_at for terms, _ in world.shop.made.values()] == [datetime(2026, 12, 5, 23, 0, tzinfo=UTC)]
    given = world.only().coupon
    assert given is not None and (given.at, given.expires_at) == (at, datetime(2026, 12, 5, 23, 0, tzinfo=UTC))
    assert contact(world).last_benefit == given


def test_one_that_is_off_and_one_too_soon_after_another_are_skipped_and_leave_no_hole(world: World) -> None:
    off = {**coupon(enabled=False), "id": "off"}
    began(world, off, coupon(not_within_days=30), TELLS)
    given = Benefit(kind="amount", code="X", at=world.clock.now() - timedelta(days=29), journey="other", step="s")
    world.book.give_benefit(world.store.id, world.contact, given)
    world.run(world.only(), ["off", "gift", "tells"])
    assert details(world) == ["skipped:off", "skipped:recent_benefit", "sent"]
    assert (world.shop.made, world.only().coupon) == ({}, None)
    (mail,) = world.channel.taken
    assert mail.subject == "A present"
    assert "Coupon" not in mail.text and "https://tea.example/shop" not in mail.text


def test_after_those_days_it_is_given_again(world: World) -> None:
    began(world, coupon(not_within_days=30))
    given = Benefit(kind="amount", code="X", at=world.clock.now() - timedelta(days=30), journey="other", step="s")
    world.book.give_benefit(world.store.id, world.contact, given)
    world.run(world.only(), ["gift"])
    assert details(world) == [None]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (ShopTrouble(TroubleCode.NO_KEY), "no_shop_key"),
        (ShopTrouble(TroubleCode.REFUSED, reason="VALUE_OUTSIDE_RANGE"), "coupon_refused"),
        (BadInput("no"), "coupon_refused"),
    ],
)
def test_what_the_shop_never_makes_fails_and_ends_the_pass_where_the_step_says_so(
    world: World, trouble: Exception, reason: str
) -> None:
    def refuse() -> None:
        raise trouble

    world.shop.before = refuse
    began(world, coupon(on_failure="end"), TELLS)
    with pytest.raises(Ended):
        world.run(world.only(), ["gift", "tells"])
    enrolment = world.only()
    assert (enrolment.status, enrolment.reason) == (EnrolmentStatus.FAILED, f"gift:{reason}")
    assert [(p.what, p.step, p.detail) for p in enrolment.history[1:]] == [
        ("step", "gift", f"failed:{reason}"),
        ("ended", "gift", f"gift:{reason}"),
    ]
    assert (world.channel.taken, contact(world).last_benefit) == ([], None)


def test_a_shop_that_is_out_is_asked_again_for_a_day_and_then_the_contact_goes_on(world: World) -> None:
    def out() -> None:
        raise ShopTrouble(TroubleCode.FAILING, status=503)

    world.shop.before = out
    began(world, coupon(), TELLS)
    first, times = world.clock.now(), 0
    while True:
        try:
            world.run(world.only(), ["gift", "tells"])
            break
        except NotNow as later:
            times += 1
            world.clock.time = datetime.fromisoformat(str(later))
    assert (world.clock.now() - first >= timedelta(hours=24), times < 40) == (True, True)
    assert details(world) == ["failed:shop_failing", "sent"]
    assert [p.detail for p in world.only().history if p.what == "tried"] == ["shop_failing"]


def test_a_shop_that_comes_back_makes_it(world: World) -> None:
    def out() -> None:
        raise ShopTrouble(TroubleCode.NO_ANSWER)

    world.shop.before = out
    began(world, coupon())
    with pytest.raises(NotNow):
        world.run(world.only(), ["gift"])
    assert (world.only().at_step, world.only().due_at) == ("gift", world.clock.now() + timedelta(minutes=1))
    world.shop.before = lambda: None
    world.clock.advance(minutes=1)
    world.run(world.only(), ["gift"])
    assert (details(world), len(world.shop.made)) == ([None], 1)


def test_each_kind_of_benefit_becomes_its_terms(world: World) -> None:
    steps = [
        coupon(benefit="amount", value=2000, minimum_total=10000, products=["12"], usage_limit=5),
        coupon(benefit="free_shipping", value=None),
        coupon(benefit="gift_product", value=None, gift_product="9"),
    ]
    began(world, *({**step, "id": f"c{n}"} for n, step in enumerate(steps)))
    world.run(world.only(), ["c0", "c1", "c2"])
    amount, shipping, gift = [terms for terms, _ in world.shop.made.values()]
    euros = [Money(amount=one, currency="EUR") for one in (2000, 10000)]
    assert [amount.amount, amount.minimum, amount.products, amount.usage_limit, amount.email] == [
        *euros,
        ("12",),
        5,
        None,
    ], "a code for several to use is nobody's own"
    assert (shipping.free_shipping, shipping.percent) == (True, None)
    assert (gift.gift, gift.percent) == ("9", Decimal(100))


@pytest.mark.parametrize(
    ("platform", "terms", "fields"),
    [
        ("woocommerce", {"benefit": "buy_x_get_y", "gift_product": "9", "products": ["1"]}, ["benefit"]),
        ("woocommerce", {"minimum_units": 2}, ["minimum_units"]),
        ("woocommerce", {"benefit": "gift_product", "value": None}, ["gift_product"]),
        ("woocommerce", {"value": None}, ["value"]),
        ("woocommerce", {"value": 101}, ["value"]),
        ("woocommerce", {"products": ["tea"]}, ["products"]),
        ("woocommerce", {"expiry": {"date": "2026-02-30"}}, ["expiry.date"]),
        ("woocommerce", {"expiry": {"date": "2026-11-20"}}, ["expiry.date"]),
        ("woocommerce", {"enabled": False, "value": None, "minimum_units": 2}, []),
        ("shopify", {"benefit": "gift_product", "value": None, "gift_product": "9"}, ["benefit"]),
        ("shopify", {"benefit": "buy_x_get_y", "value": None, "gift_product": "9", "products": ["1"]}, []),
        ("shopify", {"minimum_units": 2, "minimum_total": 100}, ["minimum_units"]),
        ("shopify", {"products": ["1"], "categories": ["2"]}, ["categories"]),
        ("shopify", {"benefit": "free_shipping", "value": None, "categories": ["2"]}, ["categories"]),
    ],
)
def test_what_the_platform_cannot_make_is_named_at_activation(
    world: World, platform: str, terms: dict[str, Any], fields: list[str]
) -> None:
    store = world.store.model_copy(update={"platform": Platform(platform)})
    world.lifecycle.save_draft(store, "j", journey(coupon(**terms)))
    if not fields:
        world.lifecycle.activate(store, "j")
        return
    with pytest.raises(BadInput) as refused:
        world.lifecycle.activate(store, "j")
    assert [mistake.field for mistake in refused.value.mistakes] == [f"steps[0].{field}" for field in fields]
    assert all("'gift'" in mistake.message for mistake in refused.value.mistakes)


@pytest.mark.parametrize(
    ("expiry", "now", "zone", "end"),
    [
        ({"days": 1}, "2026-11-22T10:00:00+00:00", "Asia/Jerusalem", "2026-11-23T22:00:00+00:00"),
        ({"days": 1}, "2026-11-22T23:00:00+00:00", "Asia/Jerusalem", "2026-11-24T22:00:00+00:00"),
        ({"date": "2026-12-31"}, "2026-11-22T10:00:00+00:00", "Europe/Paris", "2026-12-31T23:00:00+00:00"),
        ({"end_of_month": True}, "2026-12-31T10:00:00+00:00", "Europe/Paris", "2026-12-31T23:00:00+00:00"),
        ({"end_of_month": True}, "2028-02-01T10:00:00+00:00", "UTC", "2028-03-01T00:00:00+00:00"),
        ({"end_of_month": True}, "2026-03-10T10:00:00+00:00", "Europe/Paris", "2026-03-31T22:00:00+00:00"),
    ],
)
def test_it_ends_at_a_midnight_of_the_store(expiry: dict[str, Any], now: str, zone: str, end: str) -> None:
    found = ends_at(CouponExpiry.model_validate(expiry), zone, datetime.fromisoformat(now))
    assert found == datetime.fromisoformat(end)


def test_a_coupon_that_is_over_is_not_shown(world: World, clock: HandClock) -> None:
    began(world, coupon(expiry={"days": 1}), {"id": "rest", "type": "wait", "for": {"days": 5}}, TELLS)
    world.run(world.only(), ["gift"], "rest")
    clock.advance(days=5)
    world.run(world.only(), ["tells"])
    assert world.channel.taken[0].subject == "A present"
