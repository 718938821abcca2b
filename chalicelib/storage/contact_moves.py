"""A whole contact at once: carried into another, handed out, or forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.cart_fold import erased
from chalicelib.commerce.events import without_person
from chalicelib.commerce.ports import OrderRecord
from chalicelib.contacts.contact import Contact
from chalicelib.contacts.engagement import Engagement
from chalicelib.contacts.engagement_fold import join
from chalicelib.contacts.identity import CUSTOMER, EMAIL, PHONE, Pointer
from chalicelib.errors import Conflict
from chalicelib.journeys.gathering import Gathering, united
from chalicelib.journeys.watchers import Watcher
from chalicelib.messages.recent import Recent, joined
from chalicelib.storage import keys
from chalicelib.storage.day_entries import engagement_operations
from chalicelib.storage.recents import recent_item
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import ConditionFailed, Delete, Item, Put, Table

_KINDS = {
    "F": "purchases",
    "O": "paid_orders",
    "K": "carts",
    "G": "gatherings",
    "N": "enrolments",
    "M": "messages",
    "T": "timeline",
    "D": "deliveries",
    "W": "watched",
}
_OF_WATCHING = {"contact_by", "generation", "watched", "heard_at", "left_as", "left_generation", "rev"}
_OF_A_WATCHER = {"subject", "viewed", "wished", "unwished", "asked", "unasked", "bought"}
_LIVING = ("running", "held")
_TRIES = 20


def move(table: Table, store_id: str, loser: str, winner: str) -> None:
    """Every record of `loser` except its profile, one small transaction each; repeating is harmless.

    Several may do it at once: what another carried over, and perhaps changed since, is not put there again.

    Purchase facts stay behind: they are folded anew from the orders. So do entries of the index of days: who writes
    the winner's records writes theirs.
    """
    source, target = keys.contact(store_id, loser), keys.contact(store_id, winner)
    for item in table.iterate(source):
        sk = str(item["sk"])
        if sk == keys.PROFILE:
            continue
        if sk == keys.PURCHASES or sk.startswith(keys.DAYS) or item.get("id") == f"contact_created:{store_id}:{loser}":
            table.delete(source, sk)
        elif sk[0] in "NM":
            _move_record(table, item, loser, winner, target)
        elif sk == keys.ENGAGEMENT:
            _move_engagement(table, store_id, loser, winner)
        elif sk == keys.RECENT:
            _move_recent(table, source, target)
        elif sk[0] == "G":
            _move_gathering(table, source, sk, target)
        else:
            _move_item(table, source, sk, target)


def _move_item(table: Table, source: str, sk: str, target: str) -> None:
    for _ in range(_TRIES):
        item = table.get(source, sk)
        if item is None:
            return
        try:
            table.transact([Put({**item, "pk": target}), Delete(source, sk, there=True)])
        except ConditionFailed:
            continue
        return
    raise Conflict("another is carrying this record")


def _move_engagement(table: Table, store_id: str, loser: str, winner: str) -> None:
    """Both did what they did: the two are joined."""
    source, target = keys.contact(store_id, loser), keys.contact(store_id, winner)
    for _ in range(_TRIES):
        goes, stays = table.get(source, keys.ENGAGEMENT), table.get(target, keys.ENGAGEMENT)
        if goes is None:
            return
        known = load(Engagement, stays) if stays else Engagement()
        both = join(known, load(Engagement, goes))
        try:
            table.transact(
                [*engagement_operations(store_id, winner, both), Delete(source, keys.ENGAGEMENT, rev=int(goes["rev"]))]
            )
        except ConditionFailed:
            continue
        return
    raise Conflict("another is writing this record")


def _move_recent(table: Table, source: str, target: str) -> None:
    """One person got what both did: caps and duplicates count them together."""
    for _ in range(_TRIES):
        goes, stays = table.get(source, keys.RECENT), table.get(target, keys.RECENT)
        if goes is None:
            return
        both = joined(load(Recent, stays) if stays else Recent(), load(Recent, goes))
        arrives = Put(recent_item(target, both), rev=both.rev)
        try:
            table.transact([arrives, Delete(source, keys.RECENT, rev=int(goes["rev"]))])
        except ConditionFailed:
            continue
        return
    raise Conflict("another is writing this record")


def _move_record(table: Table, item: Item, loser: str, winner: str, target: str) -> None:
    """An enrolment or message. Both contacts may have entered one journey by one key: then both records are kept,
    and the one that comes is history."""
    source, sk = str(item["pk"]), str(item["sk"])
    for _ in range(_TRIES):
        fresh = table.get(source, sk)
        if fresh is None:
            return
        moved = {**fresh, "pk": target, "contact_id": winner}
        there = table.get(target, sk)
        if there is not None and there["id"] != fresh["id"]:
            moved["sk"] = f"{sk}#{loser}"
            if fresh["status"] in _LIVING:
                moved |= {"status": "stopped", "reason": "merged"}
        try:
            table.transact([Put(moved), Delete(source, sk, rev=int(fresh["rev"]))])
        except ConditionFailed:
            continue
        return
    raise Conflict("another is writing this record")


def _move_gathering(table: Table, source: str, sk: str, target: str) -> None:
    """Both may be gathering for one journey: it is one visitor's then."""
    for _ in range(_TRIES):
        fresh, there = table.get(source, sk), table.get(target, sk)
        if fresh is None:
            return
        comes = load(Gathering, fresh)
        whole = comes if there is None else united(load(Gathering, there), comes)
        moved = dump(whole.model_copy(update={"rev": whole.rev + 1}), (target, sk))
        arrives = Put(moved, new=True) if there is None else Put(moved, rev=whole.rev)
        try:
            table.transact([arrives, Delete(source, sk, rev=comes.rev)])
        except ConditionFailed:
            continue
        return
    raise Conflict("another is writing this record")


