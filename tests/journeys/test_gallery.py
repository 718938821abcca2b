import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.contacts.contact import Benefit
from chalicelib.journeys.actions import CreateCoupon, End, SendEmail, SendText, Step
from chalicelib.journeys.compile import compile_journey
from chalicelib.journeys.definition import Definition, inner_steps, warnings_of
from chalicelib.journeys.gallery import Template, gallery
from chalicelib.journeys.texts import text_mistakes
from chalicelib.messages.content import render
from chalicelib.messages.message import MessageKind
from chalicelib.messages.sms import render_sms
from tests.messages.shop import NOW, contact, data, event, store

CART = event(cart_token="t1", restore_url="https://hadar.example/c", payment_url="https://hadar.example/pay")
COUPON = Benefit(kind="percent", code="TEA-7", at=NOW, journey="j", step="c", expires_at=NOW + timedelta(days=7))
TEMPLATES = {template.id: template for template in gallery()}


def emails(template: Template) -> list[SendEmail]:
    located = Definition.parse(template.definition).located()
    return [place.step for place in located if isinstance(place.step, SendEmail)]


def texts(template: Template) -> list[SendText]:
    located = Definition.parse(template.definition).located()
    return [place.step for place in located if isinstance(place.step, SendText)]


def languages(template: Template) -> Iterator[tuple[SendEmail, str]]:
    return ((email, language) for email in emails(template) for language in email.content)


def most_messages(steps: tuple[Step, ...]) -> tuple[int, bool]:
    """The most that one pass through these steps can send, and whether it goes on after them."""
    sent, most = 0, 0
    for step in steps:
        sent += isinstance(step, SendEmail | SendText)
        if isinstance(step, End):
            return max(most, sent), False
        if ways := [most_messages(way) for _, way in inner_steps(step)]:
            most = max(most, *(sent + inner for inner, leads_on in ways if not leads_on), 0)
            if not any(leads_on for _, leads_on in ways):
                return max(most, sent), False
            sent += max(inner for inner, leads_on in ways if leads_on)
    return max(most, sent), True


def test_the_gallery_has_what_a_store_owner_expects_on_day_one() -> None:
    assert set(TEMPLATES) == {
        "ambassador",
        "ambassador-credit",
        "any-date",
        "back-in-stock",
        "birthday",
        "buy-x-get-y",
        "cart-abandonment",
        "cart-abandonment-email-first",
        "cart-why",
        "cart-why-reply",
        "cart-why-reply-one-email",
        "checkout-abandonment",
        "get-to-know-you",
        "gift-reminder",
        "holiday",
        "infer-profile",
        "joined-anniversary",
        "lead-nurture",
        "list-cleaning",
        "manager-alert",
        "new-arrivals",
        "next-in-line",
        "payment-failed",
        "product-abandonment",
        "punch-card",
        "punch-card-reward",
        "refer-a-friend",
        "refer-a-friend-welcome",
        "repeat-purchase",
        "replenishment",
        "review-request",
        "review-request-completed",
        "review-request-service",
        "second-purchase",
        "site-abandonment",
        "subscribe-offer",
        "survey-reply",
        "survey-total",
        "thank-you-new",
        "thank-you-returning",
        "upsell",
        "vip",
        "welcome",
        "win-back",
    }


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=list(TEMPLATES))
class TestEveryTemplate:
    def test_can_be_activated_as_it_is(self, template: Template) -> None:
        definition = Definition.parse(template.definition)
        assert list(text_mistakes(definition)) == []
        assert compile_journey(definition, "arn")["States"]

    def test_speaks_hebrew_and_english_everywhere(self, template: Template) -> None:
        assert set(template.name) == set(template.description) == {"he", "en"}
        assert all(set(email.content) == {"he", "en"} for email in emails(template))
        assert all(set(sms.text) == {"he", "en"} for sms in texts(template))

    def test_touches_are_the_most_messages_of_one_pass(self, template: Template) -> None:
        assert most_messages(Definition.parse(template.definition).steps)[0] == template.touches

    def test_an_incentive_is_off_and_never_the_first_answer(self, template: Template) -> None:
        located = [place.step for place in Definition.parse(template.definition).located()]
        assert not any(step.enabled for step in located if isinstance(step, CreateCoupon))

    def test_says_what_it_does_in_one_line(self, template: Template) -> None:
        assert template.name == template.definition["name"]
        assert template.description == template.definition["description"]
        assert all("\n" not in text and len(text) <= 250 for text in template.description.values())

    def test_its_texts_have_no_mistakes(self, template: Template) -> None:
        assert list(text_mistakes(Definition.parse(template.definition))) == []

    @pytest.mark.parametrize("known", [True, False], ids=["known", "nameless, product gone"])
    def test_its_emails_read_well_for_whoever_gets_them(self, template: Template, known: bool) -> None:
        for email, language in languages(template):
            facts = data(language=language, kind=email.kind, coupon=COUPON)
            if not known:
                nothing = {"products": {}, "event": event(items=[]), "coupon": None}
                facts = replace(facts, contact=contact(first_name=None), **nothing)
            rendered = render(email.content[language], facts)
            for part in (rendered.subject, rendered.preheader, rendered.text):
                assert "{" not in part and "None" not in part
                assert " ," not in part and " !" not in part and " ?" not in part
                assert not re.search(r"\S {2}", part), "only a line's beginning may be indented"

    @pytest.mark.parametrize("known", [True, False], ids=["known", "nameless, no cart, nobody to talk to"])
    def test_its_sms_read_well_and_are_short(self, template: Template, known: bool) -> None:
        for sms in texts(template):
            for language, source in sms.text.items():
                talk = {"talk_to_us_url": "https://wa.me/972505550100"} if known else {}
                facts = data(language=language, kind=sms.kind, store=store(settings=talk), event=CART if known else {})
                if not known:
                    facts = replace(facts, contact=contact(first_name=None))
                shown = render_sms(source, facts)
                assert "{" not in shown and "None" not in shown
                assert " ," not in shown and "  " not in shown and "\n\n" not in shown
                links = [word for word in shown.split() if word.startswith("http")]
                somewhere = sms.id != "ask-again"  # its questions are in the email
                asks = "talk_to_us_url" in source  # where something may stand in the way of paying
                assert len(links) == somewhere + 1 + (known and asks)
                assert len(shown) - sum(map(len, links)) <= 180, "what is said in words fits three parts"


def test_what_is_not_chosen_yet_is_a_warning() -> None:
    warnings = warnings_of(Definition.parse(TEMPLATES["repeat-purchase"].definition))
    assert [warning.field for warning in warnings] == [
        "steps[0].if.purchased.category",
        "steps[0].else[0].if.purchased.category",
    ]


def test_only_the_order_itself_is_written_about_without_consent() -> None:
    kinds = {(name, email.id): email.kind for name, template in TEMPLATES.items() for email in emails(template)}
    transactional = [place for place, kind in kinds.items() if kind is MessageKind.TRANSACTIONAL]
    assert sorted(transactional) == [
        ("payment-failed", "pay-again"),
        ("thank-you-new", "thank-you"),
        ("thank-you-returning", "thank-you"),
    ]
    assert all(sms.kind is MessageKind.MARKETING for template in TEMPLATES.values() for sms in texts(template))
