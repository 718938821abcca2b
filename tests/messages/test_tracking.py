"""Every address comes back exactly as it was written, and nothing else can be reached."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.contacts.consent import Channel
from chalicelib.messages.content import render
from chalicelib.messages.followed import KEPT, MessageLinks, Target, with_utm
from chalicelib.messages.links import HONEYPOT, OPEN, SignedLinks
from chalicelib.messages.message import Message, MessageKind, MessageStatus
from chalicelib.messages.phrase import web_address
from chalicelib.messages.ports import Email, Sms
from chalicelib.messages.sms import SmsComposer
from chalicelib.messages.tracking import Tracker
from chalicelib.storage.followed import FollowedLinks
from chalicelib.storage.table import Table
from tests.memory_client import memory_table
from tests.messages.shop import CONTACT_ID, NOW, content, data, store

LINKS = SignedLinks("https://agala.example", [b"key"])
SMART = {"name": "likes-tea", "add_tags": ["tea"]}
_OURS = re.compile(r"https://agala\.example/l/(\w+)")


def message(**changes: Any) -> Message:
    known: dict[str, Any] = {
        "id": f"{CONTACT_ID}-digest",
        "store_id": "s1",
        "contact_id": CONTACT_ID,
        "journey": "welcome",
        "step": "mail-1",
        "channel": Channel.EMAIL,
        "kind": MessageKind.MARKETING,
        "status": MessageStatus.CLAIMED,
        "created_at": NOW,
        "at": NOW,
    }
    return Message.model_validate(known | changes)


def email(page: str, text: str = "") -> Email:
    about = {"message_id": "m", "store_id": "s1", "contact_id": "c", "kind": "marketing", "sender": "a@b.example"}
    return Email(**about, to="c@d.example", subject="s", html=f"<body>{page}</body>", text=text)


def tracked(made: Any, shown: Any = None, **shop: Any) -> tuple[Any, MessageLinks]:
    linking = Tracker(LINKS, FollowedLinks(memory_table())).begin(store(**shop), message(), shown, "en")
    finished, record = linking.finished(made), linking.record(NOW)
    assert record is not None
    return finished, record


def led(link: str, record: MessageLinks) -> str | None:
    """Where this link of ours leads."""
    found = _OURS.fullmatch(link)
    read = found and LINKS.read_followed(found[1])
    assert read and read[0] == record.code, link
    return record.destination(read[1])


def hrefs(page: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'<a [^>]*?href="([^"]*)"', page)]


paths = st.text(st.sampled_from("abz09/-._~!$&'()*+,;=:@%20?#[]\"<> שלום"), max_size=40)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["https://hadar.example/", "http://other.example:8080/", "https://www.hadar.example/"]), paths)
def test_every_address_comes_back_exactly(site: str, path: str) -> None:
    """As the renderer writes it: safe, then escaped; in the text twin too, whatever sign it ends with."""
    address = web_address(site + path)
    if address is None:
        return
    page = f'<a class="x" href="{html.escape(address)}">look</a>'
    finished, record = tracked(email(page, f"look ({address})\n{address}"))
    in_page = hrefs(finished.html)[0]
    utm = "utm_source=agala&utm_medium=email&utm_campaign=welcome&utm_content=mail-1"
    wanted = with_utm(address, utm) if "hadar" in site else address
    assert led(in_page, record) == wanted
    assert finished.text == f"look ({in_page})\n{in_page}"
    assert len(record.targets) == 1


def test_every_address_of_a_rendered_email_is_ours() -> None:
    shown = content(
        {
            "type": "text",
            "text": "Look [here](https://elsewhere.example/a?x=1&y=2) or write to [us](mailto:a@b.example)",
        },
        {"type": "button", "text": "Buy", "url": "https://hadar.example/p/12?a=1&b=2#reviews"},
        {"type": "product", "product": "12"},
        {"type": "image", "src": "https://img.example/a.png", "alt": "", "url": "https://hadar.example/p/12?a=1&b=2"},
    )
    rendered = render(shown, data(unsubscribe_url="https://agala.example/u/token"))
    finished, record = tracked(email(rendered.html, rendered.text), shown)
    left = [one for one in hrefs(finished.html) if not one.startswith("https://agala.example/")]
    assert all(not one.startswith("http") for one in left), left
    assert "https://agala.example/u/token" in finished.html and "https://agala.example/u/token" in finished.text
    assert "https://img.example/a.png" in finished.html, "pictures stay where they are"
    assert "https://hadar" not in finished.text and "elsewhere.example" not in finished.text
    urls = [one.url for one in record.targets]
    assert "https://elsewhere.example/a?x=1&y=2" in urls and len(urls) == len(set(urls))
    own = next(n for n, url in enumerate(urls) if url and url.endswith("#reviews"))
    assert record.destination(str(own)) == (
        "https://hadar.example/p/12?a=1&b=2&utm_source=agala&utm_medium=email&utm_campaign=welcome"
        "&utm_content=mail-1#reviews"
    )


@pytest.mark.parametrize(
    ("address", "after"),
    [
        ("https://a.example", "https://a.example?u=1"),
        ("https://a.example/?", "https://a.example/?u=1"),
        ("https://a.example/?x=1#top?y", "https://a.example/?x=1&u=1#top?y"),
        ("https://a.example/?UTM_Source=mine&x", "https://a.example/?UTM_Source=mine&x"),
    ],
)
def test_utm_stands_beside_what_is_there_and_never_above_it(address: str, after: str) -> None:
    assert with_utm(address, "u=1") == after


def test_a_store_may_want_no_utm() -> None:
    finished, record = tracked(email('<a href="https://hadar.example/">x</a>'), settings={"utm": None})
    assert led(hrefs(finished.html)[0], record) == "https://hadar.example/"


@pytest.mark.parametrize(
    "address",
    [
        "mailto:shop@hadar.example",
        "tel:+97235550101",
        "#top",
        "javascript:alert(1)",
        "https://agala.example/u/u1.token",
        "https://agala.example/p/token",
        "https://agala.example",
        "http://",
    ],
)
def test_what_is_no_way_to_a_shop_stays(address: str) -> None:
    finished, record = tracked(email(f'<a href="{address}">x</a>', address))
    assert hrefs(finished.html)[0] == address
    assert finished.text == address and record.targets == ()


def test_the_link_that_friends_get_is_not_followed() -> None:
    share = "https://wa.me/?" + urlencode({"text": "Look: https://hadar.example/p/12"})
    finished, record = tracked(email(f'<a href="{share}">share</a>', share))
    assert led(hrefs(finished.html)[0], record) == share, "friends get the shop's own address"


def test_a_smart_link_is_its_blocks_own() -> None:
    shown = content(
        {"type": "text", "text": "x"},
        {"type": "button", "text": "Tea", "url": "https://hadar.example/tea", "smart": SMART},
    )
    there = quote("https://hadar.example/tea?a=1&b=2", safe="")
    page = (
        f'<a href="agala:smart?to={there}&amp;at={quote("blocks[1]")}">Tea</a>'
        f'<a href="agala:smart?to={there}&amp;at=blocks%5B7%5D">?</a>'
        '<a href="agala:nonsense">?</a>'
    )
    finished, record = tracked(email(page, f"Tea: agala:smart?to={there}&at={quote('blocks[1]')}"), shown)
    smart, plain, nonsense = record.targets
    assert (smart.url, smart.smart) == (plain.url, SMART | {"add_tags": ("tea",)})
    assert plain == Target(url="https://hadar.example/tea?a=1&b=2")
    assert nonsense.url == "https://hadar.example"
    assert finished.text == f"Tea: {hrefs(finished.html)[0]}"
    assert "agala:" not in finished.html


def test_an_answer_leads_on_or_to_a_word_of_thanks() -> None:
    page = (
        '<a href="agala:answer?survey=taste&amp;question=how%20good&amp;value=5&amp;field=liked">5</a>'
        '<a href="agala:answer?survey=taste&amp;question=q&amp;value=no&amp;to=https%3A%2F%2Felse.example%2F">no</a>'
        '<a href="agala:answer?survey=taste&amp;value=no">broken</a>'
    )
    _, record = tracked(email(page))
    thanks, on, broken = record.targets
    assert record.destination("0") is None and thanks.answer and thanks.answer.question == "how good"
    assert on.url == "https://else.example/" and on.answer and on.answer.value == "no"
    assert broken == Target(url="https://hadar.example")


def test_a_name_that_looks_like_an_address_of_ours_does_nothing_in_a_text() -> None:
    finished, record = tracked(email("Hi", "Hi agala:answer?survey=s&question=q&value=5"))
    assert finished.text.endswith("value=5") and record.targets == ()


def test_an_alert_to_the_manager_is_not_tracked() -> None:
    linking = Tracker(LINKS, FollowedLinks(memory_table())).begin(store(), message(to_manager=True), None, "en")
    made = email('<a href="https://hadar.example/">x</a>')
    assert linking.finished(made) == made and linking.record(NOW) is None


def test_what_nobody_sees_is_out_of_reach_for_people() -> None:
    finished, record = tracked(email('<a href="https://hadar.example/">x</a>'))
    unseen = finished.html[finished.html.index('<div aria-hidden="true"') : finished.html.index("</body>")]
    assert 'tabindex="-1"' in unseen and "display:none" not in unseen and "></a>" in unseen
    assert led(hrefs(unseen)[0], record) == "https://hadar.example"
    assert LINKS.read_pixel(unseen.split("/o/")[1].split('"')[0]) == record.code
    assert "/l/" not in finished.text and "/o/" not in finished.text


@settings(max_examples=60)
@given(st.data(), st.sampled_from(["0", "17", HONEYPOT, OPEN]))
def test_no_edited_link_is_good(changed: st.DataObject, number: str) -> None:
    code = LINKS.message_code("s1", "m")
    url = LINKS.pixel_url(code) if number == OPEN else LINKS.followed_url(code, number)
    read = LINKS.read_pixel if number == OPEN else LINKS.read_followed
    token = url.rpartition("/")[2]
    assert read(token) == (code if number == OPEN else (code, number))
    at = changed.draw(st.integers(0, len(token) - 1))
    letter = changed.draw(st.characters(codec="utf-8").filter(lambda one: one != token[at]))
    assert read(token[:at] + letter + token[at + 1 :]) is None
    assert read(token[:at]) is None


def test_links_outlive_their_key_and_tell_nobody_elses() -> None:
    rotated = SignedLinks("https://agala.example", [b"new", b"key"])
    old = LINKS.followed_url(LINKS.message_code("s1", "m"), "3").rpartition("/")[2]
    assert rotated.read_followed(old) == (LINKS.message_code("s1", "m"), "3")
    assert LINKS.message_code("s1", "m") != LINKS.message_code("s1", "m2") != LINKS.message_code("s2", "m")
    linking = Tracker(rotated, FollowedLinks(memory_table())).begin(store(), message(links="A" * 12), None, "en")
    finished = linking.finished(email('<a href="https://hadar.example/">x</a>'))
    assert f"/l/{'A' * 12}0" in finished.html, "what was claimed keeps its code"


def test_networks_are_known_again_and_not_by_name() -> None:
    one, same, other = (LINKS.network(address) for address in ("192.0.2.7", "192.0.2.250", "198.51.100.7"))
    assert one == same != other and "192" not in one
    assert LINKS.network("2001:db8:1::1") == LINKS.network("2001:db8:1:2::9") != LINKS.network("2001:db8:2::1")
    assert LINKS.network("") == "" == LINKS.network("nowhere")


def sms(words: str, **changes: Any) -> tuple[Sms, MessageLinks | None]:
    record = message(channel=Channel.SMS, to="+972505550101")
    linking = Tracker(LINKS, FollowedLinks(memory_table())).begin(store(), record, words, "he")
    made = SmsComposer("+972505550199").compose(words, data(shorten=linking.shorten, **changes), record)
    return linking.finished(made), linking.record(NOW)


def test_an_sms_is_cut_by_the_length_of_its_short_links() -> None:
    """630 letters fit: with the shop's own long address there would be no room for all the words."""
    address = "https://hadar.example/" + "a" * 300
    words = "מילים " * 80
    made, record = sms(f"{words}{address}. סוף")
    link = _OURS.search(made.text)
    assert link and record and record.destination("0") == with_utm(address, record.utm)
    assert "utm_medium=sms" in record.utm
    assert made.text.count("מילים") == 80 and f"{link[0]}. סוף" in made.text, "nothing was cut"
    assert len(link[0]) < 45
    assert "https://agala.example/u/token" in made.text