def export(table: Table, store_id: str, contact_id: str) -> dict[str, list[dict[str, Any]]]:
    """Every record by kind, plus the carts', orders' and raw deliveries' own records."""
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in (*_KINDS.values(), "engagement")}
    for item in table.iterate(keys.contact(store_id, contact_id)):
        sk = str(item["sk"])
        if sk in (keys.PROFILE, keys.RECENT) or sk.startswith((keys.EXPORTS, keys.DAYS)):
            continue  # which messages there were lately, the messages themselves tell
        plain = {
            k: v for k, v in item.items() if k not in ("pk", "sk", "gsi1pk", "gsi1sk", "expires_at", "indexed", "rev")
        }
        if sk[0] == "D":
            plain = {"id": sk.removeprefix("D#")}
        if sk[0] == "K":
            cart = table.get(*keys.cart(store_id, str(item["token"])))
            if cart is None:
                continue  # its time was over
            plain = load(CartRecord, cart).model_dump(mode="json", exclude=_OF_WATCHING)
        if sk[0] == "W":
            entry = table.get(*_listed(store_id, item))
            if entry is None:
                continue
            plain = load(Watcher, entry).model_dump(mode="json", include=_OF_A_WATCHER, exclude_none=True)
        found["engagement" if sk == keys.ENGAGEMENT else _KINDS[sk[0]]].append(plain)
    found["orders"] = []
    for external_id in order_ids(found["timeline"]):
        record = table.get(*keys.order(store_id, external_id))
        if record:
            found["orders"].append(
                load(OrderRecord, record).model_dump(mode="json", exclude={"events", "contact_by", "rev"})
            )
    return found


def order_ids(events: Sequence[Item]) -> list[str]:
    """Every order has its events in its contact's timeline, paid or not."""
    named = [e["properties"].get("order_id") for e in events if str(e["id"]).startswith(("order_", "payment_"))]
    return sorted({str(order_id) for order_id in named if order_id})


def forget(table: Table, store_id: str, contact: Contact, hashes: Sequence[str], at: datetime) -> None:
    """Nothing personal stays. Enrolments and messages stay as bare history; the profile goes last, so that an
    erasure that was interrupted can be asked for again."""
    remember_erased(table, store_id, hashes, at)
    partition = keys.contact(store_id, contact.id)
    events = table.query(partition, prefix="T#")
    for external_id in order_ids(events):
        _scrub_order(table, store_id, external_id)
        _scrub_attribution(table, store_id, external_id)
    for item in table.iterate(partition):
        sk = str(item["sk"])
        if sk[0] in "NM":
            if "links" in item:  # first: where they lead may name the person
                table.delete(*keys.followed(str(item["links"])))
            _scrub_record(table, partition, sk)
        elif sk != keys.PROFILE and not sk.startswith(keys.EXPORTS):  # those go together with their exports
            if sk[0] == "K":
                _scrub_cart(table, store_id, str(item["token"]), at)
            if sk[0] == "T":
                _scrub_seen(table, store_id, str(item["id"]))
            if sk[0] == "W":
                table.delete(*_listed(store_id, item))
            table.delete(partition, sk)
    for kind, values in ((EMAIL, contact.emails), (PHONE, contact.phones), (CUSTOMER, contact.external_ids)):
        for value in values:
            _release(table, store_id, kind, value, contact.id)
    table.delete(partition, keys.PROFILE)


