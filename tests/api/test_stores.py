from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Caller
from tests.api.conftest import SHOP, ApiWiring


def test_a_new_store_comes_back_with_its_webhook_address_and_its_secret_once(call: Caller, wired: ApiWiring) -> None:
    made = call("POST", "/v1/stores", SHOP | {"secret": "bench-webhook-secret"})
    assert made.status == 201
    assert made.json["secret"] == "bench-webhook-secret"
    assert made.json["webhook_url"] == f"https://agala.example/webhooks/woocommerce/{made.json['id']}"
    assert wired.secrets.kept == {made.json["id"]: "bench-webhook-secret"}
    seen = call("GET", f"/v1/stores/{made.json['id']}")
    assert seen.status == 200
    assert "secret" not in seen.json
    assert seen.json["name"] == "חנות הדוגמה"
    assert seen.json["settings"]["quiet_hours"] == {
        "email": None,
        "sms": {"from": "21:00", "to": "09:00"},
        "whatsapp": {"from": "21:00", "to": "09:00"},
    }


def test_a_secret_is_made_where_none_is_given(call: Caller) -> None:
    first, second = (call("POST", "/v1/stores", SHOP).json["secret"] for _ in range(2))
    assert len(first) >= 32
    assert first != second


def test_settings_merge_and_null_switches_quiet_hours_off(call: Caller, store: dict[str, Any]) -> None:
    path = f"/v1/stores/{store['id']}"
    sender = {"name": "חנות", "email": "hello@shop.example"}
    changed = call(
        "PATCH",
        path,
        {"settings": {"quiet_hours": {"sms": None, "email": {"from": "22:00", "to": "07:30"}}, "sender": sender}},
    )
    assert changed.status == 200
    assert changed.json["settings"]["quiet_hours"] == {
        "email": {"from": "22:00", "to": "07:30"},
        "sms": None,
        "whatsapp": {"from": "21:00", "to": "09:00"},
    }
    again = call("PATCH", path, {"settings": {"sender": {"address": "רחוב 1"}, "sending": "stopped"}}).json
    assert again["settings"]["sender"] == {
        **sender,
        "address": "רחוב 1",
        "reply_to": None,
        "sms": None,
        "sms_replies": None,
    }
    assert again["settings"]["sending"] == "stopped"
    assert call("GET", path).json == again


def test_a_setting_that_cannot_be_obeyed_is_named_with_what_is_missing(call: Caller, store: dict[str, Any]) -> None:
    address = store["warnings"]
    assert [warning.split()[0] for warning in address] == ["settings.sender.address"]
    path = f"/v1/stores/{store['id']}"
    assert call("PATCH", path, {"settings": {"rest_days": True}}).json["warnings"] == address
    away = call("PATCH", path, {"country": "IN", "timezone": "Asia/Kolkata"}).json
    assert away["warnings"] == ["settings.rest_days needs settings.city: none is known in Asia/Kolkata"]
    assert call("PATCH", path, {"settings": {"city": "london"}}).json["warnings"] == []


def test_a_city_without_known_candle_lighting_is_refused_with_those_that_are_known(
    call: Caller, store: dict[str, Any]
) -> None:
    path = f"/v1/stores/{store['id']}"
    refused = call("PATCH", path, {"settings": {"city": "atlantis"}})
    assert (refused.status, refused.fields) == (422, ["settings.city"])
    assert "jerusalem, tel-aviv, haifa" in str(refused.json)
    new = {name: store[name] for name in ("platform", "name", "url", "country", "currency", "timezone", "locale")}
    assert call("POST", "/v1/stores", {**new, "settings": {"city": "atlantis"}}).status == 422
    assert call("POST", "/v1/stores", {**new, "settings": {"city": "haifa"}}).status == 201


def test_a_mistake_is_said_in_our_words_only(call: Caller) -> None:
    refused = call("POST", "/v1/stores", {**SHOP, "country": "XX"})
    assert refused.json["errors"] == [{"field": "country", "message": "expected an ISO 3166 country such as IL"}]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("platform", "magento"),
        ("name", ""),
        ("name", "a\u0000b"),
        ("name", "\ud800"),
        ("url", "ftp://shop.example"),
        ("url", "https://"),
        ("url", "https://user:pass@shop.example"),
        ("url", "https://[::1"),
        ("country", "Israel"),
        ("country", "QQ"),
        ("currency", "ils"),
        ("currency", "AAA"),
        ("timezone", "Asia/Nowhere"),
        ("timezone", "../../etc/passwd"),
        ("timezone", "Asia"),
        ("locale", "hebrew!"),
        ("secret", "short"),
        ("abandon_after_minutes", 0),
        ("abandon_after_minutes", "60"),
        ("abandon_after_minutes", True),
        ("colour", "blue"),
    ],
)
def test_a_bad_field_is_named(call: Caller, field: str, value: Any) -> None:
    refused = call("POST", "/v1/stores", SHOP | {field: value})
    assert refused.status == 422
    assert refused.fields == [field]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"quiet_hours": {"email": {"from": "25:00", "to": "07:00"}}}, "settings.quiet_hours.email.from"),
        ({"quiet_hours": {"pigeon": None}}, "settings.quiet_hours.pigeon"),
        ({"sending": "maybe"}, "settings.sending"),
        ({"attribution_days": -1}, "settings.attribution_days"),
        ({"caps": {"email": {"per_day": 0}}}, "settings.caps.email.per_day"),
        ({"mood": 1}, "settings.mood"),
    ],
)
def test_a_bad_setting_is_named_and_changes_nothing(
    call: Caller, store: dict[str, Any], settings: dict[str, Any], field: str
) -> None:
    path = f"/v1/stores/{store['id']}"
    refused = call("PATCH", path, {"settings": settings})
    assert refused.status == 422
    assert refused.fields == [field]
    assert call("GET", path).json["settings"] == store["settings"]


