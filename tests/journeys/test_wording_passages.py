"""What happened on a contact's way, in a shop owner's words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from chalicelib.journeys.enrolment import Passage
from chalicelib.journeys.wording_passages import reason_of, status_of, why_of

TITLES = {"gift": "A gift"}


@pytest.mark.parametrize(
    ("what", "detail", "hebrew", "english"),
    [
        ("entered", "list_joined:1:2:newsletter:2026-11-24T05:51:50.244Z", "", ""),
        ("happened", "order_paid:1", "", ""),
        ("step", None, "", ""),
        ("step", "then", "כן", "Yes"),
        ("step", "else", "לא", "No"),
        ("step", "sent", "נשלח", "sent"),
        ("step", "control", "control", "control"),
        ("step", "failed:no_shop_key", "נכשל: החנות אינה מחוברת", "failed: the shop is not connected"),
        ("step", "failed:webhook_404", "נכשל: הכתובת ענתה 404", "failed: the address answered 404"),
        ("step", "skipped:off", "דולג: השלב כבוי", "skipped: the step is off"),
        ("waiting", "until 2026-11-26T06:02:01.671Z", "עד 26.11 06:02", "until 26.11 06:02"),
        (
            "waiting",
            "quiet_hours, until 2026-11-26T06:02:01.671Z",
            "שעות שקט, עד 26.11 06:02",
            "quiet hours, until 26.11 06:02",
        ),
        ("step", "not_sent", "לא נשלח", "not sent"),
        (
            "waiting",
            "rest_day, until 2026-11-28T15:17:00.000Z",
            "שבת או חג, עד 28.11 15:17",
            "Shabbat or a holiday, until 28.11 15:17",
        ),
        ("moved", "1 to 2", "מגרסה 1 לגרסה 2", "from version 1 to 2"),
        ("ended", "completed", "", ""),
        ("ended", "goal_met", "המטרה הושגה", "the goal was met"),
        ("ended", "gift:no_shop_key", "A gift: החנות אינה מחוברת", "A gift: the shop is not connected"),
        ("ended", "exit:unsubscribed", "הסרה מדיוור", "Unsubscribes"),
    ],
)
def test_a_passage_says_why_in_words_and_not_in_ids(what: str, detail: str | None, hebrew: str, english: str) -> None:
    passage = Passage(at=datetime(2026, 11, 24, tzinfo=UTC), what=what, detail=detail)
    said = [why_of(passage, locale, TITLES, lambda at: f"{at:%d.%m %H:%M}") for locale in ("he", "en")]
    assert said == [hebrew, english]


def test_the_status_says_it_or_the_reason_does() -> None:
    assert [reason_of(one, "en", TITLES) for one in ("goal_met", "stopped_by_hand", "own")] == [
        "",
        "stopped by hand",
        "own",
    ]


REASONS = (
    *("sending_stopped", "disconnected", "no_email", "no_phone", "sandbox", "suppressed", "suppression_list"),
    *("no_consent", "pending", "unsubscribed", "quiet_hours", "rest_day", "frequency_cap", "duplicate"),
)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_policy_has_words_in_both_languages(reason: str) -> None:
    hebrew, english = status_of(reason, "he"), status_of(reason, "en")
    assert re.search("[א-ת]", hebrew) and "_" not in english and english != hebrew
