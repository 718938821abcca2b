"""The step task: each step once, whatever is repeated, and only while the pass may go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.clock import rfc3339
from chalicelib.commerce.order import OrderStatus
from chalicelib.commerce.store import QuietHours, Sending
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.ports import Writing
from chalicelib.errors import Conflict, TryLater
from chalicelib.ids import message_id
from chalicelib.journeys.enrolment import Enrolment, EnrolmentStatus
from chalicelib.journeys.journey import JourneyStatus
from chalicelib.journeys.ports import Ended, Held, NotNow, ProviderBusy, StepFailed
from chalicelib.messages.message import MessageStatus
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import BOUGHT_AGAIN, World, journey, mail, pause


@pytest.fixture
def world(table: Table, clock: HandClock) -> World:
    return World(table, clock)


def history(enrolment: Enrolment) -> list[tuple[str, str | None, str | None]]:
    return [(p.what, p.step, p.detail) for p in enrolment.history if p.what != "entered"]


def branch(step_id: str = "again", condition: Any = BOUGHT_AGAIN, **ways: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "branch", "if": condition, "then": [], "else": [mail("reminder")], **ways}


def test_a_message_goes_out_and_the_pass_waits(world: World) -> None:
    world.activate(journey(mail(), pause(days=3), mail("second")))
    world.buy("1")
    assert world.run(world.only(), ["mail"], "pause") == {}
    enrolment = world.only()
    due_at = world.clock.now() + timedelta(days=3)
    assert (enrolment.status, enrolment.at_step, enrolment.due_at) == (EnrolmentStatus.RUNNING, "pause", due_at)
    assert history(enrolment) == [("step", "mail", "sent"), ("waiting", "pause", f"until {rfc3339(due_at)}")]
    assert [(e.to, e.journey, e.step) for e in world.channel.taken] == [("dana@shopper.example", "j", "mail")]


def test_the_last_step_completes(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    world.run(world.only(), ["mail"], None)
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.COMPLETED, "completed")
    assert world.only().ended_at == world.clock.now()
    with pytest.raises(Ended):
        world.run(world.only(), ["mail"], None)
    assert len(world.channel.taken) == 1


def test_a_task_done_twice_sends_once_and_answers_the_same(world: World) -> None:
    lifetime = {"id": "used-up", "type": "wait", "lifetime": {"minus_days": 5, "default_days": 30}}
    world.activate(journey(mail(), lifetime, mail("second")))
    event = world.buy("1")
    first = world.run(world.only(), ["mail"], "used-up")
    assert first == {"until": rfc3339(event.occurred_at + timedelta(days=25))}
    world.clock.advance(minutes=1)
    assert world.run(world.only(), ["mail"], "used-up") == first
    assert len(world.channel.taken) == 1
    assert len(history(world.only())) == 2


def test_a_wait_told_twice_keeps_its_end(world: World) -> None:
    world.activate(journey(mail(), pause(days=3), mail("second")))
    world.buy("1")
    world.run(world.only(), ["mail"], "pause")
    due_at = world.only().due_at
    world.clock.advance(minutes=1)
    world.run(world.only(), ["mail"], "pause")
    assert world.only().due_at == due_at


def test_a_branch_goes_by_the_facts_of_today(world: World) -> None:
    world.activate(journey(pause(), branch()))
    world.buy("1")
    ways = {"then": None, "else": "reminder"}
    assert world.run(world.only(), ["again"], ways) == {"go": "else"}
    assert (world.only().status, world.only().at_step) == (EnrolmentStatus.RUNNING, "reminder")
    assert history(world.only())[-1] == ("step", "again", "else")


def test_a_branch_asked_again_goes_the_same_way_though_the_facts_changed(world: World) -> None:
    world.activate(journey(pause(), branch()))
    world.buy("1")
    ways = {"then": None, "else": "reminder"}
    world.run(world.only(), ["again"], ways)
    world.clock.advance(minutes=1)
    world.order("2")
    assert world.run(world.only(), ["again"], ways) == {"go": "else"}


def test_a_way_on_which_nothing_is_left_completes(world: World) -> None:
    world.activate(journey(pause(), branch()))
    world.buy("1")
    world.clock.advance(minutes=1)
    world.order("2")
    assert world.run(world.only(), ["again"], {"then": None, "else": "reminder"}) == {"go": "then"}
    assert world.only().status is EnrolmentStatus.COMPLETED


def test_a_branch_sees_the_message_that_the_same_task_sent(world: World) -> None:
    sent = branch(condition={"message": {"step": "mail", "is": "sent"}})
    world.activate(journey(mail(), sent))
    world.buy("1")
    assert world.run(world.only(), ["mail", "again"], {"then": None, "else": "reminder"})["go"] == "then"


def test_a_journey_goes_by_what_the_contact_did_on_the_site(world: World) -> None:
    """Its trigger's filter and its branch read the engagement, the catalogue's categories and the store's clock."""
    world.catalogue("12", "tea")
    viewed = {"viewed": {"category": "tea", "at_least_times": 2}}
    night = {"clock": {"from": "22:30", "to": "06:00"}}  # eleven o'clock in Paris
    world.activate(
        journey(
            pause(),
            branch(condition={"all": [viewed, night, {"segment": {"id": "vip"}}]}),
            trigger={"type": "order_paid", "where": {"viewed": {"product": "12"}}},
        )
    )
    world.buy("1")
    assert world.enrolled() == []
    world.note("product_viewed", product_id="12")
    world.buy("2")
    ways = {"then": None, "else": "reminder"}
    world.note("segment_entered", segment="vip")
    world.clock.advance(minutes=1)
    world.note("product_viewed", product_id="12")
    assert world.run(world.only(), ["again"], ways) == {"go": "then"}


