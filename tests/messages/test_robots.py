"""Who it was: each rule alone, and a person beside each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.contacts.consent import Channel
from chalicelib.messages.followed import MessageLinks, Sighting, Target
from chalicelib.messages.links import HONEYPOT, OPEN
from chalicelib.messages.robots import PERSON, PROXY, ROBOT, SAME_VISIT, Verdict, agent_of, judge
from tests.messages.shop import NOW

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)"
HOME, APPLE = "192.0.2.7", "17.58.3.1"


@pytest.mark.parametrize(
    ("number", "agent", "address", "more", "told"),
    [
        ("0", CHROME, HOME, {}, ""),
        ("0", IPHONE, HOME, {}, ""),
        ("0", IPHONE + " [FBAN/FBIOS;FBAV/440]", HOME, {}, ""),
        ("0", CHROME, APPLE, {}, ""),  # a person at Apple may click
        ("0", CHROME, HOME, {"sec-purpose": "prefetch;prerender"}, "prefetch"),
        ("0", CHROME, HOME, {"purpose": "prefetch"}, "prefetch"),
        ("0", IPHONE, HOME, {"x-purpose": "preview"}, "prefetch"),
        ("0", CHROME, HOME, {"x-moz": "prefetch"}, "prefetch"),
        ("0", "", HOME, {}, "no_agent"),
        ("0", "python-requests/2.32", HOME, {}, "crawler"),
        ("0", "curl/8.5.0", HOME, {}, "crawler"),
        ("0", CHROME.replace("Chrome", "HeadlessChrome"), HOME, {}, "crawler"),
        ("0", "facebookexternalhit/1.1 Facebot Twitterbot/1.0", HOME, {}, "crawler"),  # previews in Messages
        ("0", "WhatsApp/2.24.1 A", HOME, {}, "crawler"),
        ("0", "BarracudaSentinel (EE)", HOME, {}, "gateway"),
        ("0", CHROME + " Mimecast", HOME, {}, "gateway"),
        ("0", "Mozilla/5.0 (compatible; Proofpoint URL Defense)", HOME, {}, "gateway"),
        ("0", "Mozilla/5.0 SafeLinks", HOME, {}, "gateway"),
        ("0", "Microsoft Office Existence Discovery", HOME, {}, "gateway"),
        ("0", "Mozilla/5.0", HOME, {}, "gateway"),
        (OPEN, "Mozilla/5.0", HOME, {}, "apple_proxy"),
        (OPEN, IPHONE, APPLE, {}, "apple_proxy"),
        (OPEN, GMAIL, HOME, {}, ""),
        ("0", GMAIL, HOME, {}, "crawler"),
        (OPEN, OUTLOOK, HOME, {}, ""),
        (OPEN, "YahooMailProxy; https://help.yahoo.com/kb", HOME, {}, ""),
        (OPEN, CHROME, "no address", {}, ""),
        (OPEN, "Barracuda", HOME, {}, "gateway"),
    ],
)
def test_what_a_request_says_of_itself(number: str, agent: str, address: str, more: dict[str, str], told: str) -> None:
    assert agent_of({"user-agent": agent, **more}, address, number) == told


def seen(second: float, number: str = "0", network: str = "home", agent: str = "") -> Sighting:
    return Sighting(at=NOW + timedelta(seconds=second), number=number, network=network, agent=agent)


def judged(*sightings: Sighting) -> list[str]:
    links = MessageLinks(
        code="code",
        store_id="s1",
        contact_id="c1",
        message_id="c1-m",
        channel=Channel.EMAIL,
        language="en",
        home="https://shop.example",
        targets=(Target(url="https://shop.example/a"), Target(url="https://shop.example/b")),
        sent_at=NOW,
        seen=sightings,
    )
    return [one.why or one.who for one in judge(links)]


def test_a_person_opens_reads_and_clicks() -> None:
    assert judged(seen(60, OPEN), seen(75, "0"), seen(90, "1"), seen(91, "1"), seen(4000, "0", "work")) == [PERSON] * 5


def test_nobody_clicks_before_the_message_can_have_come() -> None:
    assert judged(seen(1, OPEN), seen(4.9), seen(5.1)) == ["too_soon", "too_soon", PERSON]


def test_nobody_follows_two_links_at_once() -> None:
    """Nor is what its network did around that a person's; that of another place is."""
    told = judged(seen(60, "0"), seen(61.5, "1", "elsewhere"), seen(70, OPEN), seen(70, OPEN, "phone"), seen(63, "1"))
    assert told == ["many_links_at_once"] * 2 + ["same_network", PERSON, "same_network"]


def test_one_link_twice_at_once_is_an_impatient_person() -> None:
    assert judged(seen(60, "0"), seen(60.3, "0"), seen(60.5, OPEN)) == [PERSON] * 3


def test_whoever_follows_what_nobody_sees_is_none_in_all_it_does_then() -> None:
    minutes = SAME_VISIT.total_seconds()
    told = judged(
        seen(600, HONEYPOT, "gate"),
        seen(590, OPEN, "gate"),
        seen(630, "0", "gate"),
        seen(640, "1", "phone"),
        seen(641 + minutes, "0", "gate"),
    )
    assert told == ["honeypot", "honeypot", "honeypot", PERSON, PERSON]


def test_what_says_what_it_is_is_believed() -> None:
    assert judged(seen(60, "0", agent="crawler"), seen(60, OPEN, agent="apple_proxy"), seen(80, "0")) == [
        "crawler",
        "apple_proxy",
        PERSON,
    ]


def test_apples_proxy_is_a_kind_of_its_own() -> None:
    assert {ROBOT, PROXY} == {"robot", "proxy"}
    links = MessageLinks.model_validate(
        {
            **dict.fromkeys(("code", "store_id", "contact_id", "message_id", "language", "home"), "x"),
            "channel": "email",
            "targets": [],
            "sent_at": NOW,
            "seen": [seen(9, OPEN, agent="apple_proxy")],
        }
    )
    assert judge(links) == (Verdict(PROXY, "apple_proxy"),)
