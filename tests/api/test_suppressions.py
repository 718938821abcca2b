"""Addresses that are never written to: brought, asked about and lifted without ever being kept or told in clear."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.contacts.consent import Channel
from chalicelib.storage.keys import suppression
from chalicelib.storage.table import from_wire
from tests.api.client import Caller
from tests.api.conftest import ApiWiring

EMAIL, PHONE = "Dana@Shopper.example", "050-555-0101"
CSV = {"content-type": "text/csv; charset=utf-8"}


@pytest.fixture
def path(store: dict[str, Any]) -> str:
    return f"/v1/stores/{store['id']}"


def listed(path: str) -> str:
    return f"{path}/suppressions"


def everything(wired: ApiWiring) -> str:
    table = wired.table
    return str([from_wire(item) for item in table._client.scan(TableName=table.name)["Items"]]).lower()


def test_what_is_brought_in_holds_whoever_it_belongs_to(call: Caller, path: str, wired: ApiWiring) -> None:
    rows = [
        {"email": EMAIL, "reason": "unsubscribed at the old tool"},
        {"phone": PHONE, "channels": ["sms"]},
        {"phone": "+972505550102"},
        {"email": "not an address"},
        {"email": "a@shopper.example, b@shopper.example"},
        {"phone": "0505550101, 0505550103"},
        {"email": EMAIL, "phone": PHONE},
        {"email": EMAIL, "channels": ["sms"]},
        {"email": EMAIL, "reason": "erased"},
    ]
    taken = call("POST", listed(path), {"suppressions": rows})
    assert taken.status == 200, taken.text
    assert (taken.json["added"], taken.json["held_already"], taken.json["refused"]) == (4, 0, 6)
    assert [row["row"] for row in taken.json["rows"]] == [4, 5, 6, 7, 8, 9]
    assert "shopper" not in taken.text and "5550101" not in taken.text, "answers name rows, never addresses"
    assert call("POST", listed(path), {"suppressions": rows[:3]}).json["held_already"] == 4
    store_id = path.rpartition("/")[2]
    held = wired.suppression_list
    assert held.holds(store_id, Channel.EMAIL, "dana@shopper.example") == "unsubscribed at the old tool"
    assert held.holds(store_id, Channel.SMS, "+972505550101") == "unsubscribed"
    assert held.holds(store_id, Channel.WHATSAPP, "+972505550101") is None
    assert held.holds("another", Channel.EMAIL, "dana@shopper.example") is None
    kept = everything(wired)
    assert "dana@" not in kept and "5550101" not in kept


def test_a_table_of_a_spreadsheet_is_taken_as_it_is(call: Caller, path: str) -> None:
    table = "\ufeffName;Email;Phone;Reason\r\nDana;dana@shopper.example;;asked\r\nNoa;;0505550102;\r\n;;;\r\nX;x;;\r\n"
    taken = call("POST", listed(path), body=table.encode(), headers=CSV)
    assert (taken.status, taken.json["added"], taken.json["refused"]) == (200, 3, 1)
    assert [(row["row"], row["field"]) for row in taken.json["rows"]] == [(4, "email")], "as its owner counts"
    asked = call("GET", f"{listed(path)}?email=dana%40shopper.example")
    [item] = asked.json["items"]
    assert (asked.json["held"], item["reason"], item["source"], item["channel"]) == (True, "asked", "csv", "email")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"name\nDana\n", 422),
        (b"", 422),
        (b"email,email\na@shopper.example,b@shopper.example\n", 422),
        (b"email\nnobody\n", 422),
        (b"email\n" + b"\xff\xfe\n", 400),
        (b"email\n" + b"a@shopper.example\x00\n", 400),
        (b"email\n" + b"a@shopper.example\n" * 70_000, 413),
        (b"email\n" + b"a@shopper.example\n" * 10_001, 422),
    ],
)
def test_a_table_that_is_none_is_refused(call: Caller, path: str, body: bytes, status: int) -> None:
    assert call("POST", listed(path), body=body, headers=CSV).status == status


@pytest.mark.parametrize(
    "asked",
    ["", "?email=a%40x.example%2Cb%40x.example", "?phone=123", "?email=a%40x.example&phone=%2B972505550101", "?mail=a"],
)
def test_one_address_is_asked_for(call: Caller, path: str, asked: str) -> None:
    assert call("GET", f"{listed(path)}{asked}").status == 422


def test_lifting_says_why_and_can_be_undone(call: Caller, path: str, wired: ApiWiring) -> None:
    one = f"{listed(path)}?phone=%2B972505550101"
    assert call("DELETE", f"{one}&reason=typo").status == 404
    call("POST", listed(path), {"suppressions": [{"phone": PHONE}]})
    assert call("DELETE", one).fields == ["reason"]
    assert call("DELETE", f"{one}&reason=asked+by+dana%40x.example").fields == ["reason"], "no address in clear"
    assert call("DELETE", f"{one}&reason=typo&channel=email").fields == ["channel"]
    only = call("DELETE", f"{one}&reason=asked+again&channel=sms")
    assert (only.status, only.json["held"]) == (200, True)
    call("DELETE", f"{one}&reason=typo")
    told: Any = {item["channel"]: item for item in call("GET", one).json["items"]}
    assert (told["sms"]["lifted_reason"], told["whatsapp"]["lifted_reason"]) == ("asked again", "typo")
    assert call("GET", one).json["held"] is False
    assert call("POST", listed(path), {"suppressions": [{"phone": PHONE}]}).json["added"] == 2
    assert call("GET", one).json["held"] is True


def test_an_erasure_closes_the_addresses_and_any_other_reason_outlives_it(
    call: Caller, path: str, wired: ApiWiring
) -> None:
    store_id, held = path.rpartition("/")[2], wired.suppression_list
    made = call("POST", f"{path}/contacts", {"email": EMAIL, "phone": PHONE}).json
    call("DELETE", f"{path}/contacts/{made['id']}")
    assert held.holds(store_id, Channel.EMAIL, "dana@shopper.example") == "erased"
    assert held.holds(store_id, Channel.WHATSAPP, "+972505550101") == "erased"
    call("POST", listed(path), {"suppressions": [{"email": EMAIL, "reason": "complained"}]})
    now = wired.clock.now()
    held.add(store_id, Channel.EMAIL, "dana@shopper.example", "erased", "erasure", now)
    held.welcome_back(store_id, Channel.EMAIL, "dana@shopper.example", now.replace(year=2030))
    assert held.holds(store_id, Channel.EMAIL, "dana@shopper.example") == "complained"


def test_a_hash_is_no_plain_one(wired: ApiWiring) -> None:
    """Ten million phone numbers are tried in seconds: without the key nobody gets from a hash to its number."""
    held = wired.suppression_list
    held.add("s1", Channel.SMS, "+972505550101", "asked", "api", wired.clock.now())
    assert held.get("s1", Channel.SMS, "+972505550101") is not None
    wired.secrets.address_key = lambda: "another key"  # type: ignore[method-assign]
    assert held.get("s1", Channel.SMS, "+972505550101") is None
    assert suppression("s1", "x") == ("SUPPRESSED#s1#x", "SUPPRESSED")
