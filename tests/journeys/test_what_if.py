"""What if a journey had run over a store's past."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.commerce.store import Cap, QuietHours, Sending
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.ids import enrolment_id
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.past import Past
from chalicelib.journeys.rehearsal import Assume
from chalicelib.journeys.what_if import what_if
from chalicelib.journeys.what_if_answer import WhatIf
from tests.journeys.pasts import END, GOODS, START, STORE, bought, happened, past, refunded, somebody
from tests.journeys.sample_journeys import BOUGHT_AGAIN, branch, journey, lifetime, mail, pause


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def ran(data: dict[str, Any], *pasts: Past, store: Any = STORE, **more: Any) -> WhatIf:
    return what_if(Definition.parse(data), store, pasts, START, END, GOODS, **more)


def sent(answer: WhatIf) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for count in answer.messages:
        found[count.step, count.reason or count.outcome] += count.count
    return found


RESTOCK = journey(
    mail("thanks", kind="transactional"),
    lifetime("life"),
    mail("restock"),
    pause("five", days=5),
    branch("again", [], [mail("last")], {"purchased": {"product": "11", "within_days": 5}}),
    goal=BOUGHT_AGAIN,
    reentry={"mode": "per_order"},
)


def test_everybody_goes_the_way_that_their_past_says() -> None:
    never = somebody(5, consent={})
    answer = ran(
        RESTOCK,
        past(somebody(1), *bought("1", day(1))),  # thanked, reminded (30 - 5 days later), reminded again
        past(somebody(2), *bought("2", day(1)), *bought("3", day(10))),  # bought again before the reminder
        past(somebody(3), *bought("4", day(1)), refunded("4", day(3), 2000)),
        past(somebody(4), *bought("5", day(80))),  # still waits at the end
        past(never, *bought("6", day(1))),
        past(somebody(6), happened("product_viewed", day(2), product_id="11")),
    )
    assert (answer.contacts, answer.entrants, answer.entered) == (6, 5, 6)
    assert answer.statuses == {"completed": 3, "goal_met": 1, "exited": 1, "running": 1}
    assert answer.reasons == {"completed": 3, "goal_met": 1, "order_refunded": 1}
    assert sent(answer) == {
        ("thanks", "sent"): 6,
        ("restock", "sent"): 2,
        ("last", "sent"): 2,
        ("restock", "no_consent"): 1,
        ("last", "no_consent"): 1,
    }
    steps = {step.step: step for step in answer.steps}
    assert (steps["life"].reached, steps["life"].standing) == (6, 1)
    assert steps["again"].ways == {"else": 3}
    assert steps["restock"].ways == {"sent": 2, "not_sent": 1}
    days = {count.day for count in answer.messages if count.step == "restock" and count.outcome == "sent"}
    assert days == {day(26).date(), day(35).date()}
    assert answer.cost.emails == 10 * 100
    assert answer.cost.state_transitions == answer.transitions * 25


def test_an_example_shows_the_dated_path_and_of_the_person_only_the_id() -> None:
    answer = ran(RESTOCK, past(somebody(1), *bought("1", day(1))))
    (example,) = answer.passes
    assert (example.contact_id, example.status) == (somebody(1).id, "completed")
    seen = [(stage.at, stage.step, stage.detail) for stage in example.path if stage.what == "step"]
    assert seen == [
        (day(1), "thanks", "sent"),
        (day(26), "restock", "sent"),
        (day(31), "again", "else"),
        (day(31), "last", "sent"),
    ]
    assert "shopper" not in repr(answer)


def test_examples_are_few_however_many_there_are() -> None:
    answer = ran(journey(mail("thanks")), *(past(somebody(n), *bought(str(n), day(1))) for n in range(20)))
    assert (answer.entered, len(answer.passes)) == (20, 3)


def test_facts_are_those_of_the_moment() -> None:
    """The second order, the field and the list came after the branch; today they are all there."""
    condition = {
        "any": [
            {"field": "orders_count", "is": "at_least", "value": 2},
            {"field": "fields.size", "is": "is_set"},
            {"field": "lists", "is": "contains", "value": "vip"},
        ]
    }
    data = journey(pause("one", days=1), branch("known", [mail("yes")], [mail("no")], condition))
    today = somebody(1, fields={"size": "l"}, lists=("vip",))
    after = (
        *bought("2", day(5)),
        happened("field_changed", day(5), field="size", to="l", **{"from": None}),
        happened("list_joined", day(5), list="vip"),
    )
    assert sent(ran(data, past(today, *bought("1", day(1)), *after))) == {("no", "sent"): 1}
    assert sent(ran(data, past(today, *bought("1", day(4.5)), *after))) == {("yes", "sent"): 1}


def test_whoever_unsubscribed_is_written_to_until_then() -> None:
    left = happened("consent_changed", day(3), channel="email", status="unsubscribed", source="link")
    gone = {Channel.EMAIL: Consent(status=ConsentStatus.UNSUBSCRIBED, source="link", at=day(3))}
    data = journey(mail("first"), pause("days", days=5), mail("second"))
    answer = ran(data, past(somebody(1, consent=gone), *bought("1", day(1)), left))
    assert sent(answer) == {("first", "sent"): 1, ("second", "unsubscribed"): 1}


def test_quiet_hours_hold_a_message_and_caps_refuse_one() -> None:
    night = QuietHours.model_validate({"from": "21:00", "to": "09:00"})
    settings = STORE.settings.model_copy(
        update={"quiet_hours": {Channel.EMAIL: night}, "caps": {Channel.EMAIL: Cap(per_day=1)}}
    )
    store = STORE.model_copy(update={"settings": settings})
    data = journey(mail("first"), pause("hours", hours=2), mail("second"))
    answer = ran(data, past(somebody(1), *bought("1", day(1))), store=store)  # 02:00 in Paris
    first, second = sorted(answer.messages, key=lambda count: count.step)
    assert (first.outcome, first.held_by, first.day) == ("sent", "quiet_hours", day(1).date())
    assert (second.outcome, second.reason) == ("not_sent", "frequency_cap")
    (out,) = [stage.at for stage in answer.passes[0].path if stage.step == "first" and stage.what == "step"]
    assert out == datetime(2026, 8, 2, 7, 0, tzinfo=UTC)


def test_a_message_waits_for_the_end_of_shabbat_and_the_same_words_are_not_said_twice() -> None:
    store = STORE.model_copy(update={"settings": STORE.settings.model_copy(update={"rest_days": True})})
    friday = datetime(2026, 8, 7, 20, tzinfo=UTC)  # 22:00 in Paris
    twice = [*bought("1", friday), *bought("2", friday + timedelta(minutes=1))]
    answer = ran(journey(mail("thanks"), reentry={"mode": "per_order"}), past(somebody(1), *twice), store=store)
    assert sent(answer) == {("thanks", "sent"): 1, ("thanks", "duplicate"): 1}
    assert {(count.held_by, count.day.isoformat()) for count in answer.messages} == {("rest_day", "2026-08-08")}
    numbered = {"en": {"subject": "{{ order.number }}", "blocks": [{"type": "text", "text": "Thank you"}]}}
    ours = journey(mail("thanks", content=numbered), reentry={"mode": "per_order"})
    assert sent(ran(ours, past(somebody(1), *twice), store=store)) == {("thanks", "sent"): 2}, "another order's words"


def test_a_stopped_store_is_asked_as_if_it_sent() -> None:
    stopped = STORE.settings.model_copy(update={"sending": Sending.STOPPED})
    answer = ran(
        journey(mail("thanks")),
        past(somebody(1), *bought("1", day(1))),
        store=STORE.model_copy(update={"settings": stopped}),
    )
    assert sent(answer) == {("thanks", "sent"): 1}


OPENED = journey(
    mail("first"),
    pause("days", days=2),
    branch("read", [mail("yes")], [mail("no")], {"message": {"step": "first", "is": "opened"}}),
)


def test_nobody_opens_anything_unless_it_is_assumed_so() -> None:
    pasts = [past(somebody(n), *bought(str(n), day(1))) for n in range(200)]
    assert sent(ran(OPENED, *pasts))["no", "sent"] == 200
    half = sent(ran(OPENED, *pasts, assume=Assume(opened=0.5)))
    assert 70 < half["yes", "sent"] < 130
    assert sent(ran(OPENED, *pasts, assume=Assume(opened=0.5))) == half
    assert sent(ran(OPENED, *pasts, assume=Assume(opened=1)))["yes", "sent"] == 200


def test_what_the_journey_really_did_is_left_out() -> None:
    """Its own tag of back then does not count before the rehearsed one is given."""
    data = journey(
        branch("had", [mail("yes")], [mail("no")], {"field": "tags", "is": "contains", "value": "thanked"}),
        pause("days", days=3),
        {"id": "tag", "type": "add_tag", "tag": "thanked"},
        mail("after"),
        reentry={"mode": "every_time"},
    )
    order = bought("1", day(1))
    who = somebody(1, tags=("thanked",))
    real = enrolment_id(who.id, STORE.id, "j", order[1].id)
    given = happened("tag_added", day(0.5), tag="thanked")
    theirs = given.model_copy(update={"id": f"tag_added:{STORE.id}:thanked:{real}:tag"})
    others = given.model_copy(update={"id": "tag_added:by-hand"})
    assert sent(ran(data, past(who, *order, theirs), journey_id="j"))["no", "sent"] == 1
    assert sent(ran(data, past(who, *order, others), journey_id="j"))["yes", "sent"] == 1


BIRTHDAY = {"type": "date_field", "field": "born", "days": 3, "yearly": True}


def test_the_calendar_is_walked_day_by_day() -> None:
    """Born on 20 August (and told of it only on the 18th), on 20 May, and without a date."""
    told = happened("field_changed", datetime(2026, 8, 18, tzinfo=UTC), field="born", to="1990-08-20", **{"from": None})
    pasts = [
        past(somebody(1, fields={"born": "1990-08-20"})),
        past(somebody(2, fields={"born": "1990-08-20"}), told),
        past(somebody(3, fields={"born": "1990-05-20"})),
        past(somebody(4)),
    ]
    answer = ran(journey(mail("wishes"), trigger=BIRTHDAY, reentry={"mode": "every_time"}), *pasts)
    assert (answer.contacts, answer.entered) == (4, 1)
    assert answer.passes[0].entered_at == datetime(2026, 8, 17, 7, 0, tzinfo=UTC)  # nine o'clock in Paris


def test_inactivity_counts_from_the_last_order_of_that_day() -> None:
    back = {"type": "inactivity", "of": ["order"], "days": 30}
    data = journey(mail("back"), trigger=back, reentry={"mode": "every_time"})
    lived = past(somebody(1), *bought("1", day(1)), *bought("2", day(20)))
    answer = ran(data, lived, past(somebody(2)))
    assert [one.entered_at.date() for one in answer.passes] == [day(50).date()]


def test_views_of_one_visit_are_gathered_into_one_pass() -> None:
    seen = {"type": "product_viewed", "quiet_hours": 2}
    first = day(1) + timedelta(microseconds=123_456)  # text has milliseconds: its end must not be looked at too early
    when = [first + timedelta(hours=hours) for hours in (0, 1, 2.5, 9)]
    views = [happened("product_viewed", at, str(at), product_id="11") for at in when]
    data = journey(mail("look"), trigger=seen, reentry={"mode": "every_time"})
    answer = ran(data, past(somebody(1), *views))
    assert answer.entered == 2
    later = [(one.entered_at - first) // timedelta(seconds=1) for one in answer.passes]
    assert later == [4.5 * 3600, 11 * 3600]


def test_a_coupon_and_an_alert_are_given_to_nobody() -> None:
    coupon = {"id": "gift", "type": "create_coupon", "enabled": True, "benefit": "percent", "value": 10}
    alert = {"id": "tell", "type": "alert_manager", "text": {"en": "Look"}}
    steps = ({**coupon, "expiry": {"days": 9}, "not_within_days": 30}, alert, mail("thanks"))
    data = journey(*steps, reentry={"mode": "per_order"})
    answer = ran(data, past(somebody(1), *bought("1", day(1)), *bought("2", day(9))))
    ways = {step.step: step.ways for step in answer.steps}
    assert ways["gift"] == {"skipped:recent_benefit": 1}
    assert sent(answer)["thanks", "sent"] == 2


def test_parts_can_be_added_up() -> None:
    pasts = [past(somebody(n), *bought(str(n), day(n % 60))) for n in range(30)]
    whole, parts = ran(RESTOCK, *pasts), [ran(RESTOCK, *pasts[:13]), ran(RESTOCK, *pasts[13:])]
    for name in ("contacts", "entrants", "entered", "transitions", "invocations"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)
    assert sum((sent(part) for part in parts), Counter()) == sent(whole)


def test_it_stops_when_there_is_enough() -> None:
    pasts = [past(somebody(n), *bought(str(n), day(1))) for n in range(10)]
    looked: list[int] = []
    answer = ran(journey(mail("thanks")), *pasts, enough=lambda: looked.append(1) or len(looked) >= 9)
    assert 1 <= answer.contacts < 10
