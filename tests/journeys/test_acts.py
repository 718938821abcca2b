"""What steps change, whom they tell and what they start: each once, each failure noted and obeyed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.commerce.event import Event
from chalicelib.commerce.store import StoreSettings
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.contacts.consent import Channel, ConsentStatus
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.ports import Writing
from chalicelib.errors import BadInput
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.ports import Ended, NotNow
from chalicelib.messages.message import MessageStatus
from chalicelib.messages.ports import Email, SendRejected, Sms, WhatsApp
from chalicelib.messages.reports import Report, apply_report
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import World, journey, mail, pause


class Crash(BaseException):
    """The process dies here."""


def crash(*_: Any, **__: Any) -> Any:
    raise Crash


@pytest.fixture
def world(table: Table, clock: HandClock) -> World:
    return World(table, clock)


def began(world: World, *steps: dict[str, Any], **changes: Any) -> World:
    world.activate(journey(*steps, **changes))
    world.buy("1")
    return world


def contact(world: World) -> Contact:
    found = world.contacts.get(world.store.id, world.contact)
    assert found is not None
    return found


def change(world: World, **fields: Any) -> None:
    changed = contact(world).model_copy(update=fields)
    world.contacts.write(world.store.id, [Writing(changed.id, contact=changed)])


def settings(world: World, **changes: Any) -> None:
    told = StoreSettings.model_validate(changes)
    world.store = world.stores.save(world.store.model_copy(update={"settings": told}))


def details(world: World, journey_id: str = "j") -> list[str | None]:
    found = next(one for one in world.enrolled() if one.journey == journey_id)
    return [p.detail for p in found.history if p.what == "step"]


def of_journey(world: World, journey_id: str) -> list[Enrolment]:
    return [one for one in world.enrolled() if one.journey == journey_id]


# What fails for good


def test_a_message_that_is_refused_fails_and_ends_the_pass_only_where_the_step_says_so(world: World) -> None:
    def refuse(message: Any) -> None:
        raise SendRejected("no")

    world.channel.before = refuse
    began(world, mail(), {**mail("second"), "on_failure": "end"}, mail("third"))
    with pytest.raises(Ended):
        world.run(world.only(), ["mail", "second", "third"])
    assert details(world) == ["failed:rejected", "failed:rejected"]
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.FAILED, "second:rejected")
    with pytest.raises(Ended):
        world.run(world.only(), ["mail", "second", "third"])


def test_a_branch_sees_what_became_of_the_steps_of_its_own_task(world: World) -> None:
    world.webhooks.status = 404
    asks = {"id": "asks", "type": "branch", "if": {"step": {"step": "erp", "is": "failed"}}}
    began(world, HOOK, {**asks, "then": [mail()], "else": [mail("other")]})
    assert world.run(world.only(), ["erp", "asks"], {"then": "mail", "else": "other"}) == {"go": "then"}


def test_a_message_that_policy_holds_back_is_no_failure(world: World) -> None:
    change(world, consent={})
    began(world, {**mail(kind="marketing"), "on_failure": "end"})
    world.run(world.only(), ["mail"])
    assert (details(world), world.only().status) == (["not_sent"], EnrolmentStatus.COMPLETED)


# Fields, audiences, consent


def points(**change: Any) -> dict[str, Any]:
    return {"id": "points", "type": "set_field", "field": "points", **change}


def test_a_field_counts_the_units_of_the_order_once_whatever_is_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(world, fields={"points": 4})
    began(world, points(change="add", units_of={"product": "11"}))
    with monkeypatch.context() as broken:
        broken.setattr(world.enrolments, "save", crash)
        with pytest.raises(Crash):
            world.run(world.only(), ["points"])
    world.run(world.only(), ["points"])
    assert (contact(world).fields, details(world)) == ({"points": 5}, [None])


@pytest.mark.parametrize(
    ("step", "before", "after", "detail"),
    [
        ({"change": "add", "units_of": {"product": "12"}}, 4, 4, "skipped:no_units"),
        ({"change": "add", "units_of": {"category": "7"}}, 4, 4, "skipped:no_units"),
        ({"change": "add", "units_of": {"product": "trigger"}}, 4, 5, None),
        ({"change": "subtract", "units_of": {}}, 4, 3, None),
        ({"change": "add", "value": 0.5}, 4, 4.5, None),
        ({"change": "add", "value": 1}, "many", "many", "failed:not_a_number"),
        ({"change": "append", "value": "b"}, "a", ["a", "b"], None),
        ({"change": "today"}, None, "2026-11-22", None),
        ({"change": "today", "only_if_empty": True}, 4, 4, None),
        ({"change": "sum", "fields": ["a", "b", "c"]}, 1, 12, None),
    ],
)
def test_every_change_of_a_field(world: World, step: dict[str, Any], before: Any, after: Any, detail: Any) -> None:
    world.clock.advance(hours=1, minutes=30)  # the 21st in London, the 22nd in Paris
    change(world, fields={"points": before, "a": 5, "b": 7} if before is not None else {})
    began(world, points(**step))
    world.run(world.only(), ["points"])
    assert (contact(world).fields["points"], details(world)) == (after, [detail])


def test_consent_and_audiences_change_with_their_source_and_are_heard(world: World) -> None:
    heard: list[Event] = []
    world.enroller.on_events = lambda store, contact_id, events: heard.extend(events)  # type: ignore[method-assign]
    steps = [
        {"id": "off", "type": "unsubscribe", "channel": "email", "reason": "inactive"},
        {"id": "on", "type": "subscribe", "channel": "sms", "reason": "asked"},
        {"id": "in", "type": "add_to_audience", "audience": "buyers"},
        {"id": "out", "type": "remove_from_audience", "audience": "window shoppers"},
    ]
    change(world, audiences=("window shoppers",))
    world.activate(journey(*steps))
    event = world.order("1")
    del world.enroller.on_events  # type: ignore[method-assign]
    world.tell(event)
    world.enroller.on_events = lambda store, contact_id, events: heard.extend(events)  # type: ignore[method-assign]
    world.run(world.only(), ["off", "on", "in", "out"])
    email, sms = (contact(world).consent_for(one) for one in (Channel.EMAIL, Channel.SMS))
    assert (email.status, email.source) == (ConsentStatus.UNSUBSCRIBED, "journey:inactive")
    assert (sms.status, sms.source) == (ConsentStatus.SUBSCRIBED, "journey:asked")
    assert contact(world).audiences == ("buyers",)
    assert [event.type for event in heard] == [
        "consent_changed",
        "unsubscribed",
        "consent_changed",
        "subscribed",
        "audience_joined",
        "audience_left",
    ]


# The manager


def alert(**changes: Any) -> dict[str, Any]:
    text = {"en": "{{ contact.first_name }} rated us badly."}
    return {"id": "alert", "type": "alert_manager", "text": text, "fields": ["rating", "missing"], **changes}


MANAGER = {"name": "Noa", "email": "noa@tea.example", "phone": "+12025550123"}


def test_the_manager_is_told_who_it_is_on_every_channel_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(world, manager=MANAGER)
    change(world, first_name="Dana {{ x }}", phone="+12025550101", fields={"rating": 2}, consent={})
    began(world, alert(channels=["email", "sms", "whatsapp"]))
    with monkeypatch.context() as broken:
        broken.setattr(world.enrolments, "save", crash)
        with pytest.raises(Crash):
            world.run(world.only(), ["alert"])
    world.run(world.only(), ["alert"])
    email, sms, whatsapp = world.channel.taken
    assert isinstance(email, Email) and isinstance(sms, Sms) and isinstance(whatsapp, WhatsApp)
    assert (email.to, email.to_name, sms.to, whatsapp.to) == (MANAGER["email"], "Noa", *[MANAGER["phone"]] * 2)
    assert email.subject == "An alert from Tea"
    told = "Name: Dana {{ x }}\nEmail: dana@shopper.example\nPhone: +12025550101\nOrders: 1\n"
    for text in (email.text, sms.text, whatsapp.text):
        assert "Dana {{ x }} rated us badly." in text
        assert told + "Spent in all: €20.00\nrating: 2" in text.replace("\u2068", "").replace("\u2069", "")
        assert "missing" not in text
    assert "asked to be told" in email.text and "List-Unsubscribe" not in email.headers
    assert details(world) == ["alerted"]
    messages = world.messages.of_contact(world.store.id, world.contact)
    assert {(one.channel.value, one.to, one.to_manager) for one in messages} == {
        ("email", MANAGER["email"], True),
        ("sms", MANAGER["phone"], True),
        ("whatsapp", MANAGER["phone"], True),
    }


def test_what_is_reported_of_an_alert_says_nothing_of_the_contact(world: World) -> None:
    settings(world, sender={"email": "shop@tea.example"})
    began(world, alert())
    world.run(world.only(), ["alert"])
    (message,) = world.messages.of_contact(world.store.id, world.contact)
    assert message.to == "shop@tea.example", "without a manager's, the sender's own address"
    report = Report(world.store.id, message.id, MessageStatus.COMPLAINED, world.clock.now(), contact_id=world.contact)
    told = apply_report(report, world.messages, None)  # type: ignore[arg-type]
    assert told is not None and told.status is MessageStatus.COMPLAINED
    assert contact(world).suppressed == {}
    world.contacts.forget(world.store.id, contact(world), (), world.clock.now())
    (bare,) = world.messages.of_contact(world.store.id, world.contact)
    assert (bare.to, bare.subject, bare.to_manager) == (None, None, True)


def test_nobody_to_tell_is_a_failure_and_the_owners_switch_is_obeyed(world: World) -> None:
    began(world, alert(channels=["sms"]), alert(id="again"), alert(id="once-more"))
    settings(world, sender={"email": "shop@tea.example"}, sending="sandbox")
    world.run(world.only(), ["alert", "again"], "once-more")
    assert details(world) == ["failed:no_manager", "skipped:sandbox"]
    settings(world, sender={"email": "shop@tea.example"}, sending="stopped")
    with pytest.raises(NotNow) as later:
        world.run(world.only(), ["once-more"])
    assert later.value.reason == "sending_stopped"
    settings(world, sender={"email": "shop@tea.example"})
    world.run(world.only(), ["once-more"])
    assert details(world)[-1] == "alerted"


# Other systems


HOOK = {"id": "erp", "type": "call_webhook", "url": "https://erp.example/hook", "fields": ["size"]}


def test_a_webhook_is_told_who_and_what_under_one_id(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    change(world, first_name="Dana", fields={"size": "L", "secret": "x"})
    began(world, HOOK)
    with monkeypatch.context() as broken:
        broken.setattr(world.enrolments, "save", crash)
        with pytest.raises(Crash):
            world.run(world.only(), ["erp"])
    world.run(world.only(), ["erp"])
    first, second = world.webhooks.told
    assert first == second, "a receiver knows a repeat by its id"
    url, identifier, body = first
    assert (url, identifier) == ("https://erp.example/hook", f"{world.only().id}:erp")
    assert body == {
        "id": identifier,
        "journey": "j",
        "step": "erp",
        "contact": {
            "id": world.contact,
            "email": "dana@shopper.example",
            "phone": None,
            "first_name": "Dana",
            "last_name": None,
            "fields": {"size": "L"},
        },
        "event": world.only().event,
    }
    assert details(world) == [None]


@pytest.mark.parametrize("status", [400, 401, 404, 410, 301])
def test_an_answer_that_means_no_is_not_asked_for_again(world: World, status: int) -> None:
    world.webhooks.status = status
    began(world, HOOK)
    world.run(world.only(), ["erp"])
    assert (len(world.webhooks.told), details(world)) == (1, [f"failed:webhook_{status}"])


@pytest.mark.parametrize("status", [408, 429, 500, 503, None])
def test_one_that_means_not_now_is_tried_for_a_day(world: World, status: int | None) -> None:
    def gone() -> None:
        raise ShopTrouble(TroubleCode.NO_ANSWER)

    if status is None:
        world.webhooks.before = gone
    else:
        world.webhooks.status = status
    began(world, HOOK, {**mail(), "on_failure": "end"})
    first = world.clock.now()
    waits: list[timedelta] = []
    while True:
        try:
            world.run(world.only(), ["erp", "mail"])
            break
        except NotNow as later:
            waits.append(datetime.fromisoformat(str(later)) - world.clock.now())
            world.clock.time = datetime.fromisoformat(str(later))
    assert waits[:4] == [timedelta(minutes=one) for one in (1, 1, 2, 4)] and max(waits) == timedelta(hours=1)
    assert timedelta(hours=24) <= world.clock.now() - first < timedelta(hours=25)
    assert details(world) == [f"failed:webhook_{status or 'no_answer'}", "sent"]
    assert len(world.only().history) == 6, "the attempts between the first and the last leave no trail"


def test_an_address_that_is_none_or_in_a_private_network_is_refused(world: World) -> None:
    def private() -> None:
        raise ShopTrouble(TroubleCode.PRIVATE_ADDRESS)

    world.webhooks.before = private
    began(world, HOOK)
    world.run(world.only(), ["erp"])
    assert details(world) == ["failed:webhook_private_address"]
    with pytest.raises(BadInput) as refused:
        world.lifecycle.save_draft(world.store, "k", journey({**HOOK, "url": "ftp://erp.example"}))
    assert [mistake.field for mistake in refused.value.mistakes] == ["steps[0].url"]


# Other journeys


def starts(journey_id: str, step_id: str = "other", kind: str = "start_journey") -> dict[str, Any]:
    return {"id": step_id, "type": kind, "journey": journey_id}


def test_another_journey_is_begun_once_with_this_ones_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = {"trigger": {"type": "api_event", "name": "never"}, "reentry": {"mode": "every_time"}}
    world.activate(journey(mail(), **elsewhere), "k")
    began(world, starts("k"))
    for broken_at in ("create", "save"):
        with monkeypatch.context() as broken:
            broken.setattr(world.enrolments, broken_at, crash)
            with pytest.raises(Crash):
                world.run(of_journey(world, "j")[0], ["other"])
        world.recorded.started = {name: one for name, one in world.recorded.started.items() if "-k" not in one[0]}
    world.run(of_journey(world, "j")[0], ["other"])
    (entered,) = of_journey(world, "k")
    (began_with,) = of_journey(world, "j")
    assert entered.event["id"] == f"started:{began_with.id}:other"
    assert {**entered.event["properties"], "started_by": None} == {**began_with.event["properties"], "started_by": None}
    assert entered.event["properties"]["started_by"] == {"journey": "j", "step": "other", "depth": 1}
    assert entered.execution in world.recorded.started
    assert details(world) == [None]


def test_its_own_rules_decide_whether_it_takes_anybody_in(world: World) -> None:
    once = {"trigger": {"type": "api_event", "name": "never"}, "reentry": {"mode": "once"}}
    world.activate(journey(pause(), mail(), **once), "k")
    world.activate(journey(mail(), goal={"field": "orders_count", "is": "at_least", "value": 1}, **once), "met")
    world.activate(journey(mail()), "paused")
    world.lifecycle.pause(world.store, "paused")
    steps = [starts("k", "first"), starts("k", "second"), starts("paused", "third"), starts("met", "fourth")]
    began(world, *steps, starts("nowhere", "fifth"))
    world.run(of_journey(world, "j")[0], ["first", "second", "third", "fourth", "fifth"])
    assert details(world) == [None, "skipped:reentry", "skipped:not_active", None, "failed:no_such_journey"]
    assert [one.status for one in of_journey(world, "met")] == [EnrolmentStatus.GOAL_MET]
    assert len(of_journey(world, "k")) == 1


def test_journeys_that_start_each_other_in_a_circle_stop(world: World) -> None:
    """Whatever the event that began it says of itself."""
    every = {"reentry": {"mode": "every_time"}}
    never = {"type": "api_event", "name": "never"}
    world.activate(journey(starts("l"), trigger=never, **every), "k")
    world.activate(journey(starts("k"), trigger=never, **every), "l")
    world.activate(journey(starts("k"), trigger={"type": "api_event", "name": "asked"}, **every))
    forged = {"started_by": {"journey": "x", "step": "y", "depth": -1000}}
    asked = Event(id="asked-1", type="asked", occurred_at=world.clock.now(), properties=forged)
    world.enroller.on_events(world.store, world.contact, [asked])
    for _ in range(10):
        for one in world.enrolled():
            if one.open:
                world.run(one, ["other"])
    assert (len(of_journey(world, "k")), len(of_journey(world, "l"))) == (3, 2)
    reasons = [p.detail for one in world.enrolled() for p in one.history if p.what == "step" and p.detail]
    assert reasons == ["failed:too_many_starts"]


def test_one_begun_by_another_journey_is_not_taken_back_when_an_older_order_is_told(world: World) -> None:
    teapots = {"field": "event.items.product_id", "is": "contains", "value": "12"}
    of_teapots = {"type": "order_paid", "where": teapots}
    world.activate(journey(mail(), reentry={"mode": "once"}, trigger=of_teapots), "k")
    began(world, starts("k"))
    world.run(of_journey(world, "j")[0], ["other"])
    world.buy("0", ago=timedelta(hours=2), product_id="12")
    world.enroller.reconsider(world.store, world.contact)
    (there,) = of_journey(world, "k")
    assert (there.status, there.event["id"].startswith("started:")) == (EnrolmentStatus.RUNNING, True)


def test_every_pass_through_another_journey_ends(world: World) -> None:
    every = {"reentry": {"mode": "every_time"}}
    world.activate(journey(pause(), mail(), **every), "k")
    world.activate(journey(starts("k", kind="stop_journey"), starts("j", "own", "stop_journey"), **every), "j")
    world.buy("1")
    world.buy("2")
    first, second = of_journey(world, "j")
    world.run(second, ["other", "own"])
    assert {(one.status, one.reason) for one in of_journey(world, "k")} == {(EnrolmentStatus.EXITED, "stopped_by:j")}
    statuses = {one.id: (one.status, one.reason) for one in of_journey(world, "j")}
    assert statuses == {
        first.id: (EnrolmentStatus.EXITED, "stopped_by:j"),
        second.id: (EnrolmentStatus.COMPLETED, "completed"),
    }
    assert {one.execution for one in of_journey(world, "k")} < set(world.recorded.stopped)


def test_a_journey_that_is_not_there_yet_is_a_warning(world: World) -> None:
    _, warnings = world.lifecycle.save_draft(world.store, "j", journey(starts("k")))
    assert [(one.field, "'k'" in one.message) for one in warnings] == [("steps[0].journey", True)]
    world.lifecycle.activate(world.store, "j")
    world.activate(journey(mail()), "k")
    assert world.lifecycle.save_draft(world.store, "j", journey(starts("k")))[1] == []


# WhatsApp


def whatsapp(**changes: Any) -> dict[str, Any]:
    text = {"en": "Hi {{ contact.first_name }},\nyour order {{ order.number }} is here."}
    return {"id": "hello", "type": "send_whatsapp", "text": text, "kind": "transactional", **changes}


def test_a_whatsapp_message_goes_out_with_its_template_or_as_text(world: World) -> None:
    change(world, first_name="Dana", phone="+12025550101", replied={Channel.WHATSAPP: world.clock.now()})
    began(world, whatsapp(template="order_ready"), whatsapp(id="free"), whatsapp(id="advert", kind="marketing"))
    world.run(world.only(), ["hello", "free", "advert"])
    templated, free = world.channel.taken
    assert isinstance(templated, WhatsApp)
    assert (templated.to, templated.sender, templated.template, templated.language) == (
        "+12025550101",
        "phone-number-id-1",
        "order_ready",
        "en",
    )
    assert templated.text == "Hi Dana, your order 1 is here."
    assert (free.template, free.text) == (None, "Hi Dana,\nyour order 1 is here.")
    assert details(world) == ["sent", "sent", "not_sent"], "marketing needs consent to WhatsApp"


def test_without_a_reply_only_the_template_goes_out(world: World) -> None:
    change(world, phone="+12025550101")
    began(world, whatsapp(template="order_ready", variables={"en": ["{{ order.number }}"]}), whatsapp(id="free"))
    world.run(world.only(), ["hello", "free"])
    assert [one.variables for one in world.channel.taken] == [("1",)]
    kept = world.messages.of_contact(world.store.id, world.only().contact_id)
    assert {one.step: one.reason for one in kept} == {"hello": None, "free": "session_over"}
