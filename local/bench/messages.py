"""What a message costs after its decision, by count: sending, the provider's report, opens and clicks, a preference.

The mail has a heading, words with two links and a product; the SMS one link. Each is the only step of a journey that an
event of the API begins; what an event does, and what one does that begins a journey which only waits, is taken off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from typing import Any

from local.bench.house import shopper
from local.bench.purchase import SLOWLY, open_shop
from local.bench.traffic import Act, Watched, watched_house
from local.demo import play
from local.demo.shop import GREEN

PEOPLE = 6  # the first warms up, the second is counted, the others are timed
_BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": ""}
_WORDS = {"he": "רגע", "en": "A moment"}
_MAIL = {
    "subject": "{{ contact.first_name | default: 'היי' }}, תה חדש הגיע",
    "preheader": "עד סוף החודש",
    "blocks": [
        {"type": "heading", "text": "{{ contact.first_name | default: 'היי' }}, תה חדש הגיע"},
        {"type": "text", "text": "הקציר החדש [כאן]({{ store.url }}/new), ו[המשלוח]({{ store.url }}/ship) מהיר."},
        {"type": "product", "product": str(GREEN.id), "button": "לפרטים"},
    ],
}
_WAIT = {"id": "wait", "title": _WORDS, "type": "wait", "for": {"days": 300}}
_STEPS: dict[str, dict[str, Any]] = {
    "wait": _WAIT,
    "branch": {"type": "branch", "if": {"purchased": {"since": "entry"}}, "then": [], "else": [_WAIT]},
    "email": {"type": "send_email", "content": {"he": _MAIL, "en": _MAIL}},
    "sms": {"type": "send_sms", "text": dict.fromkeys(("he", "en"), "תה חדש הגיע: {{ store.url }}/new")},
}


def measure(people: int = PEOPLE) -> dict[str, Any]:
    return {name: act.as_json() for name, act in acts(people).items()}


def acts(people: int = PEOPLE) -> dict[str, Act]:
    with watched_house(SLOWLY) as watched:
        return Shop(watched, people).acts()


class Shop:
    """A store, people who said yes to email and SMS; a journey that waits, one that parts, two that write at once."""

    def __init__(self, watched: Watched, people: int) -> None:
        self.watched, self.house = watched, watched.house
        self.store_id = open_shop(self.house)
        self._path = f"/v1/stores/{self.store_id}"
        settings = self._call("GET", self._path)["settings"]
        settings["quiet_hours"] = {"email": None, "sms": None, "whatsapp": None}
        settings["sender"]["sms"] = "Tea"
        settings["topics"] = {"news": {"he": "חדשות", "en": "News"}}
        self._call("PATCH", self._path, {"settings": settings})
        for name, step in _STEPS.items():
            play.activate(self.house, self.store_id, name, _journey(f"begin_{name}", step))
        self.people = [self._person(number) for number in range(1, people + 1)]
        self._told = 0

    def acts(self) -> dict[str, Act]:
        view, nothing, entered, parted = (
            self._each(lambda who, kind=kind: self._tell(who, kind))  # type: ignore[misc]
            for kind in ("page_viewed", "begin_nothing", "begin_wait", "begin_branch")
        )
        again = self._each(lambda who: self._tell(who, "page_viewed"))
        found = {"view_first_of_a_day": view, "view": again}
        found |= {"entry": entered.less(nothing), "branch": parted.less(entered)}
        for channel in ("email", "sms"):
            written = self._each(lambda who, channel=channel: self._tell(who, f"begin_{channel}"))  # type: ignore[misc]
            found[f"message_{channel}"] = written.less(entered)
        sent = self._sent()
        for channel in ("email", "sms"):
            found[f"report_{channel}"] = self._each(
                lambda who, channel=channel: self._report(sent[who, channel]["id"])  # type: ignore[misc]
            )
        mails = {who: sent[who, "email"] for who in self.people}
        for name, wanted in (("open", "/o/"), ("click", "/l/")):
            for which in ("first", "repeated"):
                found[f"{name}_{which}"] = self._each(lambda who, at=wanted: self._visit(mails[who], at))  # type: ignore[misc]
        found["preference_page"] = self._each(lambda who: self._visit(mails[who], "/p/"))
        found["preference_change"] = self._each(lambda who: self._choose(mails[who]))
        found["unsubscribe"] = self._each(lambda who: self._leave(mails[who]))
        return found

    def _each(self, does: Callable[[str], Any]) -> Act:
        first, counted, *timed = self.people
        self.watched.act(lambda: does(first))
        return self.watched.act(lambda: does(counted), *(partial(does, who) for who in timed))

    def _tell(self, who: str, kind: str) -> None:
        self._told += 1
        event = {"id": f"bench-{self._told}", "type": kind, "contact": {"id": who}, "properties": {}}
        self._call("POST", f"{self._path}/events", event)

    def _report(self, message: str) -> None:
        self._call("POST", f"/local/deliveries/{message}", {"status": "delivered"})

    def _visit(self, mail: dict[str, Any], at: str) -> None:
        """A browser's, of the mail's first address of this kind; in the text twin there is no honeypot."""
        asked = HTTPConnection("127.0.0.1", self.house.port, timeout=20)
        asked.request("GET", self._address(mail, at), headers={"User-Agent": _BROWSER})
        answer = asked.getresponse()  # a redirect is not gone after
        answer.read()
        asked.close()
        if answer.status not in (200, 302):
            raise RuntimeError(f"a visit to {at} was answered {answer.status}")

    def _choose(self, mail: dict[str, Any]) -> None:
        """Joins a list, and keeps what was there."""
        form = b"do=save&channel=email&had=email&channel=sms&had=sms&topic=news"
        self._call("POST", self._address(mail, "/p/"), form, _FORM)

    def _leave(self, mail: dict[str, Any]) -> None:
        self._call("POST", self._address(mail, "/u/"), b"List-Unsubscribe=One-Click", _FORM)

    def _address(self, mail: dict[str, Any], at: str) -> str:
        text = mail["text"] + mail["html"] + json.dumps(mail["headers"])
        found = re.search(rf"{re.escape(self.house.url)}({at}[A-Za-z0-9_.~-]+)", text)
        if found is None:
            raise RuntimeError(f"the mail has no address with {at}")
        return found[1]

    def _sent(self) -> dict[tuple[str, str], dict[str, Any]]:
        sent = {(one["contact_id"], one["channel"]): one for one in self._call("GET", "/local/outbox")["items"]}
        if len(sent) != 2 * len(self.people):
            raise RuntimeError(f"{len(sent)} messages went out")
        return sent

    def _person(self, number: int) -> str:
        who = shopper(number)
        yes = {"status": "subscribed", "text": "Yes"}
        person = {"email": who.email, "phone": f"+9725055501{number:02}", "first_name": who.first_name}
        made = self._call("POST", f"{self._path}/contacts", person | {"consent": {"email": yes, "sms": yes}})
        return str(made["id"])

    def _call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        answer = self.house.call(method, path, body, headers)
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {answer.body}")
        return answer.body


def _journey(event: str, step: dict[str, Any]) -> dict[str, Any]:
    kind = {"kind": "marketing"} if step["type"].startswith("send_") else {}
    return {
        "name": _WORDS,
        "description": _WORDS,
        "trigger": {"type": "api_event", "name": event},
        "reentry": {"mode": "every_time"},
        "steps": [{"id": "only", "title": _WORDS, **kind, **step}],
    }
