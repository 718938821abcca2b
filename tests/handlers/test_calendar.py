"""The schedule's Lambda: from the clock to who is on the way, on a real table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.contacts.book import ContactInput
from chalicelib.errors import TaskFailed
from chalicelib.handlers.calendar import calendar
from chalicelib.storage import keys
from tests.api.client import Caller
from tests.api.conftest import ApiWiring
from tests.api.conftest import store as store
from tests.conftest import HandClock

POLICY = Path(__file__).parents[2] / ".chalice/policy-calendar.json"
TICK: dict[str, Any] = {
    **dict.fromkeys(("version", "id", "source", "account", "time", "region", "detail-type"), "x"),
    "resources": [],
    "detail": {},
}
MAIL = {"subject": "Happy birthday", "blocks": [{"type": "text", "text": "A cup on us."}]}
BIRTHDAY = {
    "name": {"en": "Birthday"},
    "trigger": {"type": "date_field", "field": "birthday", "yearly": True},
    "reentry": {"mode": "every_time"},
    "steps": [{"id": "mail", "type": "send_email", "kind": "marketing", "content": {"en": MAIL}}],
}


@pytest.fixture
def clock() -> Iterator[HandClock]:
    yield HandClock(datetime(2026, 11, 20, 6, 45, tzinfo=UTC))  # 8:45 in Jerusalem


def errands(parts: ApiWiring, store_id: str) -> None:
    """Whatever executions of errands were started, to their end."""
    started = parts.workflows.started  # type: ignore[attr-defined]
    for payload in [one for one in started.values() if "errand_id" in one]:
        while parts.errands.work(store_id, payload["errand_id"]) is not None:
            pass


def test_a_birthday_begins_a_journey_once_also_of_contacts_from_before(
    call: Caller, wired: ApiWiring, store: dict[str, Any], clock: HandClock
) -> None:
    kept = wired.stores.get(store["id"])
    assert kept is not None
    people = [
        wired.contact_book.upsert(kept, ContactInput(email=f"p{n}@mail.test", fields={"birthday": f"1990-11-{19 + n}"}))
        for n in range(3)
    ]
    for one in people:  # as a version before left them: without entries
        wired.table.delete(keys.contact(kept.id, one.id), keys.day_entry("date:birthday"))
        wired.table.update(keys.contact(kept.id, one.id), keys.PROFILE, "REMOVE #i", names={"#i": "indexed"})
    at = f"/v1/stores/{kept.id}/journeys/birthday"
    assert call("PUT", at, BIRTHDAY).status in (200, 201)
    assert call("POST", f"{at}/activate").status == 200

    def look() -> None:
        calendar(TICK, None)
        errands(wired, kept.id)

    look()
    for _ in range(3):
        clock.advance(minutes=15)
        look()
    assert [len(wired.enrolments.of_contact(kept.id, one.id)) for one in people] == [0, 1, 0]
    (event,) = [e for e in wired.timeline.of_contact(kept.id, people[1].id) if e.type == "date_field"]
    assert event.occurred_at == datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
    assert event.properties["years"] == 36
    (errand,) = wired.errands.of_kind(kept.id, "due")
    assert (errand.key, errand.done, errand.report) == ("birthday:2026-11-20", 1, {"read": 1})
    clock.advance(days=5)  # nobody looked
    look()
    look()
    assert [len(wired.enrolments.of_contact(kept.id, one.id)) for one in people] == [0, 1, 1]


def test_one_stores_mistake_keeps_no_other_from_its_day_and_is_seen(
    call: Caller, wired: ApiWiring, store: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    kept = wired.stores.get(store["id"])
    assert kept is not None
    wired.stores.save(kept.model_copy(update={"id": "01jstorestorestorestore00b", "rev": 0}))
    looked: list[str] = []

    def look(one: Any) -> int:
        looked.append(one.id)
        if len(looked) == 1:
            raise RuntimeError("dana@mail.test")
        return 2

    monkeypatch.setattr(wired.calendar, "look", look)
    with pytest.raises(TaskFailed, match="1 stores"):
        calendar(TICK, None)
    assert len(looked) == 2 and "dana" not in caplog.text
    assert calendar(TICK, None) == {"begun": 4}


def test_the_schedule_begins_errands_and_brings_contacts_into_the_index_and_does_nothing_else() -> None:
    policy = json.loads(POLICY.read_text())
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert {action for action in actions if not action.startswith("logs:")} == {
        "dynamodb:BatchGetItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "states:StartExecution",
    }
