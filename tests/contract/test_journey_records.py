"""Journeys in the table: heads are small, drafts are kept beside them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.errors import Conflict
from chalicelib.journeys.journey import Journey, JourneyStatus
from chalicelib.storage.journeys import Journeys
from chalicelib.storage.table import Table

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_journey_is_read_back_with_its_draft_and_listed_without(table: Table) -> None:
    journeys = Journeys(table)
    draft = {"name": {"he": "שלום"}, "steps": [{"id": "a"}] * 3}
    saved = journeys.save(Journey(id="j", store_id="s", draft=draft, created_at=NOW, updated_at=NOW))
    assert journeys.get("s", "j") == saved
    assert journeys.head("s", "j") == saved.model_copy(update={"draft": None})
    assert journeys.of_store("s") == [journeys.head("s", "j")]
    assert journeys.get("s", "other") is None
    assert journeys.head("s", "other") is None


def test_a_save_over_an_older_revision_changes_neither_head_nor_draft(table: Table) -> None:
    journeys = Journeys(table)
    first = journeys.save(Journey(id="j", store_id="s", draft={"n": 1}, created_at=NOW, updated_at=NOW))
    second = journeys.save(first.model_copy(update={"draft": {"n": 2}, "status": JourneyStatus.ACTIVE}))
    with pytest.raises(Conflict):
        journeys.save(first.model_copy(update={"draft": {"n": 3}}))
    assert journeys.get("s", "j") == second
