"""A shop that does not answer as asked: the sync says so in words, waits, and goes on where it was."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.store_adapters import shop_http
from chalicelib.sync.progress import SyncStatus
from local.bench.shop import Mood
from tests.sync.world import STORE, Make

HTML = b"<!doctype html><title>Just a moment...</title>"


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        (Mood(status=200, body=HTML), "web page instead of JSON"),
        (Mood(status=200, body=b'[{"id": 1'), "not complete or is no JSON"),
        (Mood(status=200, body=b'{"orders": []}'), "not complete or is no JSON"),
        (Mood(status=401, body=b'{"code": "woocommerce_rest_cannot_view"}'), "refused Agala's key"),
        (Mood(status=403, body=HTML), "does not let Agala in"),
        (Mood(status=404, body=HTML), "REST API was not found"),
        (Mood(status=429, headers={"Retry-After": "7200"}), "asks Agala to wait"),
        (Mood(status=503), "an error of its own; it may be overloaded or updating. (HTTP 503)"),
        (Mood(status=302, headers={"Location": "https://elsewhere.example/"}), "redirects to another address"),
        (Mood(status=302, headers={"Location": "/wp-json/wc/v3/orders"}), "circle of redirects"),
        (Mood(hang=True), "took too long"),
    ],
)
def test_trouble_is_told_in_words_and_passes(
    make: Make, monkeypatch: pytest.MonkeyPatch, mood: Mood, words: str
) -> None:
    monkeypatch.setattr(shop_http, "READ_SECONDS", 0.3)
    world = make(orders=3)
    mood.only, world.shop.mood = "orders", mood
    world.begin()
    answer = world.work()
    progress = world.progress
    assert answer["done"] is False
    assert progress.status is SyncStatus.WAITING
    assert progress.trouble is not None
    assert words in progress.trouble.words
    assert progress.trouble.next_try_at > world.clock.now()
    assert [part.over for part in progress.parts] == [True, True, True, False]
    mood.times = 0
    world.run()
    assert world.progress.status is SyncStatus.DONE
    assert world.progress.trouble is None
    assert world.progress.parts[-1].done == 3


def test_the_shop_says_how_long_to_wait(make: Make) -> None:
    world = make(orders=3)
    world.shop.mood = Mood(status=429, headers={"Retry-After": "7200"}, only="orders")
    world.begin()
    world.work()
    assert world.progress.trouble is not None
    assert world.progress.trouble.next_try_at == world.clock.now() + timedelta(hours=2)


def test_pauses_grow_and_end_and_the_trouble_keeps_its_beginning(make: Make) -> None:
    world = make(orders=3)
    world.shop.mood = Mood(status=500, only="orders")
    world.begin()
    began, pauses = world.clock.now(), []
    for _ in range(10):
        world.work()
        trouble = world.progress.trouble
        assert trouble is not None and trouble.since == began
        pauses.append(trouble.next_try_at - world.clock.now())
        world.clock.time = trouble.next_try_at
    assert pauses[0] == timedelta(seconds=30)
    assert pauses == sorted(pauses)
    assert pauses[-1] == timedelta(hours=1)
    assert world.progress.size == 5


def test_a_refused_key_is_not_tried_all_day(make: Make) -> None:
    world = make(orders=3)
    world.shop.mood = Mood(status=401)
    world.begin()
    for _ in range(5):
        world.work()
        assert world.progress.trouble is not None
        world.clock.time = world.progress.trouble.next_try_at
    pause = world.clock.now() - (world.progress.alive_at)
    assert pause == timedelta(hours=6)


def test_a_shop_without_a_key_says_so_and_goes_on_when_it_has_one(make: Make) -> None:
    world = make(orders=3)
    keys = world.parts.secrets.rest_keys(STORE)
    assert keys is not None
    world.parts.secrets.delete_rest_keys(STORE)
    world.begin()
    world.work()
    assert world.progress.trouble is not None
    assert "key" in world.progress.trouble.words
    world.parts.secrets.put_rest_keys(STORE, *keys)
    world.parts.sync.history(world.store)
    assert len(world.started) == 2, "it goes on at once"
    world.run()
    assert world.progress.parts[-1].done == 3


def test_words_hold_neither_key_nor_person(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    world = make(orders=3)
    world.shop.mood = Mood(status=400, body=b'{"code": "x", "message": "zoe@example.test"}', only="orders")
    world.begin()
    world.work()
    keys = world.parts.secrets.rest_keys(STORE)
    assert keys is not None
    for secret in (*keys, "zoe", "oauth"):
        assert secret not in world.progress.model_dump_json()
        assert secret not in caplog.text
