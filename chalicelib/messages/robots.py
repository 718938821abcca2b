"""Who followed a link or loaded a picture: a person, or a program on their way. Pure; every figure says why.

Mail gateways open every link of a message to look for harm, chat programs fetch a preview, browsers fetch ahead, and
proxies of mail providers load pictures for everybody. All are noted and none counts: an open or a click that nobody
made would wake journeys, end waits and spoil the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network

from chalicelib.messages.followed import MessageLinks, Sighting
from chalicelib.messages.links import HONEYPOT, OPEN

PERSON, ROBOT, PROXY = "person", "robot", "proxy"

QUICKEST_CLICK = timedelta(seconds=5)
"""After the message was handed over. Delivery alone takes seconds, and somebody has to read it; gateways look at links
before they deliver."""
QUICKEST_OPEN = timedelta(seconds=2)
"""Likewise; an open mailbox shows a new email at once, so there is less to say here."""
TOGETHER = timedelta(seconds=2)
"""Two different links of one message within so long: nobody comes back from a page and finds the next link faster."""
SAME_VISIT = timedelta(minutes=10)
"""What came from the network of a program around its visit is that program's too: gateways follow links with several
agents, one of which looks like a person's browser."""

# Apple's mail privacy protection loads every picture of every email, opened or not, from networks of Apple (17.0.0.0/8
# is all theirs) and partners, by an agent that says no more than this ("Use Mail Privacy Protection", Apple Support).
_APPLE_AGENT = "Mozilla/5.0"
NETWORKS: Mapping[str, str] = {"17.0.0.0/8": "apple_proxy"}
"""Networks that tell who comes. One entry a line; what it is called here is what history says of it."""

# Who loads a picture when the person opens the email, and so tells an open: Gmail's and Yahoo's proxies (Gmail Help,
# "Turn images on or off"), and Outlook, whose name on a link is that of a look before the browser gets it.
_OPENS = re.compile(r"GoogleImageProxy|Yahoo ?Mail ?Proxy|Microsoft Outlook|Outlook-|ms-office|MSOffice", re.IGNORECASE)
# Gateways by the names that they give themselves; most of them come as a browser, and the other rules find those.
_GATEWAY = re.compile(
    r"barracuda|mimecast|proofpoint|urldefense|safelinks|microsoft office|msoffice|ms-office|ms web services|"
    r"bitdefender|trendmicro|symantec|messagelabs|fireeye|trellix|forcepoint|websense|ironport|cisco-|sophos|fortiguard|fortinet|"
    r"zscaler|cloudmark|\bvade|checkpoint|avanan|kaspersky|\beset\b|mailguard|spamtitan|hornetsecurity|google-safety|"
    r"googlemessages|google-pagerenderer|skypeuripreview|virustotal",
    re.IGNORECASE,
)
_LONGEST_AGENT = 500  # letters that are looked at
# Fetched before anybody asked for it: Fetch standard (Sec-Purpose), and what browsers sent before it.
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")


@dataclass(frozen=True)
class Verdict:
    """`why`: the rule, for what is no person's."""

    who: str
    why: str = ""


def agent_of(headers: Mapping[str, str], address: str, number: str) -> str:
    """What a request says of itself, in a word; empty where it looks like a person's browser. `headers` have lower-case
    names, `address` is where it came from, `number` the link's (or OPEN, HONEYPOT)."""
    if any("prefetch" in (told := headers.get(name, "").lower()) or "preview" in told for name in _AHEAD):
        return "prefetch"
    agent = headers.get("user-agent", "")[:_LONGEST_AGENT].strip()
    if number == OPEN:
        if agent == _APPLE_AGENT:
            return "apple_proxy"
        if known := _network(address):
            return known
        if _OPENS.search(agent):
            return ""
    if not agent:
        return "no_agent"
    if agent == _APPLE_AGENT or _GATEWAY.search(agent):  # no browser says so little
        return "gateway"
    return "crawler" if _crawls(agent) else ""


def judge(links: MessageLinks) -> tuple[Verdict, ...]:
    """For each sighting, in their order. More sightings may turn a person into a robot, never the other way."""
    programs = [one for one in links.seen if one.number == HONEYPOT or _in_a_burst(one, links.seen)]
    return tuple(_judge(one, links, programs) for one in links.seen)


def _judge(one: Sighting, links: MessageLinks, programs: Sequence[Sighting]) -> Verdict:
    if one.agent.endswith("_proxy"):
        return Verdict(PROXY, one.agent)
    if one.agent:
        return Verdict(ROBOT, one.agent)
    if one.number == HONEYPOT:
        return Verdict(ROBOT, "honeypot")
    quickest = QUICKEST_OPEN if one.number == OPEN else QUICKEST_CLICK
    if one.at - links.sent_at < quickest:
        return Verdict(ROBOT, "too_soon")
    if one in programs:
        return Verdict(ROBOT, "many_links_at_once")
    for program in programs:
        if program.network == one.network and abs(program.at - one.at) <= SAME_VISIT:
            return Verdict(ROBOT, "honeypot" if program.number == HONEYPOT else "same_network")
    return Verdict(PERSON)


def _in_a_burst(one: Sighting, seen: Sequence[Sighting]) -> bool:
    return one.number != OPEN and any(
        other.number not in (one.number, OPEN) and abs(other.at - one.at) <= TOGETHER for other in seen
    )


def _network(address: str) -> str:
    try:
        told = ip_address(address)
    except ValueError:
        return ""
    return next((name for network, name in NETWORKS.items() if told in ip_network(network)), "")


def _crawls(agent: str) -> bool:
    from crawlerdetect import CrawlerDetect  # a list of 1,400 names: read when the first agent is looked at

    return bool(CrawlerDetect().is_crawler(agent))