def test_lists_tags_and_fields_change_once_and_start_other_journeys(world: World) -> None:
    world.activate(
        journey(
            {"id": "join", "type": "add_to_list", "list": "tea"},
            {"id": "mark", "type": "add_tag", "tag": "seen"},
            {"id": "set", "type": "set_field", "field": "likes", "value": "tea", "only_if_empty": True},
            {"id": "keep", "type": "set_field", "field": "likes", "value": "coffee", "only_if_empty": True},
        )
    )
    world.activate(journey(mail(), trigger={"type": "list_joined", "list": "tea"}, reentry={"mode": "once"}), "on-list")
    event = world.buy("1")
    enrolment = world.only()
    world.run(enrolment, ["join", "mark", "set", "keep"], None)
    contact = world.contacts.get(world.store.id, world.contact)
    assert contact is not None
    assert (contact.lists, contact.tags, contact.fields) == (("tea",), ("seen",), {"likes": "tea"})
    assert sorted((e.journey, e.status) for e in world.enrolled()) == [("j", "completed"), ("on-list", "running")]
    assert event.id == enrolment.event["id"]


def test_the_goal_is_looked_at_before_each_step(world: World) -> None:
    world.activate(journey(pause(), mail(), goal=BOUGHT_AGAIN))
    world.buy("1")
    world.clock.advance(days=3)
    world.order("2")  # kept, and journeys did not hear of it yet
    with pytest.raises(Ended):
        world.run(world.only(), ["mail"], None)
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.GOAL_MET, "goal_met")
    assert world.channel.taken == []


def test_nothing_is_sent_for_an_order_that_was_cancelled_though_nobody_heard_of_it(world: World) -> None:
    world.activate(journey(pause(), mail()))
    world.buy("1")
    world.order("1", status=OrderStatus.CANCELLED)
    with pytest.raises(Ended):
        world.run(world.only(), ["mail"], None)
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.EXITED, "order_cancelled")
    assert world.channel.taken == []