def test_an_sms_without_an_address_has_no_record() -> None:
    assert sms("שלום")[1] is None


@pytest.fixture(params=["table", "served_table"])
def table(request: pytest.FixtureRequest) -> Table:
    """In memory, and as a server keeps it."""
    found: Table = memory_table() if request.param == "table" else request.getfixturevalue("served_table")
    return found


@pytest.fixture
def kept(table: Table) -> tuple[FollowedLinks, MessageLinks]:
    records = FollowedLinks(table)
    shown = content({"type": "button", "text": "Tea", "url": "https://hadar.example/tea", "smart": SMART})
    page = '<a href="agala:smart?at=blocks%5B0%5D&amp;to=https%3A%2F%2Fhadar.example%2F">x</a>'
    _, record = tracked(email(page), shown)
    records.keep(record)
    return records, record


def test_a_record_comes_back_as_it_was_kept_and_ends_with_time(kept: Any, table: Table) -> None:
    records, record = kept
    assert records.get(record.code).model_dump(mode="json") == record.model_dump(mode="json")
    item = table.get(f"LINKS#{record.code}", "LINKS")
    assert item and item["expires_at"] == int((NOW + KEPT).timestamp())


def test_a_message_that_is_made_again_keeps_who_was_seen(kept: Any) -> None:
    from chalicelib.messages.followed import Sighting

    records, record = kept
    sighting = Sighting(at=NOW + timedelta(seconds=9), number="0", network="abc")
    assert records.see(record.code, sighting).seen == (sighting,)
    records.keep(record.model_copy(update={"targets": (Target(url="https://hadar.example/new"),)}))
    again = records.get(record.code)
    assert again.seen == (sighting,) and again.destination("0").startswith("https://hadar.example/new")


def test_who_comes_after_many_is_led_on_and_not_noted(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.messages.followed import Sighting
    from chalicelib.storage import followed

    monkeypatch.setattr(followed, "MOST_SEEN", 3)
    records, record = kept
    for _ in range(5):
        assert records.see(record.code, Sighting(at=NOW, number="0")).destination("0")
    assert len(records.get(record.code).seen) == 3
    records.forget(record.code)
    assert records.see(record.code, Sighting(at=NOW, number="0")) is None