def _listed(store_id: str, note: Item) -> tuple[str, str]:
    """Where the watcher's entry is that the contact's note is about: under the id it had when it was written."""
    return keys.watcher(store_id, str(note["subject"]), str(note["contact_id"]))


def remember_erased(table: Table, store_id: str, hashes: Sequence[str], at: datetime) -> None:
    for hashed in hashes:
        pk, sk = keys.erased(store_id, hashed)
        table.put(Put({"pk": pk, "sk": sk, "at": rfc3339(at)}))


def forget_unclaimed(table: Table, store_id: str, at: datetime) -> None:
    """The carts and orders of the store that no contact leads to: what they still say of somebody goes."""
    for shard in range(keys.SHARDS):
        for item in table.iterate(f"NOBODYS#{store_id}#{shard}", index=True):
            if "token" in item:
                _scrub_cart(table, store_id, str(item["token"]), at)
                continue
            _scrub_order(table, store_id, str(item["external_id"]))
            waiting = str(item["pk"])
            for event in table.query(waiting, prefix="T#"):
                table.delete(waiting, str(event["sk"]))


def _scrub_order(table: Table, store_id: str, external_id: str) -> None:
    key = keys.order(store_id, external_id)
    for _ in range(_TRIES):
        item = table.get(*key)
        if item is None:
            return
        record = load(OrderRecord, item)
        order = without_person(record.order) if record.order else None
        written = record.model_copy(update={"order": order, "contact_id": None, "erased": True, "rev": record.rev + 1})
        try:
            table.put(Put(dump(written, key), rev=record.rev))
        except ConditionFailed:
            continue
        return


def _scrub_attribution(table: Table, store_id: str, order_id: str) -> None:
    """The sum stays with its journey; whose order and message it was goes."""
    key = keys.attribution(store_id, order_id)
    for _ in range(_TRIES):
        item = table.get(*key)
        if item is None:
            return
        bare = {k: v for k, v in item.items() if k not in ("contact_id", "message_id", "coupon")}
        try:
            table.put(Put({**bare, "rev": int(item["rev"]) + 1}, rev=int(item["rev"])))
        except ConditionFailed:
            continue
        return


def _scrub_cart(table: Table, store_id: str, token: str, at: datetime) -> None:
    for _ in range(_TRIES):
        key = keys.cart(store_id, token)
        item = table.get(*key)
        if item is None:
            return
        record = load(CartRecord, item)
        bare = erased(record, at).model_copy(update={"rev": record.rev + 1})
        try:
            table.put(Put(dump(bare, key, expires_at=item.get("expires_at")), rev=record.rev))
        except ConditionFailed:
            continue
        return


def _scrub_record(table: Table, partition: str, sk: str) -> None:
    for _ in range(_TRIES):
        item = table.get(partition, sk)
        if item is None:
            return
        bare = {k: v for k, v in item.items() if k not in ("to", "subject", "words", "event", "coupon")}
        if sk[0] == "N" and bare["status"] in _LIVING:
            bare |= {"status": "stopped", "reason": "erased"}
        if sk[0] == "M":  # what a provider answered may name the address
            bare["history"] = [{"at": entry["at"], "status": entry["status"]} for entry in item.get("history", [])]
        bare["rev"] = int(item["rev"]) + 1
        try:
            table.put(Put(bare, rev=int(item["rev"])))
        except ConditionFailed:
            continue
        return


def _scrub_seen(table: Table, store_id: str, event_id: str) -> None:
    """The claim on the id stays, so that the event cannot come back; what it told goes."""
    pk, sk = keys.event_seen(store_id, event_id)
    item = table.get(pk, sk)
    if item is not None:
        table.put(Put({"pk": pk, "sk": sk, "contact_id": item["contact_id"]}))


def _release(table: Table, store_id: str, kind: str, value: str, contact_id: str) -> None:
    key = keys.identity(store_id, kind, value)
    item = table.get(*key)
    if item is None:
        return
    pointer = load(Pointer, item)
    others = tuple(claim for claim in pointer.contacts if claim != contact_id)
    if others and kind == PHONE:
        table.put(Put(dump(pointer.model_copy(update={"contacts": others, "rev": pointer.rev + 1}), key)))
    else:
        table.delete(*key)
