"""What each ready journey does, as scenes: what happens when, and which messages come of it, at the minute."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.commerce.cart import CartStep
from chalicelib.commerce.order import OrderStatus
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.messages.message import MessageStatus
from tests.journeys.template_life import (
    BOOK,
    CUP,
    NOON,
    TEA,
    Doing,
    Scene,
    buys,
    clicks,
    comes,
    happens,
    has,
    is_delivered,
    is_found,
    joins,
    known,
    leaves,
    opens,
    order_becomes,
    pays_in_vain,
    puts_into_cart,
    refuses,
    reports,
)

MET, GONE = "goal_met goal_met", None
LOOKS = happens("product_viewed", product_id=TEA, categories=["7"])
LEAVES_CART = puts_into_cart(TEA)
RATINGS = {"rating_product": 5, "rating_service": 4, "rating_delivery": 5}
LOW = {"rating_product": 2, "rating_service": 1, "rating_delivery": 1}


def answers(survey: str, **given: object) -> Doing:
    return happens("survey_answered", survey=survey, answers=given)


def _reviews(first: tuple[tuple[str, Doing], ...], before: tuple[Doing, ...] = ()) -> tuple[Scene, ...]:
    """A week after the last of these, which is a day after noon."""
    return (
        Scene("no answer", first, ("8d how-was-it email", "12d ask-again sms"), before=before),
        Scene(
            "answers", (*first, ("9d", answers("review", rating_product=5))), ("8d how-was-it email",), before=before
        ),
    )


LIVES: dict[str, tuple[Scene, ...]] = {
    "welcome": (
        Scene(
            "from the checkout, opens nothing",
            (("0d", joins("newsletter")),),
            ("0d welcome-checkout email", "2d what-we-love email", "5d where-to-begin email", "9d hello-sms sms"),
            before=(known(joined_from="store"),),
        ),
        Scene(
            "from a landing page, opens one",
            (("0d", joins("newsletter")), ("2d01:00", opens("what-we-love"))),
            ("0d welcome-landing email", "2d what-we-love email", "5d where-to-begin email"),
            before=(known(joined_from="landing_page"),),
        ),
        Scene(
            "from the shop, buys",
            (("0d", joins("newsletter")), ("3d", buys(TEA))),
            ("0d welcome-shop email", "2d what-we-love email"),
            MET,
            before=(known(joined_from="shop"),),
        ),
        Scene(
            "from the site, leaves the list",
            (("0d", joins("newsletter")), ("1d", leaves("newsletter"))),
            ("0d welcome-site email",),
            "exited exit:list_left",
        ),
    ),
    "product-abandonment": (
        Scene(
            "opens nothing",
            (("0d", LOOKS),),
            ("02:00 what-you-saw email", "1d02:00 the-category email", "4d02:00 product-sms sms"),
        ),
        Scene(
            "looked at four of the category",
            (
                *((f"00:0{n}", happens("product_viewed", product_id=f"1{n}", categories=["7"])) for n in range(1, 5)),
                ("1d03:00", opens("the-category")),
            ),
            ("02:04 what-you-saw email", "1d02:04 the-category email", "4d02:04 an-offer email"),
        ),
        Scene("adds to the cart", (("0d", LOOKS), ("1d", LEAVES_CART)), ("02:00 what-you-saw email",), MET),
        Scene("has it in the cart already", (("0d", LEAVES_CART), ("00:01", LOOKS)), (), GONE),
    ),
    "site-abandonment": (
        Scene(
            "opens nothing",
            (("0d", happens("site_left")),),
            ("04:00 good-to-see-you email", "2d04:00 what-are-you-looking-for email", "5d04:00 last-hello email"),
        ),
        Scene(
            "opens",
            (("0d", happens("site_left")), ("05:00", opens("good-to-see-you"))),
            ("04:00 good-to-see-you email", "2d04:00 what-are-you-looking-for email"),
        ),
        Scene(
            "comes back and looks",
            (("0d", happens("site_left")), ("1d", LOOKS)),
            ("04:00 good-to-see-you email",),
            MET,
        ),
        Scene("looked at a product before leaving", (("0d", LOOKS), ("00:05", happens("site_left"))), (), GONE),
    ),
    "cart-abandonment": (
        Scene(
            "the SMS arrives",
            (("0d", LEAVES_CART), ("01:05", reports("cart-sms", MessageStatus.DELIVERED))),
            ("01:00 cart-sms sms", "1d02:00 questions email"),
        ),
        Scene(
            "nobody hears of the SMS",
            (("0d", LEAVES_CART),),
            ("01:00 cart-sms sms", "02:00 cart-email email", "1d02:00 questions email"),
        ),
        Scene("buys", (("0d", LEAVES_CART), ("01:30", buys(TEA))), ("01:00 cart-sms sms",), MET),
        Scene(
            "the incentive is on",
            (("0d", LEAVES_CART), ("01:05", reports("cart-sms", MessageStatus.DELIVERED))),
            ("01:00 cart-sms sms", "1d02:00 questions email", "3d02:00 with-a-coupon email"),
            choose={"steps[6].enabled": True},
        ),
        Scene(
            "no SMS",
            (("0d", LEAVES_CART),),
            ("01:00 cart-email email", "1d01:00 questions email"),
            before=(refuses(Channel.SMS),),
        ),
    ),
    "cart-abandonment-email-first": (
        Scene(
            "does not click",
            (("0d", LEAVES_CART), ("02:00", opens("cart-email"))),
            ("01:00 cart-email email", "1d01:00 cart-sms sms", "3d01:00 last-reminder email"),
        ),
        Scene(
            "clicks",
            (("0d", LEAVES_CART), ("02:00", clicks("cart-email"))),
            ("01:00 cart-email email", "3d01:00 last-reminder email"),
        ),
        Scene("buys", (("0d", LEAVES_CART), ("02:00", buys(TEA))), ("01:00 cart-email email",), MET),
    ),
    "checkout-abandonment": (
        Scene(
            "nobody hears of the SMS",
            (("0d", puts_into_cart(TEA, CartStep.CHECKOUT)),),
            ("00:30 cart-sms sms", "01:30 cart-email email", "1d01:30 questions email"),
        ),
        Scene(
            "the SMS arrives",
            (
                ("0d", puts_into_cart(TEA, CartStep.CHECKOUT)),
                ("00:35", reports("cart-sms", MessageStatus.DELIVERED)),
            ),
            ("00:30 cart-sms sms", "1d01:30 questions email"),
        ),
        Scene("buys", (("0d", puts_into_cart(TEA, CartStep.CHECKOUT)), ("00:10", buys(TEA))), (), MET),
    ),
    "cart-why": (
        Scene("no answer", (("0d", LEAVES_CART),), ("01:00 what-stopped-you email", "3d01:00 reminder email")),
        Scene(
            "answers",
            (("0d", LEAVES_CART), ("1d", answers("cart-why", what_stopped_you="price"))),
            ("01:00 what-stopped-you email",),
        ),
        Scene("buys", (("0d", LEAVES_CART), ("1d", buys(TEA))), ("01:00 what-stopped-you email",), MET),
    ),
    "cart-why-reply": (
        Scene("the price", (("0d", has(what_stopped_you="price")),), ("0d why-this-price email",)),
        Scene(
            "found it cheaper, with a coupon",
            (("0d", has(what_stopped_you="cheaper")),),
            ("0d why-this-price email", "1d a-better-price email"),
            choose={"steps[0].then[2].enabled": True},
        ),
        Scene("the shipping", (("0d", has(what_stopped_you="shipping")),), ("0d about-shipping email",)),
        Scene(
            "not now, but in a week",
            (
                ("0d", has(what_stopped_you="not_now")),
                ("1d", has(remind_me_in="week")),
                ("1d", answers("remind-me", when="week")),
            ),
            ("0d when-then email", "8d as-promised email"),
        ),
        Scene(
            "not now, but in a month",
            (
                ("0d", has(what_stopped_you="not_now")),
                ("1d", has(remind_me_in="month")),
                ("1d", answers("remind-me", when="month")),
            ),
            ("0d when-then email", "31d as-promised email"),
        ),
        Scene(
            "not now, and names a date in a reply",
            (("0d", has(what_stopped_you="not_now")), ("1d", has(remind_me_on="2026-12-10"))),
            ("0d when-then email", "16d22:00 as-promised email"),
        ),
        Scene(
            "not now, and says no more",
            (("0d", has(what_stopped_you="not_now", remind_me_in="month")),),
            ("0d when-then email", "14d as-promised email"),
        ),
        Scene(
            "not what they looked for",
            (("0d", has(what_stopped_you="not_it")),),
            ("0d what-would-it-be email",),
            lists=("tell-me-of-new-stock",),
        ),
        Scene("not clear", (("0d", has(what_stopped_you="not_clear")),), ("0d let-us-explain email",)),
        Scene(
            "buys meanwhile",
            (("0d", has(what_stopped_you="not_now")), ("1d", buys(TEA))),
            ("0d when-then email",),
            MET,
        ),
    ),
    "cart-why-reply-one-email": (
        Scene("the price", (("0d", has(what_stopped_you="price")),), ("0d one-reply email",)),
        Scene(
            "answers twice in a month",
            (("0d", has(what_stopped_you="guide")), ("5d", has(what_stopped_you="price"))),
            ("0d one-reply email",),
        ),
    ),
    "back-in-stock": (
        Scene(
            "few came back",
            (("0d", comes("product_back_in_stock", product_id=TEA, categories=["7"], stock=3)),),
            ("0d it-is-back email", "1d still-here email", "2d back-sms sms"),
        ),
        Scene(
            "many came back",
            (("0d", comes("product_back_in_stock", product_id=TEA, categories=["7"], stock=80)),),
            ("0d it-is-back email", "1d still-here email", "2d last-word email"),
        ),
        Scene(
            "buys it",
            (
                ("0d", comes("product_back_in_stock", product_id=TEA, categories=["7"], stock=None)),
                ("12:00", buys(TEA)),
            ),
            ("0d it-is-back email",),
            MET,
        ),
    ),
    "new-arrivals": (
        Scene(
            "two on one day",
            (
                ("0d", comes("product_published", product_id=TEA, name="Green tea", categories=["7"])),
                ("05:00", comes("product_published", product_id=BOOK, name="A book of tea", categories=["7"])),
            ),
            ("1d what-is-new email",),
        ),
    ),
    "thank-you-new": (
        Scene("a first order", (("0d", buys(TEA)),), ("0d thank-you email", "3d get-the-most email")),
        Scene("a second one", (("0d", buys(CUP, "2")),), (), GONE, before=(buys(TEA),)),
    ),
    "thank-you-returning": (
        Scene(
            "a second order",
            (("0d", buys(CUP, "2")),),
            ("0d thank-you email", "3d goes-with-it email"),
            before=(buys(TEA),),
        ),
        Scene("a first one", (("0d", buys(TEA)),), (), GONE),
    ),
    "second-purchase": (
        Scene(
            "stays away",
            (("0d", comes("inactivity", of=["order"], days=30)),),
            ("0d tips email", "14d come-back email"),
            before=(buys(TEA),),
        ),
        Scene(
            "comes back",
            (("0d", comes("inactivity", of=["order"], days=30)), ("2d", buys(CUP, "2"))),
            ("0d tips email",),
            MET,
            before=(buys(TEA),),
        ),
        Scene(
            "two orders already",
            (("0d", comes("inactivity", of=["order"], days=30)),),
            (),
            GONE,
            before=(buys(TEA), buys(CUP, "2")),
        ),
    ),
    "review-request": _reviews((("1d", is_delivered()),), (buys(TEA),)),
    "review-request-completed": _reviews((("1d", order_becomes(OrderStatus.COMPLETED)),), (buys(TEA),)),
    "review-request-service": _reviews((("1d", happens("service_case_closed")),)),
    "survey-total": (
        Scene(
            "rates high",
            (("0d", has(**RATINGS)), ("00:01", answers("review", **RATINGS))),
            (),
            fields={"survey_total": 14},
        ),
        Scene(
            "rates low, and changes one",
            (
                ("0d", has(**LOW)),
                ("00:01", answers("review", **LOW)),
                ("1d", has(rating_product=4)),
                ("1d00:01", answers("review", rating_product=4)),
            ),
            ("00:01 alert email", "00:01 alert sms"),
            fields={"survey_total": 6},
        ),
    ),
    "survey-reply": (
        Scene(
            "all are in",
            (("0d", has(**RATINGS)), ("00:01", has(survey_total=14))),
            ("00:01 our-reply email",),
            says=("שימחת אותנו",),
        ),
        Scene("one is missing", (("0d", has(rating_product=5, survey_total=5)),), (), GONE),
        Scene(
            "a changed rating is not answered again",
            (("0d", has(**LOW)), ("00:01", has(survey_total=4)), ("2d", has(survey_total=9))),
            ("00:01 our-reply email",),
            says=("אנחנו מצטערים",),
        ),
    ),
    "win-back": (
        Scene(
            "stays away",
            (("0d", comes("inactivity", of=["order"], days=90)),),
            ("0d how-are-you email", "7d what-is-new email"),
            before=(buys(TEA),),
        ),
        Scene(
            "comes back",
            (("0d", comes("inactivity", of=["order"], days=90)), ("2d", buys(CUP, "2"))),
            ("0d how-are-you email",),
            MET,
            before=(buys(TEA),),
        ),
    ),
    "list-cleaning": (
        Scene(
            "opens neither",
            (
                ("0d", comes("inactivity", of=["open", "click", "visit"], days=180)),
                ("20d", is_found(Channel.EMAIL, ConsentStatus.SUBSCRIBED, "checkout")),
                ("22d", is_found(Channel.EMAIL, ConsentStatus.UNSUBSCRIBED, "journey:inactive")),
            ),
            ("0d still-interested email", "14d last-one email"),
        ),
        Scene(
            "opens the first",
            (("0d", comes("inactivity", of=["open", "click", "visit"], days=180)), ("1d", opens("still-interested"))),
            ("0d still-interested email",),
        ),
        Scene(
            "clicks in the last",
            (
                ("0d", comes("inactivity", of=["open", "click", "visit"], days=180)),
                ("15d", clicks("last-one")),
                ("40d", is_found(Channel.EMAIL, ConsentStatus.SUBSCRIBED, "checkout")),
            ),
            ("0d still-interested email", "14d last-one email"),
        ),
    ),
    "birthday": (
        Scene("by email", (("0d", comes("date_field", field="birthday", days=3)),), ("0d happy-birthday email",)),
        Scene(
            "by SMS",
            (("0d", comes("date_field", field="birthday", days=3)),),
            ("0d happy-birthday-sms sms",),
            before=(refuses(Channel.EMAIL),),
        ),
        Scene(
            "with a gift",
            (("0d", comes("date_field", field="birthday", days=3)),),
            ("0d happy-birthday email",),
            choose={"steps[0].enabled": True},
        ),
    ),
    "any-date": (
        Scene(
            "a week before",
            (("0d", comes("date_field", field="important_date", days=7)),),
            ("0d the-date-is-near email",),
        ),
    ),
    "joined-anniversary": (
        Scene(
            "a year later",
            (("0d", comes("date_field", field="created_at", days=0)),),
            ("0d together email",),
            before=(known(created_at=NOON - timedelta(days=365)),),
        ),
        Scene("joined just now", (("0d", comes("date_field", field="created_at", days=0)),), (), GONE),
    ),
    "upsell": (
        Scene(
            "does not buy it",
            (("0d", buys(TEA)),),
            ("2d offer-y email", "9d still-kept email"),
            choose={
                "trigger.where.value": TEA,
                "goal.purchased.product": CUP,
                "steps[3].until_event.event.where.value": CUP,
            },
        ),
        Scene(
            "buys it",
            (("0d", buys(TEA)), ("4d", buys(CUP, "2"))),
            ("2d offer-y email",),
            MET,
            choose={
                "trigger.where.value": TEA,
                "goal.purchased.product": CUP,
                "steps[3].until_event.event.where.value": CUP,
            },
        ),
        Scene("another product", (("0d", buys(CUP)),), (), GONE, choose={"trigger.where.value": TEA}),
    ),
    "buy-x-get-y": (
        Scene(
            "suggests another",
            (("0d", buys(TEA)),),
            ("3d another-one email",),
            choose={"trigger.where.value": TEA, "goal.purchased.product": CUP},
        ),
        Scene(
            "bought it already",
            (("0d", buys(TEA)), ("1d", buys(CUP, "2"))),
            (),
            MET,
            choose={"trigger.where.value": TEA, "goal.purchased.product": CUP},
        ),
    ),
    "next-in-line": (
        Scene(
            "part two",
            (("0d", buys(BOOK)),),
            ("14d part-two email",),
            choose={"trigger.where.value": BOOK, "goal.purchased.product": CUP},
        ),
        Scene(
            "has it already",
            (("0d", buys(BOOK)), ("1d", buys(CUP, "2"))),
            (),
            MET,
            choose={"trigger.where.value": BOOK, "goal.purchased.product": CUP},
        ),
    ),
    "replenishment": (
        Scene("runs out", (("0d", buys(TEA)),), ("25d time-to-restock email", "30d last-reminder email")),
        Scene("buys again", (("0d", buys(TEA)), ("10d", buys(TEA, "2"))), (), GONE, lives="30d"),
    ),
    "subscribe-offer": (
        Scene(
            "the third order",
            (("0d", buys(TEA, "3")),),
            ("1d every-month email",),
            before=(buys(TEA), buys(TEA, "2")),
        ),
        Scene("the second one", (("0d", buys(TEA, "2")),), (), GONE, before=(buys(TEA),)),
    ),
    "punch-card": (
        Scene(
            "counts units, and takes a refund off",
            (
                ("0d", buys(TEA, units=3)),
                ("1d", buys(TEA, "2", units=2)),
                ("2d", order_becomes(OrderStatus.REFUNDED, "1")),
            ),
            (),
            fields={"punches": 2},
            choose={"trigger.where.value": "7", "steps[0].units_of.category": "7"},
        ),
        Scene(
            "another category",
            (("0d", buys(CUP)),),
            (),
            GONE,
            fields={"punches": None},
            choose={"trigger.where.value": "7", "steps[0].units_of.category": "7"},
        ),
    ),
    "punch-card-reward": (
        Scene(
            "a full card",
            (("0d", has(punches=12)),),
            ("0d card-is-full email",),
            fields={"punches": 2},
            choose={"steps[0].enabled": True},
        ),
        Scene("the reward is off", (("0d", has(punches=12)),), (), fields={"punches": 12}),
        Scene("not full yet", (("0d", has(punches=9)),), (), GONE, choose={"steps[0].enabled": True}),
    ),
    "repeat-purchase": (
        Scene(
            "the first category",
            (("0d", buys(TEA)),),
            ("21d first-offer email",),
            choose={"steps[0].if.purchased.category": "7", "steps[0].else[0].if.purchased.category": "8"},
        ),
        Scene(
            "the second category",
            (("0d", buys(CUP)),),
            ("30d second-offer email",),
            choose={"steps[0].if.purchased.category": "7", "steps[0].else[0].if.purchased.category": "8"},
        ),
        Scene("another, as it comes", (("0d", buys(BOOK)),), ("30d other-offer email",)),
    ),
    "payment-failed": (
        Scene("does not pay", (("0d", pays_in_vain(TEA)),), ("0d pay-again email", "1d still-unpaid sms")),
        Scene(
            "pays",
            (("0d", pays_in_vain(TEA)), ("03:00", order_becomes(OrderStatus.PAID))),
            ("0d pay-again email",),
            MET,
        ),
    ),
    "infer-profile": (
        Scene(
            "nothing was said",
            (("0d", buys(CUP)),),
            (),
            fields={"has_children": "probably"},
            choose={"trigger.where.value": "8"},
        ),
        Scene(
            "they said it themselves",
            (("0d", buys(CUP)),),
            (),
            fields={"has_children": "no"},
            choose={"trigger.where.value": "8"},
            before=(has(has_children="no"),),
        ),
    ),
    "gift-reminder": (
        Scene(
            "asks for the ideas by email",
            (
                ("0d", comes("date_field", field="occasion_date", days=10)),
                ("1d", happens("smart_link_clicked", name="gift-ideas")),
            ),
            ("0d gift-sms sms", "1d gift-ideas email"),
            before=(has(occasion="Anniversary", occasion_reminder=True),),
        ),
        Scene(
            "does not click",
            (("0d", comes("date_field", field="occasion_date", days=10)),),
            ("0d gift-sms sms",),
            before=(has(occasion="Anniversary", occasion_reminder=True),),
        ),
        Scene("never asked to be reminded", (("0d", comes("date_field", field="occasion_date", days=10)),), (), GONE),
    ),
    "holiday": (
        Scene(
            "subscribed",
            (("0d", comes("holiday", holiday="rosh_hashana", days_before=10)),),
            ("0d happy-holiday email",),
        ),
        Scene(
            "not subscribed",
            (("0d", comes("holiday", holiday="rosh_hashana", days_before=10)),),
            (),
            GONE,
            before=(refuses(Channel.EMAIL),),
        ),
    ),
    "get-to-know-you": (
        Scene("nothing is known", (("0d", buys(TEA)),), ("10d who-are-you email",)),
        Scene("tells meanwhile", (("0d", buys(TEA)), ("5d", has(city="Haifa"))), ()),
        Scene("told before", (("0d", buys(TEA)),), (), GONE, before=(has(interests="tea"),)),
    ),
    "lead-nurture": (
        Scene(
            "does not buy",
            (("0d", joins("downloaded-the-guide")),),
            ("0d the-guide email", "2d one-question email", "5d when-it-suits email"),
            lists=("downloaded-the-guide",),
        ),
        Scene(
            "buys at once",
            (("0d", joins("downloaded-the-guide")), ("1d", buys(TEA))),
            ("0d the-guide email",),
            lists=("customers",),
        ),
        Scene(
            "buys in the end",
            (("0d", joins("downloaded-the-guide")), ("20d", buys(TEA))),
            ("0d the-guide email", "2d one-question email", "5d when-it-suits email"),
            lists=("customers",),
        ),
    ),
    "manager-alert": (
        Scene("asks to be called", (("0d", joins("please-call-me")),), ("0d alert email", "0d alert sms")),
    ),
    "vip": (
        Scene(
            "passes the threshold",
            (("0d", buys(TEA, units=60)),),
            ("0d you-matter email",),
            lists=("vip",),
        ),
        Scene("does not", (("0d", buys(TEA)),), (), GONE, lists=()),
    ),
    "refer-a-friend": (
        Scene(
            "a friend joins",
            (("0d", has(**RATINGS)), ("00:01", has(survey_total=14)), ("10d", happens("friend_joined"))),
            ("1d00:01 tell-a-friend email", "10d thank-you email"),
        ),
        Scene(
            "none joins",
            (("0d", has(**RATINGS)), ("00:01", has(survey_total=14))),
            ("1d00:01 tell-a-friend email",),
        ),
        Scene("rated low", (("0d", has(**LOW)), ("00:01", has(survey_total=4))), (), GONE),
    ),
    "refer-a-friend-welcome": (Scene("joins", (("0d", joins("friends")),), ("0d welcome-friend email",)),),
    "ambassador": (
        Scene(
            "with the code on",
            (("0d", joins("ambassadors")),),
            ("0d your-code email",),
            choose={"steps[0].enabled": True},
        ),
        Scene("with the code off", (("0d", joins("ambassadors")),), ()),
    ),
    "ambassador-credit": (
        Scene(
            "the code was used twice",
            (
                ("0d", comes("coupon_redeemed", coupon="ambassador", code="TEA-1", order_id="7")),
                ("1d", comes("coupon_redeemed", coupon="ambassador", code="TEA-1", order_id="8")),
            ),
            ("0d code-used email", "1d code-used email"),
            fields={"ambassador_credit": 2},
        ),
    ),
}
