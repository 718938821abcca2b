"""Plays the shops' stories against a running Agala and holds what came of them against what was told."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from local.demo import kettle, shop, shopify_story
from local.demo import story as script
from local.demo.acts import END, ERASED, LEFT_AFTER, Act, Outcome, Story
from local.demo.live import PATIENCE_SECONDS, Runtime, StoreClock

JOURNEYS = ("thank-you-new", "replenishment", "repeat-purchase", "cart-abandonment", "payment-failed")
LAST_WORD_SECONDS = 15  # real time for what is late at the story's end
START = datetime.fromisoformat("2026-11-21T21:20:00+00:00")  # just after the recorded deliveries were made
TEA_SHOP = {
    "platform": "woocommerce",
    "name": "תה וזמן",
    "url": "https://tea.example",
    "country": "IL",
    "currency": "ILS",
    "timezone": "Asia/Jerusalem",
    "locale": "he",
    "secret": script.SECRET,
    "settings": {
        "sender": {"name": "תה וזמן", "email": "hello@tea.example", "address": "רחוב הדוגמה 1, חיפה"},
        "quiet_hours": {"email": None},
        "talk_to_us_url": "https://tea.example/talk",
        "brand": {
            "logo_width": 150,
            "colour": "#2f6b4f",
            "accent": "#e8b04a",
            "background": "#f3f1ea",
            "footer": {"he": "תה טוב, ורגע בשבילו.", "en": "Good tea, and a moment for it."},
            "socials": {"instagram": "https://instagram.example/tea"},
        },
    },
}
KETTLE_SHOP = {
    "platform": "shopify",
    "name": "Kettle & Leaf",
    "url": kettle.SHOP.url,
    "country": kettle.SHOP.country,
    "currency": kettle.SHOP.currency,
    "timezone": "Europe/London",
    "locale": "en",
    "secret": kettle.SECRET,
    "settings": {
        "sender": {"name": "Kettle & Leaf", "email": "hello@kettle.example", "address": "1 Example Street, Leeds"},
        "quiet_hours": {"email": {"from": "21:00", "to": "08:00"}},
        "talk_to_us_url": "https://kettle.example/talk",
        "brand": {
            "logo_width": 170,
            "colour": "#27466b",
            "accent": "#e2a26b",
            "background": "#eef1f5",
            "footer": {"en": "Proper tea, packed in Leeds."},
            "socials": {"instagram": "https://instagram.example/kettle"},
        },
    },
}
AnyStory = TypeVar("AnyStory", bound=Story)


@dataclass
class Stage(Generic[AnyStory]):
    """The running product, one demo shop in it with its story, and what the doors answered."""

    runtime: Runtime
    clock: StoreClock
    store_id: str
    story: AnyStory
    answers: Counter[int] = field(default_factory=Counter)

    @property
    def carts(self) -> dict[str, dict[str, Any]]:
        """The story's carts by their tokens, as Agala has them."""
        return {token: self.runtime.get(f"/v1/stores/{self.store_id}/carts/{token}") for token in self.story.carts}

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.runtime.all(f"/v1/stores/{self.store_id}/messages?limit=200")


@dataclass(frozen=True)
class Stages:
    """Both shops, in one runtime and on one clock."""

    tea: Stage[script.TeaShop]
    kettle: Stage[shopify_story.KettleShop]

    @property
    def all(self) -> tuple[Stage[Any], ...]:
        return (self.tea, self.kettle)


def set_up(runtime: Runtime) -> Stages:
    """Two shops with their journeys switched on, exactly as the gallery gives them but for the chosen category."""
    gallery = {t["id"]: t["definition"] for t in runtime.get("/v1/journey-templates")["items"]}
    chosen = {journey: gallery[journey] for journey in JOURNEYS}
    steps = {journey: list(sending_steps(definition["steps"])) for journey, definition in chosen.items()}
    chosen["repeat-purchase"] = _chosen(chosen["repeat-purchase"])
    clock, pictures = runtime.clock(), f"{runtime.url}/local/pictures"
    tea = _open(runtime, _with_logo(TEA_SHOP, f"{pictures}/logo-tea.svg"), chosen)
    del chosen["repeat-purchase"]  # the other shop has no such offer
    leaf = _open(runtime, _with_logo(KETTLE_SHOP, f"{pictures}/logo-kettle.svg"), chosen)
    return Stages(
        Stage(runtime, clock, tea, script.write(START, pictures, steps)),
        Stage(runtime, clock, leaf, shopify_story.write(START, pictures, steps)),
    )


def _with_logo(store: dict[str, Any], address: str) -> dict[str, Any]:
    settings = store["settings"]
    return {**store, "settings": {**settings, "brand": {**settings["brand"], "logo": address}}}