def test_what_records_depend_on_cannot_change(call: Caller, store: dict[str, Any]) -> None:
    path = f"/v1/stores/{store['id']}"
    assert call("PATCH", path, {"currency": "EUR"}).fields == ["currency"]
    assert call("PATCH", path, {"name": None}).fields == ["name"]
    assert call("PATCH", path, {"currency": "ILS", "name": "Shop"}).json["name"] == "Shop"


def test_a_new_secret_is_kept_and_not_shown(call: Caller, store: dict[str, Any], wired: ApiWiring) -> None:
    changed = call("PATCH", f"/v1/stores/{store['id']}", {"secret": "another-secret"})
    assert "another-secret" not in changed.text
    assert wired.secrets.kept[store["id"]] == "another-secret"


def test_a_store_that_went_is_gone(call: Caller, store: dict[str, Any], wired: ApiWiring) -> None:
    path = f"/v1/stores/{store['id']}"
    assert call("DELETE", path).status == 204
    assert call("GET", path).status == 404
    assert call("DELETE", path).status == 404
    assert wired.secrets.kept == {}


def test_stores_are_listed_in_the_order_of_their_making_page_by_page(call: Caller) -> None:
    made = [call("POST", "/v1/stores", SHOP | {"name": f"Shop {n}"}).json["id"] for n in range(5)]
    seen: list[str] = []
    path = "/v1/stores?limit=2"
    while True:
        page = call("GET", path).json
        seen += [store["id"] for store in page["items"]]
        assert len(seen) <= 5
        if page["next"] is None:
            break
        path = f"/v1/stores?limit=2&cursor={page['next']}"
    assert sorted(seen) == sorted(made)
    assert seen == sorted(seen)


def test_who_sms_come_from_and_where_shoppers_reach_a_person(call: Caller, store: dict[str, Any]) -> None:
    path = f"/v1/stores/{store['id']}"
    for sender in ("TeaHouse", "+972505550199", "12345", None):
        settings = {"sender": {"sms": sender}, "talk_to_us_url": "https://wa.me/972505550199"}
        changed = call("PATCH", path, {"settings": settings})
        assert (changed.status, changed.json["settings"]["sender"]["sms"]) == (200, sender)
        assert changed.json["settings"]["talk_to_us_url"] == "https://wa.me/972505550199"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"sender": {"sms": "ALetterTooMany"}}, "settings.sender.sms"),
        ({"sender": {"sms": "+97250555019912345"}}, "settings.sender.sms"),
        ({"sender": {"sms": "arn:aws:sms-voice:eu-west-1:1:pool/x"}}, "settings.sender.sms"),
        ({"talk_to_us_url": "javascript:alert(1)"}, "settings.talk_to_us_url"),
        ({"talk_to_us_url": "https://x.example/ y"}, "settings.talk_to_us_url"),
    ],
)
def test_what_is_no_sender_and_no_address_is_named(
    call: Caller, store: dict[str, Any], settings: dict[str, Any], field: str
) -> None:
    refused = call("PATCH", f"/v1/stores/{store['id']}", {"settings": settings})
    assert refused.status == 422
    assert [mistake["field"] for mistake in refused.json["errors"]] == [field]


def test_the_manager_is_a_setting_and_named_where_it_is_wrong(call: Caller, store: dict[str, Any]) -> None:
    path = f"/v1/stores/{store['id']}"
    manager = {"name": "Noa", "email": "noa@tea.example", "phone": "+12025550123"}
    told = call("PATCH", path, {"settings": {"manager": manager}})
    assert (told.status, told.json["settings"]["manager"]) == (200, manager)
    assert call("GET", path).json["settings"]["manager"] == manager
    for wrong in ({"email": "noa"}, {"phone": "0505550123"}):
        refused = call("PATCH", path, {"settings": {"manager": wrong}})
        assert (refused.status, refused.fields) == (422, [f"settings.manager.{next(iter(wrong))}"])


def test_the_secret_of_webhook_steps_is_the_stores_own_and_stays(call: Caller, store: dict[str, Any]) -> None:
    first = call("GET", f"/v1/stores/{store['id']}/call-secret")
    assert first.status == 200 and len(first.json["secret"]) == 64
    assert call("GET", f"/v1/stores/{store['id']}/call-secret").json == first.json
    assert first.json["secret"] != store.get("secret")
    assert call("GET", "/v1/stores/nobody/call-secret").status in (403, 404)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"brand": {"colour": "green"}}, "colour"),
        ({"brand": {"logo": "logo.png"}}, "https://"),
        ({"talk_to_us_url": "chat"}, "https://"),
        ({"sender": {"reply_to": "a@tea.example, b@tea.example"}}, "one email address"),
        ({"sender": {"sms": "Tea & more"}}, "11 letters"),
        ({"manager": {"email": "nobody"}}, "one email address"),
        ({"manager": {"phone": "050"}}, "country code"),
        ({"quiet_hours": {"sms": {"from": "9", "to": "21:00"}}}, "21:00"),
        ({"colour": "#1f6f54"}, "is not known here"),
        ({"quiet_hours": {"email": {"from": "21:00"}}}, "is missing"),
    ],
)
def test_what_is_wrong_is_said_in_words_and_not_in_patterns(
    call: Caller, store: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    answer = call("PATCH", f"/v1/stores/{store['id']}", {"settings": settings})
    [mistake] = answer.json["errors"]
    assert answer.status == 422
    assert words in mistake["message"]
    assert "pattern" not in mistake["message"]
