"""The queue's reader: each delivery is recognised, understood, applied and kept, or kept and parked with the reason.

Processing the same delivery again ends in the same records, so whatever is interrupted simply comes again.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import datetime
from typing import Any

from chalice.app import Blueprint, SQSEvent

from chalicelib import wiring
from chalicelib.commerce.change import AppRemoved, ErasureAsked, ExportAsked, Nothing
from chalicelib.commerce.store import ConnectionStatus, Store
from chalicelib.contacts.retry import persist
from chalicelib.errors import BadInput, NotFound, TryLater
from chalicelib.storage.deliveries import DeliveryRecord, DeliveryStatus
from chalicelib.store_adapters import adapter_for
from chalicelib.store_adapters.base import AnotherShops, Delivery, Unintelligible
from chalicelib.store_adapters.envelope import Arrival, decode
from chalicelib.wiring import Wiring

blueprint = Blueprint(__name__)
_log = logging.getLogger(__name__)

RECEIVES = 5  # as the queue's redrive policy has it (infra/template.json): the last one parks what we fail on


@blueprint.on_sqs_message(queue="deliveries", batch_size=10, name="ingest")
def ingest(event: SQSEvent) -> dict[str, Any]:
    """Answers which messages are to come again; one bad message never takes its batch with it."""
    failed = [record["messageId"] for record in event.to_dict()["Records"] if not _take(record)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def replay(store_id: str, delivery_id: str) -> DeliveryRecord:
    """Read a kept delivery once more, after a fix. Raises `NotFound`, `BadInput` if its text is gone, `TryLater`."""
    parts = wiring.get()
    store, record = parts.stores.get(store_id), parts.deliveries.get(store_id, delivery_id)
    if store is None or record is None:
        raise NotFound("no such delivery")
    if record.repeat_of:
        return replay(store_id, record.repeat_of)
    delivery = parts.deliveries.raw(store_id, delivery_id)
    if delivery is None:
        raise BadInput("the text of this delivery is not kept any more")
    try:
        return _process(parts, store, record, delivery)
    except TryLater:
        raise
    except Exception as problem:  # noqa: BLE001 - a mistake of ours: it stays parked, to be replayed after the fix
        return _park(parts, record, delivery, problem)


def _take(message: dict[str, Any]) -> bool:
    """True once there is nothing more to do for this message."""
    parts = wiring.get()
    arrival: Arrival | None = None
    try:
        sent = _addressed(parts, json.loads(message["body"]))
        if sent is None:
            return True
        try:
            arrival = decode(sent, parts.objects.get)
        except NotFound:
            if parts.deliveries.get(str(sent["store_id"]), str(sent["delivery_id"])):
                return True  # the queue brings twice what was done: its body is kept with the delivery, or erased
            raise
        _arrived(parts, arrival)
        _drop_object(parts, sent)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the others of the batch go on
        return _failed(parts, message, arrival, problem)
    return True


def _addressed(parts: Wiring, sent: dict[str, Any]) -> dict[str, Any] | None:
    """The message with its store's id, where the door knew no more than the shop; None if the shop is no store's."""
    if sent.get("store_id") or "shop" not in sent:
        return sent
    store = parts.stores.of_shop(str(sent["shop"]))
    if store is not None:
        return {**sent, "store_id": store.id}
    _log.info("a delivery of a shop that is no store's: not kept", extra={"shop": sent["shop"]})
    _drop_object(parts, sent)
    return None


def _drop_object(parts: Wiring, sent: dict[str, Any]) -> None:
    """What travelled through the bucket is kept with the delivery by now, or not at all."""
    if "object" in sent:
        parts.objects.delete(sent["object"])


def _failed(parts: Wiring, message: dict[str, Any], arrival: Arrival | None, problem: Exception) -> bool:
    _tell(message["messageId"], problem)
    received = int(message.get("attributes", {}).get("ApproximateReceiveCount", "1"))
    if arrival is None or isinstance(problem, TryLater) or received < RECEIVES:
        return False
    try:
        _park(parts, _record(arrival), _delivery(arrival), problem)
        _drop_object(parts, json.loads(message["body"]))
    except Exception as worse:  # noqa: BLE001 - then it goes to the dead letters, from where it can be redriven
        _tell(message["messageId"], worse)
        return False
    return True


def _arrived(parts: Wiring, arrival: Arrival) -> None:
    store = parts.stores.get(arrival.store_id)
    if store is None:
        _log.info("a delivery for a store that is gone", extra={"store_id": arrival.store_id})
        return
    record = _record(arrival)
    first = parts.deliveries.claim(record, arrival.repeat_key)
    if first != record.id:
        repeated = {"status": DeliveryStatus.REPEATED, "repeat_of": first}
        parts.deliveries.keep(record.model_copy(update=repeated), None)
        return
    _process(parts, store, record, _delivery(arrival))


def _process(parts: Wiring, store: Store, record: DeliveryRecord, delivery: Delivery) -> DeliveryRecord:
    try:
        changes = adapter_for(delivery.platform).parse(delivery, store)
    except AnotherShops as problem:
        return parts.deliveries.keep(_parked(record, str(problem)), None)
    except Unintelligible as problem:
        return parts.deliveries.keep(_parked(record, str(problem)), delivery)
    touched: dict[str, None] = {}
    nobodys: list[str] = []
    reasons: list[str] = []
    # A request about somebody's data is itself such data, as is what still comes about a person who was erased; and who
    # removes the app tells their own address with it.
    private = any(isinstance(change, ErasureAsked | ExportAsked | AppRemoved) for change in changes)
    if any(isinstance(change, ErasureAsked) and change.whole_shop for change in changes):
        parts.lifecycle.stop_every(store)
        parts.sync.forget(store)
    for told in changes:
        change = _without_app(parts, store, told, record.received_at) if isinstance(told, AppRemoved) else told
        applied = parts.intake.apply(store, change, record.id, record.received_at)
        touched |= dict.fromkeys(applied.contact_ids)
        nobodys += applied.order_ids
        private = private or applied.erased
        reasons += [applied.reason] if applied.reason else []
    done = {
        "status": DeliveryStatus.APPLIED,
        "contact_ids": tuple(touched),
        "order_ids": tuple(nobodys),
        "reason": "; ".join(dict.fromkeys(reasons)) or None,
    }
    return parts.deliveries.keep(record.model_copy(update=done), None if private else delivery)


def _without_app(parts: Wiring, store: Store, removed: AppRemoved, received_at: datetime) -> AppRemoved | Nothing:
    """Messages are held from now on, the token is forgotten and the journeys end. What is cut short may be repeated.

    The webhooks' secret stays: what was on its way still comes, and the platform asks to erase the shop days later.
    A removal from before the shop was connected as it is now changes nothing.
    """
    at = removed.at or received_at
    access = parts.secrets.shopify_access(store.id)

    def end_connection() -> bool:
        present = parts.stores.get(store.id)
        if present is None or present.connection is None or present.is_disconnected:
            return True
        connection = present.connection
        if at < max(connection.at, connection.keys_at or connection.at):
            return False
        told = {"status": ConnectionStatus.DISCONNECTED, "at": parts.clock.now(), "keys_at": None}
        parts.stores.save(present.model_copy(update={"connection": connection.model_copy(update=told)}))
        return True

    if not persist(end_connection):
        return Nothing("the app was removed before the shop was connected as it is now")
    # Whoever connects the shop again in this very moment brings another token.
    if access is not None and parts.secrets.shopify_access(store.id) == access:
        parts.secrets.delete_shopify_access(store.id)
    parts.lifecycle.stop_every(store, "app_removed")
    return removed


def _park(parts: Wiring, record: DeliveryRecord, delivery: Delivery, problem: Exception) -> DeliveryRecord:
    return parts.deliveries.keep(_parked(record, f"internal error: {type(problem).__name__}"), delivery)


def _parked(record: DeliveryRecord, reason: str) -> DeliveryRecord:
    return record.model_copy(update={"status": DeliveryStatus.PARKED, "reason": reason})


def _delivery(arrival: Arrival) -> Delivery:
    return Delivery(arrival.store_id, arrival.platform, arrival.headers, arrival.body, arrival.received_at)


def _record(arrival: Arrival) -> DeliveryRecord:
    return DeliveryRecord(
        id=arrival.delivery_id,
        store_id=arrival.store_id,
        platform=arrival.platform,
        topic=adapter_for(arrival.platform).topic(_delivery(arrival)),
        status=DeliveryStatus.PARKED,
        received_at=arrival.received_at,
    )


def _tell(message_id: str, problem: Exception) -> None:
    """The way to the mistake without its text: a text may hold what somebody wrote."""
    way = "".join(traceback.format_tb(problem.__traceback__))
    _log.error("%s\n%s", type(problem).__name__, way, extra={"message_id": message_id})
