"""From the link in a message to what is known of its reader: through the door, over the queue, into the records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from chalice.test import Client

from app import app
from chalicelib.contacts.book import ContactInput
from chalicelib.contacts.consent import Channel, Consent, ConsentStatus
from chalicelib.errors import TryLater
from chalicelib.handlers.activity import activity
from chalicelib.handlers.followed import PIXEL
from chalicelib.messages.email import EmailComposer
from chalicelib.messages.followed import KEPT, MessageLinks
from chalicelib.messages.links import HONEYPOT
from chalicelib.messages.message import Message, MessageStatus
from tests.any_order import Listening, listening
from tests.conftest import HandClock
from tests.journeys.world import journey, pause
from tests.memory_client import MemoryTables
from tests.messages.test_robots import CHROME
from tests.test_any_order import HEBREW, NOW

EMAIL = "dana@shopper.example"
SMART = {"name": "tea-lover", "set_fields": {"taste": "tea"}, "add_tags": ["tea"], "start_journey": "tea-club"}
AGALA_SMART = f"agala:smart?to={quote('https://shop.example/tea', safe='')}&at={quote('blocks[1]', safe='')}"
ANSWER = "agala:answer?survey=taste&question=stars&value=4&field=stars"


class Reader:
    """Somebody with a browser, and what they got."""

    def __init__(self, shop: Listening, http: Any) -> None:
        self.shop, self.http = shop, http

    def links(self) -> list[str]:
        """Paths in the newest email, in its order; the unseen one is last."""
        page = self.shop.channel.taken[-1].html
        return re.findall(r'href="https://agala\.example(/l/\w+)"', page)

    def pixel(self) -> str:
        [path] = re.findall(r'src="https://agala\.example(/o/[\w.]+)"', self.shop.channel.taken[-1].html)
        return str(path)

    def get(self, path: str, agent: str = CHROME, method: str = "GET", **more: str) -> Any:
        return self.http.request(method, path, headers={"User-Agent": agent, **more})

    def told(self, times: int = 1) -> None:
        """What waits in the queue is brought, as often as this."""
        waiting, self.shop.activities.messages = self.shop.activities.messages, []
        records = [{"messageId": str(n), "body": json.dumps(one)} for n, one in enumerate(waiting * times)]
        assert activity({"Records": records}, None) == {"batchItemFailures": []}

    def message(self) -> Message:
        contact = self.shop.parts.contacts.find("shop", "email", EMAIL)
        first, *_ = self.shop.parts.messages.of_contact("shop", contact.id)
        assert isinstance(first, Message)
        return first

    def history(self) -> list[str]:
        return [entry.status for entry in self.message().history][2:]

    def profile(self) -> Any:
        return self.shop.parts.contacts.find("shop", "email", EMAIL)

    def events(self) -> list[str]:
        found = self.shop.parts.timeline.of_contact("shop", self.profile().id)
        return sorted(e.type for e in found if e.type.startswith(("message_", "smart_", "survey_", "field_", "tag_")))


@pytest.fixture
def shop(tables: MemoryTables) -> Iterator[Listening]:
    with listening(tables, HandClock(NOW), HEBREW) as made:
        yield made


@pytest.fixture
def reader(shop: Listening, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Of an email with the shop's name and two more plain links, a smart one, an answer, and a plain one to where the
    smart one leads; read a minute after it came."""
    compose = EmailComposer.compose
    more = (AGALA_SMART, ANSWER, "https://shop.example/tea")
    extra = "".join(f'<a href="{address.replace("&", "&amp;")}">x</a>' for address in more)

    def with_more(composer: EmailComposer, content: Any, data: Any, message: Message) -> Any:
        made = compose(composer, content, data, message)
        return made.model_copy(update={"html": made.html.replace("</body>", f"{extra}</body>")})

    monkeypatch.setattr(EmailComposer, "compose", with_more)
    blocks = [
        {"type": "text", "text": "Look at [this](https://shop.example/this?a=1&b=2)"},
        {"type": "button", "text": "Tea", "url": "https://elsewhere.example/", "smart": SMART},
    ]
    content = {"en": {"subject": "Hello", "blocks": blocks}}
    send = {"id": "mail", "type": "send_email", "kind": "transactional", "content": content}
    shop.activate(
        {
            "asked": journey(send, pause(days=9), trigger={"type": "api_event", "name": "asked"}),
            "tea-club": journey(pause(days=3), trigger={"type": "api_event", "name": "nobody-sends-this"}),
        }
    )
    agreed = Consent(status=ConsentStatus.SUBSCRIBED, source="api", at=NOW)
    given = ContactInput(email=EMAIL, phone="+972505550101", consent={Channel.EMAIL: agreed}, locale="en")
    ask(shop, shop.parts.contact_book.upsert(shop.store, given).id)
    with Client(app) as client:
        yield Reader(shop, client.http)


