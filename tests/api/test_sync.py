from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.commerce.store import Connection, ConnectionStatus
from chalicelib.handlers.store_sync import store_sync
from chalicelib.sync.progress import Part, Reconciliation, SyncMode, SyncProgress, SyncStatus, Trouble
from tests.api.client import Caller
from tests.api.conftest import ApiWiring


@pytest.fixture
def connected(wired: ApiWiring, store: dict[str, Any]) -> str:
    """The id of a store that a shop is tied to."""
    found = wired.stores.get(store["id"])
    assert found is not None
    link = Connection(status=ConnectionStatus.CONNECTED, rest_url="http://127.0.0.1:9/wp-json/", at=wired.clock.now())
    wired.stores.save(found.model_copy(update={"connection": link}))
    return str(store["id"])


def test_a_store_that_was_never_asked_says_so(call: Caller, store: dict[str, Any]) -> None:
    answer = call("GET", f"/v1/stores/{store['id']}/sync")
    assert answer.status == 200
    assert (answer.json["status"], answer.json["parts"], answer.json["trouble"]) == ("never", [], None)


def test_a_store_without_a_shop_cannot_be_asked(call: Caller, store: dict[str, Any], wired: ApiWiring) -> None:
    answer = call("POST", f"/v1/stores/{store['id']}/sync")
    assert answer.status == 409
    assert "connect" in answer.json["detail"]
    assert wired.sync_records.get(store["id"]) is None


def test_a_sync_is_started_once_and_shown(call: Caller, connected: str, wired: ApiWiring) -> None:
    answers = [call("POST", f"/v1/stores/{connected}/sync") for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202]
    started: dict[str, Any] = wired.workflows.started  # type: ignore[attr-defined]
    assert len(started) == 1
    shown = call("GET", f"/v1/stores/{connected}/sync").json
    assert shown == answers[0].json == answers[1].json
    assert (shown["status"], shown["mode"], shown["finished_at"]) == ("running", "history", None)
    assert [part["kind"] for part in shown["parts"]] == ["webhooks", "products", "customers", "orders"]


def test_the_task_says_in_words_why_it_waits(call: Caller, connected: str, wired: ApiWiring) -> None:
    call("POST", f"/v1/stores/{connected}/sync")
    ((_, given),) = wired.workflows.started.items()  # type: ignore[attr-defined]
    answer = store_sync(given, None)
    assert answer["done"] is False
    shown = call("GET", f"/v1/stores/{connected}/sync").json
    assert shown["status"] == "waiting"
    assert shown["trouble"]["words"].startswith("The shop has not given Agala a key")
    assert shown["trouble"]["next_try_at"] == answer["until"]


def test_all_that_a_sync_can_show_is_in_the_document(call: Caller, connected: str, wired: ApiWiring) -> None:
    now = wired.clock.now()
    part = Part(kind="orders", done=90, total=100).with_mistakes(["total: expected an amount"] * 2)
    wired.sync_records.save(
        SyncProgress(
            store_id=connected,
            run="r",
            mode=SyncMode.RECONCILE,
            status=SyncStatus.DONE,
            started_at=now - timedelta(hours=1),
            finished_at=now,
            alive_at=now,
            history_since=now,
            parts=(part,),
            trouble=Trouble(code="failing", words="The shop …", since=now, next_try_at=now),
            last_reconciliation=Reconciliation(at=now, found={"orders": 3}, webhooks_mended=1, quiet_since=now),
        )
    )
    shown = call("GET", f"/v1/stores/{connected}/sync").json
    assert shown["parts"][0]["reasons"] == [{"reason": "total: expected an amount", "count": 2}]
    assert shown["last_reconciliation"]["found"] == {"orders": 3, "customers": 0, "products": 0}
    assert shown["last_reconciliation"]["webhooks_mended"] == 1


def test_another_stores_token_sees_nothing(call: Caller, store: dict[str, Any]) -> None:
    made = call("POST", "/v1/tokens", {"name": "other", "stores": [store["id"]]}).json
    other = Caller(made["token"] if "token" in made else made["secret"])
    assert other("GET", f"/v1/stores/{'0' * 26}/sync").status == 403
    assert other("POST", f"/v1/stores/{'0' * 26}/sync").status == 403
    assert Caller(None)("GET", f"/v1/stores/{store['id']}/sync").status == 401
