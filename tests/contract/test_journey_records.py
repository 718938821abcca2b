"""Journeys in the table and in memory: heads are small, drafts are kept beside them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.errors import Conflict
from chalicelib.journeys.journey import Journey, JourneyStatus, JourneyVersion
from chalicelib.journeys.memory import MemoryJourneys
from chalicelib.journeys.ports import JourneyRecords
from chalicelib.storage.journeys import Journeys

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(params=["table", "memory"])
def journeys(request: pytest.FixtureRequest) -> JourneyRecords:
    return MemoryJourneys() if request.param == "memory" else Journeys(request.getfixturevalue("table"))


def test_a_journey_is_read_back_with_its_draft_and_listed_without(journeys: JourneyRecords) -> None:
    draft = {"name": {"he": "שלום"}, "steps": [{"id": "a"}] * 3}
    saved = journeys.save(Journey(id="j", store_id="s", draft=draft, created_at=NOW, updated_at=NOW))
    assert journeys.get("s", "j") == saved
    assert journeys.head("s", "j") == saved.model_copy(update={"draft": None})
    assert journeys.of_store("s") == [journeys.head("s", "j")]
    assert journeys.get("s", "other") is None
    assert journeys.head("s", "other") is None


def test_a_save_over_an_older_revision_changes_neither_head_nor_draft(journeys: JourneyRecords) -> None:
    first = journeys.save(Journey(id="j", store_id="s", draft={"n": 1}, created_at=NOW, updated_at=NOW))
    second = journeys.save(first.model_copy(update={"draft": {"n": 2}, "status": JourneyStatus.ACTIVE}))
    with pytest.raises(Conflict):
        journeys.save(first.model_copy(update={"draft": {"n": 3}}))
    assert journeys.get("s", "j") == second


def test_a_version_is_published_once(journeys: JourneyRecords) -> None:
    version = JourneyVersion(
        store_id="s", journey="j", version=1, definition={"n": 1}, machine="m", resume_machine="r", published_at=NOW
    )
    journeys.publish(version)
    with pytest.raises(Conflict):
        journeys.publish(version.model_copy(update={"definition": {"n": 2}}))
    assert journeys.version("s", "j", 1) == version
    assert journeys.version("s", "j", 2) is None
