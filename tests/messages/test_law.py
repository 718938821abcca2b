"""What each country asks stands in one place, and a store that lacks it is told."""

from __future__ import annotations

import pytest

from chalicelib.contacts.consent import Channel
from chalicelib.messages import law
from chalicelib.messages.law import lacking, law_of
from chalicelib.messages.message import MessageKind
from chalicelib.messages.policy import marked
from tests.messages.shop import store


@pytest.mark.parametrize("country", ["IL", "US", "CA", "GB", "DE", "FR", "AU", "JP"])
def test_every_law_asks_for_a_way_to_refuse_and_names_its_sources(country: str) -> None:
    found = law_of(country)
    assert found.refusal == frozenset(Channel) and found.sender_name
    assert found.name and all(found.sources)


def test_our_marking_is_what_the_law_names() -> None:
    for country in ("IL", "US", "FR"):
        here = store(country=country)
        subject = marked("News", here, MessageKind.MARKETING)
        assert subject.startswith(law_of(country).marking or "News")


@pytest.mark.parametrize(
    ("country", "settings", "lacks"),
    [
        ("IL", {}, ["settings.sender.address"]),
        ("IL", {"sender": {"address": "1 Example St"}}, []),
        ("US", {"sender": {"address": "  "}}, ["settings.sender.address"]),
        ("GB", {}, []),
        ("DE", {"sender": {"address": "1 Example St"}}, ["settings.double_opt_in"]),
        ("DE", {"sender": {"address": "1 Example St"}, "double_opt_in": ("email",)}, []),
        ("JP", {}, []),
    ],
)
def test_an_owner_is_told_what_the_settings_lack(country: str, settings: dict[str, object], lacks: list[str]) -> None:
    from chalicelib.commerce.store import StoreSettings

    here = store(country=country).model_copy(update={"settings": StoreSettings.model_validate(settings)})
    assert [one.split()[0] for one in lacking(here)] == lacks


def test_united_states_let_email_go_until_refused_but_not_texts() -> None:
    assert (law.UNITED_STATES.consent, law.UNITED_STATES.by_phone) == ("until_refused", "before")