def ask(shop: Listening, contact_id: str) -> None:
    from chalicelib.commerce.event import Event
    from chalicelib.commerce.intake import ContactRef

    asked = Event(id=f"asked-{contact_id}", type="asked", occurred_at=shop.clock.now())
    shop.parts.intake.record_event(shop.store, ContactRef(id=contact_id), asked)
    shop.workflows.live(minutes=1)


def test_a_click_leads_on_at_once_and_counts_once(reader: Reader) -> None:
    this = reader.links()[1]
    for _ in range(2):
        answer = reader.get(this)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Location"].startswith(
            "https://shop.example/this?a=1&b=2&utm_source=agala&utm_medium=email"
        )
        reader.shop.clock.advance(seconds=30)
    assert reader.history() == [], "the door judges nothing"
    reader.told(times=2)
    assert reader.message().status is MessageStatus.CLICKED
    assert reader.message().history[-1].detail == "https://shop.example/this?a=1&b=2"
    reader.get(reader.pixel())
    reader.told()
    reader.told()
    assert reader.history() == ["clicked", "opened"]
    assert reader.events() == ["message_clicked", "message_opened"]


def test_the_picture_is_one_whatever_comes_of_it(reader: Reader) -> None:
    answer = reader.get(reader.pixel())
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
    assert answer.body == PIXEL.encode() and answer.body[:6] == b"GIF89a" and answer.body[-1:] == b";"
    reader.shop.parts.followed.forget(reader.message().links)
    assert reader.get(reader.pixel()).status_code == 200


def test_a_smart_link_does_all_it_says_once(reader: Reader) -> None:
    smart = reader.links()[3]
    assert reader.get(smart).headers["Location"].startswith("https://shop.example/tea?utm_")
    reader.told(times=2)
    reader.shop.clock.advance(minutes=5)
    reader.get(smart)
    reader.told()
    assert (reader.profile().fields["taste"], reader.profile().tags) == ("tea", ("tea",))
    assert reader.events() == ["field_changed", "message_clicked", "smart_link_clicked", "tag_added"]
    enrolments = reader.shop.parts.enrolments.of_contact("shop", reader.profile().id)
    assert sorted(one.journey for one in enrolments) == ["asked", "tea-club"]


def test_a_journey_that_is_gone_keeps_no_click_from_counting(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    head = reader.shop.parts.journeys.head
    gone = lambda store_id, journey_id: None if journey_id == "tea-club" else head(store_id, journey_id)  # noqa: E731
    monkeypatch.setattr(reader.shop.parts.journeys, "head", gone)
    reader.get(reader.links()[3])
    reader.told()
    assert reader.history() == ["clicked"] and reader.profile().tags == ("tea",)


def test_a_smart_link_does_its_own_where_a_plain_one_led_to_the_same_page(reader: Reader) -> None:
    for path in (reader.links()[5], reader.links()[3]):
        reader.get(path)
        reader.shop.clock.advance(minutes=1)
        reader.told()
    assert reader.history() == ["clicked"] and reader.profile().tags == ("tea",)


def test_an_answer_is_kept_and_thanked_for(reader: Reader) -> None:
    page = reader.get(reader.links()[4])
    assert page.status_code == 200 and "Thank you!" in page.body.decode()
    reader.told(times=2)
    assert reader.profile().fields["stars"] == 4
    assert reader.events() == ["field_changed", "message_clicked", "survey_answered"]
    [told] = [
        e for e in reader.shop.parts.timeline.of_contact("shop", reader.profile().id) if e.type == "survey_answered"
    ]
    assert (told.properties["survey"], told.properties["answers"]) == ("taste", {"stars": 4})


@pytest.mark.parametrize("value", ["9" * 100, "1" * 40, "٣", "-1", "1e5", "007", "a\x00\u202eb"])
def test_an_answer_that_is_no_small_number_is_kept_as_it_was_written(reader: Reader, value: str) -> None:
    """A number with too many digits has no place in the table: the click would fail for ever."""
    code = reader.shop.parts.links.read_followed(reader.links()[4].rpartition("/")[2])[0]
    links = reader.shop.parts.followed.get(code)
    assert links is not None
    answer = links.targets[4].answer.model_copy(update={"value": value})
    targets = [t.model_copy(update={"answer": answer}) if t.answer else t for t in links.targets]
    reader.shop.parts.followed.keep(links.model_copy(update={"targets": tuple(targets)}))
    reader.get(reader.links()[4])
    reader.told()
    assert reader.profile().fields["stars"] == value


@pytest.mark.parametrize("fails_at", range(14))
def test_whatever_is_cut_short_is_done_when_it_comes_again(
    reader: Reader, fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table goes out after so many writes; the queue brings the activity again."""
    reader.get(reader.links()[3])
    table = reader.shop.parts.table
    call, writes = table._call, [0]

    def out(operation: str, **request: Any) -> Any:
        if operation in ("put_item", "update_item", "transact_write_items"):
            writes[0] += 1
            if writes[0] > fails_at:
                raise TryLater("out")
        return call(operation, **request)

    waiting = list(reader.shop.activities.messages)
    with monkeypatch.context() as patched:
        patched.setattr(table, "_call", out)
        activity({"Records": [{"messageId": "1", "body": json.dumps(waiting[0])}]}, None)
    reader.told()
    assert reader.history() == ["clicked"]
    assert reader.events() == ["field_changed", "message_clicked", "smart_link_clicked", "tag_added"]
    enrolments = reader.shop.parts.enrolments.of_contact("shop", reader.profile().id)
    assert sorted(one.journey for one in enrolments) == ["asked", "tea-club"]


def test_programs_are_kept_apart(reader: Reader) -> None:
    """Everything is followed within a second, then a person comes from elsewhere."""
    reader.get(reader.pixel(), agent="Mozilla/5.0")
    for path in reader.links():
        assert reader.get(path).status_code in (200, 302)
    reader.get(reader.pixel())
    reader.told()
    message = reader.message()
    assert reader.history() == ["proxy_opened", "robot_clicked", "robot_opened"]
    assert message.status is MessageStatus.SENT and reader.events() == []
    assert message.history[-2].detail == "many_links_at_once"
    reader.shop.clock.advance(minutes=20)
    reader.get(reader.links()[1])
    reader.told()
    assert reader.message().status is MessageStatus.CLICKED and reader.events() == ["message_clicked"]


def test_the_unseen_link_leads_to_the_shop_and_tells_on_its_visitor(reader: Reader) -> None:
    *_, unseen = reader.links()
    read = reader.shop.parts.links.read_followed(unseen.removeprefix("/l/"))
    assert read and read[1] == HONEYPOT
    reader.get(reader.links()[3])
    reader.shop.clock.advance(seconds=4)
    assert reader.get(unseen).headers["Location"] == "https://shop.example"
    reader.told()
    assert reader.history() == ["robot_clicked"] and reader.events() == [] and reader.profile().tags == ()


def test_a_look_ahead_is_answered_and_not_counted(reader: Reader) -> None:
    this = reader.links()[1]
    assert reader.get(this, method="HEAD").headers["Location"].startswith("https://shop.example/this")
    assert reader.get(reader.pixel(), method="HEAD").status_code == 200
    assert reader.shop.activities.messages == []
    reader.get(this, **{"Sec-Purpose": "prefetch"})
    reader.told()
    assert reader.history() == ["robot_clicked"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_no_link_of_ours_leads_nowhere(reader: Reader, method: str) -> None:
    this, pixel = reader.links()[1], reader.pixel()
    code = reader.message().links
    links = reader.shop.parts.links
    unknown = links.followed_url("A" * 12, "0"), links.followed_url(code, "99")
    bad = [this[:-1] + ("a" if this[-1] != "a" else "b"), this[:-1], "/l/x", pixel[:-4], pixel[:-5] + "_.gif"]
    for path in (*bad, *(url.removeprefix("https://agala.example") for url in unknown)):
        answer = reader.get(f"{path}?to=https://evil.example&url=//evil.example", method=method)
        assert answer.status_code == 404 and "Location" not in answer.headers, path
    page = reader.get("/l/x", **{"Accept-Language": "he-IL"})
    assert "הקישור אינו תקין" in page.body.decode()
    reader.shop.clock.advance(days=KEPT.days + 1)
    assert reader.get(this).status_code == 404


def test_nothing_of_a_request_is_part_of_the_way_or_of_the_records(reader: Reader) -> None:
    this = reader.links()[1]
    plain = reader.get(this).headers["Location"]
    assert reader.get(f"{this}?to=https://evil.example#x").headers["Location"] == plain
    kept = json.dumps(reader.shop.parts.table.get(f"LINKS#{reader.message().links}", "LINKS"), default=str)
    assert "127.0.0" not in kept and "Chrome" not in kept and EMAIL not in kept


def test_of_who_was_erased_no_link_is_left(reader: Reader) -> None:
    this, code, contact_id = reader.links()[1], reader.message().links, reader.profile().id
    reader.get(this)
    reader.shop.parts.contact_book.erase("shop", contact_id)
    assert reader.shop.parts.followed.get(code) is None
    reader.told()
    assert reader.get(this).status_code == 404
    reader.told()
    assert reader.shop.parts.followed.get(code) is None
    [message] = reader.shop.parts.messages.of_contact("shop", contact_id)
    assert "clicked" not in [entry.status for entry in message.history]


def test_who_is_erased_while_their_message_goes_out_leaves_no_link(reader: Reader) -> None:
    shop = reader.shop
    other = shop.parts.contact_book.upsert(shop.store, ContactInput(email="noa@shopper.example")).id
    keep = shop.parts.followed.keep

    def erased_first(links: MessageLinks) -> None:
        if links.contact_id == other:
            shop.parts.contact_book.erase("shop", other)
        keep(links)

    shop.parts.followed.keep = erased_first
    ask(shop, other)
    [message] = shop.parts.messages.of_contact("shop", other)
    assert message.links and shop.parts.followed.get(message.links) is None


def test_who_became_another_contact_is_found(reader: Reader) -> None:
    before = reader.message().contact_id
    parts, store = reader.shop.parts, reader.shop.store
    older = parts.contact_book.upsert(store, ContactInput(external_id="77"))
    parts.contact_book.upsert(store, ContactInput(external_id="77", email=EMAIL))
    reader.get(reader.links()[4])
    reader.told(times=2)
    assert reader.profile().fields["stars"] == 4 and reader.history() == ["clicked"]
    assert {before, older.id} >= {reader.message().contact_id}


def test_a_queue_that_is_out_stops_nobody_and_loses_nothing(reader: Reader, caplog: pytest.LogCaptureFixture) -> None:
    queue, shop = reader.shop.activities, reader.shop
    this, pixel = reader.links()[1], reader.pixel()

    def out(message: dict[str, Any], message_id: str, /) -> None:
        raise TryLater("out")

    shop.parts.activities.send, send = out, queue.send
    assert reader.get(this).status_code == 302
    shop.parts.activities.send = send
    shop.clock.advance(minutes=1)
    reader.get(pixel)
    reader.told()
    assert sorted(reader.history()) == ["clicked", "opened"]


def test_a_door_that_is_cut_off_leaves_no_visit_that_nobody_looks_at(reader: Reader) -> None:
    followed = reader.shop.parts.followed
    see, this = followed.see, reader.links()[1]

    def out(*_: Any) -> None:
        raise TryLater("the table is busy")

    followed.see = out
    assert reader.get(this).status_code == 503
    followed.see = see
    assert reader.shop.activities.messages, "told before it is noted"
    reader.told()
    assert reader.history() == []


def test_one_bad_activity_takes_no_other_with_it(reader: Reader) -> None:
    reader.get(reader.links()[1])
    [good] = reader.shop.activities.messages
    bodies = ["{", json.dumps(good), json.dumps({"code": "x"})]
    records = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    assert [one["itemIdentifier"] for one in activity({"Records": records}, None)["batchItemFailures"]] == ["0", "2"]
    assert reader.history() == ["clicked"]


def test_a_click_costs_little(reader: Reader) -> None:
    """One write at the door; of the queue's reader three reads where nothing is new, and the message, the event and
    the engagement where it is."""
    table = reader.shop.parts.table
    call, asked = table._call, []

    def counted(operation: str, **request: Any) -> Any:
        asked.append(operation)
        return call(operation, **request)

    table._call = counted
    reader.get(reader.links()[1])
    assert asked == ["update_item"]
    reader.told()
    first = list(asked)
    asked.clear()
    reader.shop.clock.advance(minutes=1)
    reader.get(reader.links()[1])
    reader.told()
    assert (len(first), asked) == (len(first), ["update_item", "get_item", "batch_get_item", "get_item", "get_item"])
    item = table._client.get_item(Key={"pk": {"S": f"LINKS#{reader.message().links}"}, "sk": {"S": "LINKS"}})["Item"]
    from local.bench.units import size

    assert size(item) < 1024