def test_an_older_generation_ends_and_changes_nothing(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    world.enrolments.save(world.only().model_copy(update={"generation": 1}))
    with pytest.raises(Ended):
        world.steps.run(world.store.id, world.only().id, 0, ["mail"], None)
    assert world.only().status is EnrolmentStatus.RUNNING
    assert world.channel.taken == []


def test_while_paused_it_is_held_at_the_step_that_is_due(world: World) -> None:
    world.activate(journey(mail(), pause(), mail("second")))
    world.buy("1")
    world.run(world.only(), ["mail"], "pause")
    world.lifecycle.pause(world.store, "j")
    world.clock.advance(days=3)
    for _ in range(2):
        with pytest.raises(Held):
            world.run(world.only(), ["second"], None)
    assert (world.only().status, world.only().at_step) == (EnrolmentStatus.HELD, "second")
    assert [p[0] for p in history(world.only())].count("held") == 1
    assert len(world.channel.taken) == 1


def test_a_resume_at_the_very_moment_of_being_held_is_not_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    world.lifecycle.pause(world.store, "j")
    save = world.enrolments.save

    def resumed_meanwhile(enrolment: Enrolment) -> Enrolment:
        saved = save(enrolment)
        if enrolment.status is EnrolmentStatus.HELD:
            head = world.journeys.get(world.store.id, "j")
            assert head is not None
            world.journeys.save(head.model_copy(update={"status": JourneyStatus.ACTIVE}))
        return saved

    monkeypatch.setattr(world.enrolments, "save", resumed_meanwhile)
    world.run(world.only(), ["mail"], None)
    assert world.only().status is EnrolmentStatus.COMPLETED
    assert len(world.channel.taken) == 1


def test_in_quiet_hours_the_pass_shows_until_when_it_waits_and_why(world: World) -> None:
    hours = QuietHours.model_validate({"from": "21:00", "to": "09:00"})
    quiet = world.store.settings.model_copy(update={"quiet_hours": {Channel.EMAIL: hours}})
    world.stores.save(world.store.model_copy(update={"settings": quiet}))
    world.activate(journey(mail(kind="marketing")))
    world.buy("1")
    with pytest.raises(NotNow) as later:
        world.run(world.only(), ["mail"], None)
    enrolment = world.only()
    assert enrolment.due_at is not None
    assert str(later.value) == rfc3339(enrolment.due_at) > rfc3339(world.clock.now())
    assert (enrolment.status, enrolment.at_step, history(enrolment)[-1][0]) == ("running", "mail", "waiting")
    with pytest.raises(NotNow):
        world.run(world.only(), ["mail"], None)
    assert len(history(world.only())) == 1
    world.clock.time = enrolment.due_at
    world.run(world.only(), ["mail"], None)
    assert len(world.channel.taken) == 1


def test_a_message_without_consent_is_recorded_and_the_pass_goes_on(world: World) -> None:
    contact = world.contacts.get(world.store.id, world.contact)
    assert contact is not None
    world.contacts.write(world.store.id, [Writing(contact.id, contact=contact.model_copy(update={"consent": {}}))])
    world.activate(journey(mail(kind="marketing"), pause(), mail("second")))
    world.buy("1")
    world.run(world.only(), ["mail"], "pause")
    assert history(world.only())[0] == ("step", "mail", "not_sent")
    message = world.messages.get(world.store.id, message_id(world.only().id, "mail"))
    assert message is not None
    assert (message.status, message.reason) == (MessageStatus.NOT_SENT, "no_consent")


def test_a_busy_provider_is_left_to_the_state_machine_to_try_again(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")

    def busy(email: object) -> None:
        raise ProviderBusy("Throttling")

    world.channel.before = busy
    with pytest.raises(ProviderBusy):
        world.run(world.only(), ["mail"], None)
    assert world.only().status is EnrolmentStatus.RUNNING
    world.channel.before = lambda email: None
    world.run(world.only(), ["mail"], None)
    assert len(world.channel.taken) == 1


def test_a_stopped_journey_ends_the_pass(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    head = world.journeys.get(world.store.id, "j")
    assert head is not None
    world.journeys.save(head.model_copy(update={"status": JourneyStatus.STOPPED}))
    with pytest.raises(Ended):
        world.run(world.only(), ["mail"], None)
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.STOPPED, "journey_stopped")


def test_a_store_that_is_gone_ends_the_pass(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    world.stores.delete(world.store.id)
    with pytest.raises(Ended):
        world.run(world.only(), ["mail"], None)
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.STOPPED, "store_deleted")
    assert world.channel.taken == []


def test_an_erased_contact_ends_it(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    enrolment = world.only()
    for item in world.table.query(f"C#{world.store.id}#{world.contact}"):
        world.table.delete(item["pk"], item["sk"])
    with pytest.raises(Ended):
        world.run(enrolment, ["mail"], None)
    assert world.enrolled() == []


def test_a_merged_contact_is_followed_and_written_to_as_who_they_are_now(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    enrolment = world.only()
    older = world.add_contact("new@shopper.example")
    before = world.contacts.get(world.store.id, world.contact)
    assert before is not None
    pointer = before.model_copy(update={"merged_into": older})
    world.contacts.write(world.store.id, [Writing(before.id, contact=pointer)])
    world.contacts.move(world.store.id, before.id, older)
    world.steps.run(world.store.id, enrolment.id, 0, ["mail"], None)
    (moved,) = world.enrolments.of_contact(world.store.id, older)
    assert (moved.id, moved.status) == (enrolment.id, EnrolmentStatus.COMPLETED)
    assert [email.to for email in world.channel.taken] == ["new@shopper.example"]


def test_a_mistake_of_ours_ends_the_pass_as_failed_and_is_raised(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    with pytest.raises(StepFailed, match="KeyError at") as told:
        world.run(world.only(), ["no-such-step"], None)
    assert "no-such-step" not in str(told.value)  # what an error quotes may be a person's
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.FAILED, "error:KeyError")


def test_a_failure_that_cannot_be_recorded_now_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.activate(journey(mail()))
    world.buy("1")

    def taken(_enrolment: Enrolment) -> Enrolment:
        raise Conflict

    with monkeypatch.context() as busy:
        busy.setattr(world.enrolments, "save", taken)
        with pytest.raises(TryLater):
            world.run(world.only(), ["no-such-step"], None)
    with pytest.raises(StepFailed, match="KeyError at"):
        world.run(world.only(), ["no-such-step"], None)
    assert world.only().status is EnrolmentStatus.FAILED


def test_a_plain_step_costs_two_reads_and_one_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = {"id": "tag", "type": "add_tag", "tag": "seen"}
    world.activate(journey(tag, branch(), pause(days=3), mail(), goal=BOUGHT_AGAIN))
    world.buy("1")
    calls: list[str] = []
    plain = world.table._call

    def counted(operation: str, **request: Any) -> Any:
        calls.append(operation)
        return plain(operation, **request)

    world.run(world.only(), ["tag"], "again")  # the version is known from here on, and the tag given
    enrolment = world.only()
    monkeypatch.setattr(world.table, "_call", counted)
    assert world.run(enrolment, ["tag", "again"], {"then": None, "else": "pause"}) == {"go": "else"}
    assert calls == ["batch_get_item", "batch_get_item", "put_item"]


# Crashes


class Crash(BaseException):
    """The process dies: nothing that catches exceptions may see it."""


def _dying_after(world: World, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The `calls`-th write or hand-over from now on is done, and then the process dies."""
    left = [calls]

    def counted(function: Any) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            answer = function(*arguments, **more)
            left[0] -= 1
            if left[0] == 0:
                raise Crash
            return answer

        return call

    monkeypatch.setattr(world.enrolments, "save", counted(world.enrolments.save))
    monkeypatch.setattr(world.messages, "claim", counted(world.messages.claim))
    monkeypatch.setattr(world.messages, "save", counted(world.messages.save))
    monkeypatch.setattr(world.channel, "send", counted(world.channel.send))


@pytest.mark.parametrize("point", range(1, 9))
def test_a_crash_after_any_write_and_a_retry_sends_each_message_once(
    world: World, point: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.activate(journey(mail(), mail("second"), branch(condition={"message": {"step": "mail", "is": "sent"}})))
    world.buy("1")
    enrolment, ways = world.only(), {"then": None, "else": "reminder"}
    with monkeypatch.context() as dying:
        _dying_after(world, point, dying)
        try:
            answer = world.run(enrolment, ["mail", "second", "again"], ways)
        except Crash:
            answer = None
    assert (answer is None) == (point <= 7)
    if point < 7:
        assert world.run(enrolment, ["mail", "second", "again"], ways) == {"go": "then"}
    assert [email.step for email in world.channel.taken] == ["mail", "second"]
    assert world.only().status is EnrolmentStatus.COMPLETED
    assert [m.status for m in world.messages.of_contact(world.store.id, world.contact)] == ["sent", "sent"]
    assert [p[1] for p in history(world.only())][:3] == ["mail", "second", "again"]


def test_a_change_by_somebody_else_is_looked_at_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.activate(journey(mail(), pause(), mail("second")))
    world.buy("1")
    sent = world.sender.send

    def stopped_meanwhile(*arguments: Any) -> Any:
        message = sent(*arguments)
        world.enroller.end(world.only(), EnrolmentStatus.EXITED, "meanwhile")
        return message

    monkeypatch.setattr(world.sender, "send", stopped_meanwhile)
    with pytest.raises(Ended):
        world.run(world.only(), ["mail"], "pause")
    assert (world.only().status, world.only().reason) == (EnrolmentStatus.EXITED, "meanwhile")


def test_endless_conflicts_are_for_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.activate(journey(mail()))
    world.buy("1")

    def never(enrolment: Enrolment) -> Enrolment:
        raise Conflict("taken")

    monkeypatch.setattr(world.enrolments, "save", never)
    with pytest.raises(TryLater):
        world.run(world.only(), ["mail"], None)


def test_sending_that_is_stopped_waits(world: World) -> None:
    stopped = world.store.settings.model_copy(update={"sending": Sending.STOPPED})
    world.stores.save(world.store.model_copy(update={"settings": stopped}))
    world.activate(journey(mail()))
    world.buy("1")
    with pytest.raises(NotNow):
        world.run(world.only(), ["mail"], None)
    assert world.only().status is EnrolmentStatus.RUNNING
