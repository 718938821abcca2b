"""Draft, active, paused, stopped, archived; and what each does to those on their way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.clock import rfc3339
from chalicelib.errors import BadInput, Conflict, NotFound, TryLater
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.journey import Journey, JourneyStatus
from chalicelib.journeys.ports import Ended, Held
from chalicelib.storage.table import Table
from tests.conftest import HandClock
from tests.journeys.world import BOUGHT_AGAIN, World, journey, mail, pause


@pytest.fixture
def world(table: Table, clock: HandClock) -> World:
    return World(table, clock)


def head(world: World) -> Journey:
    found = world.journeys.get(world.store.id, "j")
    assert found is not None
    return found


def test_a_draft_is_kept_and_takes_nobody_in(world: World) -> None:
    saved, warnings = world.lifecycle.save_draft(world.store, "j", journey(mail()))
    assert (saved.status, saved.live_version, saved.name) == (JourneyStatus.DRAFT, None, {"en": "A test"})
    assert warnings == []
    assert world.recorded.published == {}


def test_a_product_not_yet_chosen_is_a_warning(world: World) -> None:
    unchosen = {"type": "order_paid", "where": {"purchased": {"product": ""}}}
    _, warnings = world.lifecycle.save_draft(world.store, "j", journey(mail(), trigger=unchosen))
    assert [w.field for w in warnings] == ["trigger.where.purchased.product"]
    world.lifecycle.activate(world.store, "j")


def test_a_draft_with_a_mistake_names_step_and_field_and_changes_nothing(world: World) -> None:
    world.lifecycle.save_draft(world.store, "j", journey(mail()))
    with pytest.raises(BadInput) as refused:
        world.lifecycle.save_draft(world.store, "j", journey({"id": "mail", "type": "send_email"}))
    assert refused.value.mistakes
    assert "steps[0]" in refused.value.mistakes[0].field
    assert head(world).rev == 1


def test_an_id_that_could_not_be_a_step_or_address_is_refused(world: World) -> None:
    for wrong in ("", "-a", "A", "a/b", "a" * 41):
        with pytest.raises(BadInput):
            world.lifecycle.save_draft(world.store, wrong, journey(mail()))


def test_activate_publishes_both_machines_and_the_head_knows_what_it_waits_for(world: World) -> None:
    world.activate(journey(mail(), goal=BOUGHT_AGAIN, trigger={"type": "api_event", "name": "visited"}))
    assert (head(world).status, head(world).live_version) == (JourneyStatus.ACTIVE, 1)
    assert (head(world).trigger_type, head(world).has_goal) == ("visited", True)
    version = world.journeys.version(world.store.id, "j", 1)
    assert version is not None
    assert world.recorded.published[version.machine]["StartAt"] == "mail"
    assert world.recorded.published[version.resume_machine]["StartAt"] == "Enter"


def test_activate_again_without_a_change_publishes_nothing(world: World) -> None:
    world.activate(journey(mail()))
    world.activate(journey(mail()))
    assert head(world).live_version == 1
    assert len(world.recorded.published) == 2


def test_a_change_becomes_a_new_version_and_those_on_their_way_keep_theirs(world: World) -> None:
    world.activate(journey(mail(), pause(), mail("second")))
    world.buy("1")
    world.activate(journey(mail("other")))
    assert head(world).live_version == 2
    world.clock.advance(minutes=1)
    world.buy("2")
    assert [(e.version, e.at_step) for e in world.enrolled()] == [(1, "mail"), (2, "other")]
    first = world.enrolled()[0]
    world.run(first, ["mail"], "pause")
    assert world.enrolled()[0].at_step == "pause"


def test_an_activation_that_was_interrupted_is_finished_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lifecycle.save_draft(world.store, "j", journey(mail()))
    with monkeypatch.context() as broken:

        def out(changed: Journey) -> Journey:
            raise TryLater("the table is busy")

        broken.setattr(world.journeys, "save", out)
        with pytest.raises(TryLater):
            world.lifecycle.activate(world.store, "j")
    assert world.journeys.version(world.store.id, "j", 1) is not None
    world.activate(journey(mail("changed")))
    live = head(world).live_version
    assert live == 2
    version = world.journeys.version(world.store.id, "j", live)
    assert version is not None
    assert version.definition["steps"][0]["id"] == "changed"


def test_pause_and_resume_go_on_in_the_next_generation_where_it_was_held(world: World) -> None:
    world.activate(journey(mail(), pause(), mail("second")))
    world.buy("1")
    world.run(world.only(), ["mail"], "pause")
    world.lifecycle.pause(world.store, "j")
    world.clock.advance(days=3)
    with pytest.raises(Held):
        world.run(world.only(), ["second"], None)
    world.clock.advance(days=10)
    world.lifecycle.resume(world.store, "j")
    enrolment = world.only()
    assert (enrolment.status, enrolment.generation, enrolment.at_step) == (EnrolmentStatus.RUNNING, 1, "second")
    machine, payload = world.recorded.started[enrolment.execution]
    assert machine == f"{world.store.id}-j-1-resume"
    assert payload == {
        "store_id": world.store.id,
        "enrolment_id": enrolment.id,
        "generation": 1,
        "enter": "second",
    }
    with pytest.raises(Ended):
        world.steps.run(world.store.id, enrolment.id, 0, ["second"], None)
    world.run(enrolment, ["second"], None)
    assert [email.step for email in world.channel.taken] == ["mail", "second"]


def test_resume_leaves_those_alone_whose_wait_is_not_over(world: World) -> None:
    world.activate(journey(mail(), pause(), mail("second")))
    world.buy("1")
    world.run(world.only(), ["mail"], "pause")
    before = world.only()
    world.lifecycle.pause(world.store, "j")
    world.lifecycle.resume(world.store, "j")
    assert world.only() == before


def test_a_held_wait_is_entered_with_its_own_end(world: World) -> None:
    world.activate(journey(mail(), pause(), mail("second")))
    world.buy("1")
    world.run(world.only(), ["mail"], "pause")
    due_at = world.clock.now() + timedelta(days=3)
    world.lifecycle.pause(world.store, "j")
    world.enrolments.save(world.only().model_copy(update={"status": EnrolmentStatus.HELD}))
    world.lifecycle.resume(world.store, "j")
    _, payload = world.recorded.started[world.only().execution]
    assert (payload["enter"], payload["until"]) == ("pause", rfc3339(due_at))


def test_a_resume_that_was_interrupted_is_finished_by_the_next(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    world.lifecycle.pause(world.store, "j")
    with pytest.raises(Held):
        world.run(world.only(), ["mail"], None)
    world.recorded.fail = {"start"}
    with pytest.raises(TryLater):
        world.lifecycle.resume(world.store, "j")
    world.recorded.fail = set()
    world.lifecycle.resume(world.store, "j")
    assert world.only().generation == 1
    assert world.only().execution in world.recorded.started


def test_activating_a_paused_journey_sends_the_held_on(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    world.lifecycle.pause(world.store, "j")
    with pytest.raises(Held):
        world.run(world.only(), ["mail"], None)
    world.activate(journey(mail("other")))
    assert (world.only().status, world.only().version, world.only().at_step) == ("running", 1, "mail")


def test_stop_ends_everybody_on_the_way_record_first(world: World) -> None:
    world.activate(journey(pause(), mail()))
    for order_id in ("1", "2"):
        world.buy(order_id)
        world.clock.advance(minutes=1)
    world.recorded.fail = {"stop"}
    with pytest.raises(TryLater):
        world.lifecycle.stop(world.store, "j")
    assert EnrolmentStatus.STOPPED in [e.status for e in world.enrolled()]
    world.recorded.fail = set()
    world.lifecycle.stop(world.store, "j")
    assert {(e.status, e.reason) for e in world.enrolled()} == {(EnrolmentStatus.STOPPED, "journey_stopped")}
    assert head(world).status is JourneyStatus.STOPPED
    world.buy("3")
    assert len(world.enrolled()) == 2


def test_archive_takes_nobody_in_and_lets_people_finish(world: World) -> None:
    world.activate(journey(mail()))
    world.buy("1")
    world.lifecycle.archive(world.store, "j")
    world.buy("2")
    world.run(world.only(), ["mail"], None)
    assert world.only().status is EnrolmentStatus.COMPLETED


@pytest.mark.parametrize(
    ("before", "action"),
    [
        (["save"], "pause"),
        (["save"], "resume"),
        (["save"], "stop"),
        (["save", "activate", "stop"], "pause"),
        (["save", "activate", "stop"], "resume"),
        (["save", "archive"], "activate"),
        (["save", "archive"], "save"),
        (["save", "activate", "archive"], "pause"),
    ],
)
def test_what_cannot_follow_is_a_conflict(world: World, before: list[str], action: str) -> None:
    def do(name: str) -> Any:
        if name == "save":
            return world.lifecycle.save_draft(world.store, "j", journey(mail()))
        return getattr(world.lifecycle, name)(world.store, "j")

    for name in before:
        do(name)
    stood = head(world)
    with pytest.raises(Conflict):
        do(action)
    assert head(world) == stood


@pytest.mark.parametrize("action", ["activate", "pause", "resume", "stop", "archive"])
def test_a_journey_that_is_not_there_is_not_found(world: World, action: str) -> None:
    with pytest.raises(NotFound):
        getattr(world.lifecycle, action)(world.store, "j")
