"""Ready SMS cost as few parts as they can: every part is paid for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.journeys.actions import SendText
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.gallery import Template, gallery
from chalicelib.messages.fields import RenderData
from chalicelib.messages.message import MessageKind
from chalicelib.messages.sample import sample_contact, sample_event
from chalicelib.messages.sms import render_sms
from chalicelib.messages.sms_parts import parts
from tests.messages.shop import product, store

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
OURS = "https://go.hadar.example/l/AbCdEfGhIjKl0AbCdE"
SHOPS = {
    "he": store(settings={"talk_to_us_url": OURS}),
    "en": store(name="Kettle & Leaf", country="GB", locale="en", currency="GBP", settings={"talk_to_us_url": OURS}),
}
MOST = {"he": 3, "en": 2}


def _texts(template: Template) -> list[SendText]:
    definition = Definition.parse(template.definition)
    steps = [place.step for place in definition.located()]
    return [step for step in steps if isinstance(step, SendText) and step.type == "send_sms"]


@pytest.mark.parametrize("template", [one for one in gallery() if _texts(one)], ids=lambda one: one.id)
def test_a_ready_sms_is_of_few_parts(template: Template) -> None:
    kind = "cart_abandoned" if "cart" in template.id or "checkout" in template.id else "order_paid"
    for step in _texts(template):
        for language, text in step.text.items():
            count = parts(render_sms(text, _data(kind, step.kind, language)))
            assert count <= MOST[language], f"{step.id} in {language}: {count} parts"


def _data(event: str, kind: MessageKind, language: str) -> RenderData:
    """Of an ordinary shop, whose links are as short as ours are."""
    shop, goods = SHOPS[language], product(url=OURS, name={"he": "קפה טחון", "en": "Ground coffee"}[language])
    return RenderData(
        store=shop,
        contact=sample_contact(shop, language, NOW),
        language=language,
        kind=kind,
        event=sample_event(event, shop, [goods], language, NOW),
        products={"12": goods},
        unsubscribe_url=OURS,
        shorten=lambda words: words.replace(shop.url, OURS),
    )
