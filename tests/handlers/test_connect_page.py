"""The page on which a shop's owner says yes, as it comes from the server; tests/local/ has it pressed."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.handlers.connect_page import origin_of
from tests.api.client import Answered, Caller

GOOD = {
    "shop": "https://tea.example",
    "return": "https://tea.example/wp-admin/admin.php?page=agala&step=back",
    "state": "a1B2-c3",
}


def page(headers: dict[str, str] | None = None, **query: str) -> Answered:
    return Caller(None)("GET", f"/connect?{urlencode(GOOD | query)}", headers=headers)


def asked(answer: Answered) -> dict[str, Any]:
    found = re.search(r'data-asked="([^"]*)"', answer.text)
    assert found
    told: dict[str, Any] = json.loads(unescape(found[1]))
    return told


def test_it_names_the_shop_and_the_way_back() -> None:
    answer = page()
    assert answer.status == 200
    assert "https://tea.example</bdi>" in answer.text
    told = asked(answer)
    assert (told["shop"], told["back"], told["state"]) == (GOOD["shop"], GOOD["return"], GOOD["state"])


def test_no_script_of_others_no_frame_and_nothing_kept() -> None:
    answer = page()
    policy = answer.headers["content-security-policy"]
    for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert re.findall(r"<script(?![^>]* src=)", answer.text) == []
    assert re.findall(r" (?:style|on\w+)=", answer.text) == []


@pytest.mark.parametrize(
    ("headers", "query", "language", "direction"),
    [
        ({}, {}, "en", "ltr"),
        ({"accept-language": "he-IL,he;q=0.9,en;q=0.8"}, {}, "he", "rtl"),
        ({"accept-language": "fr"}, {}, "en", "ltr"),
        ({"accept-language": "he"}, {"lang": "en"}, "en", "ltr"),
        ({}, {"lang": "he"}, "he", "rtl"),
    ],
)
def test_it_speaks_hebrew_and_english(
    headers: dict[str, str], query: dict[str, str], language: str, direction: str
) -> None:
    answer = page(headers, **query)
    assert f'<html lang="{language}" dir="{direction}">' in answer.text
    other = {"he": "en", "en": "he"}[language]
    assert f"lang={other}" in unescape(answer.text)


@pytest.mark.parametrize(
    "query",
    [
        {"shop": ""},
        {"return": ""},
        {"return": "https://evil.example/back"},
        {"return": "http://tea.example/back"},
        {"return": "https://tea.example:8443/back"},
        {"return": "https://tea.example.evil.example/"},
        {"return": "https://tea.example@evil.example/"},
        {"return": "https://tea.example\\@evil.example/"},
        {"return": "https://tea.example/\nSet-Cookie: x"},
        {"return": "//tea.example/back"},
        {"return": "https://tea.example/" + "x" * 2000},
        {"shop": "javascript:alert(1)", "return": "javascript:alert(1)"},
        {"shop": "https://owner:password@tea.example"},
        {"shop": "https://[::1", "return": "https://[::1"},
        {"shop": 'https://"onload="x', "return": 'https://"onload="x'},
        {"state": "<script>"},
        {"state": "x" * 201},
    ],
)
def test_a_link_that_leads_elsewhere_is_no_link(query: dict[str, str]) -> None:
    answer = page(**query)
    assert answer.status == 400
    assert "data-asked" not in answer.text
    assert "<form" not in answer.text
    assert "content-security-policy" in answer.headers


def test_what_the_address_says_is_only_text() -> None:
    mean = 'https://tea.example/?x="><img src=x>'.replace(" ", "%20")
    answer = page(**{"return": mean})
    assert answer.status == 200
    assert "<img" not in answer.text
    assert asked(answer)["back"] == mean


def test_script_and_style_are_our_own_files() -> None:
    for name, kind in (("page.js", "text/javascript"), ("page.css", "text/css")):
        answer = Caller(None)("GET", f"/connect/{name}")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith(kind)
        assert len(answer.text) > 500


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://Tea.Example:443/shop", "https://tea.example"),
        ("http://127.0.0.1:8088/", "http://127.0.0.1:8088"),
        ("http://[::1]:8088/", "http://[::1]:8088"),
        ("https://חנות.example/", "https://חנות.example"),
        ("https://tea.example:99999/", None),
        ("ftp://tea.example/", None),
        ("https://", None),
    ],
)
def test_an_origin_has_one_spelling(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin
