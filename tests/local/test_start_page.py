"""The start page in a real browser, over the real runtime."""

from __future__ import annotations

import hashlib
import hmac
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.outbox import Outbox
from tests.api.test_connections import WOO, inside
from tests.conftest import HandClock
from tests.local.browser import CHROMIUM, Browser
from tests.local.test_outbox import email, sms
from tests.local.test_runtime import STORE, Process

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")

ATTACK = "<img src=x onerror=\"document.title='taken over'\">"


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = tmp_path_factory.mktemp("agala")
    process = Process(folder).ready()
    status, store = process.ask("/v1/stores", "POST", STORE)
    assert status == 201
    shopper = {"email": "dana@shopper.example", "first_name": ATTACK, "last_name": "כהן", "phone": "+972505550123"}
    assert process.ask(f"/v1/stores/{store['id']}/contacts", "POST", shopper)[0] in (200, 201)
    outbox = Outbox(folder / "outbox.db", HandClock())
    html = f"<p>שלום דנה</p><script>top.document.title='taken over'</script>{ATTACK}"
    outbox.send(email().model_copy(update={"store_id": store["id"], "subject": ATTACK, "html": html}))
    yield process
    process.popen.kill()
    process.popen.communicate()


@pytest.fixture
def page(runtime: Process, tmp_path: Path) -> Iterator[Browser]:
    browser = Browser(tmp_path)
    browser.go(runtime.link)
    browser.until("!!document.querySelector('#tabs a')")
    yield browser
    browser.close()


def test_the_link_opens_the_outbox_and_the_token_leaves_the_address(page: Browser, runtime: Process) -> None:
    page.until("!!document.querySelector('.letter iframe')")
    assert runtime.token not in page.value("location.href")
    assert runtime.token not in page.value("JSON.stringify(history.state) + document.documentElement.outerHTML")
    assert "שלום דנה" in page.value("document.querySelector('.letter iframe').srcdoc")
    assert page.value("document.querySelector('.letter iframe').getAttribute('sandbox')") == ""


def test_what_a_shopper_typed_stays_text(page: Browser) -> None:
    page.until("!!document.querySelector('.letter iframe')")
    assert ATTACK in page.value("document.querySelector('.letter h1').textContent")
    page.value("location.hash = '#/contacts'")
    page.until("!!document.querySelector('td a')")
    assert ATTACK in page.value("document.querySelector('td a').textContent")
    page.value("document.querySelector('td a').click()")
    page.until("!!document.querySelector('.timeline li')")
    assert page.value("document.querySelector('dd bdi[dir=ltr]').textContent") == "+972505550123"
    assert page.value("document.querySelectorAll('img').length") == 1
    assert page.value("document.title") == "Agala"


def test_both_languages_turn_the_page(page: Browser) -> None:
    first = page.value("document.documentElement.dir")
    page.value("document.getElementById('language').click()")
    page.until(f"document.documentElement.dir !== '{first}'")
    words = {page.until("document.querySelector('#tabs').innerText")}
    page.value("document.getElementById('language').click()")
    page.until(f"document.documentElement.dir === '{first}'")
    words.add(page.value("document.querySelector('#tabs').innerText"))
    assert {text.split()[0] for text in words} == {"Outbox", "דואר"}


def test_a_new_email_shows_up_by_itself(page: Browser, runtime: Process) -> None:
    page.until("!!document.querySelector('.list li')")
    folder = Path(runtime.environment["AGALA_DATA_DIR"])
    store = runtime.ask("/v1/stores")[1]["items"][0]["id"]
    Outbox(folder / "outbox.db", HandClock()).send(
        email("c1-later").model_copy(update={"store_id": store, "subject": "חדש"})
    )
    page.until("document.querySelector('.list li').innerText.includes('חדש')")


def test_a_journey_shows_its_people_by_name(page: Browser, runtime: Process) -> None:
    store = runtime.ask("/v1/stores")[1]["items"][0]["id"]
    journey = f"/v1/stores/{store}/journeys/quiz"
    mail = {"subject": "Your answers", "blocks": [{"type": "text", "text": "Thank you"}]}
    waiting = {
        "name": {"en": "Quiz"},
        "trigger": {"type": "api_event", "name": "quiz_done"},
        "steps": [
            {"id": "a-day", "title": {"en": "A day"}, "type": "wait", "for": {"days": 1}},
            {"id": "mail", "title": {"en": "Mail"}, "type": "send_email", "kind": "marketing", "content": {"en": mail}},
        ],
    }
    assert runtime.ask(journey, "PUT", waiting)[0] == 200
    assert runtime.ask(f"{journey}/activate", "POST")[0] == 200
    done = {"id": "q1", "type": "quiz_done", "contact": {"email": "dana@shopper.example"}, "properties": {}}
    now = runtime.ask("/local/clock")[1]["now"]
    assert runtime.ask(f"/v1/stores/{store}/events", "POST", done | {"occurred_at": now})[0] == 202
    page.value("location.hash = '#/journey/quiz'")
    page.until("!!document.querySelector('td a bdi')")
    assert page.value("document.querySelector('td a bdi').textContent") == f"{ATTACK} כהן"
    assert "A day" in page.value("document.querySelector('tbody tr').innerText")


def test_a_shop_is_connected_with_a_code_made_here(page: Browser, runtime: Process) -> None:
    page.value("location.hash = '#/shops'")
    page.until("!!document.getElementById('make-code')")
    page.value("document.getElementById('make-code').click()")
    code = page.until("document.getElementById('code')?.textContent")
    assert page.value("document.activeElement.id") == "copy"
    told = inside(code)
    assert told["address"] == runtime.url
    shop = WOO | {"name": ATTACK, "url": "https://connected.example"}
    status, made = runtime.ask("/v1/connections", "POST", shop, token=told["key"])
    assert status == 201
    page.until("[...document.querySelectorAll('.card')].some((card) => card.innerText.includes('connected.example'))")
    shown = page.value("[...document.querySelectorAll('.card')].at(-1).innerText")
    assert ATTACK in shown
    assert page.value("document.querySelectorAll('img').length") == 1
    stamp = str(int(time.time()))
    mark = hmac.new(made["secret"].encode(), f"{stamp}.{{}}".encode(), hashlib.sha256).hexdigest()
    signed = {"X-Agala-Timestamp": stamp, "X-Agala-Signature": mark, "Content-Type": "application/json"}
    leaving = urllib.request.Request(f"{made['plugin_url']}/disconnect", data=b"{}", method="POST", headers=signed)
    urllib.request.urlopen(leaving, timeout=20).close()
    page.until("[...document.querySelectorAll('.card')].at(-1).innerText.includes('Nothing is sent')")
    assert "Sync" not in page.value("[...document.querySelectorAll('.card')].at(-1).innerText")
    assert runtime.ask(f"/v1/stores/{made['store_id']}", "DELETE")[0] == 204
    page.until("![...document.querySelectorAll('.card')].some((card) => card.innerText.includes('connected.example'))")


def test_nothing_is_asked_of_strangers_and_nothing_goes_wrong(page: Browser, runtime: Process) -> None:
    for view in ("journeys", "contacts", "shops", "outbox"):
        page.value(f"location.hash = '#/{view}'")
        page.until(f"document.querySelector('#tabs a[aria-current]')?.hash === '#/{view}'")
    page.until("!!document.querySelector('.letter iframe')")
    own = (runtime.url, "data:", "blob:", "about:")
    assert [url for url in page.requested() if not url.startswith(own)] == []
    scripts_refused = [
        c for c in page.complaints() if "sandbox" not in str(c) and "Content Security Policy" not in str(c)
    ]
    assert [c for c in scripts_refused if "/x" not in str(c)] == []


def test_an_sms_shows_as_on_a_phone(page: Browser, runtime: Process) -> None:
    page.until("!!document.querySelector('.list li')")
    folder = Path(runtime.environment["AGALA_DATA_DIR"])
    store = runtime.ask("/v1/stores")[1]["items"][0]["id"]
    text = f"פרסומת: בית התה\n{ATTACK}\nhttps://tea.example/c?a=1"
    Outbox(folder / "outbox.db", HandClock()).send(sms().model_copy(update={"store_id": store, "text": text}))
    page.until("document.querySelector('.list').innerText.includes('+972505550101')")
    page.value("location.hash = '#/outbox/c1-s1'")
    page.until("!!document.querySelector('.bubble')")
    assert ATTACK in page.value("document.querySelector('.bubble').textContent")
    assert page.value("document.querySelector('.bubble a').href") == "https://tea.example/c?a=1"
    assert page.value("document.querySelector('.letter dd bdi[dir=ltr]').textContent") == "+972505550101"
    assert page.value("document.querySelectorAll('.letter iframe').length") == 0
    page.value("[...document.querySelectorAll('.choice button')].at(-1).click()")
    assert "c1-s1" in page.value("document.querySelector('.pane').innerText")


def test_without_a_token_it_says_where_the_link_is(runtime: Process, tmp_path: Path) -> None:
    browser = Browser(tmp_path)
    try:
        browser.go(runtime.url)
        browser.until("!document.getElementById('notice')?.hidden && document.getElementById('notice').textContent")
        assert browser.value("document.querySelectorAll('main *').length") == 0
    finally:
        browser.close()