def _open(runtime: Runtime, store: dict[str, Any], journeys: dict[str, dict[str, Any]]) -> str:
    """A new store with these journeys; its id."""
    left_after = int(LEFT_AFTER.total_seconds() // 60)
    made = runtime.call("POST", "/v1/stores", {**store, "abandon_after_minutes": left_after})
    if made.status != 201:
        raise RuntimeError(f"the store was not made: {made.status} {made.body}")
    store_id = str(made.body["id"])
    for journey, definition in journeys.items():
        activate(runtime, store_id, journey, definition)
    return store_id


def _chosen(definition: dict[str, Any]) -> dict[str, Any]:
    """What the owner chooses in `repeat-purchase`: who bought ware is offered green tea after six days."""
    chosen: dict[str, Any] = json.loads(json.dumps(definition))
    branch = chosen["steps"][0]
    branch["if"]["purchased"]["category"] = shop.WARE[0]
    wait, offer = branch["then"]
    wait["for"] = {"days": 6}
    for content in offer["content"].values():
        for block in content["blocks"]:
            if block["type"] == "product":
                block["product"] = str(shop.GREEN.id)
    return chosen


def activate(runtime: Runtime, store_id: str, journey: str, definition: dict[str, Any]) -> None:
    path = f"/v1/stores/{store_id}/journeys/{journey}"
    for method, where, body in (("PUT", path, definition), ("POST", f"{path}/activate", {})):
        answer = runtime.call(method, where, body)
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {where} answered {answer.status}: {answer.body}")


def sending_steps(steps: list[dict[str, Any]]) -> Iterator[str]:
    for step in steps:
        if step["type"].startswith("send_"):
            yield step["id"]
        for branch in ("then", "else"):
            yield from sending_steps(step.get(branch) or [])


def play(stages: Sequence[Stage[Any]]) -> None:
    """Lives through every act at its hour of store time, then waits until what was told has come true."""
    acts = sorted(((act.at, n, act) for n, stage in enumerate(stages) for act in stage.story.acts), key=lambda a: a[:2])
    for at, n, act in acts:
        stage = stages[n]
        stage.clock.sleep_until(START + at)
        for delivery in act.deliveries:
            stage.answers[stage.runtime.deliver(stage.store_id, delivery)] += 1
        for call in act.carts:
            stage.answers[stage.runtime.tell_cart(stage.store_id, stage.story.secret, call)] += 1
        if act.then:
            _PARTS[act.then](stage, act)
    stages[0].clock.sleep_until(START + END)
    deadline = time.monotonic() + LAST_WORD_SECONDS
    while time.monotonic() < deadline and any(stage.story.expected - outcomes(stage) for stage in stages):
        time.sleep(0.25)


def outcomes(stage: Stage[Any]) -> Counter[Outcome]:
    """Every message of the store as the story counts them."""
    emails = {c["id"]: c["email"] for c in stage.runtime.all(f"/v1/stores/{stage.store_id}/contacts?limit=200")}
    return Counter(
        Outcome(emails.get(m["contact_id"], ERASED), m["journey"], m["step"], _result(m)) for m in stage.messages
    )


def _result(message: dict[str, Any]) -> str:
    went = ("sent", "delivered", "opened", "clicked", "bounced", "complained")
    return "sent" if message["status"] in went else str(message["reason"])


def _mail_to(stage: Stage[Any], email: str, number: int) -> dict[str, Any]:
    """Waits for the `number`-th mail to this address."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        mails = [m for m in stage.runtime.get("/local/outbox")["items"] if m["to"] == email]
        if len(mails) >= number:
            found: dict[str, Any] = mails[number - 1]
            return found
        time.sleep(0.05)
    raise RuntimeError("a mail that the story counts on never came")


def _unsubscribe(stage: Stage[Any], act: Act) -> None:
    assert act.who
    mail = _mail_to(stage, act.who.email, 2)
    link = re.search(r"<(http[^>]+)>", mail["headers"]["List-Unsubscribe"])
    assert link
    path = link[1].removeprefix(stage.runtime.url)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": ""}
    stage.runtime.call("POST", path, b"List-Unsubscribe=One-Click", form)


def _bounce(stage: Stage[Any], act: Act) -> None:
    assert act.who
    mail = _mail_to(stage, act.who.email, 1)
    stage.runtime.call("POST", f"/local/deliveries/{mail['id']}", {"status": "bounced"})


_PARTS = {"unsubscribe": _unsubscribe, "bounce": _bounce}


def day_of(moment: datetime) -> str:
    """`day 3, 14:05` of the story."""
    since = moment - START
    rest = since - timedelta(days=since.days)
    return f"day {since.days}, {rest.seconds // 3600:02d}:{rest.seconds % 3600 // 60:02d}"
